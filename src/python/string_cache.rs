//! A bounded cache of Python strings: header names, environ keys and the member names of events are the same from one
//! request to the next.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// How many strings are kept. Clients choose the names of headers: without a limit they could fill the memory.
const MAX_STRINGS: usize = 2048;
/// The longest text that is kept, in bytes.
const MAX_LENGTH: usize = 64;

/// Python strings by the text that they were made for.
#[derive(Default)]
pub(super) struct StringCache<'py>(HashMap<Box<str>, Bound<'py, PyString>, RandomState>);

impl<'py> StringCache<'py> {
    /// Returns the string for `text`; calls `make` if it is not in the cache.
    pub(super) fn get(&mut self, text: &str, make: impl FnOnce() -> Bound<'py, PyString>) -> Bound<'py, PyString> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let string = make();
        if self.0.len() < MAX_STRINGS && text.len() <= MAX_LENGTH {
            self.0.insert(text.into(), string.clone());
        }
        string
    }
}
