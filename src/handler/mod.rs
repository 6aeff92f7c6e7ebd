//! Room: `handler`, one invocation from bytes to answer: the only file that sees every room.
//! In: [`Config`].
//! Out: nothing: it serves until the platform ends the process, or gives the error that ends it.
//! May use: every room but `emulator` and `cli`; bytes, memchr, `rustix` (processes).
//! Must not: hold rules that belong to a room.

mod answer;
mod deadline;
mod init;
mod workers;

use std::cell::RefCell;
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::config::{Config, ResponseMode};
use crate::error::{Error, Kind, Result};
use crate::event;
use crate::invocation::Invocation;
use crate::json::Document;
use crate::log::{Level, Log};
use crate::proxy::{self, BufferedSink, Unsendable, Warning};
use crate::python::{self, App, Call, Called, Session};
use crate::request::{Body, Origin, Request};
use crate::response::{Notes, Sink, lock};
use crate::runtime::{Api, Receipt, SharedApi};
use answer::{Answer, Client, Given, internal_error};
use deadline::Deadline;
use init::{Loaded, load};
use workers::Place;

/// Loads the application and serves invocations, one after the other.
///
/// # Errors
/// Init errors, after they have been posted; `RuntimeApi` when the platform is gone.
pub fn serve(session: Session<'_>, config: &Config, log: &Arc<Log>) -> Result<Infallible> {
    for name in &config.unknown {
        log.line(Level::Warning, "", &format!("{name} is not a setting of wsgi-lambda: see `bootstrap --help`"));
    }
    let Loaded { app, wake, mut place } = load(session, config, log)?;
    let adopted = place.as_mut().and_then(Place::take_api);
    let mut api = adopted.unwrap_or_else(|| Api::new(&config.runtime_api));
    if config.internal_extension {
        api.register_extension()?;
    }
    if config.snap_start {
        session.before_snapshot()?;
        session.flush();
        session.detached(|| api.restore())?;
        session.after_restore()?;
    }
    let api: SharedApi = Arc::new(Mutex::new(api));
    let deadline = config.deadline_margin.map(|margin| Deadline::start(session, log, margin)).transpose()?;
    let handler = Handler { session, config, log, app, api, deadline, warned: RefCell::default() };
    if place.is_some() {
        session.release_handlers()?;
    }
    loop {
        let api = &handler.api;
        let serves = place.as_ref().map(|place| |invocation: &Invocation| place.serves(invocation));
        let on_arrival = serves.as_ref().map(|serves| serves as &(dyn Fn(&Invocation) + Sync));
        let invocation = match session.detached(|| lock(api).next(&wake, python::handle_signals, on_arrival)) {
            Ok(invocation) => invocation,
            Err(error) => {
                if error.kind() == Kind::Shutdown {
                    if let Some(place) = &place {
                        place.ends();
                    }
                    session.shutdown().iter().for_each(|failure| log.error("", failure));
                    session.flush();
                }
                return Err(error);
            }
        };
        if let Some(place) = &place {
            place.serves(&invocation); // in case its head did not come as a whole
        }
        handler.serve(&invocation)?;
        if let Some(place) = &place {
            place.waits();
        }
        session.after_response().iter().for_each(|failure| log.error(&invocation.request_id, failure));
        session.note_answer();
    }
}

/// Says why the process ends: to the log, and unless the platform itself is gone, to the platform. Gives the exit
/// status: awslambdaric's for SnapStart, 0 for an orderly end, else 1.
pub fn report_end(config: &Config, log: &Log, error: &Error) -> u8 {
    if python::is_forked() {
        return 1; // a child says nothing to the platform
    }
    match error.kind() {
        Kind::Shutdown => return 0,
        Kind::Forked => return 1,
        Kind::RuntimeApi => log.error("", error),
        Kind::AfterRestore => report(&config.runtime_api, log, error, Api::restore_error),
        _ => report_init_error(&config.runtime_api, log, error),
    }
    match error.kind() {
        Kind::BeforeSnapshot => 64,
        Kind::AfterRestore => 65,
        _ => 1,
    }
}

/// Logs an init error and posts it, so that the platform can show it to the caller. The process has to end after it.
pub fn report_init_error(runtime_api: &str, log: &Log, error: &Error) {
    report(runtime_api, log, error, Api::init_error);
}

fn report(runtime_api: &str, log: &Log, error: &Error, post: fn(&mut Api, &Error) -> Result<Receipt>) {
    log.error("", error);
    if !runtime_api.is_empty()
        && let Err(failed) = post(&mut Api::new(runtime_api), error)
    {
        log.error("", &failed);
    }
}

