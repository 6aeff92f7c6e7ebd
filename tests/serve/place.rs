//! A folder with an application, and `serve` in it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::{self, Reply};
use crate::support;

/// How long a test waits for what has to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder with the application of these tests.
    pub(crate) fn app() -> Self {
        let place = Self::new();
        place.write("app.py", crate::APP);
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.path().join(name)).unwrap();
    }

    /// The names in a folder.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wsgi-lambda"));
        for variable in ["AWS_REGION", "CLICOLOR_FORCE", "VIRTUAL_ENV"] {
            command.env_remove(variable);
        }
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env("WSGI_LAMBDA_BOOTSTRAP", support::bootstrap()).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Serves with these arguments, on free ports.
    pub(crate) fn serve(self, arguments: &[&str]) -> Served {
        self.serve_with(arguments, |_| {})
    }

    pub(crate) fn serve_with(self, arguments: &[&str], change: impl FnOnce(&mut Command)) -> Served {
        let mut command = self.command(&["serve"]);
        command.args(arguments).args(["--port", "0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let shown = Arc::new(Mutex::new(String::new()));
        follow(child.stdout.take().unwrap(), &shown);
        follow(child.stderr.take().unwrap(), &shown);
        let served = Served { child: Some(child), place: Some(self), shown };
        served.shows("Ctrl-C ends.");
        served
    }

    /// Serves with these arguments, which has to fail; returns what it says.
    pub(crate) fn fails(&self, arguments: &[&str]) -> String {
        let output = self.command(&["serve"]).args(arguments).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }
}

fn follow(stream: impl std::io::Read + Send + 'static, shown: &Arc<Mutex<String>>) {
    let shown = Arc::clone(shown);
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        loop {
            let bytes = stream.fill_buf().unwrap_or_default();
            if bytes.is_empty() {
                return;
            }
            let length = bytes.len();
            shown.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
            stream.consume(length);
        }
    });
}

/// `serve` at work. It is ended when this is dropped.
pub(crate) struct Served {
    child: Option<Child>,
    place: Option<Place>,
    shown: Arc<Mutex<String>>,
}

impl Served {
    pub(crate) fn place(&self) -> &Place {
        self.place.as_ref().unwrap()
    }

    /// All that the terminal shows so far.
    pub(crate) fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.shown().lines().map(str::to_owned).collect()
    }

    /// Waits until the terminal shows a text.
    pub(crate) fn shows(&self, text: &str) {
        self.shows_times(text, 1);
    }

    /// Waits until the terminal shows a text this often.
    pub(crate) fn shows_times(&self, text: &str, times: usize) {
        self.until(&format!("{text:?} is shown {times} times"), || self.shown().matches(text).count() >= times);
    }

    /// Waits until something is so.
    pub(crate) fn until(&self, what: &str, is_so: impl FnMut() -> bool) {
        assert!(within(PATIENCE, is_so), "not so: {what}\n{}", self.shown());
    }

    /// The ports, in the order in which they are shown.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let port = |line: &str| line.trim().strip_prefix("http://127.0.0.1:")?.split('/').next()?.parse().ok();
        self.shown().lines().filter_map(port).collect()
    }

    pub(crate) fn port(&self) -> u16 {
        self.ports()[0]
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        client::request(self.port(), "GET", path, &[], b"")
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        client::request(self.port(), "GET", path, headers, b"")
    }

    pub(crate) fn post(&self, path: &str, body: &[u8]) -> Reply {
        client::request(self.port(), "POST", path, &[], body)
    }

    /// Sends a GET from another thread, which returns the body.
    pub(crate) fn get_beside(&self, path: &'static str) -> std::thread::JoinHandle<String> {
        let port = self.port();
        std::thread::spawn(move || client::request(port, "GET", path, &[], b"").text())
    }

    /// A connection that has sent these bytes.
    pub(crate) fn connect(&self, bytes: &[u8]) -> TcpStream {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port())).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        connection.write_all(bytes).unwrap();
        connection
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        assert!(support::kill(name, self.pid()).status().unwrap().success());
    }

    /// Waits for the end.
    pub(crate) fn ends(&mut self) -> ExitStatus {
        let child = self.child.as_mut().unwrap();
        let mut status = None;
        let ended = within(PATIENCE, || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        assert!(ended, "it does not end\n{}", self.shown());
        status.unwrap()
    }

    /// Ends it; returns the folder.
    pub(crate) fn stop(mut self) -> Place {
        self.signal("TERM");
        self.ends();
        self.place.take().unwrap()
    }

    /// Ends it, and starts it with other arguments.
    pub(crate) fn again(self, arguments: &[&str]) -> Self {
        self.stop().serve(arguments)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let Some(child) = &mut self.child else { return };
        if let Ok(None) = child.try_wait() {
            // Not SIGKILL, which would leave the sandboxes.
            let _ = support::kill("TERM", child.id()).status();
            let _ = within(PATIENCE, || !matches!(child.try_wait(), Ok(None)));
            let _ = child.kill();
        }
    }
}

/// Whether something becomes so in this time.
pub(crate) fn within(patience: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let last = Instant::now() + patience;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() > last {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
