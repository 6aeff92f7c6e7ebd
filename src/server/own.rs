//! The runtime's own responses and messages, for when the application has not made a response.

use crate::config::EVENT_PATH;
use crate::error::{Error, Kind};

/// The error type of a reached deadline, in logs and trailers.
pub(super) const REACHED: &str = "Runtime.DeadlineReached";

/// The status line and the text of a response.
pub(super) type Own<'t> = (&'static str, &'t str);
pub(super) const TIMEOUT: Own<'_> = ("504 Gateway Timeout", "Gateway Timeout");
/// For an exception. The response says nothing of it (PEP 3333, "Error Handling").
pub(super) const INTERNAL_ERROR: Own<'_> = ("500 Internal Server Error", "Internal Server Error");

const NOT_FOUND: Own<'_> = ("404 Not Found", "Not Found");

/// The error type of a client's request for the path of events.
const NOT_FOR_CLIENTS: &str = "Runtime.EventPath";

/// The response that the caller gets for this error.
pub(super) fn in_place_of(error: &Error) -> Own<'_> {
    match error.kind() {
        _ if error.error_type() == NOT_FOR_CLIENTS => NOT_FOUND,
        Kind::BadRequest => ("400 Bad Request", error.message()),
        _ if error.error_type() == REACHED => TIMEOUT,
        _ => INTERNAL_ERROR,
    }
}

/// The error of a request that was given up at its deadline.
pub(super) fn reached() -> Error {
    Error::new(Kind::App, REACHED, "the request was given up: the function's timeout is near")
}

/// The error of a client's request for the path of events. The caller gets a 404, as for any path that there is not.
pub(super) fn not_for_clients() -> Error {
    let message = format!("a client asked for the path of events ({}): it got a 404", EVENT_PATH.name);
    Error::new(Kind::BadRequest, NOT_FOR_CLIENTS, message)
}

/// The message about a body that does not have the announced length.
pub(super) fn wrong_length(announced: u64, given: u64) -> String {
    format!("the application announced a Content-Length of {announced} and gave {given} bytes")
}