/// What stays the same from one invocation to the next.
struct Handler<'a, 'py> {
    session: Session<'py>,
    config: &'a Config,
    log: &'a Log,
    app: App<'py>,
    api: SharedApi,
    deadline: Option<Deadline>,
    /// Kinds of warnings that have been given: each is worth one line, not one a request.
    warned: RefCell<HashSet<&'static str>>,
}

/// A request, and the event that it stands in.
struct Decoded<'d> {
    request: Request<'d>,
    event: &'d Document<'d>,
}

/// What came of an application's call, beside its response.
type Outcome = (Called, Result<Given>);

impl Handler<'_, '_> {
    /// Serves one invocation: an answer for every HTTP request, an error for every other event, and the end of the process
    /// where the platform can be told neither.
    fn serve(&self, invocation: &Invocation) -> Result<()> {
        let start = Instant::now();
        let document = match event::parse(&invocation.event) {
            Ok(document) => document,
            Err(error) => return self.refuse(invocation, &error),
        };
        let event = match event::probe(&document) {
            Ok(event) => event,
            Err(error) => return self.refuse(invocation, &error),
        };
        let origin = event.origin();
        let decoded = event.decode(&self.config.request).map(|request| Decoded { request, event: &document });
        let method = decoded.as_ref().map_or_else(|_| String::new(), |it| it.request.method.to_string());
        let line = self
            .config
            .access_log
            .then(|| decoded.as_ref().map_or_else(|_| "-".to_owned(), |it| access_line(&it.request)));
        let given = self.answer(invocation, &Client { origin, method }, decoded)?;
        if let Some(line) = line {
            let millis = start.elapsed().as_secs_f64() * 1e3;
            let message = format!("{line} {} {} {millis:.1}ms", given.status, given.bytes);
            self.log.line(Level::Info, &invocation.request_id, &message);
        }
        self.settle(invocation, given.receipt)
    }

    /// An event that is no HTTP request: the invocation fails.
    fn refuse(&self, invocation: &Invocation, error: &Error) -> Result<()> {
        self.log.error(&invocation.request_id, error);
        let receipt = self.fail(invocation, error)?;
        self.settle(invocation, receipt)
    }

    fn fail(&self, invocation: &Invocation, error: &Error) -> Result<Receipt> {
        let api = &self.api;
        self.session.detached(|| lock(api).fail(invocation, error))
    }

    /// Sees to it that the platform has something for the invocation, before the next one is asked for.
    fn settle(&self, invocation: &Invocation, receipt: Receipt) -> Result<()> {
        match receipt {
            Receipt::Accepted => {}
            Receipt::Refused(status) => {
                let message = format!("the platform refused the answer with HTTP status {status}");
                self.log.line(Level::Warning, &invocation.request_id, &message);
            }
            Receipt::Lost => {
                self.log.line(Level::Warning, &invocation.request_id, "the answer could not be delivered");
                let error = Error::new(Kind::App, "Runtime.AnswerLost", "the answer could not be delivered");
                // It takes this as an error, or refuses it since it has dealt with the caller.
                self.fail(invocation, &error)?;
            }
        }
        Ok(())
    }

    fn answer(&self, invocation: &Invocation, client: &Client, decoded: Result<Decoded<'_>>) -> Result<Given> {
        let streams = self.config.response_mode == ResponseMode::Stream && proxy::can_stream(client.origin);
        let answer = Answer::new(&self.api, invocation, client.clone(), streams);
        self.watch(invocation, &answer);
        let outcome = decoded.and_then(|decoded| {
            if streams {
                self.stream(invocation, &decoded, &answer)
            } else {
                self.buffer(invocation, &decoded, &answer, client)
            }
        });
        let given = match outcome {
            Ok((called, given)) => {
                self.log_called(invocation, &called);
                given
            }
            Err(error) => {
                self.log.error(&invocation.request_id, &error);
                self.session.detached(|| answer.refuse(&error))
            }
        };
        if let Some(deadline) = &self.deadline {
            deadline.end(self.session);
        }
        // Everything that the application printed leaves before the platform may freeze the process.
        self.session.flush();
        given
    }

    /// Answers with one document. It leaves when the response is complete, before the iterable's `close()`.
    fn buffer(
        &self,
        invocation: &Invocation,
        decoded: &Decoded<'_>,
        answer: &Arc<Answer>,
        client: &Client,
    ) -> Result<Outcome> {
        let sink = Arc::new(Mutex::new(BufferedSink::new(client.origin, &client.method)));
        let (mut warnings, mut unsendable) = (Vec::new(), None);
        let mut deliver = |notes: &Notes, failure: Option<&Error>| {
            let mut sink = lock(&sink);
            // After a failure nothing has left the process: a clean 500 is better than the beginning of something else.
            let is_wanted = failure.is_none() || notes.complete || sink.is_too_large();
            let envelope = match is_wanted.then(|| sink.take_envelope()).flatten() {
                Some(Ok(envelope)) => envelope,
                Some(Err(reason)) => {
                    unsendable = Some(reason);
                    internal_error(client)
                }
                None => internal_error(client),
            };
            let given = self.session.detached(|| answer.give(&envelope));
            warnings = envelope.warnings;
            given
        };
        let outcome = self.call(invocation, decoded, Box::new(Arc::clone(&sink)), &mut deliver)?;
        self.warn(invocation, &warnings);
        if let Some(reason) = unsendable {
            self.log_unsendable(invocation, reason);
        }
        Ok(outcome)
    }

