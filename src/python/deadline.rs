//! What the deadline watch does to Python from its own thread: interrupt the main thread, look at the stacks.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::sync::Mutex;
use std::time::Duration;

use pyo3::prelude::*;

use super::{Session, describe, ffi, glue, loaded_glue};
use crate::error::{Error, Kind, Result};
use crate::response::lock;

/// How long an interrupted application may take to write its stacks before they are written without it.
const PATIENCE: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_millis(5);

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
        let glue = loaded_glue(self.py)?;
        let signals = (ffi::interrupt_signal(), ffi::stacks_signal());
        let descriptor = glue.call_method1("prepare_deadline", signals).and_then(|descriptor| descriptor.extract());
        let descriptor = descriptor.map_err(|error| describe(&glue, error))?;
        let stacks = ffi::file_of_descriptor(descriptor).ok_or_else(|| {
            Error::new(Kind::Interpreter, "Runtime.InterpreterError", "there is no file in memory for stacks")
        })?;
        Ok(Interrupter { main_thread: ffi::this_thread(), stacks: Mutex::new(stacks) })
    }

    /// Drops an interrupt that has not arrived: the request it was for is over.
    pub fn forget_interrupt(self) {
        // No Python code may run between the two, or the interrupt would be raised in it.
        let ended = glue(self.py).and_then(|glue| glue.getattr("state")?.setattr("serving", false));
        if let Err(error) = ended.and_then(|()| self.py.check_signals()) {
            error.write_unraisable(self.py, None); // a handler of the application's own
        }
    }
}

impl Interrupter {
    /// Raises `TimeoutError` in the main thread, at its next step in Python or in a system call that Python waits for,
    /// and gives every Python thread's stack at that moment, most recent call first.
    pub fn interrupt(&self) -> String {
        let mut file = lock(&self.stacks);
        if let Err(error) = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))) {
            return format!("(the stacks could not be taken: {error})");
        }
        ffi::interrupt(self.main_thread);
        let mut waited = Duration::ZERO;
        while waited < PATIENCE {
            std::thread::sleep(STEP);
            waited += STEP;
            let text = read(&file);
            if let Some(text) = text.strip_suffix('\0') {
                return text.to_owned();
            }
        }
        ffi::write_stacks();
        read(&file)
    }
}

/// The file from its beginning, without moving the position at which Python writes.
fn read(file: &File) -> String {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let read = file.read_at(&mut bytes, 0).unwrap_or(0);
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}
