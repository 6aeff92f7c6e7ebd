//! The child process: where `bootstrap` is, the variables that Lambda sets, its log lines, its end.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};

use super::uuid;
use crate::terminal;

mod family;
mod logs;

pub use logs::{LogLine, LogSink, LogSource};

/// The variable that names the runtime for the command line, as its option `--bootstrap` does.
pub const BOOTSTRAP_VARIABLE: &str = "WSGI_LAMBDA_BOOTSTRAP";

/// Finds the runtime: the given path, or `bootstrap` next to the running executable. An empty path, as of a variable that
/// is set to nothing, counts as none.
///
/// The command line passes the value of `--bootstrap` or [`BOOTSTRAP_VARIABLE`].
pub fn locate(given: Option<&Path>) -> Result<PathBuf, LocateError> {
    let given = given.filter(|path| !path.as_os_str().is_empty());
    let path = match given {
        Some(path) => path.to_owned(),
        None => std::env::current_exe().unwrap_or_else(|_| PathBuf::from("wsgi-lambda")).with_file_name("bootstrap"),
    };
    if !path.is_file() {
        return Err(LocateError { path, given: given.is_some() });
    }
    // A relative path would be looked up in the child's own folder, the task root.
    Ok(std::path::absolute(&path).unwrap_or(path))
}

/// There is no runtime to start.
#[derive(Clone, Debug)]
pub struct LocateError {
    path: PathBuf,
    given: bool,
}

impl fmt::Display for LocateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no runtime at {}: ", self.path.display())?;
        if self.given {
            f.write_str("build it with `make build`, or correct the path")
        } else {
            write!(f, "build it with `make build`, or name one with --bootstrap or {BOOTSTRAP_VARIABLE}")
        }
    }
}

impl std::error::Error for LocateError {}

/// How to start a function: the file, its folder and its variables.
#[derive(Clone, Debug)]
pub struct Launch {
    program: PathBuf,
    task_root: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, Option<OsString>)>,
    one_pipe: bool,
    terminal: bool,
    own_group: bool,
}

impl Launch {
    /// Starts `program` in the folder `task_root`, with the variables that Lambda sets. The child inherits the parent's
    /// variables, except for those that would mislead Python or the runtime.
    pub fn new(program: impl Into<PathBuf>, task_root: impl Into<PathBuf>) -> Self {
        let mut launch = Self {
            program: program.into(),
            task_root: task_root.into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            one_pipe: false,
            terminal: false,
            own_group: false,
        };
        for (key, value) in [
            ("_HANDLER", ""),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024"),
            ("AWS_LAMBDA_FUNCTION_NAME", "wsgi-lambda"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/wsgi-lambda"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
            ("TZ", ":UTC"),
        ] {
            launch = launch.env(key, value);
        }
        let stream = format!("2026/01/01/[$LATEST]{}", uuid::random().replace('-', ""));
        launch
            .env("AWS_LAMBDA_LOG_STREAM_NAME", stream)
            .without("PYTHONHOME")
            .without("_X_AMZN_TRACE_ID")
            .without(BOOTSTRAP_VARIABLE)
    }

    /// Sets `_HANDLER`, the application as `module:attribute`.
    #[must_use]
    pub fn handler(self, handler: &str) -> Self {
        self.env("_HANDLER", handler)
    }

    /// Adds an argument. Lambda passes none to a custom runtime, but does to an `AWS_LAMBDA_EXEC_WRAPPER`.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets a variable. The last value of a name wins, also over Lambda's.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((key.into(), Some(value.into())));
        self
    }

    /// Removes a variable, also an inherited one.
    #[must_use]
    pub fn without(mut self, key: impl Into<OsString>) -> Self {
        self.variables.push((key.into(), None));
        self
    }

    /// Uses one pipe for standard output and standard error: lines arrive in the order in which they were written, and
    /// all count as standard output. With two pipes only the order within each is kept.
    #[must_use]
    pub fn one_pipe(mut self) -> Self {
        self.one_pipe = true;
        self
    }

    /// Leaves the process the terminal as its standard input, for debuggers: see [`Bootstrap::waits_for_input`].
    #[must_use]
    pub fn terminal(mut self) -> Self {
        self.terminal = true;
        self
    }

    /// Starts the process in a process group of its own: a signal from the terminal does not reach it, and whoever ends it
    /// ends the children that it has started, too.
    #[must_use]
    pub fn own_group(mut self) -> Self {
        self.own_group = true;
        self
    }

    /// The value that a variable was last set to here.
    pub fn variable(&self, key: &str) -> Option<&OsStr> {
        let set = self.variables.iter().rev().find(|(name, _)| name == key)?;
        set.1.as_deref()
    }

    /// The file that is started.
    pub fn program(&self) -> &Path {
        &self.program
    }

