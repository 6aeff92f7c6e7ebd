//! Workers: processes forked after the import of the application, each with a loop of its own.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::OnceLock;

use pyo3::prelude::*;

use super::signals::is_exit;
use super::{Session, describe, ffi, glue, loaded_glue};
use crate::error::Result;

/// Where a fork came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    /// In the parent, with the process id of the child.
    Parent(i32),
    /// In the child.
    Child,
}

impl Session<'_> {
    /// Once, before the forks: what is shared is left alone by the collector, which writes to every object that it looks at.
    ///
    /// # Errors
    /// `App`, when Python refuses.
    pub fn prepare_forks(self) -> Result<()> {
        let glue = loaded_glue(self.py)?;
        glue.call_method0("prepare_forks").map(|_| ()).map_err(|error| describe(&glue, error))
    }

    /// Forks a worker.
    ///
    /// # Errors
    /// `App`, when the kernel refuses.
    pub fn fork(self, log_socket: Option<&str>) -> Result<Fork> {
        let glue = loaded_glue(self.py)?;
        let forked = glue.call_method1("fork", (log_socket,)).and_then(|pid| pid.extract::<i32>());
        if ffi::is_forked() {
            if let Err(error) = forked {
                error.print(self.py); // nobody else may go on here
                ffi::leave_child();
            }
            ffi::adopt_fork();
            ffi::end_with_parent();
            return Ok(Fork::Child);
        }
        forked.map(Fork::Parent).map_err(|error| describe(&glue, error))
    }

    /// In a worker that is ready: from here on the application's signal handlers run where Python runs them.
    ///
    /// # Errors
    /// `App`, when Python refuses.
    pub fn release_handlers(self) -> Result<()> {
        let glue = loaded_glue(self.py)?;
        match glue.call_method0("release_handlers") {
            Err(error) if !is_exit(&glue, &error) => Err(describe(&glue, error)),
            _ => Ok(()),
        }
    }

    /// The names of threads that run Python code beside this one. Empty also where Python does not say.
    pub fn other_threads(self) -> Vec<String> {
        let names = glue(self.py).and_then(|glue| glue.call_method0("other_threads"));
        names.and_then(|names| names.extract()).unwrap_or_default()
    }
}

/// What the process was started with, before an application could change it.
struct Start {
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

static START: OnceLock<Start> = OnceLock::new();

/// Remembers how the process was started, for [`start_again`]. First of all.
#[allow(clippy::disallowed_methods)] // the environment as a whole, for the same program
pub fn remember_start() {
    let (arguments, environment) = (std::env::args_os().skip(1).collect(), std::env::vars_os().collect());
    START.get_or_init(|| Start { arguments, environment });
}

/// Becomes this program again, as the platform started it and with one variable more; returns why that was not possible.
pub fn start_again(variable: &str) -> std::io::Error {
    let (program, start) = match (std::env::current_exe(), START.get()) {
        (Ok(program), Some(start)) => (program, start),
        (Err(error), _) => return error,
        (_, None) => return std::io::Error::other("nobody remembers how it was started"),
    };
    let environment = start.environment.iter().map(|(name, value)| (name, value));
    Command::new(program).args(&start.arguments).env_clear().envs(environment).env(variable, "1").exec()
}
