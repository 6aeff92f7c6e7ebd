//! The runtime's own responses and messages, for when the application has not made a response.

use crate::error::{Error, Kind};

/// The error type of a reached deadline, in logs and trailers.
pub(super) const REACHED: &str = "Runtime.DeadlineReached";

/// The status line and the text of a response.
pub(super) type Own<'t> = (&'static str, &'t str);
pub(super) const TIMEOUT: Own<'_> = ("504 Gateway Timeout", "Gateway Timeout");
/// For an exception. The response says nothing of it (PEP 3333, "Error Handling").
pub(super) const INTERNAL_ERROR: Own<'_> = ("500 Internal Server Error", "Internal Server Error");

/// The response that the caller gets for this error.
pub(super) fn in_place_of(error: &Error) -> Own<'_> {
    match error.kind() {
        Kind::BadRequest => ("400 Bad Request", error.message()),
        _ if error.error_type() == REACHED => TIMEOUT,
        _ => INTERNAL_ERROR,
    }
}

/// The error of a request that was given up at its deadline.
pub(super) fn reached() -> Error {
    Error::new(Kind::App, REACHED, "the request was given up: the function's timeout is near")
}

/// The message about a body that does not have the announced length.
pub(super) fn wrong_length(announced: u64, given: u64) -> String {
    format!("the application announced a Content-Length of {announced} and gave {given} bytes")
}
