//! What the deadline watch does to Python from its own thread: look at the stacks, interrupt the main thread.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::Mutex;

use pyo3::prelude::*;

use super::{Session, describe, describe_without_glue, ffi, glue};
use crate::error::{Error, Kind, Result};
use crate::response::lock;

/// A hand on the interpreter for another thread. Nothing it does waits for the GIL.
#[derive(Debug)]
pub struct Interrupter {
    main_thread: ffi::Thread,
    stacks: Mutex<File>,
}

impl Session<'_> {
    /// Prepares the process for its deadlines. On the main thread.
    ///
    /// # Errors
    /// `App` or `Interpreter`, when Python or the kernel refuses.
    pub fn interrupter(self) -> Result<Interrupter> {
        let glue = glue(self.py).map_err(|error| describe_without_glue(self.py, &error))?;
        let signals = (ffi::stacks_signal(), ffi::interrupt_signal());
        let descriptor = glue.call_method1("prepare_deadline", signals).and_then(|descriptor| descriptor.extract());
        let descriptor = descriptor.map_err(|error| describe(&glue, error))?;
        let stacks = ffi::file_of_descriptor(descriptor).ok_or_else(|| {
            Error::new(Kind::Interpreter, "Runtime.InterpreterError", "there is no file in memory for stacks")
        })?;
        Ok(Interrupter { main_thread: ffi::this_thread(), stacks: Mutex::new(stacks) })
    }

    /// Drops an interrupt that has not arrived: the request it was for is over.
    pub fn forget_interrupt(self) {
        let ended = glue(self.py).and_then(|glue| glue.call_method0("end_serving"));
        // Runs the handlers of signals that are pending; ours lets them go by now, the application's own may raise.
        if let Err(error) = ended.and_then(|_| self.py.check_signals()) {
            error.write_unraisable(self.py, None);
        }
    }
}

impl Interrupter {
    /// Every Python thread's stack as text, most recent call first.
    pub fn stacks(&self) -> String {
        let mut file = lock(&self.stacks);
        let mut text = String::new();
        let read = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .map(|_| ffi::write_stacks())
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.read_to_string(&mut text));
        match read {
            Ok(_) => text,
            Err(error) => format!("(the stacks could not be read: {error})"),
        }
    }

    /// Raises `TimeoutError` in the main thread, at its next step in Python or in a system call that Python waits for.
    pub fn interrupt(&self) {
        ffi::interrupt(self.main_thread);
    }
}
