//! Workers: processes that are forked from this one, each with a loop of its own.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::OnceLock;

use pyo3::prelude::*;

use super::errors::describe;
use super::ffi;
use super::glue::{glue, loaded_glue};
use super::session::Session;
use super::signals::note_exit;
use crate::error::Result;

/// The process in which a fork returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    /// The parent, with the process id of the child.
    Parent(i32),
    /// The child.
    Child,
}

impl Session<'_> {
    /// Once, before the first fork: moves all objects out of the garbage collector's reach, which would write to each
    /// and so copy the memory that the processes share.
    ///
    /// # Errors
    /// `App`, when Python refuses.
    pub fn prepare_forks(self) -> Result<()> {
        let glue = loaded_glue(self.py)?;
        glue.call_method0("prepare_forks").map(|_| ()).map_err(|error| describe(&glue, error))
    }

    /// Forks a worker. `log_socket` is the path of the socket that takes its output.
    ///
    /// # Errors
    /// `App`, when the kernel refuses.
    pub fn fork(self, log_socket: Option<&str>) -> Result<Fork> {
        let glue = loaded_glue(self.py)?;
        let forked = glue.call_method1("fork", (log_socket,)).and_then(|pid| pid.extract::<i32>());
        if ffi::is_forked() {
            if let Err(error) = forked {
                error.print(self.py);
                ffi::leave_child(); // only the parent may go on after an error
            }
            ffi::adopt_fork();
            ffi::end_with_parent();
            return Ok(Fork::Child);
        }
        forked.map(Fork::Parent).map_err(|error| describe(&glue, error))
    }

    /// In a worker that is ready for events: lets the application's signal handlers run again.
    ///
    /// # Errors
    /// `App`, when Python refuses.
    pub fn release_handlers(self) -> Result<()> {
        let glue = loaded_glue(self.py)?;
        match glue.call_method0("release_handlers") {
            Err(error) if !note_exit(&glue, &error) => Err(describe(&glue, error)),
            _ => Ok(()),
        }
    }

    /// The names of the threads that run Python code next to this one; empty where Python cannot tell.
    pub fn other_threads(self) -> Vec<String> {
        let names = glue(self.py).and_then(|glue| glue.call_method0("other_threads"));
        names.and_then(|names| names.extract()).unwrap_or_default()
    }
}

/// The arguments and the environment of the process, before an application could change them.
struct Start {
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

static START: OnceLock<Start> = OnceLock::new();

/// Remembers how the process was started, for [`start_again`]. `main` calls it first.
#[allow(clippy::disallowed_methods)] // the environment as a whole, for the same program
pub fn remember_start() {
    let (arguments, environment) = (std::env::args_os().skip(1).collect(), std::env::vars_os().collect());
    START.get_or_init(|| Start { arguments, environment });
}

/// Starts this program again in its place (execve(2)), as the platform started it and with `variable` set to 1. Returns
/// only if that fails, with the reason.
pub fn start_again(variable: &str) -> std::io::Error {
    let (program, start) = match (std::env::current_exe(), START.get()) {
        (Ok(program), Some(start)) => (program, start),
        (Err(error), _) => return error,
        (_, None) => return std::io::Error::other("how it was started was not recorded"),
    };
    let environment = start.environment.iter().map(|(name, value)| (name, value));
    Command::new(program).args(&start.arguments).env_clear().envs(environment).env(variable, "1").exec()
}
