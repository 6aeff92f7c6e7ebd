//! The environ dict: a template of what never changes, copied, and filled with what does.

use std::cell::RefCell;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::ffi::latin1;
use super::names::Names;
use crate::environ::{Environ, Name, SERVER_SOFTWARE, header_key};

/// What is prepared once for all requests.
pub(super) struct Template<'py> {
    constant: Bound<'py, PyDict>,
    bytes_io: Bound<'py, PyAny>,
    sys: Bound<'py, PyModule>,
    fixed_keys: RefCell<Names<'py>>,
    header_keys: RefCell<Names<'py>>,
}

impl<'py> Template<'py> {
    pub(super) fn new(py: Python<'py>, glue: &Bound<'py, PyModule>, workers: usize) -> PyResult<Self> {
        let constant = PyDict::new(py);
        constant.set_item("wsgi.version", (1, 0))?;
        constant.set_item("wsgi.multithread", false)?;
        // Other sandboxes run the same application, but no other process shares this one's /tmp or memory: what reads
        // the flag (Werkzeug's debugger) means the latter. So do gunicorn with one worker and every Lambda adapter.
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

    /// A new dict for one request: exactly a dict, and the application's to change (PEP 3333).
    pub(super) fn fill(&self, environ: &Environ<'_>, body: Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyDict>> {
        let py = self.constant.py();
        let dict = self.constant.copy()?;
        for (name, value) in &environ.variables {
            let value = latin1(py, value)?;
            match name {
                Name::Fixed(name) => dict.set_item(self.fixed_key(name), value)?,
                Name::Header(name) => dict.set_item(self.header_key(name), value)?,
            }
        }
        dict.set_item(intern!(py, "wsgi.url_scheme"), PyString::intern(py, environ.scheme.as_str()))?;
        // BytesIO shares the buffer of the bytes object and has every method of PEP 3333's input, and then some.
        dict.set_item(intern!(py, "wsgi.input"), self.bytes_io.call1((body,))?)?;
        // Looked up each time: applications replace it. `glue/context.py` has made sure that it can be written to.
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
