//! `start_response` and `write`: the two callables that PEP 3333 has a server offer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use pyo3::exceptions::{PyAssertionError, PyOSError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple, PyType};

use super::errors::type_name;
use super::ffi;
use crate::grammar::is_hop_by_hop;
use crate::response::{Head, HeadError, Refusal, Steps};
use crate::sync::lock;

/// The response of one request, shared by the two callables and the loop over the iterable. Each request has its own: a
/// callable that the application keeps cannot change a later response.
pub(super) struct Shared {
    response: Arc<dyn Steps>,
    /// Names of hop-by-hop headers that were dropped, for one warning.
    dropped: Mutex<Vec<String>>,
    strict: bool,
    /// Whether the response is complete and its iterable is being closed.
    closing: AtomicBool,
}

impl Shared {
    pub(super) fn new(response: Arc<dyn Steps>, strict: bool) -> Arc<Self> {
        Arc::new(Self { response, dropped: Mutex::default(), strict, closing: AtomicBool::new(false) })
    }

    /// Notes that the response is complete. Returns the names of the headers that were dropped.
    pub(super) fn complete(&self) -> Vec<String> {
        self.closing.store(true, Ordering::Relaxed);
        std::mem::take(&mut *lock(&self.dropped))
    }

    /// Ends the request: from here on the callables refuse every call.
    pub(super) fn end(&self) {
        self.closing.store(false, Ordering::Relaxed);
    }

    /// Whether the headers were sent; always true while the iterable is being closed.
    fn has_sent_headers(&self, py: Python<'_>) -> bool {
        let closing = self.closing.load(Ordering::Relaxed);
        py.detach(|| self.response.headers_sent()).unwrap_or(closing)
    }

    /// Takes a step in the response. It runs detached, since sending may block: other Python threads run meanwhile.
    ///
    /// # Errors
    /// The refusal, as a Python exception.
    pub(super) fn step<T: Send>(
        &self,
        py: Python<'_>,
        step: impl FnOnce(&dyn Steps) -> Result<T, Refusal> + Send,
    ) -> PyResult<T> {
        py.detach(|| step(&*self.response)).map_err(|refusal| raise(&refusal))
    }
}

/// Returns a refusal as an exception, to be raised in the application's own frame.
fn raise(refusal: &Refusal) -> PyErr {
    let message = refusal.to_string();
    match refusal {
        Refusal::AlreadyStarted | Refusal::HeadersSent | Refusal::NotStarted => PyAssertionError::new_err(message),
        Refusal::TooLarge(_) | Refusal::Gone(_) => PyOSError::new_err(message),
        Refusal::Ended => PyRuntimeError::new_err(message),
    }
}

/// `start_response(status, response_headers, exc_info=None)`.
#[pyclass(frozen, module = "wsgi_lambda")]
pub(super) struct StartResponse(pub(super) Arc<Shared>);

#[pymethods]
impl StartResponse {
    #[pyo3(signature = (status, response_headers, exc_info=None))]
    fn __call__<'py>(
        &self,
        status: &Bound<'py, PyAny>,
        response_headers: &Bound<'py, PyAny>,
        exc_info: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Write> {
        if ffi::is_forked() {
            return Ok(Write(Arc::clone(&self.0))); // only the parent responds
        }
        // `None` and other false values count as missing.
        let py = status.py();
        let exc_info = exc_info.map(exception_of).transpose()?.flatten();
        let replaces = exc_info.is_some();
        if let Some(exception) = &exc_info
            && self.0.has_sent_headers(py)
        {
            return Err(again(exception));
        }
        self.0.step(py, |response| response.begin_start(replaces))?;
        let head = self.head(status, response_headers)?;
        self.0.step(py, |response| response.start(head))?;
        Ok(Write(Arc::clone(&self.0)))
    }
}

