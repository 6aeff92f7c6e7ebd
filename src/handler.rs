//! Room: `handler`, one invocation from bytes to answer: the only file that sees every room.
//! In: [`Config`].
//! Out: nothing: it serves until the platform ends the process, or gives the error that ends it.
//! May use: every room but `emulator` and `cli`.
//! Must not: hold rules that belong to a room.

use std::cell::RefCell;
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::event;
use crate::invocation::Invocation;
use crate::log::{Level, Log};
use crate::proxy::{self, BufferedSink, Envelope};
use crate::python::{App, Call, Called, Session};
use crate::request::{Body, Origin, Request};
use crate::response::lock;
use crate::runtime::{Answers, Poller, Receipt};

/// Loads the application and serves invocations, one after the other.
///
/// # Errors
/// Init errors, after they have been posted; `RuntimeApi` when the platform is gone.
pub fn serve(session: Session<'_>, config: &Config, log: &Log) -> Result<Infallible> {
    let mut answers = Answers::new(&config.runtime_api);
    let poller = Poller::new(&config.runtime_api)?;
    for name in &config.unknown {
        log.line(Level::Warning, "", &format!("{name} is not a setting of wsgi-lambda: see `bootstrap --help`"));
    }
    let app = session.load_app(config);
    session.flush();
    let app = app?;
    let handler = Handler { config, log, app, warned: RefCell::default() };
    loop {
        let invocation = session.detached(|| poller.next())?;
        let answer = handler.answer(&invocation);
        // Everything that the application printed leaves before the platform may freeze the process.
        session.flush();
        let receipt = session.detached(|| match &answer {
            Ok(envelope) => answers.respond(&invocation, &envelope.json),
            Err(error) => answers.fail(&invocation, error),
        })?;
        if let Receipt::Refused(status) = receipt {
            log.line(Level::Warning, &invocation.request_id, &format!("the platform refused the answer: {status}"));
        }
    }
}

/// Says why the process ends: to the log, and unless the platform itself is gone, to the platform.
pub fn report_end(config: &Config, log: &Log, error: &Error) {
    if error.kind() == Kind::RuntimeApi {
        log.error("", error);
    } else {
        report_init_error(&config.runtime_api, log, error);
    }
}

/// Logs an init error and posts it, so that the platform can show it to the caller. The process has to end after it.
pub fn report_init_error(runtime_api: &str, log: &Log, error: &Error) {
    log.error("", error);
    if !runtime_api.is_empty()
        && let Err(failed) = Answers::new(runtime_api).init_error(error)
    {
        log.error("", &failed);
    }
}

/// What stays the same from one invocation to the next.
struct Handler<'a, 'py> {
    config: &'a Config,
    log: &'a Log,
    app: App<'py>,
    /// Kinds of warnings that have been given: each is worth one line, not one a request.
    warned: RefCell<HashSet<&'static str>>,
}

impl Handler<'_, '_> {
    /// Makes the answer: an envelope for every HTTP request, an error for every other event.
    fn answer(&self, invocation: &Invocation) -> Result<Envelope> {
        let start = Instant::now();
        let event =
            event::probe(&invocation.event).inspect_err(|error| self.log.error(&invocation.request_id, error))?;
        let origin = event.origin();
        let served = event.decode(&self.config.request).and_then(|request| {
            self.hint_at_lost_bytes(invocation, &request);
            let envelope = self.call(invocation, &request)?;
            Ok((envelope, self.config.access_log.then(|| access_line(&request))))
        });
        match served {
            Ok((envelope, line)) => {
                if let Some(line) = line {
                    let millis = start.elapsed().as_secs_f64() * 1e3;
                    self.log.line(
                        Level::Info,
                        &invocation.request_id,
                        &format!("{line} {} {} {millis:.1}ms", envelope.status, envelope.body_bytes),
                    );
                }
                Ok(envelope)
            }
            Err(error) => {
                self.log.error(&invocation.request_id, &error);
                Ok(refusal(origin, &error))
            }
        }
    }

    fn call(&self, invocation: &Invocation, request: &Request<'_>) -> Result<Envelope> {
        let sink = Arc::new(Mutex::new(BufferedSink::new(request.origin, &request.method)));
        let called = self.app.call(Call { request, invocation, sink: Box::new(Arc::clone(&sink)) })?;
        self.log_called(invocation, &called);
        if called.failure.is_some() {
            // Nothing has left the process: a clean 500 is better than the beginning of something else.
            return Ok(internal_error(request.origin));
        }
        match lock(&sink).take_envelope() {
            Some(Ok(envelope)) => {
                for warning in &envelope.warnings {
                    self.warn_once(invocation, warning.kind(), &warning.to_string());
                }
                Ok(envelope)
            }
            Some(Err(too_large)) => {
                self.log.exception(
                    &invocation.request_id,
                    "Function.ResponseSizeTooLarge",
                    &too_large.to_string(),
                    &[],
                );
                Ok(internal_error(request.origin))
            }
            None => Ok(internal_error(request.origin)),
        }
    }

    fn log_called(&self, invocation: &Invocation, called: &Called) {
        let id = &invocation.request_id;
        for failure in [&called.failure, &called.close_failure].into_iter().flatten() {
            self.log.error(id, failure);
        }
        if let Some((announced, given)) = called.notes.length_mismatch {
            let message = format!(
                "the application announced a Content-Length of {announced} and gave {given} bytes; \
                 the response was {}",
                if given > announced { "cut" } else { "given its true length" }
            );
            self.log.line(Level::Warning, id, &message);
        }
        if !called.dropped_headers.is_empty() {
            let message = format!(
                "dropped hop-by-hop response headers, which belong to the server: {} (PEP 3333; set \
                 WSGI_LAMBDA_STRICT=true to find who sends them)",
                called.dropped_headers.join(", ")
            );
            self.warn_once(invocation, "hop-by-hop", &message);
        }
    }

    /// A REST API without binaryMediaTypes decodes uploads as text before we see them: nothing here can mend that.
    fn hint_at_lost_bytes(&self, invocation: &Invocation, request: &Request<'_>) {
        let Body::JsonText(text) = &request.body else { return };
        let content_type = request.header("content-type").unwrap_or_default();
        let binary = [&b"multipart/"[..], b"application/octet-stream", b"image/"];
        if request.origin == Origin::Rest
            && binary.iter().any(|prefix| content_type.starts_with(prefix))
            && text.contains('\u{FFFD}')
        {
            self.warn_once(
                invocation,
                "lost-bytes",
                "API Gateway decoded a binary request body as text and damaged it: add `*/*` to the REST API's \
                 binaryMediaTypes",
            );
        }
    }

    fn warn_once(&self, invocation: &Invocation, kind: &'static str, message: &str) {
        if self.warned.borrow_mut().insert(kind) {
            self.log.line(Level::Warning, &invocation.request_id, message);
        }
    }
}

/// What the caller gets for an exception: nothing of it (PEP 3333, "Error Handling").
fn internal_error(origin: Origin) -> Envelope {
    proxy::plain(origin, "500 Internal Server Error", "Internal Server Error")
}

/// What the caller gets for a request that could not be put to the application.
fn refusal(origin: Origin, error: &Error) -> Envelope {
    match error.kind() {
        Kind::BadRequest => proxy::plain(origin, "400 Bad Request", error.message()),
        _ => internal_error(origin),
    }
}

/// Method and path for the access log; the query may hold secrets.
fn access_line(request: &Request<'_>) -> String {
    let path = request.raw_target.split(|&byte| byte == b'?').next().unwrap_or_default();
    format!("{} {}", request.method, String::from_utf8_lossy(path))
}
