//! The event as a Python dict, built from its bytes.

use std::cell::RefCell;

use memchr::memmem;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

use super::string_cache::StringCache;
use crate::json::{self, Document, Value, ValueKind};

/// Events that nest deeper are left to `json.loads`, which raises its own error.
const MAX_DEPTH: usize = 200;

/// Makes dicts of events. Member names repeat from one event to the next, so their strings are cached.
pub(super) struct EventDicts<'py> {
    py: Python<'py>,
    names: RefCell<StringCache<'py>>,
}

impl<'py> EventDicts<'py> {
    pub(super) fn new(py: Python<'py>) -> Self {
        Self { py, names: RefCell::default() }
    }

    /// Returns the event as `json.loads` does. Events with values that only `json.loads` converts exactly (integers
    /// beyond 64 bits, unpaired surrogates, deep nesting) are left to it.
    pub(super) fn to_python(&self, event: &Document<'_>) -> PyResult<Bound<'py, PyAny>> {
        match self.value(event.root(), 0)? {
            Some(value) => Ok(value),
            None => self.py.import(intern!(self.py, "json"))?.call_method1("loads", (event.root().text(),)),
        }
    }

    /// Returns `None` if the event has to be left to `json.loads`.
    fn value(&self, value: Value<'_>, depth: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = self.py;
        Ok(match value.kind() {
            ValueKind::Object | ValueKind::Array if depth > MAX_DEPTH => None,
            ValueKind::Object => {
                let dict = PyDict::new(py);
                for (name, member) in value.members() {
                    let (Some(name), Some(member)) = (self.name(name), self.value(member, depth + 1)?) else {
                        return Ok(None);
                    };
                    dict.set_item(name, member)?;
                }
                Some(dict.into_any())
            }
            ValueKind::Array => {
                let list = PyList::empty(py);
                for item in value.items() {
                    let Some(item) = self.value(item, depth + 1)? else { return Ok(None) };
                    list.append(item)?;
                }
                Some(list.into_any())
            }
            ValueKind::String => self.string(value).map(Bound::into_any),
            ValueKind::Number => number(py, value.text()),
            ValueKind::True => Some(PyBool::new(py, true).to_owned().into_any()),
            ValueKind::False => Some(PyBool::new(py, false).to_owned().into_any()),
            ValueKind::Null => Some(py.None().into_bound(py)),
        })
    }

    fn name(&self, value: Value<'_>) -> Option<Bound<'py, PyString>> {
        if value.is_escaped() {
            return self.string(value);
        }
        let name = value.literal()?;
        Some(self.names.borrow_mut().get(name, || PyString::new(self.py, name)))
    }

    fn string(&self, value: Value<'_>) -> Option<Bound<'py, PyString>> {
        let inside = value.literal()?;
        if !value.is_escaped() {
            return Some(PyString::new(self.py, inside));
        }
        let bytes = json::unescape(inside);
        let text = std::str::from_utf8(&bytes).ok()?;
        // U+FFFD may be in the event itself, or stand for an unpaired surrogate, which Python would keep.
        let unpaired =
            text.contains('\u{FFFD}') && memmem::find(&inside.as_bytes().to_ascii_lowercase(), b"\\ud").is_some();
        (!unpaired).then(|| PyString::new(self.py, text))
    }
}

fn number<'py>(py: Python<'py>, text: &str) -> Option<Bound<'py, PyAny>> {
    if text.contains(['.', 'e', 'E']) {
        return text.parse().ok().map(|number| PyFloat::new(py, number).into_any());
    }
    text.parse::<i64>().ok().map(|number| PyInt::new(py, number).into_any())
}
