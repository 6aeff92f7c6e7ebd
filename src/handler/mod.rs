//! Room: `handler`, one invocation from bytes to answer: the only file that sees every room.
//! In: [`Config`].
//! Out: nothing: it serves until the platform ends the process, or gives the error that ends it.
//! May use: every room but `emulator` and `cli`.
//! Must not: hold rules that belong to a room.

mod deadline;

use std::cell::RefCell;
use std::collections::HashSet;
use std::convert::Infallible;
use std::fs::File;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::config::{Config, ResponseMode};
use crate::error::{Error, Kind, Result};
use crate::event;
use crate::invocation::Invocation;
use crate::json::Document;
use crate::log::{Level, Log};
use crate::proxy::{self, BufferedSink, Envelope, StreamSink, Warning};
use crate::python::{self, App, Call, Called, Session};
use crate::request::{Body, Origin, Request};
use crate::response::{Notes, Sink, lock};
use crate::runtime::{Api, Receipt, Wake};
use deadline::{Deadline, SharedStream};

/// Loads the application and serves invocations, one after the other.
///
/// # Errors
/// Init errors, after they have been posted; `RuntimeApi` when the platform is gone.
pub fn serve(session: Session<'_>, config: &Config, log: &Arc<Log>) -> Result<Infallible> {
    for name in &config.unknown {
        log.line(Level::Warning, "", &format!("{name} is not a setting of wsgi-lambda: see `bootstrap --help`"));
    }
    let (app, wake) = load(session, config)?;
    let (wake, mut api) = (Wake::new(wake), Api::new(&config.runtime_api));
    if config.internal_extension {
        api.register_extension()?;
    }
    if config.snap_start {
        session.before_snapshot()?;
        session.flush();
        session.detached(|| api.restore())?;
        session.after_restore()?;
    }
    let deadline = config.deadline_margin.map(|margin| Deadline::start(session, config, log, margin)).transpose()?;
    let handler = Handler { session, config, log, app, deadline, warned: RefCell::default() };
    loop {
        let invocation = match session.detached(|| api.next(&wake, python::handle_signals)) {
            Ok(invocation) => invocation,
            Err(error) => {
                if error.kind() == Kind::Shutdown {
                    session.shutdown().iter().for_each(|failure| log.error("", failure));
                    session.flush();
                }
                return Err(error);
            }
        };
        let receipt = handler.serve(&invocation, &mut api)?;
        session.after_response().iter().for_each(|failure| log.error(&invocation.request_id, failure));
        session.note_answer();
        match receipt {
            Receipt::Accepted => {}
            Receipt::Refused(status) => {
                let message = format!("the platform refused the answer with HTTP status {status}");
                log.line(Level::Warning, &invocation.request_id, &message);
            }
            Receipt::Lost => log.line(Level::Warning, &invocation.request_id, "the answer could not be delivered"),
        }
    }
}

/// Loads the application, and on Managed Instances forks the workers that share its memory. Gives the file that wakes
/// the wait for signals.
fn load<'py>(session: Session<'py>, config: &Config) -> Result<(App<'py>, File)> {
    let wake = session.prepare_signals()?;
    let app = session.load_app(config);
    session.flush();
    session.end_if_forked();
    let app = app?;
    if config.workers < 2 {
        return Ok((app, wake));
    }
    session.fork_workers(config.workers, config.log_socket.as_deref())?;
    // A pipe shared with the parent would wake one worker for the signals of another.
    Ok((app, session.prepare_signals()?))
}

/// Says why the process ends: to the log, and unless the platform itself is gone, to the platform. Gives the exit
/// status: awslambdaric's for SnapStart, 0 for an orderly end, else 1.
pub fn report_end(config: &Config, log: &Log, error: &Error) -> u8 {
    match error.kind() {
        Kind::Shutdown => return 0,
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
    deadline: Option<Deadline>,
    /// Kinds of warnings that have been given: each is worth one line, not one a request.
    warned: RefCell<HashSet<&'static str>>,
}

/// Who is answered, as far as an answer of our own depends on it.
#[derive(Clone)]
struct Client {
    origin: Origin,
    /// Empty when the request could not be decoded.
    method: String,
}

/// A request, and the event that it stands in.
struct Decoded<'d> {
    request: Request<'d>,
    event: &'d Document<'d>,
}

