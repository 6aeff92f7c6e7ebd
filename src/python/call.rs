//! The call of the application for one request (PEP 3333, "The Server/Gateway Side").

use std::sync::Arc;

use bytes::Bytes;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyIterator, PyList, PyTuple};

use super::app::App;
use super::errors::{describe, type_name};
use super::ffi;
use super::forked::leave_if_forked;
use super::start_response::{Shared, StartResponse, chunk};
use crate::environ::environ;
use crate::error::{Error, Result};
use crate::invocation::Invocation;
use crate::json::Document;
use crate::request::{Origin, Request};
use crate::response::Steps;

/// What the call for one request needs.
pub struct Call<'r> {
    /// The request.
    pub request: &'r Request<'r>,
    /// The event that the request was read from.
    pub event: &'r Document<'r>,
    /// The invocation of the event.
    pub invocation: &'r Invocation,
    /// Takes the application's response, step by step.
    pub response: Arc<dyn Steps>,
    /// Called once, when the response is complete or has failed, before the iterable's `close()`. Frameworks clean up
    /// in `close()`; the client does not have to wait for it.
    pub deliver: &'r mut dyn FnMut(Option<&Error>),
}

/// The result of a call.
#[derive(Debug)]
pub struct Called {
    /// The application's exception, or the exception for its violation of PEP 3333.
    pub failure: Option<Error>,
    /// An exception from the iterable's `close()`. It does not change the response.
    pub close_failure: Option<Error>,
    /// Names of hop-by-hop headers that were dropped.
    pub dropped_headers: Vec<String>,
}

impl App<'_> {
    /// Serves one request.
    ///
    /// # Errors
    /// When environ cannot be made: `BadRequest` for the body or the event, otherwise `App`. The application was not
    /// called.
    pub fn call(&self, call: Call<'_>) -> Result<Called> {
        let environ = call.environ_dict(self)?;
        let shared = Shared::new(call.response, self.strict);
        let (result, failure) = respond(self, environ, &shared);
        leave_if_forked(&self.glue, failure.as_ref());
        let failure = failure.map(|error| describe(&self.glue, error));
        let dropped_headers = shared.complete();
        (call.deliver)(failure.as_ref());
        let close_failure = result.and_then(|result| close(&result).err());
        shared.end();
        leave_if_forked(&self.glue, close_failure.as_ref());
        let close_failure = close_failure.map(|error| describe(&self.glue, error));
        Ok(Called { failure, close_failure, dropped_headers })
    }
}

impl Call<'_> {
    fn environ_dict<'py>(&self, app: &App<'py>) -> Result<Bound<'py, PyDict>> {
        let py = app.glue.py();
        let body_len = self.request.body.decoded_len()?;
        let body = self.body(py, body_len)?;
        let (event, strings) = app.events.with_strings(self.event).map_err(|error| {
            let reason = describe(&app.glue, error);
            Error::bad_request(format!("the event cannot be converted to a Python dict: {}", reason.message()))
        })?;
        let fill = || {
            let context = context(app, self.invocation)?; // first: it also repairs the standard streams
            let dict = app.template.fill(&environ(self.request, body_len), &strings, body)?;
            self.add_lambda(&dict, &event, &context)?;
            Ok(dict)
        };
        fill().map_err(|error| describe(&app.glue, error))
    }

    /// The body, decoded straight into the memory of a Python bytes object.
    fn body<'py>(&self, py: Python<'py>, body_len: usize) -> Result<Bound<'py, PyBytes>> {
        let mut decoded = Ok(());
        let body = PyBytes::new_with(py, body_len, |out| {
            decoded = self.request.body.decode_into(out);
            Ok(())
        });
        decoded?;
        body.map_err(|error| Error::bad_request(format!("not enough memory for the body: {error}")))
    }

    /// Adds the event and the context, under our keys and under those of the adapters that applications migrate from
    /// (serverless-wsgi, apig-wsgi, aws-wsgi and others).
    fn add_lambda<'py>(
        &self,
        dict: &Bound<'py, PyDict>,
        event: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let py = dict.py();
        dict.set_item(intern!(py, "wsgi_lambda.origin"), self.request.origin.name())?;
        for key in [
            intern!(py, "wsgi_lambda.context"),
            intern!(py, "serverless.context"),
            intern!(py, "apig_wsgi.context"),
            intern!(py, "awsgi.context"),
            intern!(py, "lambda.context"),
        ] {
            dict.set_item(key, context)?;
        }
        for key in [
            intern!(py, "wsgi_lambda.event"),
            intern!(py, "serverless.event"),
            intern!(py, "apig_wsgi.full_event"),
            intern!(py, "awsgi.event"),
            intern!(py, "lambda.event"),
        ] {
            dict.set_item(key, event)?;
        }
        match self.request.origin {
            // Its event can be any JSON, and what looks like a request's context in it means nothing.
            Origin::Event(source) => dict.set_item(intern!(py, "wsgi_lambda.event_source"), source.name()),
            Origin::FrontEnd(_) => add_request_context(dict, event.cast()?),
        }
    }
}

