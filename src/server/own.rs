//! The runtime's own responses, where the application has made none.

use crate::error::{Error, Kind};

/// The name of the deadline in logs and trailers.
pub(super) const REACHED: &str = "Runtime.DeadlineReached";

/// Status and text.
pub(super) type Own<'t> = (&'static str, &'t str);
pub(super) const TIMEOUT: Own<'_> = ("504 Gateway Timeout", "Gateway Timeout");
/// For an exception: nothing of it (PEP 3333, "Error Handling").
pub(super) const INTERNAL_ERROR: Own<'_> = ("500 Internal Server Error", "Internal Server Error");

/// What the caller gets after this error.
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
