//! What the integration tests share: a function that really runs, and its responses taken apart.
//!
//! The Runtime API is `wsgi_lambda::emulator`, which starts the `bootstrap` that ships. Each test has its
//! own process and its own port, so tests can run at the same time.
//!
//! ```ignore
//! let mut function = support::source("def app(environ, start_response): …").env("KEY", "value").start();
//! let response = function.invoke(support::event("http-api-v2-get"));
//! assert_eq!(response.status(), 200);
//! assert!(function.logs().contains("…"));
//! ```
#![allow(dead_code, reason = "each test file uses a part of this")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "a module of several test crates")]

use std::borrow::Borrow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use wsgi_lambda::emulator::{
    ApiCall, HttpResponse, Launch, LogLine, Outcome, RuntimeApi, Sandbox, StartError, Submission,
};

/// The runtime under test: `WSGI_LAMBDA_BOOTSTRAP`, or what `make build` made.
///
/// # Panics
/// If there is none.
pub fn bootstrap() -> PathBuf {
    #[allow(clippy::disallowed_methods, reason = "a setting of the tests, not of the program")]
    let named = std::env::var_os("WSGI_LAMBDA_BOOTSTRAP").map(PathBuf::from);
    let path = named.unwrap_or_else(|| root().join("target/release/bootstrap"));
    assert!(path.is_file(), "no runtime at {}: run `make build` or set WSGI_LAMBDA_BOOTSTRAP", path.display());
    path
}

/// The Python that the runtime embeds, as a program.
pub fn python() -> Command {
    #[allow(clippy::disallowed_methods, reason = "a setting of the tests, not of the program")]
    let python = std::env::var_os("PYO3_PYTHON").unwrap_or_else(|| "python3".into());
    Command::new(python)
}

/// What a program writes to its standard output.
///
/// # Panics
/// If it fails.
pub fn said(command: &mut Command) -> String {
    let output = command.output().expect("it can be started");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Says that a test did not run, and why: past the capture of the test harness, so that it is seen.
pub fn skipped(why: &str) {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("SKIPPED: {why}\n"));
}

/// Sends a signal, such as `TERM`, to a process. By the shell, which has `kill` built in: a small machine has no procps.
pub fn kill(signal: &str, pid: impl std::fmt::Display) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("kill -{signal} {pid}")]);
    command
}

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An event of `events/`, by its name without `.json`.
pub fn event(name: &str) -> Value {
    let path = root().join("events").join(name).with_extension("json");
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("an event is JSON")
}

/// A function with an application from a folder, relative to the repository.
pub fn app(folder: impl AsRef<Path>, handler: &str) -> Setup {
    Setup::new(root().join(folder), handler, None)
}

/// A function whose application is `app` in this Python source.
pub fn source(python: &str) -> Setup {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("app.py"), python).expect("app.py is written");
    Setup::new(folder.path().to_owned(), "app:app", Some(folder))
}

/// A function before its start.
pub struct Setup {
    launch: Launch,
    timeout: Duration,
    folder: Option<TempDir>,
}

impl Setup {
    fn new(task_root: PathBuf, handler: &str, folder: Option<TempDir>) -> Self {
        // Compiled files in the repository would be left over from one interpreter to the next.
        let launch = Launch::new(bootstrap(), task_root).handler(handler).env("PYTHONDONTWRITEBYTECODE", "1");
        Self { launch, timeout: Duration::from_secs(30), folder }
    }

    /// Sets a variable of the function.
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.launch = self.launch.env(key, value);
        self
    }

    /// Changes how the process is started.
    pub fn launch(mut self, change: impl FnOnce(Launch) -> Launch) -> Self {
        self.launch = change(self.launch);
        self
    }

    /// Sets the timeout of each invocation with an event.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Starts the function and waits until it asks for its first event.
    pub fn start(self) -> Function {
        let (function, result) = self.try_start();
        if let Err(error) = result {
            panic!("{error}\n{}", function.logs());
        }
        function
    }

    /// Starts the function, which may fail: for tests of init errors.
    pub fn try_start(self) -> (Function, Result<(), StartError>) {
        let logs = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&logs);
        let sink = Arc::new(move |line| into.lock().unwrap().push(line));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a tokio runtime");
        let mut sandbox = Sandbox::new(self.launch, sink);
        let result = runtime.block_on(sandbox.start()).map(|_| ());
        (Function { sandbox, runtime, logs, timeout: self.timeout, _folder: self.folder }, result)
    }
}

/// A running function. Dropping it kills the process.
pub struct Function {
    // First, so that the process ends before the tokio runtime that watches it.
    sandbox: Sandbox,
    runtime: tokio::runtime::Runtime,
    logs: Arc<Mutex<Vec<LogLine>>>,
    timeout: Duration,
    _folder: Option<TempDir>,
}

impl Function {
    /// Invokes the function with an event, owned or borrowed, and waits until it is ready for the next one.
    pub fn invoke(&mut self, event: impl Borrow<Value>) -> Response {
        self.send(Submission::new(event.borrow().to_string()).timeout(self.timeout))
    }