/// What an answer was, for the access log.
struct Served {
    status: u16,
    bytes: u64,
}

impl Handler<'_, '_> {
    /// Serves one invocation: an answer for every HTTP request, an error for every other event.
    fn serve(&self, invocation: &Invocation, api: &mut Api) -> Result<Receipt> {
        let start = Instant::now();
        let refuse = |error: Error, api: &mut Api| {
            self.log.error(&invocation.request_id, &error);
            self.session.detached(|| api.fail(invocation, &error))
        };
        let document = match event::parse(&invocation.event) {
            Ok(document) => document,
            Err(error) => return refuse(error, api),
        };
        let event = match event::probe(&document) {
            Ok(event) => event,
            Err(error) => return refuse(error, api),
        };
        let origin = event.origin();
        let decoded = event.decode(&self.config.request).map(|request| Decoded { request, event: &document });
        let method = decoded.as_ref().map_or_else(|_| String::new(), |it| it.request.method.to_string());
        let client = Client { origin, method };
        let line = self
            .config
            .access_log
            .then(|| decoded.as_ref().map_or_else(|_| "-".to_owned(), |it| access_line(&it.request)));
        let (served, receipt) = if self.config.response_mode == ResponseMode::Stream && proxy::can_stream(origin) {
            self.stream(invocation, &client, decoded, api)?
        } else {
            self.buffer(invocation, &client, decoded, api)?
        };
        if let Some(line) = line {
            let millis = start.elapsed().as_secs_f64() * 1e3;
            let message = format!("{line} {} {} {millis:.1}ms", served.status, served.bytes);
            self.log.line(Level::Info, &invocation.request_id, &message);
        }
        Ok(receipt)
    }

    /// Answers with one document.
    fn buffer(
        &self,
        invocation: &Invocation,
        client: &Client,
        decoded: Result<Decoded<'_>>,
        api: &mut Api,
    ) -> Result<(Served, Receipt)> {
        self.watch(invocation, |deadline| deadline.watch_buffered(invocation, client));
        let envelope = decoded.and_then(|decoded| self.envelope(invocation, &decoded)).unwrap_or_else(|error| {
            self.log.error(&invocation.request_id, &error);
            let (status, text) = refusal(&error);
            proxy::plain(client.origin, &client.method, status, text)
        });
        let too_late = self.is_too_late();
        // Everything that the application printed leaves before the platform may freeze the process.
        self.session.flush();
        if too_late {
            return Ok((Served { status: 504, bytes: 0 }, Receipt::Accepted)); // the alarm has answered
        }
        let receipt = self.session.detached(|| api.respond(invocation, &envelope.json))?;
        Ok((Served { status: envelope.status, bytes: envelope.body_bytes as u64 }, receipt))
    }

    fn envelope(&self, invocation: &Invocation, decoded: &Decoded<'_>) -> Result<Envelope> {
        let request = &decoded.request;
        let sink = Arc::new(Mutex::new(BufferedSink::new(request.origin, &request.method)));
        let called = self.call(invocation, decoded, Box::new(Arc::clone(&sink)))?;
        // After a failure nothing has left the process: a clean 500 is better than the beginning of something else.
        let envelope = lock(&sink).take_envelope().filter(|_| called.failure.is_none());
        match envelope {
            Some(Ok(envelope)) => {
                self.warn(invocation, &envelope.warnings);
                return Ok(envelope);
            }
            Some(Err(too_large)) => {
                let message = too_large.to_string();
                self.log.exception(&invocation.request_id, "Function.ResponseSizeTooLarge", &message, &[]);
            }
            None => {}
        }
        Ok(proxy::plain(request.origin, &request.method, INTERNAL_ERROR, INTERNAL_ERROR_TEXT))
    }

