//! What the platform said to a response or an error.

use crate::error::{Error, Result};

/// The result of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The platform took it.
    Accepted,
    /// The platform refused it with this status, and has dealt with the caller itself: too large (413), too late (410),
    /// not the current invocation (400, 403). The next event is asked for as usual.
    Refused(u16),
    /// The connection was lost before the platform replied. [`Api::fail`](super::Api::fail) finds out whether it has a
    /// response.
    Lost,
}

impl Receipt {
    /// # Errors
    /// `RuntimeApi` for 5xx. "Container error. Non-recoverable state. Runtime should exit promptly." (docs)
    pub(super) fn of(status: u16) -> Result<Self> {
        match status {
            200..=299 => Ok(Self::Accepted),
            500..=599 => Err(Error::runtime_api(format!("the Runtime API answered {status} to a response"))),
            _ => Ok(Self::Refused(status)),
        }
    }
}
