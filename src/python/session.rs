//! The session. The other files of this room add their methods to it.

use pyo3::prelude::*;

use super::ffi;

/// The interpreter, attached to the main thread for as long as this value lives.
#[derive(Clone, Copy)]
pub struct Session<'py> {
    pub(super) py: Python<'py>,
}

impl Session<'_> {
    /// Runs `work`, which may block, detached from Python: other Python threads run meanwhile.
    pub fn detached<T: Send>(self, work: impl FnOnce() -> T + Send) -> T {
        self.py.detach(work)
    }

    /// Returns unused memory to the kernel.
    pub fn return_memory(self) {
        self.detached(ffi::return_memory);
    }
}
