//! An error in the form in which the platform takes it.

use serde_json::json;

use crate::error::Error;
use crate::log::bounded;

/// The JSON document that callers and the console show (docs, "Invocation error").
pub(super) fn error_body(error: &Error) -> String {
    let (message, error_type) = (bounded(error.message()), error.error_type());
    json!({"errorMessage": message, "errorType": error_type, "stackTrace": error.stack_trace()}).to_string()
}

/// The error type as the value of a header.
pub(super) fn error_type(error: &Error) -> String {
    error.error_type().chars().filter(char::is_ascii_graphic).collect()
}
