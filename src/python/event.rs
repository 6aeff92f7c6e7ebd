//! The event as a Python dict, built from its bytes.

use std::cell::RefCell;

use memchr::memmem;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

use super::names::Names;
use crate::json::{self, Document, Value, ValueKind};

/// What nests deeper is left to `json.loads`, which has its own way of giving up.
const MAX_DEPTH: usize = 200;

/// Makes dicts of events. The names of members are the same from one event to the next, and so are their objects.
pub(super) struct Events<'py> {
    py: Python<'py>,
    names: RefCell<Names<'py>>,
}

impl<'py> Events<'py> {
    pub(super) fn new(py: Python<'py>) -> Self {
        Self { py, names: RefCell::default() }
    }

    /// The event as `json.loads` would give it. What is not done here exactly as there (numbers beyond 64 bits, unpaired
    /// surrogates, deep nesting) is left to `json.loads` itself.
    pub(super) fn to_python(&self, event: &Document<'_>) -> PyResult<Bound<'py, PyAny>> {
        match self.value(event.root(), 0)? {
            Some(value) => Ok(value),
            None => self.py.import(intern!(self.py, "json"))?.call_method1("loads", (event.root().text(),)),
        }
    }

    /// `None` for what is left to `json.loads`.
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
        // The replacement character may be the event's own, or stand for half a surrogate pair, which Python keeps.
        let half =
            text.contains('\u{FFFD}') && memmem::find(&inside.as_bytes().to_ascii_lowercase(), b"\\ud").is_some();
        (!half).then(|| PyString::new(self.py, text))
    }
}

fn number<'py>(py: Python<'py>, text: &str) -> Option<Bound<'py, PyAny>> {
    if text.contains(['.', 'e', 'E']) {
        return text.parse().ok().map(|number| PyFloat::new(py, number).into_any());
    }
    text.parse::<i64>().ok().map(|number| PyInt::new(py, number).into_any())
}
