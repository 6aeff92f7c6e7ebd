//! Room: `error`, the one error type.
//! In: what went wrong, anywhere in the house.
//! Out: [`Error`]: a kind, the platform's name for it, a message that is advice, a Python stack trace if there is one.
//! May use: nothing.
//! Must not: hold values of headers or bodies (they may be secrets), log, exit.

use std::borrow::Cow;
use std::fmt;

/// What went wrong, and who has to hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A setting of ours or a variable of the platform is missing or wrong: an init error.
    Config,
    /// The application's doing: an init error while it is loaded, later what the log tells of a request.
    App,
    /// The interpreter could not be started: an init error.
    Interpreter,
    /// The event is not a JSON object, or not one that carries an HTTP request: an error of this invocation.
    Event,
    /// The event is an HTTP request that cannot be served as it stands (bad base64): HTTP 400.
    BadRequest,
    /// The Runtime API is gone or answered against its contract: the process ends.
    RuntimeApi,
    /// A SnapStart hook failed before the snapshot: an init error.
    BeforeSnapshot,
    /// A SnapStart hook failed after the restore: an error of the restore.
    AfterRestore,
    /// The platform ends the process (SIGTERM): no error, but the end of the loop.
    Shutdown,
    /// This process is a child that the application forked: it ends, and says nothing to the platform.
    Forked,
}

/// The crate's error. One word wide, cheap to return.
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

/// A result with the crate's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with the name the platform or the managed Python runtime uses for it, such as
    /// `Runtime.ImportModuleError`, or a Python exception's class name.
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

    /// An HTTP request that cannot be served as it stands; the caller gets 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, "Runtime.BadRequest", message)
    }

    /// The platform ends the process.
    pub fn shutdown() -> Self {
        Self::new(Kind::Shutdown, "Runtime.Shutdown", "the platform ends this process")
    }

    /// A child of the process that serves.
    pub fn forked() -> Self {
        Self::new(Kind::Forked, "Runtime.Forked", "a child that the application forked does not answer")
    }

    /// The Runtime API failed us.
    pub fn runtime_api(message: impl Into<String>) -> Self {
        Self::new(Kind::RuntimeApi, "Runtime.ApiError", message)
    }

    /// Adds the elements of a Python stack trace, each as `traceback.format_list` gives it.
    #[must_use]
    pub fn with_stack_trace(mut self, stack_trace: Vec<String>) -> Self {
        self.0.stack_trace = stack_trace;
        self
    }

    /// Adds the error below this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Who has to hear of it.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The platform's name, as `errorType` carries it.
    pub fn error_type(&self) -> &str {
        &self.0.error_type
    }

    /// The sentence for the user, as `errorMessage` carries it.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Python's frames, outermost first; empty when there are none.
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
