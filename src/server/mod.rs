//! Room: `server`, the loop that serves one invocation after the other, from event to response.
//! In: [`Config`].
//! Out: the error that ends the process. Until then it serves.
//! May use: every room but `emulator` and `cli`; bytes, `rustix` (processes).
//! Must not: hold rules that belong to a room.

mod board;
mod body;
mod deadline;
mod delivery;
mod events;
mod init;
mod memory;
mod own;
mod workers;

use std::cell::RefCell;
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::compress::Client;
use crate::config::{Config, DEADLINE_MARGIN, ResponseMode, STRICT};
use crate::error::{Error, Kind, Result};
use crate::event;
use crate::invocation::Invocation;
use crate::json::Document;
use crate::log::{Level, Log};
use crate::proxy::Recipient;
use crate::python::{self, App, Call, Called, Session};
use crate::request::Request;
use crate::response::{Notes, Steps};
use crate::runtime::{Api, Receipt, SharedApi, Wake};
use crate::sync::lock;
use board::Place;
use deadline::Deadline;
use delivery::{Delivered, Delivery, Remarks};
use init::{Loaded, load};
use memory::Memory;
use own::{not_for_clients, wrong_length};

/// Loads the application and serves invocations, one after the other.
///
/// # Errors
/// Init errors; `RuntimeApi` if the platform is gone; `Shutdown` if a signal ends the process.
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
    let (memory, warned) = (Memory::default(), RefCell::default());
    let server = Server { session, config, log, app, api, deadline, memory, warned };
    if place.is_some() {
        session.release_handlers()?;
    }
    loop {
        let invocation = server.next(&wake, place.as_ref())?;
        server.serve(&invocation)?;
        if let Some(place) = &place {
            place.waits();
        }
        session.after_response().iter().for_each(|failure| log.error(&invocation.request_id, failure));
        session.note_response();
        if server.memory.wants_return() && !config.malloc_is_tuned {
            session.return_memory();
        }
    }
}

