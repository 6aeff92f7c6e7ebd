//! Workers: processes forked after the import of the application, each with a loop of its own.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use pyo3::prelude::*;

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
            ffi::adopt_fork();
            ffi::end_with_parent();
        }
        match forked.map_err(|error| describe(&glue, error))? {
            0 => Ok(Fork::Child),
            pid => Ok(Fork::Parent(pid)),
        }
    }

    /// The names of threads that run Python code beside this one. Empty also where Python does not say.
    pub fn other_threads(self) -> Vec<String> {
        let names = glue(self.py).and_then(|glue| glue.call_method0("other_threads"));
        names.and_then(|names| names.extract()).unwrap_or_default()
    }
}

/// Becomes this program again, as the platform started it and with one variable more; returns why that was not possible.
#[allow(clippy::disallowed_methods)] // the environment as it was, before the application changed it
pub fn start_again(variable: &str) -> std::io::Error {
    let (program, environment) = match (std::env::current_exe(), std::fs::read("/proc/self/environ")) {
        (Ok(program), Ok(environment)) => (program, environment),
        (Err(error), _) | (_, Err(error)) => return error,
    };
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).env_clear().env(variable, "1");
    for entry in environment.split(|&byte| byte == 0) {
        if let Some(at) = entry.iter().skip(1).position(|&byte| byte == b'=') {
            let (name, value) = (&entry[..=at], &entry[at + 2..]);
            command.env(std::ffi::OsStr::from_bytes(name), std::ffi::OsStr::from_bytes(value));
        }
    }
    command.exec()
}
