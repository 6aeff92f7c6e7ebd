//! Room: `error`, the one error type.
//! In: what went wrong, in any room.
//! Out: [`Error`]: a kind, an error type, a message that says what to do, and the Python stack trace if there is one.
//! May use: nothing.
//! Must not: hold values of headers or bodies (they may be secrets), log, exit.

use std::borrow::Cow;
use std::fmt;

/// What went wrong. The kind decides who gets the error: the platform, the client or the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A setting of ours or a variable of the platform is missing or wrong. An init error.
    Config,
    /// The application failed: an init error while it is loaded, later an error of one request, which is logged.
    App,
    /// The interpreter could not be started. An init error.
    Interpreter,
    /// The event is not JSON, or not an HTTP request. An error of this invocation.
    Event,
    /// The event is an HTTP request that cannot be read (bad base64). The caller gets a 400.
    BadRequest,
    /// The Runtime API is gone, or broke its contract. The process ends.
    RuntimeApi,
    /// A SnapStart hook failed before the snapshot. An init error.
    BeforeSnapshot,
    /// A SnapStart hook failed after the restore. An error of the restore.
    AfterRestore,
    /// The platform ends the process (SIGTERM). The orderly end of the loop.
    Shutdown,
    /// This process is a child that the application forked. It ends, and does not talk to the platform.
    Forked,
}

/// The error of this library. It is as small as a pointer, which makes a `Result` cheap to return.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    error_type: Cow<'static, str>,
    message: String,
    stack_trace: Vec<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A result with this library's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Makes an error. `error_type` is the name that the platform or the managed Python runtime uses for it, such as
    /// `Runtime.ImportModuleError`, or the class name of a Python exception.
    pub fn new(kind: Kind, error_type: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            error_type: error_type.into(),
            message: message.into(),
            stack_trace: Vec::new(),
            source: None,
        }))
    }

    /// A wrong or missing setting.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(Kind::Config, "Runtime.InvalidConfiguration", message)
    }

    /// An event that is not an HTTP request.
    pub fn unsupported_event(message: impl Into<String>) -> Self {
        Self::new(Kind::Event, "Runtime.UnsupportedEvent", message)
    }

    /// An event that is not JSON.
    pub fn unmarshal(message: impl Into<String>) -> Self {
        Self::new(Kind::Event, "Runtime.UnmarshalError", message)
    }

    /// An HTTP request that cannot be read. The caller gets a 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, "Runtime.BadRequest", message)
    }

    /// The platform ends the process.
    pub fn shutdown() -> Self {
        Self::new(Kind::Shutdown, "Runtime.Shutdown", "the platform ends this process")
    }

    /// This process is a child that the application forked.
    pub fn forked() -> Self {
        Self::new(Kind::Forked, "Runtime.Forked", "a child that the application forked does not serve requests")
    }

    /// The Runtime API is gone, or broke its contract.
    pub fn runtime_api(message: impl Into<String>) -> Self {
        Self::new(Kind::RuntimeApi, "Runtime.ApiError", message)
    }

    /// Adds the entries of a Python stack trace, each as `traceback.format_list` returns it.
    #[must_use]
    pub fn with_stack_trace(mut self, stack_trace: Vec<String>) -> Self {
        self.0.stack_trace = stack_trace;
        self
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The kind of the error.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The error type, for `errorType`.
    pub fn error_type(&self) -> &str {
        &self.0.error_type
    }

    /// The message for the user, for `errorMessage`.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The entries of the Python stack trace, outermost first. Empty if there is none.
    pub fn stack_trace(&self) -> &[String] {
        &self.0.stack_trace
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}
