//! Why a command ended early.

use std::fmt;
use std::io;

/// Why a command ended early.
#[derive(Debug)]
pub(super) enum Failure {
    /// The arguments contradict each other, or name something that does not exist: status 2.
    Usage(String),
    /// Something else went wrong: status 1.
    Failed(String),
    /// The output could not be written.
    Output(io::Error),
    /// Ctrl-C.
    Interrupted,
    /// A command that ran elsewhere had this exit code, and said why.
    Status(u8),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => f.write_str(text),
            Self::Output(error) => write!(f, "cannot write the output: {error}"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Status(code) => write!(f, "exit status {code}"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
