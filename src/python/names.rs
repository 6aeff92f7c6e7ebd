//! Python strings that come again and again, made once.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// How many are kept. Clients choose the names of headers: without a bound they could fill memory.
const KEPT: usize = 2048;
/// The longest that is kept, bytes.
const LONGEST: usize = 64;

/// Python strings by the text that they were made for.
#[derive(Default)]
pub(super) struct Names<'py>(HashMap<Box<str>, Bound<'py, PyString>, RandomState>);

impl<'py> Names<'py> {
    /// The string for a text, made when it is not known yet.
    pub(super) fn get(&mut self, text: &str, make: impl FnOnce() -> Bound<'py, PyString>) -> Bound<'py, PyString> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let string = make();
        if self.0.len() < KEPT && text.len() <= LONGEST {
            self.0.insert(text.into(), string.clone());
        }
        string
    }
}
