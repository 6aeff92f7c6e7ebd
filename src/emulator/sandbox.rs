//! The sandbox, AWS's execution environment: the Runtime API, the process, and what Lambda does around them.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::api_call::ApiCall;
use super::outcome::{Outcome, PlatformError, Report};
use super::process::{Bootstrap, Exit, Launch, LogSink};
use super::running::Steps;
use super::runtime_api::RuntimeApi;
use super::started::{Ended, Started};
use super::submission::Submission;

/// What Lambda gives a runtime with an internal extension to end (docs, "Lambda execution environment lifecycle",
/// Shutdown phase).
pub const SHUTDOWN_LIMIT: Duration = Duration::from_millis(500);

/// A function's sandbox. It starts the process when an invocation needs it, and again after the process has ended.
///
/// Each start has its own Runtime API, so nothing that a dead process sent reaches the next one.
pub struct Sandbox {
    launch: Launch,
    sink: LogSink,
    init_timeout: Duration,
    keeps_calls: bool,
    running: Option<Started>,
    last_exit: Option<Exit>,
    last_calls: Vec<ApiCall>,
}

/// The runtime did not reach its first `/next`.
#[derive(Debug)]
pub enum StartError {
    /// The process could not be started at all.
    Spawn(io::Error),
    /// The runtime posted `/init/error`.
    Init(Report),
    /// The process ended, or init took too long.
    Platform(PlatformError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spawn(error) => write!(f, "the runtime could not be started: {error}"),
            Self::Init(report) => write!(f, "init failed: {}", String::from_utf8_lossy(&report.body)),
            Self::Platform(error) => f.write_str(&error.message),
        }
    }
}

impl std::error::Error for StartError {}

impl From<StartError> for Outcome {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Init(report) => Self::InitError(report),
            StartError::Platform(error) => Self::Platform(error),
            StartError::Spawn(_) => Self::Platform(PlatformError::new("Runtime.InvalidEntrypoint", error.to_string())),
        }
    }
}

impl Sandbox {
    /// A sandbox whose process is not started yet. Init may take 40 seconds: Lambda's 10, and then the whole timeout of
    /// the first invocation, which is 30 by default here.
    pub fn new(launch: Launch, sink: LogSink) -> Self {
        Self {
            launch,
            sink,
            init_timeout: Duration::from_secs(40),
            keeps_calls: true,
            running: None,
            last_exit: None,
            last_calls: Vec::new(),
        }
    }

