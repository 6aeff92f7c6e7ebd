//! Room: `python`, CPython embedded: start, application, call, output. All pyo3 is here, all `unsafe` in `ffi`.
//! In: plain values: settings, an [`crate::environ::Environ`], a body, an [`Invocation`], [`crate::response::Steps`].
//! Out: plain values: [`Called`], [`Error`]s with Python stack traces.
//! May use: `config`, `environ`, `error`, `grammar`, `invocation`, `json`, `request`, `response`, `sync`,
//!   pyo3, libc, `foldhash`, memchr, bytes.
//! Must not: know envelopes or the Runtime API; let a pyo3 type out; block while attached.

mod app;
mod bytecode;
mod call;
mod deadline;
mod environ;
mod event;
mod expressions;
mod ffi;
mod glue;
mod handler_name;
mod interpreter;
mod names;
mod profile;
mod signals;
mod snapshot;
mod start_response;
mod workers;

use std::path::PathBuf;
use std::time::Instant;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

pub use app::App;
pub use call::{Call, Called};
pub use deadline::{Interrupter, look_at_stacks};
pub use ffi::{file_in_memory, file_of_descriptor, is_forked, leave};
use glue::glue;
pub use signals::handle_signals;
pub use workers::{Fork, remember_start, start_again};

use crate::config::{Config, LogFormat};
use crate::error::{Error, Kind, Result};

/// The interpreter, attached to the main thread for as long as this value lives.
#[derive(Clone, Copy)]
pub struct Session<'py> {
    py: Python<'py>,
}

/// Starts the interpreter and runs `work` attached to it, on this thread, which has to be the process's main thread:
/// Python's `threading` and `signal` modules take the thread that initialises for the main one.
///
/// # Errors
/// `Interpreter` or `Config` when Python cannot be started; otherwise what `work` gives.
pub fn with_interpreter<T>(config: &Config, work: impl FnOnce(Session<'_>) -> Result<T>) -> Result<T> {
    let home = interpreter::find(config)?;
    if !config.malloc_is_tuned {
        ffi::keep_memory();
    }
    let began = Instant::now();
    ffi::start(&home, config.profile_init.is_none()).map_err(|message| not_started(&message))?;
    let interpreter = began.elapsed();
    ffi::prepare_signals();
    ffi::watch_forks();
    Python::attach(|py| {
        let glue = loaded_glue(py)?;
        let before = profile::Before { interpreter, glue: began.elapsed().saturating_sub(interpreter) };
        let prepared = || {
            if let Some(file) = &config.profile_init {
                ffi::want_site(py)?;
                profile::begin(py, config, file, &before)?;
            }
            prepare(&glue, config, home.managed)?;
            profile::prepared(py)
        };
        prepared().map_err(|error| describe(&glue, error))?;
        work(Session { py })
    })
}

impl<'py> Session<'py> {
    /// Imports the application that the handler names.
    ///
    /// # Errors
    /// `App`, with the platform's error types and a Python stack trace.
    pub fn load_app(self, config: &Config) -> Result<App<'py>> {
        let app = App::load(self.py, config);
        if ffi::is_forked() {
            match &app {
                Ok(app) => leave_if_forked(&app.glue, None),
                Err(_) => ffi::leave_child(),
            }
        }
        app
    }

    /// Runs something that blocks, with Python free for other threads.
    pub fn detached<T: Send>(self, work: impl FnOnce() -> T + Send) -> T {
        self.py.detach(work)
    }
}

fn prepare(glue: &Bound<'_, PyModule>, config: &Config, managed: bool) -> PyResult<()> {
    let py = glue.py();
    let function = PyDict::new(py);
    function.set_item("function_name", &config.function.name)?;
    function.set_item("function_version", &config.function.version)?;
    function.set_item("memory_limit_in_mb", &config.function.memory_limit_in_mb)?;
    function.set_item("log_group_name", &config.function.log_group_name)?;
    function.set_item("log_stream_name", &config.function.log_stream_name)?;
    let memory_mb: u32 = config.function.memory_limit_in_mb.parse().unwrap_or(128); // Lambda's least
    let path = |path: &PathBuf| path.as_os_str().to_owned();
    glue.call_method1(
        "start",
        (function, memory_mb, path(&config.task_root), path(&config.layer_dir), managed, config.defer_imports),
    )?;
    glue.call_method1("prepare_stacks", (ffi::stacks_signal(),))?;
    let json = config.log_format == LogFormat::Json;
    glue.call_method1("prepare_logging", (json, config.log_level, config.telemetry_fd))?;
    Ok(())
}

/// Ends this process if it is a child that the application forked and let come back: it must not answer, or ask for work,
/// a second time. Its exit status is what Python makes of the exception.
fn leave_if_forked(glue: &Bound<'_, PyModule>, exception: Option<&PyErr>) {
    if ffi::is_forked() {
        let exception = exception.map(|error| error.value(glue.py()));
        let left = glue.call_method1(pyo3::intern!(glue.py(), "leave_child"), (exception,));
        debug_assert!(left.is_err(), "glue.leave_child does not return");
        ffi::leave_child();
    }
}

/// A Python exception as our error, with its stack trace. A child ends with it.
fn describe(glue: &Bound<'_, PyModule>, error: PyErr) -> Error {
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

/// The same for an exception at a moment at which Python can do nothing more (no memory, no standard library): its
/// name alone, since its message would be made by Python.
fn describe_without_glue(py: Python<'_>, error: &PyErr) -> Error {
    Error::new(Kind::App, type_name(error.value(py)), "")
}

/// An object's class, for messages.
fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string())
}

/// Our Python code, or why it could not be loaded.
fn loaded_glue(py: Python<'_>) -> Result<Bound<'_, PyModule>> {
    glue(py).map_err(|error| {
        if error.is_instance_of::<PyImportError>(py) {
            not_started(&error.value(py).to_string())
        } else {
            describe_without_glue(py, &error)
        }
    })
}

fn not_started(message: &str) -> Error {
    Error::new(Kind::Interpreter, "Runtime.InterpreterError", format!("Python could not be started: {message}"))
}
