//! What the deadline watch needs of Python, from its own thread: to interrupt the main thread and to read the stacks.

use std::fs::File;
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::errors::describe;
use super::ffi;
use super::glue::{glue, loaded_glue};
use super::session::Session;
use crate::error::Result;

/// How long each way to read the stacks may take.
const PATIENCE: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_millis(5);

/// The descriptor of the file in memory that the stacks are written to, or `NO_FILE`. Only the thread that takes it may
/// write.
static FILE: AtomicI32 = AtomicI32::new(NO_FILE);
const NO_FILE: RawFd = -1;

/// Interrupts the main thread from another thread, which never waits for the GIL itself.
#[derive(Debug)]
pub struct Interrupter {
    main_thread: ffi::Thread,
}

impl Session<'_> {
    /// Prepares the process for deadlines. Has to be called on the main thread.
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

    /// Drops an interrupt that has not arrived yet, since its request is over.
    pub fn forget_interrupt(self) {
        // No Python code may run between these two steps: the interrupt would be raised in it.
        let ended = glue(self.py).and_then(|glue| glue.getattr("state")?.setattr("serving", false));
        if let Err(error) = ended.and_then(|()| self.py.check_signals()) {
            error.write_unraisable(self.py, None); // from a signal handler of the application
        }
    }
}

/// Returns the descriptor of the file to the first caller, and `NO_FILE` to all others.
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
    /// Raises `TimeoutError` in the main thread: at its next step in Python, or in the system call that it waits in.
    /// Returns the stacks of all Python threads at that moment, most recent call first, or the reason why they are
    /// missing.
    ///
    /// Frames may be read only with the GIL. There are three ways, tried in this order: the interrupted thread writes
    /// them; another thread does, as soon as the interrupted thread, in C code, releases the GIL; and where C code
    /// keeps the GIL, a copy of this process does, which may crash over frames that were changing.
    pub fn interrupt(&self) -> String {
        stacks(|file| {
            ffi::interrupt(self.main_thread);
            file.and_then(wait)
        })
    }
}

/// Returns the stacks of all Python threads, without an interrupt. For a thread that does not run Python.
pub fn look_at_stacks() -> String {
    stacks(|_| None)
}

/// Reads the stacks. `first` is the way to try first, before the two that need no interrupt; it returns `None` if it
/// failed.
fn stacks(first: impl FnOnce(Option<&File>) -> Option<String>) -> String {
    // Made only now: some applications close all descriptors that are not theirs.
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
        // A slow thread has taken it and still writes: the file has to stay open.
        let text = read(&file);
        std::mem::forget(file);
        return text;
    }
    ffi::write_stacks_in_a_copy(&file, PATIENCE);
    let text = read(&file);
    if text.is_empty() { "(the stacks could not be taken: C code holds the interpreter)".to_owned() } else { text }
}

/// Runs on a thread of its own, which may get the GIL only when it is too late.
fn write_with_the_gil() {
    Python::attach(|py| {
        let written = glue(py).and_then(|glue| glue.call_method1("write_stacks", (take_file_function(py)?,)));
        if let Err(error) = written {
            error.write_unraisable(py, None);
        }
    });
}

/// Waits for the NUL that ends the stacks, and returns them.
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

/// Reads the file from its beginning, without moving the position at which Python writes.
fn read(file: &File) -> String {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let read = file.read_at(&mut bytes, 0).unwrap_or(0);
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}
