//! Children that the application forks and that return into our code, as after a missing `os._exit`.

use pyo3::prelude::*;

use super::ffi;

/// Ends this process if it is such a child: it must not answer its parent's request or ask for events. The exit status
/// is the one that Python would end with after `exception`; 0 without one.
pub(super) fn leave_if_forked(glue: &Bound<'_, PyModule>, exception: Option<&PyErr>) {
    if ffi::is_forked() {
        let exception = exception.map(|error| error.value(glue.py()));
        let left = glue.call_method1(pyo3::intern!(glue.py(), "leave_child"), (exception,));
        debug_assert!(left.is_err(), "glue.leave_child does not return");
        ffi::leave_child();
    }
}
