//! Workers: processes forked after the import of the application, each with a loop of its own.

use pyo3::exceptions::PySystemExit;
use pyo3::prelude::*;

use super::{Session, describe, ffi, loaded_glue};
use crate::error::{Error, Kind, Result};

impl Session<'_> {
    /// Forks workers and returns in each of them; the parent supervises them here. Before any thread, which does not
    /// survive a fork.
    ///
    /// # Errors
    /// `Shutdown` in the parent, when it is told to end; `RuntimeApi`, when workers end as fast as they are made.
    pub fn fork_workers(self, count: usize, log_socket: Option<&str>) -> Result<()> {
        let py = self.py;
        let glue = loaded_glue(py)?;
        let Err(error) = glue.call_method1("fork_workers", (count, log_socket)) else {
            ffi::adopt_fork();
            ffi::end_with_parent();
            return Ok(());
        };
        if !error.is_instance_of::<PySystemExit>(py) {
            return Err(describe(&glue, error));
        }
        let code = error.value(py).getattr("code").and_then(|code| code.extract::<i32>());
        match code {
            Ok(0) => Err(Error::shutdown()),
            _ => Err(Error::new(Kind::RuntimeApi, "Runtime.WorkersEnd", "workers end as fast as they are made")),
        }
    }
}
