//! The profile of an init (`glue/profile.py`), when the settings ask for one.

use std::path::Path;
use std::time::Duration;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use super::{Session, glue};
use crate::config::Config;
use crate::error::Error;

/// The module that records, once it does.
static RUNNING: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// What had been done before the module was there.
pub(super) struct Before {
    /// The start of the interpreter.
    pub(super) interpreter: Duration,
    /// Our own code.
    pub(super) glue: Duration,
}

/// Records from here on, unless the file is there already.
pub(super) fn begin(py: Python<'_>, config: &Config, file: &Path, before: &Before) -> PyResult<()> {
    let header = PyDict::new(py);
    header.set_item("handler", &config.handler)?;
    header.set_item("task_root", config.task_root.as_os_str())?;
    header.set_item("deferral", config.defer_imports)?;
    let phases = PyDict::new(py);
    phases.set_item("interpreter", before.interpreter.as_nanos())?;
    phases.set_item("glue", before.glue.as_nanos())?;
    for name in ["development_server", "profile_use"] {
        glue::deferred(py, name)?; // which the profile imports
    }
    let module = glue::deferred(py, "profile")?;
    if module.call_method1("begin", (file.as_os_str(), header, phases))?.extract()? {
        RUNNING.get_or_init(py, || module.unbind());
    }
    Ok(())
}

/// It is the application's turn.
pub(super) fn prepared(py: Python<'_>) -> PyResult<()> {
    running(py).map_or(Ok(()), |profile| profile.call_method0("prepared").map(|_| ()))
}

/// Calls a factory.
pub(super) fn factory<'py>(handler: &str, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match running(function.py()) {
        Some(profile) => profile.call_method1("factory", (handler, function)),
        None => function.call0(),
    }
}

/// Init is over, or has failed. What runs in workers is not seen: each is a process of its own.
pub(super) fn end_init(py: Python<'_>, config: &Config, error: Option<&Error>) {
    let Some(profile) = running(py) else { return };
    if let Err(error) = profile.call_method1("end_init", (error.map(Error::error_type), config.workers < 2)) {
        error.write_unraisable(py, Some(&profile));
    }
}

impl Session<'_> {
    /// Adds what the last event has used to the profile of the init, if there is to be one.
    pub fn note_answer(self) {
        let Some(profile) = running(self.py) else { return };
        if let Err(error) = profile.call_method0(intern!(self.py, "answered")) {
            error.write_unraisable(self.py, Some(&profile));
        }
    }
}

fn running(py: Python<'_>) -> Option<Bound<'_, PyModule>> {
    RUNNING.get(py).map(|profile| profile.bind(py).clone())
}
