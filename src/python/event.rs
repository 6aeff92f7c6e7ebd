//! The event as a Python dict, built from its bytes.

use std::cell::{RefCell, RefMut};

use memchr::memmem;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

use super::ffi::latin1;
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
        Ok(self.with_strings(event)?.0)
    }

    /// The same, and the strings in it.
    pub(super) fn with_strings(&self, event: &Document<'_>) -> PyResult<(Bound<'py, PyAny>, Strings<'py>)> {
        let mut conversion =
            Conversion { py: self.py, names: self.names.borrow_mut(), strings: Strings(Vec::with_capacity(64)) };
        let dict = match conversion.value(event.root(), 0)? {
            Some(value) => value,
            None => self.py.import(intern!(self.py, "json"))?.call_method1("loads", (event.root().text(),))?,
        };
        Ok((dict, conversion.strings))
    }
}

/// Strings that were made of a document, each with the address and the length of its text there. In the order of the
/// document, so that they can be searched. Strings do not change: the environ can have the event's.
pub(super) struct Strings<'py>(Vec<(usize, usize, Bound<'py, PyString>)>);

impl<'py> Strings<'py> {
    /// The native string of these bytes, if there is one. They have to be the document's own: others have an address
    /// that is not in the list.
    pub(super) fn get(&self, bytes: &[u8]) -> Option<Bound<'py, PyString>> {
        let place = self.0.binary_search_by_key(&bytes.as_ptr().addr(), |(address, ..)| *address).ok()?;
        let (_, length, string) = &self.0[place];
        (*length == bytes.len()).then(|| string.clone())
    }
}

/// One event on its way to Python.
struct Conversion<'c, 'py> {
    py: Python<'py>,
    names: RefMut<'c, StringCache<'py>>,
    strings: Strings<'py>,
}

impl<'py> Conversion<'_, 'py> {
    /// Returns `None` if the event has to be left to `json.loads`.
    fn value(&mut self, value: Value<'_>, depth: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = self.py;
        Ok(match value.kind() {
            ValueKind::Object | ValueKind::Array if depth > MAX_DEPTH => None,
            ValueKind::Object => {
                let dict = PyDict::new(py);
                for (name, member) in value.members() {
                    let (Some(name), Some(member)) = (self.name(name)?, self.value(member, depth + 1)?) else {
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
            ValueKind::String => self.string(value)?.map(Bound::into_any),
            ValueKind::Number => number(py, value.text()),
            ValueKind::True => Some(PyBool::new(py, true).to_owned().into_any()),
            ValueKind::False => Some(PyBool::new(py, false).to_owned().into_any()),
            ValueKind::Null => Some(py.None().into_bound(py)),
        })
    }

    fn name(&mut self, value: Value<'_>) -> PyResult<Option<Bound<'py, PyString>>> {
        match value.literal() {
            Some(name) if !value.is_escaped() => Ok(Some(self.names.get(name, || PyString::new(self.py, name)))),
            _ => self.string(value),
        }
    }

    fn string(&mut self, value: Value<'_>) -> PyResult<Option<Bound<'py, PyString>>> {
        let Some(inside) = value.literal() else { return Ok(None) };
        if !value.is_escaped() {
            if !inside.is_ascii() {
                return Ok(Some(PyString::new(self.py, inside)));
            }
            // ASCII is the same in Latin-1, which takes half of the time to decode.
            let string = latin1(self.py, inside.as_bytes())?;
            self.strings.0.push((inside.as_ptr().addr(), inside.len(), string.clone()));
            return Ok(Some(string));
        }
        let bytes = json::unescape(inside);
        let Ok(text) = std::str::from_utf8(&bytes) else { return Ok(None) };
        // U+FFFD may be in the event itself, or stand for an unpaired surrogate, which Python would keep.
        let unpaired =
            text.contains('\u{FFFD}') && memmem::find(&inside.as_bytes().to_ascii_lowercase(), b"\\ud").is_some();
        Ok((!unpaired).then(|| PyString::new(self.py, text)))
    }
}

fn number<'py>(py: Python<'py>, text: &str) -> Option<Bound<'py, PyAny>> {
    if text.contains(['.', 'e', 'E']) {
        return text.parse().ok().map(|number| PyFloat::new(py, number).into_any());
    }
    text.parse::<i64>().ok().map(|number| PyInt::new(py, number).into_any())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_found_by_its_whole_text_in_the_document() {
        Python::initialize();
        Python::attach(|py| {
            let text = r#"{"host":"a.b:80","bytes":"ü","escape":"\u0061","empty":""}"#;
            let document = Document::parse(text.as_bytes()).unwrap();
            let texts: Vec<_> =
                document.root().members().map(|(_, value)| value.literal().unwrap().as_bytes()).collect();
            let (event, strings) = EventDicts::new(py).with_strings(&document).unwrap();
            assert!(strings.get(texts[0]).unwrap().is(event.get_item("host").unwrap()));
            assert!(strings.get(&texts[0][..3]).is_none(), "a host without its port begins at the same place");
            assert!(strings.get(texts[1]).is_none(), "UTF-8 is not Latin-1");
            assert!(strings.get(texts[2]).is_none());
            assert_eq!(strings.get(texts[3]).unwrap(), "");
            assert!(strings.get(b"a.b:80").is_none(), "the same text elsewhere");
        });
    }
}