/// Logs why the process ends, and posts it to the platform unless the platform is gone. Returns the exit status: 0 for
/// an orderly end, awslambdaric's 64 and 65 for SnapStart hooks, else 1.
pub fn report_end(config: &Config, log: &Log, error: &Error) -> u8 {
    if python::is_forked() {
        return 1; // a child of the application must not talk to the platform
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

/// The message about a response that was lost on its way to the platform.
const LOST: &str = "the response could not be delivered";

/// What all invocations share.
struct Server<'a, 'py> {
    session: Session<'py>,
    config: &'a Config,
    log: &'a Log,
    app: App<'py>,
    api: SharedApi,
    deadline: Option<Deadline>,
    memory: Memory,
    /// The kinds of warnings that were logged: each is logged once, and not for every request.
    warned: RefCell<HashSet<&'static str>>,
}

/// A request, and the event that it was decoded from.
struct Decoded<'d> {
    request: Request<'d>,
    event: &'d Document<'d>,
}

impl Server<'_, '_> {
    /// Waits for the next invocation. In a worker it also records on the board that the invocation is being served.
    ///
    /// # Errors
    /// `Shutdown` when a signal ends the process, after the application's shutdown hooks; `RuntimeApi`.
    fn next(&self, wake: &Wake, place: Option<&Place>) -> Result<Invocation> {
        let (session, api) = (self.session, &self.api);
        let note = place.map(|place| |invocation: &Invocation| place.serves(invocation));
        let on_arrival = note.as_ref().map(|note| note as &(dyn Fn(&Invocation) + Sync));
        let next = session.detached(|| lock(api).next(wake, python::handle_signals, on_arrival));
        match (&next, place) {
            // Once more, in case the headers had not arrived as a whole.
            (Ok(invocation), Some(place)) => place.serves(invocation),
            (Err(error), _) if error.kind() == Kind::Shutdown => {
                if let Some(place) = place {
                    place.ends();
                }
                session.shutdown().iter().for_each(|failure| self.log.error("", failure));
                session.flush();
            }
            _ => {}
        }
        next
    }

    /// Serves one invocation. Every HTTP request gets a response, every other event an error.
    ///
    /// # Errors
    /// `RuntimeApi` if the platform takes neither: the process has to end.
    fn serve(&self, invocation: &Invocation) -> Result<()> {
        let start = Instant::now();
        self.memory.saw(invocation.event.len() as u64);
        let document = match event::parse(&invocation.event) {
            Ok(document) => document,
            Err(error) => return self.refuse(invocation, &error),
        };
        let event = match event::probe(&document) {
            Ok(event) => event,
            Err(refusal) => return self.deal(invocation, &document, refusal),
        };
        let front_end = event.front_end();
        let decoded = event.decode(&self.config.request).and_then(|request| self.admit(request));
        let decoded = decoded.map(|request| Decoded { request, event: &document });
        let request = decoded.as_ref().ok().map(|it| &it.request);
        let recipient = Recipient::new(front_end, request.map_or("", |request| &request.method));
        let line = self.config.access_log.then(|| request.map_or_else(|| "-".to_owned(), access_line));
        let delivered = self.respond(invocation, recipient, decoded)?;
        if let Some(line) = line {
            let millis = start.elapsed().as_secs_f64() * 1e3;
            let message = format!("{line} {} {} {millis:.1}ms", delivered.status, delivered.bytes);
            self.log.line(Level::Info, &invocation.request_id, &message);
        }
        self.settle(invocation, delivered.receipt)
    }

    /// Refuses a client's request for the path of events that are not HTTP.
    fn admit<'d>(&self, request: Request<'d>) -> Result<Request<'d>> {
        match &self.config.events.path {
            Some(path) if event::is_for_events(&request, path) => Err(not_for_clients()),
            _ => Ok(request),
        }
    }

    /// Logs and posts the error of an event that is not an HTTP request.
    fn refuse(&self, invocation: &Invocation, error: &Error) -> Result<()> {
        self.log.error(&invocation.request_id, error);
        let receipt = self.fail(invocation, error)?;
        self.settle(invocation, receipt)
    }

    fn fail(&self, invocation: &Invocation, error: &Error) -> Result<Receipt> {
        let api = &self.api;
        self.session.detached(|| lock(api).fail(invocation, error))
    }

    /// Makes sure that the platform has a response or an error for the invocation, before the next one is asked for.
    fn settle(&self, invocation: &Invocation, receipt: Receipt) -> Result<()> {
        match receipt {
            Receipt::Accepted => {}
            Receipt::Refused(status) => {
                let message = format!("the platform refused the response with HTTP status {status}");
                self.log.line(Level::Warning, &invocation.request_id, &message);
            }
            Receipt::Lost => {
                self.log.line(Level::Warning, &invocation.request_id, LOST);
                let error = Error::new(Kind::App, "Runtime.ResponseLost", LOST);
                // The platform takes this, or refuses it because it has already dealt with the caller.
                self.fail(invocation, &error)?;
            }
        }
        Ok(())
    }

    /// Makes and delivers the response to an HTTP request.
    fn respond(
        &self,
        invocation: &Invocation,
        recipient: Recipient,
        decoded: Result<Decoded<'_>>,
    ) -> Result<Delivered> {
        let streams = self.config.response_mode == ResponseMode::Stream && recipient.can_stream();
        let request = decoded.as_ref().ok().map(|decoded| &decoded.request).filter(|_| self.config.compress);
        let client = request.map(|request| client(request, recipient, streams));
        let delivery = Delivery::new(&self.api, invocation, recipient, streams, client);
        self.watch(invocation, &delivery);
        let delivered = match decoded.and_then(|decoded| self.call(invocation, &decoded, &delivery)) {
            Ok(delivered) => delivered,
            Err(error) => {
                self.log.error(&invocation.request_id, &error);
                delivery.deliver(self.session, Some(&error)).0
            }
        };
        self.collect_garbage(); // while the deadline is watched: finalizers are the application's code
        if let Some(deadline) = &self.deadline {
            deadline.end(self.session);
        }
        // What the application printed must be written before the platform freezes the process.
        self.session.flush();
        delivered
    }

    /// Frees bodies that are in reference cycles.
    fn collect_garbage(&self) {
        if self.memory.wants_collection() {
            self.session.collect_garbage();
        }
    }

    /// Calls the application. Its response is sent when it is complete, before the iterable's `close()`.
    ///
    /// # Errors
    /// `BadRequest` if the application was not called, and nothing was delivered. Inside: that of the delivery.
    fn call(
        &self,
        invocation: &Invocation,
        decoded: &Decoded<'_>,
        delivery: &Arc<Delivery>,
    ) -> Result<Result<Delivered>> {
        let Decoded { request, event } = decoded;
        self.hint_at_lost_bytes(invocation, request);
        let mut delivered = None;
        let mut deliver = |failure: Option<&Error>| delivered = Some(delivery.deliver(self.session, failure));
        let response: Arc<dyn Steps> = Arc::<Delivery>::clone(delivery);
        let called = self.app.call(Call { request, event, invocation, response, deliver: &mut deliver })?;
        let gone = || (Err(Error::runtime_api("the response was not delivered")), Remarks::default());
        let (delivered, remarks) = delivered.unwrap_or_else(gone); // never: `App::call` delivers in every case
        self.memory.saw(remarks.notes.given);
        for warning in &remarks.warnings {
            self.warn_once(invocation, warning.kind(), &warning.to_string());
        }
        if let Some(reason) = remarks.unsendable {
            self.log.exception(&invocation.request_id, reason.error_type(), &reason.to_string(), &[]);
        }
        self.log_called(invocation, &called, &remarks.notes);
        Ok(delivered)
    }

    /// Sets the alarm for the deadline.
    fn watch(&self, invocation: &Invocation, delivery: &Arc<Delivery>) {
        let armed = self.deadline.as_ref().is_none_or(|deadline| deadline.watch(invocation, delivery));
        if !armed {
            let message = format!(
                "{} is not below the function's timeout: requests are not given up before it",
                DEADLINE_MARGIN.name
            );
            self.warn_once(invocation, "deadline-margin", &message);
        }
    }

    /// Logs what went wrong in the application.
    fn log_called(&self, invocation: &Invocation, called: &Called, notes: &Notes) {
        let id = &invocation.request_id;
        for failure in [&called.failure, &called.close_failure].into_iter().flatten() {
            self.log.error(id, failure);
        }
        if let Some((announced, given)) = notes.length_mismatch.filter(|_| called.failure.is_none()) {
            let rest = if given > announced { ": the rest was cut" } else { "" };
            let message = wrong_length(announced, given) + rest;
            self.log.line(Level::Warning, id, &message);
        }
        if !called.dropped_headers.is_empty() {
            let message = format!(
                "dropped hop-by-hop response headers, which belong to the server: {} (PEP 3333; set {}=true to find \
                 who sends them)",
                called.dropped_headers.join(", "),
                STRICT.name
            );
            self.warn_once(invocation, "hop-by-hop", &message);
        }
    }

    fn hint_at_lost_bytes(&self, invocation: &Invocation, request: &Request<'_>) {
        if event::has_lost_bytes(request) {
            let message = "API Gateway decoded a binary request body as text and damaged it: add `*/*` to the REST \
                           API's binaryMediaTypes";
            self.warn_once(invocation, "lost-bytes", message);
        }
    }

    fn warn_once(&self, invocation: &Invocation, kind: &'static str, message: &str) {
        if self.warned.borrow_mut().insert(kind) {
            self.log.line(Level::Warning, &invocation.request_id, message);
        }
    }
}

/// What the request says of how its response may be compressed.
fn client(request: &Request<'_>, recipient: Recipient, streams: bool) -> Client {
    let header = |name| request.header(name);
    Client::new(header("accept-encoding"), header("if-none-match"), recipient.takes_body(), streams)
}

/// Method and path for the access log. Not the query, which may hold secrets.
fn access_line(request: &Request<'_>) -> String {
    let path = request.raw_target.split(|&byte| byte == b'?').next().unwrap_or_default();
    format!("{} {}", request.method, String::from_utf8_lossy(path))
}
