//! What the deadline watch does to Python from its own thread: interrupt the main thread, look at the stacks.

use std::fs::File;
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::{Session, describe, ffi, glue, loaded_glue};
use crate::error::Result;

/// How long each way to the stacks may take.
const PATIENCE: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_millis(5);

/// The file in memory that waits for somebody to write stacks to it, or `NO_FILE`. Who takes it writes, and nobody else.
static FILE: AtomicI32 = AtomicI32::new(NO_FILE);
const NO_FILE: RawFd = -1;

/// A hand on the interpreter for another thread. Nothing it does waits for the GIL without end.
#[derive(Debug)]
pub struct Interrupter {
    main_thread: ffi::Thread,
}

impl Session<'_> {
    /// Prepares the process for its deadlines. On the main thread.
    ///
    /// # Errors
    /// `App` or `Interpreter`, when Python refuses.
    pub fn interrupter(self) -> Result<Interrupter> {
        let glue = loaded_glue(self.py)?;
        let prepared = take_file_function(self.py)
            .and_then(|take| glue.call_method1("prepare_deadline", (ffi::interrupt_signal(), take)));
        prepared.map_err(|error| describe(&glue, error))?;
        Ok(Interrupter { main_thread: ffi::this_thread() })
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

/// Gives the descriptor of the file to the first who asks.
#[pyfunction]
fn take_file() -> RawFd {
    FILE.swap(NO_FILE, Ordering::AcqRel)
}

fn take_file_function(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static FUNCTION: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let function = FUNCTION.get_or_try_init(py, || wrap_pyfunction!(take_file, py).map(|it| it.into_any().unbind()))?;
    Ok(function.bind(py).clone())
}

impl Interrupter {
    /// Raises `TimeoutError` in the main thread, at its next step in Python or in a system call that Python waits for,
    /// and gives every Python thread's stack at that moment, most recent call first, as far as they can be had.
    ///
    /// Frames may be read only by who has the GIL: first it is the interrupted thread itself that writes them, then
    /// another one as soon as the interrupted thread, in C code, has let go of the GIL. Where C code keeps it, they are
    /// read in a copy of this process, which may crash over frames that were about to change.
    pub fn interrupt(&self) -> String {
        stacks(|file| {
            ffi::interrupt(self.main_thread);
            file.and_then(wait)
        })
    }
}

/// Every Python thread's stack, for another thread than Python's.
pub fn look_at_stacks() -> String {
    stacks(|_| None)
}

/// `first` is the first way to have them written to the file, if there is one.
fn stacks(first: impl FnOnce(Option<&File>) -> Option<String>) -> String {
    // Made for this moment: one that lay open would be closed by applications that close what they do not know.
    let file = match ffi::file_in_memory() {
        Ok(file) => file,
        Err(error) => {
            first(None);
            return format!("(the stacks could not be taken: {error})");
        }
    };
    FILE.store(file.as_raw_fd(), Ordering::Release);
    let mut written = first(Some(&file));
    if written.is_none() && std::thread::Builder::new().spawn(write_with_the_gil).is_ok() {
        written = wait(&file);
    }
    if let Some(text) = written {
        return text;
    }
    if take_file() == NO_FILE {
        // Somebody has it and is slow: it stays open for them.
        let text = read(&file);
        std::mem::forget(file);
        return text;
    }
    ffi::write_stacks_in_a_copy(&file, PATIENCE);
    let text = read(&file);
    if text.is_empty() { "(the stacks could not be taken: C code holds the interpreter)".to_owned() } else { text }
}

/// On a thread of its own, which may have to wait for the GIL until nobody wants to know any more.
fn write_with_the_gil() {
    Python::attach(|py| {
        let written = glue(py).and_then(|glue| glue.call_method1("write_stacks", (take_file_function(py)?,)));
        if let Err(error) = written {
            error.write_unraisable(py, None);
        }
    });
}

/// What was written, once it is whole.
fn wait(file: &File) -> Option<String> {
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        std::thread::sleep(STEP);
        waited += STEP;
        if let Some(text) = read(file).strip_suffix('\0') {
            return Some(text.to_owned());
        }
    }
    None
}

/// The file from its beginning, without moving the position at which Python writes.
fn read(file: &File) -> String {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let read = file.read_at(&mut bytes, 0).unwrap_or(0);
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}
