//! Events that are not HTTP requests. Each ends as a result in JSON, or as an error: queues keep their messages then.

use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};

use super::Server;
use crate::error::{Error, Kind, Result};
use crate::event;
use crate::invocation::Invocation;
use crate::json::{self, Document};
use crate::python::Call;
use crate::response::{Head, Holder, Refusal, Response, Sink, Step, Steps};
use crate::source::Source;
use crate::sync::lock;

/// The most bytes that the platform takes as the result of an invocation.
const LIMIT: usize = 6 * 1024 * 1024;

impl Server<'_, '_> {
    /// Deals with an event that is not an HTTP request, as the settings say. `refusal` is its error if they say nothing.
    ///
    /// # Errors
    /// `RuntimeApi`.
    pub(super) fn deal(&self, invocation: &Invocation, document: &Document<'_>, refusal: Error) -> Result<()> {
        let result = self.result(invocation, document, refusal);
        self.collect_garbage();
        self.session.flush();
        match result {
            Err(error) => self.refuse(invocation, &error),
            Ok(result) => {
                let api = &self.api;
                let receipt = self.session.detached(|| lock(api).respond(invocation, &result))?;
                self.settle(invocation, receipt)
            }
        }
    }

    /// The JSON of an event's result.
    fn result(&self, invocation: &Invocation, document: &Document<'_>, refusal: Error) -> Result<Vec<u8>> {
        const NOTHING: &[u8] = b"null";
        let (settings, source) = (&self.config.events, event::source(document));
        if settings.runs_commands && event::is_command(document) {
            self.in_time(invocation, true, || self.app.run_command(document, invocation))
        } else if settings.answers_pings && event::is_ping(document) {
            Ok(NOTHING.to_vec())
        } else if self.app.handles(source) {
            self.in_time(invocation, false, || self.app.handle(source, document, invocation))
        } else if let Some(path) = &settings.path {
            self.in_time(invocation, false, || self.post(invocation, document, path))
        } else if settings.answers_pings && source == Source::Schedule {
            Ok(NOTHING.to_vec())
        } else {
            Err(refusal)
        }
    }

    /// Does the work while the deadline is watched.
    fn in_time<T>(&self, invocation: &Invocation, interrupts: bool, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let Some(deadline) = &self.deadline else { return work() };
        deadline.watch_event(invocation, interrupts);
        let result = work();
        deadline.end(self.session);
        result
    }

    /// Posts the event to the application. The body of its response is the result.
    fn post(&self, invocation: &Invocation, document: &Document<'_>, path: &str) -> Result<Vec<u8>> {
        let request = event::post(document, path);
        let answer = Arc::new(Answer(Mutex::new(Some(Response::new(true, Collected::default())))));
        let response: Arc<dyn Steps> = Arc::<Answer>::clone(&answer);
        let mut taken = None;
        let mut deliver = |_: Option<&Error>| taken = self.session.detached(|| lock(&answer.0).take());
        let called =
            self.app.call(Call { request: &request, event: document, invocation, response, deliver: &mut deliver })?;
        if let Some(failure) = called.failure {
            return Err(failure);
        }
        if let Some(failure) = &called.close_failure {
            self.log.error(&invocation.request_id, failure);
        }
        let (notes, collected) = taken.map(Response::end).unwrap_or_default();
        self.memory.saw(notes.given);
        if notes.status >= 400 {
            let message = format!("the application answered the event with {}", notes.status);
            return Err(Error::new(Kind::App, "Runtime.EventRefused", message));
        }
        Ok(collected.into_json())
    }
}

/// The application's response to an event; `None` once it has been taken.
#[derive(Debug)]
struct Answer(Mutex<Option<Response<Collected>>>);

/// The body of a response.
#[derive(Debug, Default)]
struct Collected(BytesMut);

impl Collected {
    /// A body that is JSON is the result itself, any other its text. No body is `null`.
    fn into_json(self) -> Vec<u8> {
        if self.0.is_empty() {
            return b"null".to_vec();
        }
        if Document::parse(&self.0).is_ok() {
            return self.0.to_vec();
        }
        let mut result = Vec::with_capacity(self.0.len() + 2);
        json::write_string(&mut result, &String::from_utf8_lossy(&self.0));
        result
    }
}

impl Sink for Collected {
    fn head(&mut self, _: Head, _: Option<usize>) -> std::io::Result<()> {
        Ok(())
    }

    fn data(&mut self, chunk: Bytes) -> std::io::Result<()> {
        if self.0.len() + chunk.len() > LIMIT {
            let message = format!("the response to an event is its result, and the limit is {LIMIT} bytes");
            return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
        }
        self.0.extend_from_slice(&chunk);
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Holder for Answer {
    type Sink = Collected;

    fn step<T>(&self, step: impl FnOnce(&mut Response<Collected>) -> Step<T>) -> Step<T> {
        lock(&self.0).as_mut().map_or(Err(Refusal::Ended), step)
    }
}
