//! The standard library's regular expressions, compiled when the runtime was built. `compile_glue.py` writes them as a
//! sorted table, which is part of the binary's read-only data: a start reads only the pages that it looks up.

use std::cmp::Ordering;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::bytecode::for_this_python;
use super::ffi;

static TABLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/expression_table.bin"));

/// Whether the table is for this Python.
pub(super) fn has_table(py: Python<'_>) -> PyResult<bool> {
    Ok(for_this_python(py, TABLE)?.is_some())
}

/// Returns the arguments of `_sre.compile` for a pattern, without the pattern itself: a tuple. `None` for a pattern
/// that is not in the table.
#[pyfunction]
pub(super) fn find_pattern<'py>(
    pattern: &Bound<'py, PyAny>,
    flags: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = pattern.py();
    let Some(key) = flags.extract().ok().and_then(|flags| key(pattern, flags)) else { return Ok(None) };
    let table = for_this_python(py, TABLE)?.unwrap_or_default();
    Table(table).find(&key).map(|arguments| ffi::unmarshal(py, arguments)).transpose()
}

/// The key of a pattern in the table. `None` for a pattern that `re` itself has to refuse, and for text that UTF-8
/// cannot hold.
fn key(pattern: &Bound<'_, PyAny>, flags: u32) -> Option<Vec<u8>> {
    let (kind, text) = match pattern.cast::<PyString>() {
        Ok(pattern) => (b's', pattern.to_str().ok()?.as_bytes()),
        Err(_) => (b'b', pattern.cast::<PyBytes>().ok()?.as_bytes()),
    };
    Some([&[kind], &flags.to_le_bytes()[..], text].concat())
}

/// The number of entries; for each entry the ends of its key and of its value, counted from the first key; then each
/// key with its value after it. Numbers are 32-bit, little-endian.
struct Table(&'static [u8]);

impl Table {
    fn find(&self, key: &[u8]) -> Option<&'static [u8]> {
        let (mut low, mut high) = (0, self.number(0)?);
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.part(2 * middle)?.cmp(key) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return self.part(2 * middle + 1),
            }
        }
        None
    }

    /// The part at `index`: a key at an even index, its value at the next.
    fn part(&self, index: usize) -> Option<&'static [u8]> {
        let data = self.0.get(4 * (1 + 2 * self.number(0)?)..)?;
        let start = if index == 0 { 0 } else { self.number(index)? };
        data.get(start..self.number(index + 1)?)
    }

    fn number(&self, index: usize) -> Option<usize> {
        let bytes = self.0.get(4 * index..4 * index + 4)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_of_the_table_is_found_and_no_other() {
        Python::initialize();
        Python::attach(|py| {
            let table = Table(for_this_python(py, TABLE).unwrap().unwrap());
            let count = table.number(0).unwrap();
            assert!(count > 100, "{count} patterns");
            for index in 0..count {
                let (key, value) = (table.part(2 * index).unwrap(), table.part(2 * index + 1).unwrap());
                assert_eq!(table.find(key), Some(value));
                assert_eq!(table.find(&[key, b"!?"].concat()), None);
                assert!(ffi::unmarshal(py, value).unwrap().len().unwrap() > 3);
            }
            assert_eq!(table.find(b""), None);
            assert_eq!(Table(b"").find(b"s"), None);
        });
    }

    #[test]
    fn they_equal_what_re_compiles() {
        Python::initialize();
        Python::attach(|py| {
            let table = Table(for_this_python(py, TABLE).unwrap().unwrap());
            let re = py.import("re").unwrap();
            let make = py.import("_sre").unwrap().getattr("compile").unwrap();
            for index in 0..table.number(0).unwrap() {
                let (key, arguments) = (table.part(2 * index).unwrap(), table.part(2 * index + 1).unwrap());
                let (text, flags) = (&key[5..], u32::from_le_bytes(key[1..5].try_into().unwrap()));
                let pattern = match key[0] {
                    b's' => PyString::new(py, std::str::from_utf8(text).unwrap()).into_any(),
                    _ => PyBytes::new(py, text).into_any(),
                };
                let found = find_pattern(&pattern, &flags.into_pyobject(py).unwrap()).unwrap().unwrap();
                assert!(found.eq(ffi::unmarshal(py, arguments).unwrap()).unwrap(), "{pattern:?}");
                let arguments: Vec<Bound<'_, PyAny>> = found.extract().unwrap();
                let ours =
                    make.call1(pyo3::types::PyTuple::new(py, [vec![pattern.clone()], arguments].concat()).unwrap());
                let theirs = re.call_method1("compile", (&pattern, flags)).unwrap();
                let groups =
                    |pattern: &Bound<'_, PyAny>| pattern.getattr("groupindex").unwrap().str().unwrap().to_string();
                let ours = ours.unwrap();
                assert!(ours.eq(&theirs).unwrap(), "{pattern:?}");
                assert_eq!(groups(&ours), groups(&theirs), "{pattern:?}");
            }
        });
    }
}
