//! SnapStart: the hooks that run before a snapshot is taken and after it is restored (docs, "Implement code before or
//! after Lambda function snapshots").

use pyo3::prelude::*;

use super::errors::describe;
use super::forked::leave_if_forked;
use super::glue::loaded_glue;
use super::session::Session;
use crate::error::{Error, Kind, Result};

impl Session<'_> {
    /// Runs the hooks before the snapshot.
    ///
    /// # Errors
    /// `BeforeSnapshot`, with the exception of the hook that failed.
    pub fn before_snapshot(self) -> Result<()> {
        self.run_hooks("before_snapshot", Kind::BeforeSnapshot, "Runtime.BeforeSnapshotError")
    }

    /// Runs the hooks after the restore.
    ///
    /// # Errors
    /// `AfterRestore`, with the exception of the hook that failed.
    pub fn after_restore(self) -> Result<()> {
        self.run_hooks("after_restore", Kind::AfterRestore, "Runtime.AfterRestoreError")
    }

    fn run_hooks(self, name: &str, kind: Kind, error_type: &'static str) -> Result<()> {
        let glue = loaded_glue(self.py)?;
        let done = glue.call_method0(name);
        leave_if_forked(&glue, done.as_ref().err());
        done.map(|_| ()).map_err(|error| {
            let cause = describe(&glue, error);
            let message = format!("{}: {}", cause.error_type(), cause.message());
            Error::new(kind, error_type, message).with_stack_trace(cause.stack_trace().to_vec())
        })
    }
}
