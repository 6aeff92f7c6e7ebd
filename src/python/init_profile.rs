//! The profile of an init (`glue/init_profile.py`), which `WSGI_LAMBDA_PROFILE_INIT` asks for.

use std::path::Path;
use std::time::Duration;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use super::glue;
use super::session::Session;
use crate::config::Config;
use crate::error::Error;

/// The module that records, from the moment it does.
static RUNNING: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// The time that was spent before the profile could begin.
pub(super) struct Spent {
    /// On the start of the interpreter.
    pub(super) interpreter: Duration,
    /// On our own Python code.
    pub(super) glue: Duration,
}

/// Records from here on, unless `file` exists already.
pub(super) fn begin(py: Python<'_>, config: &Config, file: &Path, spent: &Spent) -> PyResult<()> {
    let header = PyDict::new(py);
    header.set_item("handler", &config.handler)?;
    header.set_item("task_root", config.task_root.as_os_str())?;
    header.set_item("deferral", config.defer_imports)?;
    let phases = PyDict::new(py);
    phases.set_item("interpreter", spent.interpreter.as_nanos())?;
    phases.set_item("glue", spent.glue.as_nanos())?;
    for name in ["development_server", "module_use"] {
        glue::deferred(py, name)?; // the profile imports it
    }
    let module = glue::deferred(py, "init_profile")?;
    if module.call_method1("begin", (file.as_os_str(), header, phases))?.extract()? {
        RUNNING.get_or_init(py, || module.unbind());
    }
    Ok(())
}

/// Notes that the application's import begins.
pub(super) fn prepared(py: Python<'_>) -> PyResult<()> {
    running(py).map_or(Ok(()), |profile| profile.call_method0("prepared").map(|_| ()))
}

/// Calls a factory that `handler` names, and records the call.
pub(super) fn factory<'py>(handler: &str, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match running(function.py()) {
        Some(profile) => profile.call_method1("factory", (handler, function)),
        None => function.call0(),
    }
}

/// Notes that the init is over, or that it failed with `error`. Use of modules is not recorded in workers: each is a
/// process of its own.
pub(super) fn end_init(py: Python<'_>, config: &Config, error: Option<&Error>) {
    let Some(profile) = running(py) else { return };
    if let Err(error) = profile.call_method1("end_init", (error.map(Error::error_type), config.workers < 2)) {
        error.write_unraisable(py, Some(&profile));
    }
}

impl Session<'_> {
    /// After a response: adds the modules that the last request used to the profile of the init, if there is one.
    pub fn note_response(self) {
        let Some(profile) = running(self.py) else { return };
        if let Err(error) = profile.call_method0(intern!(self.py, "note_response")) {
            error.write_unraisable(self.py, Some(&profile));
        }
    }
}

fn running(py: Python<'_>) -> Option<Bound<'_, PyModule>> {
    RUNNING.get(py).map(|profile| profile.bind(py).clone())
}
