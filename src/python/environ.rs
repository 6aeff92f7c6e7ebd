//! The environ dict: a copy of a template with the constant variables, filled with those of the request.

use std::cell::RefCell;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::event::Strings;
use super::ffi::latin1;
use super::string_cache::StringCache;
use crate::environ::{Environ, Name, SERVER_SOFTWARE, header_key};

/// What is prepared once for the environ of all requests.
pub(super) struct Template<'py> {
    constant: Bound<'py, PyDict>,
    bytes_io: Bound<'py, PyAny>,
    sys: Bound<'py, PyModule>,
    fixed_keys: RefCell<StringCache<'py>>,
    /// By the header's name, not by the key.
    header_keys: RefCell<StringCache<'py>>,
}

impl<'py> Template<'py> {
    pub(super) fn new(py: Python<'py>, glue: &Bound<'py, PyModule>, workers: usize) -> PyResult<Self> {
        let constant = PyDict::new(py);
        constant.set_item("wsgi.version", (1, 0))?;
        constant.set_item("wsgi.multithread", false)?;
        // Other sandboxes do not count, though they run the same application: readers of the flag (Werkzeug's debugger)
        // ask whether another process shares this one's /tmp and memory. Gunicorn with one worker and every Lambda
        // adapter set it the same way.
        constant.set_item("wsgi.multiprocess", workers > 1)?;
        constant.set_item("wsgi.run_once", false)?;
        constant.set_item("wsgi.input_terminated", true)?;
        constant.set_item("wsgi.file_wrapper", glue.getattr("FileWrapper")?)?;
        constant.set_item("GATEWAY_INTERFACE", "CGI/1.1")?;
        constant.set_item("SERVER_SOFTWARE", SERVER_SOFTWARE)?;
        let bytes_io = py.import("io")?.getattr("BytesIO")?;
        let sys = py.import("sys")?;
        Ok(Self { constant, bytes_io, sys, fixed_keys: RefCell::default(), header_keys: RefCell::default() })
    }

    /// Makes the dict for one request: exactly a `dict`, which the application may change (PEP 3333). `strings` are those
    /// that the event's dict has.
    pub(super) fn fill(
        &self,
        environ: &Environ<'_>,
        strings: &Strings<'py>,
        body: Bound<'py, PyBytes>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let py = self.constant.py();
        let dict = self.constant.copy()?;
        for (name, value) in &environ.variables {
            let value = strings.get(value).map_or_else(|| latin1(py, value), Ok)?;
            match name {
                Name::Fixed(name) => dict.set_item(self.fixed_key(name), value)?,
                Name::Header(name) => dict.set_item(self.header_key(name), value)?,
            }
        }
        dict.set_item(intern!(py, "wsgi.url_scheme"), PyString::intern(py, environ.scheme.as_str()))?;
        // BytesIO shares the buffer of the bytes object, and has every method that PEP 3333 wants of the input.
        dict.set_item(intern!(py, "wsgi.input"), self.bytes_io.call1((body,))?)?;
        // Looked up for each request: applications replace it. `begin_invocation` has made sure that it is writable.
        dict.set_item(intern!(py, "wsgi.errors"), self.sys.getattr(intern!(py, "stderr"))?)?;
        Ok(dict)
    }

    fn fixed_key(&self, name: &'static str) -> Bound<'py, PyString> {
        self.fixed_keys.borrow_mut().get(name, || PyString::intern(self.constant.py(), name))
    }

    fn header_key(&self, name: &str) -> Bound<'py, PyString> {
        self.header_keys.borrow_mut().get(name, || PyString::new(self.constant.py(), &header_key(name)))
    }
}
