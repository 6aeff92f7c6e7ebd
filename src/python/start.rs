//! The start of the interpreter, up to the application's import.

use std::path::PathBuf;
use std::time::Instant;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::errors::{describe, not_started};
use super::glue::loaded_glue;
use super::session::Session;
use super::{ffi, init_profile, interpreter};
use crate::config::{Config, LogFormat};
use crate::error::Result;
use crate::read_ahead;

/// Starts the interpreter and runs `work` attached to it. The calling thread has to be the process's main thread:
/// Python's `threading` and `signal` modules take the thread that starts the interpreter for the main one.
///
/// # Errors
/// `Interpreter` or `Config` when Python cannot be started; otherwise the errors of `work`.
pub fn with_interpreter<T>(config: &Config, work: impl FnOnce(Session<'_>) -> Result<T>) -> Result<T> {
    interpreter::check(config)?;
    let home = interpreter::find(config)?;
    if let Some(prefix) = &home.prefix {
        let library = prefix.join("lib").join(interpreter::PYTHON);
        let begin = || read_ahead::begin(interpreter::PYTHON, &config.handler, &config.task_root, &library);
        ffi::without_signals(begin);
    }
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
        let spent = init_profile::Spent { interpreter, glue: began.elapsed().saturating_sub(interpreter) };
        let prepared = || {
            if let Some(file) = &config.profile_init {
                ffi::want_site(py)?;
                init_profile::begin(py, config, file, &spent)?;
            }
            prepare(&glue, config, home.managed)?;
            init_profile::prepared(py)
        };
        prepared().map_err(|error| describe(&glue, error))?;
        work(Session { py })
    })
}

/// Prepares paths, logging and crash reports.
fn prepare(glue: &Bound<'_, PyModule>, config: &Config, managed: bool) -> PyResult<()> {
    let py = glue.py();
    let function = PyDict::new(py);
    function.set_item("function_name", &config.function.name)?;
    function.set_item("function_version", &config.function.version)?;
    function.set_item("memory_limit_in_mb", &config.function.memory_limit_in_mb)?;
    function.set_item("log_group_name", &config.function.log_group_name)?;
    function.set_item("log_stream_name", &config.function.log_stream_name)?;
    let memory_mb: u32 = config.function.memory_limit_in_mb.parse().unwrap_or(128); // Lambda's smallest
    let path = |path: &PathBuf| path.as_os_str().to_owned();
    glue.call_method1(
        "start",
        (
            function,
            memory_mb,
            path(&config.task_root),
            path(&config.layer_dir),
            managed,
            config.defer_imports,
            config.lazy_imports,
        ),
    )?;
    glue.call_method1("prepare_stacks", (ffi::stacks_signal(),))?;
    let json = config.log_format == LogFormat::Json;
    glue.call_method1("prepare_logging", (json, config.log_level, config.telemetry_fd))?;
    Ok(())
}
