//! Signals while the process waits outside Python, and the callbacks after a response and at the end of the process.

use std::fs::File;

use pyo3::exceptions::PySystemExit;
use pyo3::intern;
use pyo3::prelude::*;

use super::errors::describe;
use super::ffi;
use super::forked::leave_if_forked;
use super::glue::{glue, loaded_glue};
use super::session::Session;
use crate::error::{Error, Kind, Result};

impl Session<'_> {
    /// Makes SIGTERM an orderly end, and makes the module `wsgi_lambda`. Has to run before the application is imported.
    /// Returns a file that becomes readable when [`handle_signals`] has something to do.
    ///
    /// # Errors
    /// `App` or `Interpreter`, when Python refuses.
    pub fn prepare_signals(self) -> Result<File> {
        let glue = loaded_glue(self.py)?;
        let descriptor = glue.call_method0("prepare_signals").and_then(|descriptor| descriptor.extract());
        let descriptor = descriptor.map_err(|error| describe(&glue, error))?;
        ffi::file_of_descriptor(descriptor)
            .ok_or_else(|| Error::new(Kind::Interpreter, "Runtime.InterpreterError", "there is no pipe for signals"))
    }

    /// Runs the application's `after_response` callbacks; returns the errors of those that failed.
    pub fn after_response(self) -> Vec<Error> {
        self.run("run_after_response")
    }

    /// Runs the application's `on_shutdown` callbacks, then `atexit`'s; returns the errors of those that failed.
    pub fn shutdown(self) -> Vec<Error> {
        self.run("run_shutdown")
    }

    fn run(self, name: &str) -> Vec<Error> {
        let Ok(glue) = glue(self.py) else { return Vec::new() };
        let failed = glue.call_method0(name).and_then(|failed| failed.extract::<Vec<Bound<'_, PyAny>>>());
        leave_if_forked(&glue, failed.as_ref().err());
        match failed {
            Ok(failed) => failed.into_iter().map(|error| describe(&glue, PyErr::from_value(error))).collect(),
            Err(error) if note_exit(&glue, &error) => Vec::new(),
            Err(error) => vec![describe(&glue, error)],
        }
    }

    /// Before the process waits: writes out what the application printed.
    pub fn flush(self) {
        let Ok(glue) = glue(self.py) else { return };
        if let Err(error) = glue.call_method0(intern!(self.py, "flush_before_wait")) {
            note_exit(&glue, &error); // it raises nothing else
        }
    }

    /// Frees what requests have left in reference cycles.
    pub fn collect_garbage(self) {
        let Ok(glue) = glue(self.py) else { return };
        let collected = glue.call_method0("collect_garbage");
        leave_if_forked(&glue, collected.as_ref().err()); // by a finalizer
        match collected {
            Err(error) if !note_exit(&glue, &error) => error.write_unraisable(self.py, None), // a signal handler's
            _ => {}
        }
    }
}

/// Returns whether our own code was ended by `SystemExit`, which a signal handler of the application can raise
/// anywhere. If so, the process ends when it next waits, as if the handler had run there.
pub(super) fn note_exit(glue: &Bound<'_, PyModule>, error: &PyErr) -> bool {
    let is_exit = error.is_instance_of::<PySystemExit>(glue.py());
    if is_exit {
        let _ = glue.call_method0("terminate"); // fails only if a second signal arrives: noted already, or raised again
    }
    is_exit
}

/// Runs the Python handlers of signals that have arrived. Has to be called on the main thread, detached.
///
/// # Errors
/// `Shutdown`, when one of them ends the process.
pub fn handle_signals() -> Result<()> {
    Python::attach(|py| {
        let checked = py.check_signals();
        if let Ok(glue) = glue(py) {
            leave_if_forked(&glue, checked.as_ref().err());
        }
        let handled = checked.and_then(|()| glue(py)?.call_method0(intern!(py, "handled_signals")).map(|_| ()));
        match handled {
            Err(error) if error.is_instance_of::<PySystemExit>(py) => Err(Error::shutdown()),
            Err(error) => {
                error.write_unraisable(py, None); // from a handler of the application, which has no caller to tell
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    })
}