    /// Answers chunk by chunk. What fails before the first one is a clean error, what fails after it is told in
    /// trailers, and what is lost is never ended as if it were complete.
    fn stream(
        &self,
        invocation: &Invocation,
        client: &Client,
        decoded: Result<Decoded<'_>>,
        api: &Api,
    ) -> Result<(Served, Receipt)> {
        let sink: SharedStream = Arc::new(Mutex::new(StreamSink::new(client.origin, api.stream(invocation))));
        self.watch(invocation, |deadline| deadline.watch_streamed(invocation, client, &sink));
        let called = decoded.and_then(|decoded| self.call(invocation, &decoded, Box::new(Arc::clone(&sink))));
        let too_late = self.is_too_late();
        self.session.flush();
        self.warn(invocation, &lock(&sink).take_warnings());
        let (notes, failure) = match called {
            Ok(called) => {
                let truncated = called.notes.length_mismatch.and_then(truncated);
                (called.notes, called.failure.or(truncated))
            }
            Err(error) => {
                self.log.error(&invocation.request_id, &error);
                (Notes::default(), Some(error))
            }
        };
        let mut served = Served { status: notes.status, bytes: notes.sent };
        if too_late && !lock(&sink).is_open() {
            return Ok((served, Receipt::Accepted)); // the alarm has ended the stream
        }
        // The alarm could not: a chunk was being sent. What follows it is the end all the same.
        let failure = if too_late { Some(deadline::reached()) } else { failure };
        let receipt = self.session.detached(|| end_stream(&sink, client, failure.as_ref(), &mut served))?;
        Ok((served, receipt))
    }

    fn watch(&self, invocation: &Invocation, arm: impl FnOnce(&Deadline) -> bool) {
        let armed = self.deadline.as_ref().is_none_or(arm);
        if !armed {
            let message = "WSGI_LAMBDA_DEADLINE_MARGIN_MS is not below the function's timeout: requests are not \
                           given up before it";
            self.warn_once(invocation, "deadline-margin", message);
        }
    }

    /// Whether the deadline's alarm has answered in the application's place.
    fn is_too_late(&self) -> bool {
        self.deadline.as_ref().is_some_and(|deadline| deadline.is_over(self.session))
    }

    fn call(&self, invocation: &Invocation, decoded: &Decoded<'_>, sink: Box<dyn Sink>) -> Result<Called> {
        let Decoded { request, event } = decoded;
        self.hint_at_lost_bytes(invocation, request);
        let called = self.app.call(Call { request, event, invocation, sink });
        self.session.end_if_forked();
        let called = called?;
        self.log_called(invocation, &called);
        Ok(called)
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

/// Ends a stream: cleanly, with a small answer of our own when nothing was sent, or with trailers.
fn end_stream(sink: &SharedStream, client: &Client, failure: Option<&Error>, served: &mut Served) -> Result<Receipt> {
    let mut sink = lock(sink);
    let started = sink.has_started();
    if let Some(error) = failure.filter(|_| !started) {
        let (status, text) = refusal(error);
        *served = Served { status: status[..3].parse().unwrap_or(500), bytes: text.len() as u64 };
        if sink.plain(&client.method, status, text).is_err() {
            return Ok(Receipt::Lost);
        }
    }
    match (sink.take_writer(), failure) {
        (None, _) => Ok(Receipt::Lost),
        (Some(streamed), Some(error)) if started => streamed.fail(error),
        (Some(streamed), _) => streamed.finish(),
    }
}

/// What the caller gets for an exception: nothing of it (PEP 3333, "Error Handling").
const INTERNAL_ERROR: &str = "500 Internal Server Error";
const INTERNAL_ERROR_TEXT: &str = "Internal Server Error";

/// What the caller gets for a request that could not be put to the application.
fn refusal(error: &Error) -> (&'static str, &str) {
    match error.kind() {
        Kind::BadRequest => ("400 Bad Request", error.message()),
        _ => (INTERNAL_ERROR, INTERNAL_ERROR_TEXT),
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