    /// Sets how long init may take.
    #[must_use]
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.init_timeout = timeout;
        self
    }

    /// Sets whether the calls of the Runtime API are remembered for [`Sandbox::calls`].
    #[must_use]
    pub fn keep_calls(mut self, keep: bool) -> Self {
        self.keeps_calls = keep;
        self
    }

    /// Starts the runtime if it does not run, and waits until it asks for an event.
    pub async fn start(&mut self) -> Result<&RuntimeApi, StartError> {
        if self.running.is_none() {
            let started = self.boot().await;
            self.running = Some(started?);
        }
        match &self.running {
            Some(started) => Ok(&started.api),
            None => Err(StartError::Spawn(io::Error::other("not started"))),
        }
    }

    async fn boot(&mut self) -> Result<Started, StartError> {
        let api = RuntimeApi::start().await.map_err(StartError::Spawn)?;
        api.keep_calls(self.keeps_calls);
        let workers = self.launch.variable("AWS_LAMBDA_MAX_CONCURRENCY");
        if let Some(workers) = workers.and_then(|value| value.to_str()?.parse().ok()) {
            api.set_concurrency(workers);
        }
        let start = Instant::now();
        let sink = Arc::clone(&self.sink);
        let mut bootstrap = Bootstrap::spawn(&self.launch, api.address(), sink).map_err(StartError::Spawn)?;
        let failure = tokio::select! {
            biased;
            report = api.init_error() => StartError::Init(report),
            () = api.ready() => return Ok(Started { api, bootstrap, init: start.elapsed(), deadline: None }),
            exit = bootstrap.wait() => {
                self.last_exit = Some(exit);
                StartError::Platform(PlatformError::new(
                    "Runtime.ExitError",
                    format!("Error: Runtime exited during init, before its first call of /next: {exit}"),
                ))
            }
            () = tokio::time::sleep(self.init_timeout) => {
                let seconds = self.init_timeout.as_secs_f64();
                let message = format!("Error: init timed out after {seconds:.2} seconds");
                StartError::Platform(PlatformError::new("Sandbox.Timedout", message))
            }
        };
        self.retire(bootstrap).await;
        self.last_calls = api.calls();
        Err(failure)
    }

    /// Ends a process. After an init error it has a moment to exit with its own status.
    async fn retire(&mut self, mut bootstrap: Bootstrap) {
        let exit = match tokio::time::timeout(Duration::from_secs(1), bootstrap.wait()).await {
            Ok(exit) => exit,
            Err(_) => bootstrap.kill().await,
        };
        self.last_exit = Some(exit);
        bootstrap.flush_logs();
    }

    /// Runs one invocation to its end: a response, an error, the deadline, or the end of the process.
    ///
    /// At the deadline the process is killed. The next call then starts a new one.
    ///
    /// Also killed is a process that has answered the last invocation and still works at its deadline. This invocation
    /// then gets a new process; Lambda would give it to another sandbox.
    pub async fn invoke(&mut self, submission: Submission) -> Outcome {
        self.run(submission, None).await
    }

    /// As [`Sandbox::invoke`], and passes each step on as it happens, all but the last, which is the outcome. It waits for
    /// the receiver with each chunk. A streamed response's outcome then is without its body.
    ///
    /// Where the process has the terminal, the time limit starts again while a debugger waits there for the user.
    pub async fn invoke_with(&mut self, submission: Submission, steps: &Steps) -> Outcome {
        self.run(submission, Some(steps)).await
    }

    async fn run(&mut self, submission: Submission, steps: Option<&Steps>) -> Outcome {
        self.end_overdue().await;
        if let Err(error) = self.start().await {
            return error.into();
        }
        let Some(mut started) = self.running.take() else {
            return Outcome::Platform(PlatformError::new("Runtime.ExitError", "not started"));
        };
        match started.run(submission, steps).await {
            Ended::Answered(outcome) => {
                self.running = Some(started);
                outcome
            }
            Ended::Exited(outcome, exit) => {
                self.last_exit = Some(exit);
                self.last_calls = started.api.calls();
                started.bootstrap.flush_logs();
                outcome
            }
        }
    }

    async fn end_overdue(&mut self) {
        let Some(started) = &mut self.running else { return };
        let Some(deadline) = started.deadline.take() else { return };
        tokio::select! {
            () = started.api.ready() => {}
            exit = started.bootstrap.wait() => self.last_exit = Some(exit),
            () = tokio::time::sleep_until(deadline.into()) => {
                self.stop().await;
                return;
            }
        }
        if started.bootstrap.id().is_none() {
            self.stop().await;
        }
    }

    /// Waits until the runtime has asked for the next event or has ended, and the sink has its log lines. Lines that the
    /// runtime writes after its response still belong to the invocation.
    pub async fn settle(&mut self) {
        // What has happened while nobody ran tokio, such as the end of the process, is noticed first.
        tokio::task::yield_now().await;
        let Some(started) = &mut self.running else { return };
        tokio::select! {
            () = started.api.ready() => {}
            exit = started.bootstrap.wait() => self.last_exit = Some(exit),
            // If the runtime works on after its response, the next invocation waits for it.
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
        }
        started.bootstrap.flush_logs();
        if started.bootstrap.id().is_none() {
            self.last_calls = started.api.calls();
            self.running = None;
        }
    }

    /// Waits until the runtime has asked for the next event, and the sink has its log lines. A process that has answered and
    /// works on is ended at the deadline of its invocation.
    pub async fn rest(&mut self) {
        self.end_overdue().await;
        if let Some(started) = &self.running {
            started.bootstrap.flush_logs();
        }
    }

    /// Notices that the process has ended since its last invocation, and says how. The next invocation starts another one.
    pub fn notice_end(&mut self) -> Option<Exit> {
        let started = self.running.as_mut()?;
        let exit = started.bootstrap.ended()?;
        started.bootstrap.flush_logs();
        self.last_calls = started.api.calls();
        self.last_exit = Some(exit);
        self.running = None;
        Some(exit)
    }

    /// The Runtime API of the running process.
    pub fn api(&self) -> Option<&RuntimeApi> {
        self.running.as_ref().map(|started| &started.api)
    }

    /// The calls of the running process. If none runs, those of the last one.
    pub fn calls(&self) -> Vec<ApiCall> {
        self.api().map_or_else(|| self.last_calls.clone(), RuntimeApi::calls)
    }

    /// The running process.
    pub fn bootstrap(&mut self) -> Option<&mut Bootstrap> {
        self.running.as_mut().map(|started| &mut started.bootstrap)
    }

    /// How long the running process took until its first `/next`.
    pub fn init_duration(&self) -> Option<Duration> {
        self.running.as_ref().map(|started| started.init)
    }

    /// How the last process that has ended did so.
    pub fn last_exit(&self) -> Option<Exit> {
        self.last_exit
    }

    /// Ends the sandbox as Lambda does: at once without an extension; with one, SIGTERM comes first, and SIGKILL
    /// [`SHUTDOWN_LIMIT`] later. Returns how the process ended if it was sent SIGTERM.
    pub async fn shut_down(&mut self) -> Option<Exit> {
        let Some(started) = self.running.as_mut().filter(|started| started.api.has_extension()) else {
            self.stop().await;
            return None;
        };
        let exit = started.bootstrap.terminate(SHUTDOWN_LIMIT).await;
        self.stop().await; // for its calls and log lines
        Some(exit)
    }

    /// Ends the process with SIGKILL, as Lambda does if the function has no extension.
    pub async fn stop(&mut self) {
        if let Some(mut started) = self.running.take() {
            self.last_exit = Some(started.bootstrap.kill().await);
            self.last_calls = started.api.calls();
            started.bootstrap.flush_logs();
        }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("launch", &self.launch).finish_non_exhaustive()
    }
}