    fn command(&self, api: SocketAddr) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.task_root)
            .env("LAMBDA_TASK_ROOT", &self.task_root)
            .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
            .stdin(if self.terminal { Stdio::inherit() } else { Stdio::null() })
            .kill_on_drop(true);
        for (key, value) in &self.variables {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        if self.own_group {
            command.process_group(0);
        }
        command
    }
}

/// A running runtime. Dropping it kills the process.
#[derive(Debug)]
pub struct Bootstrap {
    child: Child,
    pipes: Vec<logs::LogPipe>,
    terminal: bool,
    /// The process group, if it is one of its own.
    group: Option<Pid>,
}

impl Bootstrap {
    /// Starts the runtime against the Runtime API at this address; each line it writes goes to `sink`.
    pub fn spawn(launch: &Launch, api: SocketAddr, sink: LogSink) -> io::Result<Self> {
        let mut command = launch.command(api);
        let mut pipes = vec![logs::LogPipe::new(LogSource::Stdout, Arc::clone(&sink))?];
        command.stdout(pipes[0].writer()?);
        if launch.one_pipe {
            command.stderr(pipes[0].writer()?);
        } else {
            let pipe = logs::LogPipe::new(LogSource::Stderr, sink)?;
            command.stderr(pipe.writer()?);
            pipes.push(pipe);
        }
        let child = command.spawn()?;
        let group = child.id().filter(|_| launch.own_group).and_then(pid);
        Ok(Self { child, pipes, terminal: launch.terminal, group })
    }

    /// The process id; `None` once the process is known to have ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for the end of the process. Cancel safe.
    pub async fn wait(&mut self) -> Exit {
        Exit(self.child.wait().await.ok())
    }

    /// How the process has ended, if it has.
    pub(super) fn ended(&mut self) -> Option<Exit> {
        self.child.try_wait().ok().flatten().map(|status| Exit(Some(status)))
    }

    /// Ends the process as Lambda does, with SIGKILL, and waits for it.
    pub async fn kill(&mut self) -> Exit {
        let descendants = self.descendants();
        // An error means that it has already ended.
        let _ = self.child.start_kill();
        self.kill_group();
        descendants.into_iter().for_each(kill);
        self.wait().await
    }

    /// Ends the process as Lambda does where an extension is registered: SIGTERM, this long to end, then SIGKILL.
    pub async fn terminate(&mut self, patience: Duration) -> Exit {
        if let Some(pid) = self.id().and_then(pid) {
            // An error means that it has already ended.
            let _ = kill_process(pid, Signal::TERM);
            if let Ok(exit) = tokio::time::timeout(patience, self.wait()).await {
                return exit;
            }
        }
        self.kill().await
    }

    /// Returns when the sink has each line that the process has written so far.
    pub fn flush_logs(&self) {
        self.pipes.iter().for_each(logs::LogPipe::flush);
    }

    /// Whether the process has the terminal as its standard input.
    pub(super) fn has_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether a thread of the process waits for the user at the terminal, as a debugger does.
    pub fn waits_for_input(&self) -> bool {
        self.terminal && self.id().is_some_and(terminal::waits_for_input)
    }

    /// What the process has started, where it shares the terminal's process group with others.
    fn descendants(&self) -> Vec<Pid> {
        self.id().filter(|_| self.terminal && self.group.is_none()).map(family::descendants).unwrap_or_default()
    }

    /// Ends what the process has started, if it has a group of its own.
    fn kill_group(&self) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL); // an error means that nothing of it is left
        }
    }
}

impl Drop for Bootstrap {
    fn drop(&mut self) {
        self.descendants().into_iter().for_each(kill);
        self.kill_group();
    }
}

fn kill(pid: Pid) {
    let _ = kill_process(pid, Signal::KILL); // an error means that it has ended
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(id.try_into().ok()?)
}

/// How the process ended, in Lambda's words: `exit status 1`, `signal: killed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(Option<ExitStatus>);

impl Exit {
    /// The exit code; `None` after a signal.
    pub fn code(&self) -> Option<i32> {
        self.0?.code()
    }

    /// The signal's number; `None` after an ordinary end.
    pub fn signal(&self) -> Option<i32> {
        std::os::unix::process::ExitStatusExt::signal(&self.0?)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(code) = self.code() {
            return write!(f, "exit status {code}");
        }
        // The words of Go's `syscall.Signal`, which Lambda's supervisor prints.
        match self.signal() {
            Some(4) => f.write_str("signal: illegal instruction"),
            Some(6) => f.write_str("signal: aborted"),
            Some(7) => f.write_str("signal: bus error"),
            Some(9) => f.write_str("signal: killed"),
            Some(11) => f.write_str("signal: segmentation fault"),
            Some(15) => f.write_str("signal: terminated"),
            Some(number) => write!(f, "signal: {number}"),
            None => f.write_str("unknown exit status"),
        }
    }
}