impl StartResponse {
    /// Checks and copies status and headers: the application may change its list later, without effect.
    fn head(&self, status: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<Head> {
        let status = status.cast::<PyString>().map_err(|_| wrong_type("the status must be a str", status))?;
        let headers = headers.cast::<PyList>().map_err(|_| wrong_type("response_headers must be a list", headers))?;
        let mut head = Head::new(native(status)?).map_err(|error| refused(&error))?;
        for header in headers.iter() {
            let pair = header.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
            let pair = pair.ok_or_else(|| wrong_type("each header must be a tuple of two str", &header))?;
            let (name, value) = (pair.get_item(0)?, pair.get_item(1)?);
            let name = name.cast::<PyString>().map_err(|_| wrong_type("each header name must be a str", &name))?;
            let value = value.cast::<PyString>().map_err(|_| wrong_type("each header value must be a str", &value))?;
            let name = native(name)?;
            // Only the name: a value may be a secret.
            let value = native(value).map_err(|_| refused(&HeadError::Value(name.to_owned())))?;
            if self.0.strict && is_hop_by_hop(name) {
                return Err(refused(&HeadError::HopByHop(name.to_owned())));
            }
            head.add(name, value).map_err(|error| refused(&error))?;
        }
        let dropped = head.remove_hop_by_hop();
        if !dropped.is_empty() {
            lock(&self.0.dropped).extend(dropped);
        }
        Ok(head)
    }
}

/// `write(data)`, which `start_response` returns.
#[pyclass(frozen, module = "wsgi_lambda")]
pub(super) struct Write(Arc<Shared>);

#[pymethods]
impl Write {
    fn __call__(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        if ffi::is_forked() {
            return Ok(()); // as above
        }
        let chunk = chunk(data)?;
        // A clone, so that the last reference is dropped here, attached.
        self.0.step(data.py(), |response| response.write(chunk.clone()))
    }
}

/// Returns a chunk of the body that keeps the bytes object alive and copies nothing.
pub(super) fn chunk(data: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    match data.cast::<PyBytes>() {
        Ok(bytes) if bytes.as_bytes().is_empty() => Ok(Bytes::new()),
        Ok(bytes) => Ok(Bytes::from_owner(PyBackedBytes::from(bytes.clone()))),
        Err(_) => Err(wrong_type("the body must be made of bytes (PEP 3333, \"A Note on String Types\")", data)),
    }
}

/// The text of a native string. Lone surrogates are an error: they are beyond Latin-1.
fn native<'a>(text: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    text.to_str().map_err(|_| PyValueError::new_err("native strings hold characters up to U+00FF only (PEP 3333)"))
}

fn refused(error: &HeadError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn wrong_type(rule: &str, object: &Bound<'_, PyAny>) -> PyErr {
    let kind = type_name(object);
    PyTypeError::new_err(format!("{rule}, not {kind}"))
}

/// Returns the `exc_info` tuple; `None` when it is false.
fn exception_of<'py>(exc_info: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyTuple>>> {
    if !exc_info.is_truthy()? {
        return Ok(None);
    }
    let tuple = exc_info.cast::<PyTuple>().ok().filter(|tuple| tuple.len() == 3);
    Ok(Some(tuple.ok_or_else(|| wrong_type("exc_info must be a tuple of three", exc_info))?.clone()))
}

/// Returns the application's exception with its traceback, to be raised again in the application's frame.
fn again(exc_info: &Bound<'_, PyTuple>) -> PyErr {
    let py = exc_info.py();
    let with_traceback = || {
        let (value, traceback) = (exc_info.get_item(1)?, exc_info.get_item(2)?);
        if value.is_none() {
            return Err(PyRuntimeError::new_err(Refusal::HeadersSent.to_string()));
        }
        // Code written for Python 2 may pass a class.
        let value = if value.is_instance_of::<PyType>() { value.call0()? } else { value };
        value.call_method1(intern!(py, "with_traceback"), (traceback,))
    };
    match with_traceback() {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}