/// Prepares the process for an invocation and returns its context object.
pub(super) fn context<'py>(app: &App<'py>, it: &Invocation) -> PyResult<Bound<'py, PyAny>> {
    if let Some(trace_id) = &it.trace_id {
        ffi::put_trace_id(trace_id);
    }
    app.glue.call_method1(
        intern!(app.glue.py(), "begin_invocation"),
        (
            &it.request_id,
            it.deadline_ms,
            &it.invoked_function_arn,
            &it.trace_id,
            &it.tenant_id,
            &it.client_context,
            &it.cognito_identity,
        ),
    )
}

/// Adds the event's `requestContext` and its authorizer, under the adapters' keys.
fn add_request_context<'py>(dict: &Bound<'py, PyDict>, event: &Bound<'py, PyDict>) -> PyResult<()> {
    let py = dict.py();
    let Some(request_context) = event.get_item(intern!(py, "requestContext"))? else { return Ok(()) };
    if let Ok(members) = request_context.cast::<PyDict>()
        && let Some(authorizer) = members.get_item(intern!(py, "authorizer"))?.filter(|it| !it.is_none())
    {
        dict.set_item(intern!(py, "serverless.authorizer"), authorizer)?;
    }
    dict.set_item(intern!(py, "apig_wsgi.request_context"), request_context)
}

/// Calls the application and sends what it returns. Returns the iterable, which has to be closed, and the exception of
/// the call or of the iteration.
fn respond<'py>(
    app: &App<'py>,
    environ: Bound<'py, PyDict>,
    shared: &Arc<Shared>,
) -> (Option<Bound<'py, PyAny>>, Option<PyErr>) {
    let start_response = StartResponse(Arc::clone(shared));
    match app.callable.call1((environ, start_response)) {
        Ok(result) => {
            let sent = send(&result, shared);
            (Some(result), sent.err())
        }
        Err(error) => (None, Some(with_hint(app.glue.py(), error))),
    }
}

/// Adds a hint where the callable refuses two arguments: it is no WSGI application. Python raises this `TypeError`
/// without a traceback.
fn with_hint(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyTypeError>(py) || error.traceback(py).is_some() {
        return error;
    }
    PyTypeError::new_err(format!(
        "{}. The handler must be a WSGI application, which is called with environ and start_response: name a factory \
         as `module:factory()`, wrap an ASGI application with an adapter such as a2wsgi",
        error.value(py)
    ))
}

/// Sends the chunks of the iterable. Each is cloned for sending, which is detached: the last reference to a Python
/// object has to be dropped here, attached.
fn send(result: &Bound<'_, PyAny>, shared: &Shared) -> PyResult<()> {
    let py = result.py();
    // A dict with bytes as keys is a valid iterable; one with this key is a response in API Gateway's form.
    if result.cast::<PyDict>().is_ok_and(|dict| dict.contains("statusCode").unwrap_or(false)) {
        return Err(PyTypeError::new_err(
            "the application returned a dict, as a Lambda handler does: the handler must name the WSGI application \
             itself",
        ));
    }
    if ffi::is_forked() {
        return Ok(()); // in a child that the application forked: only the parent responds
    }
    if let Some(only) = only_item(result)? {
        let chunk = chunk(&only)?;
        shared.step(py, |response| response.chunk(chunk.clone(), true))?;
    } else {
        for item in iterate(result)? {
            let chunk: Bytes = chunk(&item?)?;
            if ffi::is_forked() {
                return Ok(());
            }
            if !shared.step(py, |response| response.chunk(chunk.clone(), false))? {
                break; // for HEAD, a status without a body, or more data than Content-Length
            }
        }
    }
    shared.step(py, |response| response.finish())
}

/// The item of a list or tuple with exactly one: its length is the body's (PEP 3333, "Handling the Content-Length
/// Header"). Not of other types, whose `len()` may be wrong.
fn only_item<'py>(result: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    if let Ok(list) = result.cast_exact::<PyList>() {
        return if list.len() == 1 { list.get_item(0).map(Some) } else { Ok(None) };
    }
    match result.cast_exact::<PyTuple>() {
        Ok(tuple) if tuple.len() == 1 => tuple.get_item(0).map(Some),
        _ => Ok(None),
    }
}

/// `iter()` of the result, which also accepts objects that have only `__getitem__`.
fn iterate<'py>(result: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyIterator>> {
    result.try_iter().map_err(|error| {
        let kind = type_name(result);
        let py = result.py();
        let iterable = [intern!(py, "__iter__"), intern!(py, "__getitem__")]
            .into_iter()
            .any(|name| result.get_type().hasattr(name).unwrap_or(true)); // if unknown, the error stays as it is
        if !iterable && error.is_instance_of::<PyTypeError>(py) {
            let message = format!("the application must return an iterable of bytes, not {kind}");
            PyTypeError::new_err(message)
        } else {
            error // raised by the application's own `__iter__`
        }
    })
}

/// Calls `close()` of the iterable, if it has one. PEP 3333 wants it also after an error.
fn close(result: &Bound<'_, PyAny>) -> PyResult<()> {
    // To find out that there is none costs an exception before Python 3.13.
    if result.is_exact_instance_of::<PyList>() || result.is_exact_instance_of::<PyTuple>() {
        return Ok(());
    }
    match result.getattr_opt(intern!(result.py(), "close"))? {
        Some(close) => close.call0().map(|_| ()),
        None => Ok(()),
    }
}
