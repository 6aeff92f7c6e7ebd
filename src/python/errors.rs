//! Python exceptions as the runtime's errors.

use pyo3::prelude::*;

use super::forked::leave_if_forked;
use crate::error::{Error, Kind};

/// Returns a Python exception as an `App` error with its stack trace. In a child that the application forked it ends
/// the process instead.
pub(super) fn describe(glue: &Bound<'_, PyModule>, error: PyErr) -> Error {
    let py = glue.py();
    leave_if_forked(glue, Some(&error));
    let exception = error.into_value(py).into_bound(py); // with its traceback
    let described = glue
        .call_method1(pyo3::intern!(py, "describe"), (&exception,))
        .and_then(|parts| parts.extract::<(String, String, Vec<String>)>());
    match described {
        Ok((name, message, trace)) => Error::new(Kind::App, name, message).with_stack_trace(trace),
        Err(_) => describe_without_glue(py, &PyErr::from_value(exception.into_any())),
    }
}

/// The same where Python can run no more code (no memory, no standard library): only the exception's name, since Python
/// code makes the message.
pub(super) fn describe_without_glue(py: Python<'_>, error: &PyErr) -> Error {
    Error::new(Kind::App, type_name(error.value(py)), "")
}

/// The error for an interpreter that cannot be started.
pub(super) fn not_started(message: &str) -> Error {
    Error::new(Kind::Interpreter, "Runtime.InterpreterError", format!("Python could not be started: {message}"))
}

/// The name of an object's class, for messages.
pub(super) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string())
}