    /// Answers chunk by chunk. What fails before the first one is a clean error, what fails after it is told in
    /// trailers, and what is lost is never ended as if it were complete.
    fn stream(&self, invocation: &Invocation, decoded: &Decoded<'_>, answer: &Arc<Answer>) -> Result<Outcome> {
        let mut warnings = Vec::new();
        let mut deliver = |notes: &Notes, failure: Option<&Error>| {
            warnings = answer.take_warnings();
            let truncated = notes.length_mismatch.and_then(truncated);
            let failure = failure.filter(|_| !notes.complete).or(truncated.as_ref());
            self.session.detached(|| answer.end_stream(notes.status, notes.sent, failure))
        };
        let outcome = self.call(invocation, decoded, Box::new(Arc::clone(answer)), &mut deliver)?;
        self.warn(invocation, &warnings);
        Ok(outcome)
    }

    fn watch(&self, invocation: &Invocation, answer: &Arc<Answer>) {
        let armed = self.deadline.as_ref().is_none_or(|deadline| deadline.watch(invocation, answer));
        if !armed {
            let message = "WSGI_LAMBDA_DEADLINE_MARGIN_MS is not below the function's timeout: requests are not \
                           given up before it";
            self.warn_once(invocation, "deadline-margin", message);
        }
    }

    fn call(
        &self,
        invocation: &Invocation,
        decoded: &Decoded<'_>,
        sink: Box<dyn Sink>,
        deliver: &mut dyn FnMut(&Notes, Option<&Error>) -> Result<Given>,
    ) -> Result<Outcome> {
        let Decoded { request, event } = decoded;
        self.hint_at_lost_bytes(invocation, request);
        let mut given = None;
        let mut deliver = |notes: &Notes, failure: Option<&Error>| given = Some(deliver(notes, failure));
        let called = self.app.call(Call { request, event, invocation, sink, deliver: &mut deliver })?;
        let gone = || Err(Error::runtime_api("the response was not delivered")); // `call` delivers whatever comes
        Ok((called, given.unwrap_or_else(gone)))
    }

    fn log_unsendable(&self, invocation: &Invocation, reason: Unsendable) {
        self.log.exception(&invocation.request_id, reason.error_type(), &reason.to_string(), &[]);
    }

    fn warn(&self, invocation: &Invocation, warnings: &[Warning]) {
        for warning in warnings {
            self.warn_once(invocation, warning.kind(), &warning.to_string());
        }
    }

    fn log_called(&self, invocation: &Invocation, called: &Called) {
        let id = &invocation.request_id;
        for failure in [&called.failure, &called.close_failure].into_iter().flatten() {
            self.log.error(id, failure);
        }
        if let Some((announced, given)) = called.notes.length_mismatch.filter(|_| called.failure.is_none()) {
            let rest = if given > announced { ": the rest was cut" } else { "" };
            let message =
                format!("the application announced a Content-Length of {announced} and gave {given} bytes{rest}");
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
        let text = match &request.body {
            Body::JsonText(text) => text.as_bytes(),
            Body::Plain(text) => text,
            _ => return,
        };
        let content_type = request.header("content-type").unwrap_or_default();
        let binary = [&b"multipart/"[..], b"application/octet-stream", b"image/"];
        if request.origin == Origin::Rest
            && binary.iter().any(|prefix| content_type.starts_with(prefix))
            && memchr::memmem::find(text, "\u{FFFD}".as_bytes()).is_some()
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

/// Fewer bytes than announced, in a stream: the caller must not take it for the whole.
fn truncated((announced, given): (u64, u64)) -> Option<Error> {
    (given < announced).then(|| {
        let message = format!("the application announced a Content-Length of {announced} and gave {given} bytes");
        Error::new(Kind::App, "Runtime.TruncatedResponse", message)
    })
}

/// Method and path for the access log; the query may hold secrets.
fn access_line(request: &Request<'_>) -> String {
    let path = request.raw_target.split(|&byte| byte == b'?').next().unwrap_or_default();
    format!("{} {}", request.method, String::from_utf8_lossy(path))
}