    /// Invokes the function with an event of `events/`.
    pub fn replay(&mut self, name: &str) -> Response {
        self.invoke(event(name))
    }

    /// Invokes the function with bytes, headers or a timeout of the test's own making.
    pub fn send(&mut self, invocation: Submission) -> Response {
        let sandbox = &mut self.sandbox;
        let outcome = self.runtime.block_on(async {
            let outcome = sandbox.invoke(invocation).await;
            sandbox.settle().await;
            outcome
        });
        Response::new(outcome)
    }

    /// The Runtime API of the running process: arranged faults, calls received, several invocations at once.
    pub fn api(&self) -> &RuntimeApi {
        self.sandbox.api().expect("the function runs")
    }

    /// The calls of the Runtime API in order; after the process has ended, those that it had made.
    pub fn calls(&self) -> Vec<ApiCall> {
        self.sandbox.calls()
    }

    /// The sandbox, for its process id, exit status and init time.
    pub fn sandbox(&mut self) -> &mut Sandbox {
        &mut self.sandbox
    }

    /// The id of the process that serves; `None` when it has ended.
    pub fn process_id(&mut self) -> Option<u32> {
        self.sandbox.bootstrap().and_then(|bootstrap| bootstrap.id())
    }

    /// The most memory that this process has had, in bytes.
    pub fn peak(&mut self) -> u64 {
        self.memory("VmHWM:")
    }

    /// The memory that this process has, in bytes.
    pub fn resident(&mut self) -> u64 {
        self.memory("VmRSS:")
    }

    /// A line of proc_pid_status(5).
    fn memory(&mut self, name: &str) -> u64 {
        let pid = self.process_id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// Runs an async closure with the Runtime API: `function.with_api(async |api| api.invoke(…).await)`.
    pub fn with_api<T>(&self, work: impl AsyncFnOnce(&RuntimeApi) -> T) -> T {
        self.runtime.block_on(work(self.api()))
    }

    /// Runs an async closure with the sandbox.
    pub fn with<T>(&mut self, work: impl AsyncFnOnce(&mut Sandbox) -> T) -> T {
        self.runtime.block_on(work(&mut self.sandbox))
    }

    /// Lets the process go on until `seen` returns something.
    ///
    /// # Panics
    /// If it does not within `limit`.
    pub fn until<T>(&mut self, limit: Duration, seen: impl Fn(&mut Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            self.with(async |sandbox| sandbox.settle().await);
            if let Some(found) = seen(self) {
                return found;
            }
            assert!(start.elapsed() < limit, "not within {limit:?}: {}", self.logs());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The exit status of a process that ends within `limit`.
    pub fn ended(&mut self, limit: Duration) -> String {
        self.until(limit, |function| function.sandbox().last_exit().map(|exit| exit.to_string()))
    }

    /// Everything the process has written, line by line, as it stands after the last call.
    pub fn logs(&self) -> String {
        let lines = self.logs.lock().unwrap();
        // A line can come in parts: `print("a", 1)` writes three times.
        lines.iter().fold(String::new(), |text, line| text + &line.text + if line.open { "" } else { "\n" })
    }

    /// The same with where each line was written.
    pub fn log_lines(&self) -> Vec<LogLine> {
        self.logs.lock().unwrap().clone()
    }

    /// Ends the process.
    pub fn stop(&mut self) {
        self.runtime.block_on(self.sandbox.stop());
    }
}

/// The outcome of an invocation, taken apart.
#[derive(Debug)]
pub struct Response {
    /// As the emulator saw it.
    pub outcome: Outcome,
    /// The payload as JSON; `Null` for a streamed response.
    pub json: Value,
    http: Option<HttpResponse>,
}

impl Response {
    /// Takes an outcome apart.
    pub fn new(outcome: Outcome) -> Self {
        let http = HttpResponse::of(&outcome);
        let json = serde_json::from_slice(&outcome.payload()).unwrap_or(Value::Null);
        Self { outcome, json, http }
    }

    /// The HTTP response.
    ///
    /// # Panics
    /// If it is not one.
    pub fn http(&self) -> &HttpResponse {
        self.http.as_ref().unwrap_or_else(|| panic!("not an HTTP response: {:?}", self.outcome))
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.http().status
    }

    /// The first value of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.http().header(name)
    }

    /// Each value of a header field.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        self.http().all(name).collect()
    }

    /// The decoded body.
    pub fn body(&self) -> &[u8] {
        &self.http().body
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.body()).expect("the body is UTF-8")
    }

    /// The body as JSON.
    pub fn body_json(&self) -> Value {
        serde_json::from_slice(self.body()).unwrap_or_else(|error| panic!("{error}: {:?}", self.http()))
    }

    /// The error the runtime posted for this invocation or for init, as JSON.
    ///
    /// # Panics
    /// If the outcome is another one.
    pub fn error(&self) -> &Value {
        assert!(matches!(self.outcome, Outcome::Error(_) | Outcome::InitError(_)), "not an error: {:?}", self.outcome);
        &self.json
    }
}
