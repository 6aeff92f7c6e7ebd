//! A running `wsgi-lambda serve`, and requests to it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::client::{self, Reply};
use super::support;

/// The front ends, as `serve` names them.
const NAMES: [&str; 8] =
    ["function-url", "http-api", "http-api-v1", "rest", "alb", "alb-multi", "lattice", "lattice-v1"];

/// `wsgi-lambda serve`, which is ended when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// Port and the path before the application's, by the name of the front end.
    fronts: BTreeMap<String, (u16, String)>,
    said: Arc<Mutex<String>>,
}

impl Server {
    /// Serves an application of a folder, relative to the repository, with these options.
    pub(crate) fn start(app: &str, folder: &str, options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wsgi-lambda"));
        for variable in ["AWS_REGION", "CLICOLOR_FORCE", "VIRTUAL_ENV"] {
            command.env_remove(variable);
        }
        command
            .args(["serve", app, "--port", "0", "--no-reload", "--dir"])
            .arg(support::root().join(folder))
            .args(options);
        command.env("WSGI_LAMBDA_BOOTSTRAP", support::bootstrap()).env("PYTHONDONTWRITEBYTECODE", "1");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut fronts = BTreeMap::new();
        let said = Arc::new(Mutex::new(String::new()));
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap() == 0 {
                let mut why = String::new();
                child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
                panic!("serve has ended: {why}");
            }
            if line.contains("Ctrl-C") {
                break;
            }
            if let Some((address, name)) =
                line.trim().strip_prefix("http://127.0.0.1:").and_then(|url| url.split_once("  "))
            {
                let (port, path) = address.split_once('/').unwrap();
                if !NAMES.contains(&name.trim()) {
                    continue; // the index and the inspector
                }
                let mount = format!("/{path}").trim_end_matches('/').to_owned();
                fronts.insert(name.trim().to_owned(), (port.parse().unwrap(), mount));
            }
        }
        keep(lines, &said);
        keep(BufReader::new(child.stderr.take().unwrap()), &said);
        Self { child, fronts, said }
    }

    /// The names of the front ends.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.fronts.keys().map(String::as_str).collect()
    }

    /// Where a front end listens.
    pub(crate) fn port(&self, front_end: &str) -> u16 {
        self.front(front_end).0
    }

    /// The path before the application's: a REST API's stage.
    pub(crate) fn mount(&self, front_end: &str) -> &str {
        &self.front(front_end).1
    }

    fn front(&self, front_end: &str) -> &(u16, String) {
        self.fronts.get(front_end).unwrap_or_else(|| panic!("no {front_end} among {:?}", self.fronts))
    }

    /// Sends a request to a path of the application.
    pub(crate) fn ask(
        &self,
        front_end: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let (port, mount) = self.front(front_end);
        client::request(*port, method, &format!("{mount}{path}"), headers, body)
    }

    pub(crate) fn get(&self, front_end: &str, path: &str) -> Reply {
        self.ask(front_end, "GET", path, &[], b"")
    }

    /// The JSON of a response with status 200.
    pub(crate) fn json(
        &self,
        front_end: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Value {
        let reply = self.ask(front_end, method, path, headers, body);
        let status = reply.status;
        let text = reply.text();
        assert_eq!(status, 200, "{front_end}: {method} {path}: {text}\n{}", self.said());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{front_end}: {method} {path}: {error}: {text}"))
    }

    /// What the terminal shows so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }
}

fn keep(lines: impl std::io::BufRead + Send + 'static, said: &Arc<Mutex<String>>) {
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            said.lock().unwrap().push_str(&(line + "\n"));
        }
    });
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = support::kill("TERM", self.child.id()).status();
        let start = Instant::now();
        while self.child.try_wait().is_ok_and(|status| status.is_none()) {
            if start.elapsed() > Duration::from_secs(10) {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
