//! The last moment of an invocation: what is logged, answered and raised before the platform kills the sandbox.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Client;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::invocation::Invocation;
use crate::log::Log;
use crate::proxy::{self, StreamSink};
use crate::python::{Interrupter, Session};
use crate::runtime::{Alarm, Answers, Receipt, Streamed, Watch};

const REACHED: &str = "Runtime.DeadlineReached";
const TIMEOUT: &str = "504 Gateway Timeout";
const TIMEOUT_TEXT: &str = "Gateway Timeout";

/// A streamed answer, held by the loop over the iterable and by the alarm.
pub(super) type SharedStream = Arc<Mutex<StreamSink<Streamed>>>;

/// The watch, and what its alarms need.
pub(super) struct Deadline {
    watch: Watch,
    interrupter: Arc<Interrupter>,
    log: Arc<Log>,
    margin: Duration,
}

impl Deadline {
    pub(super) fn start(session: Session<'_>, config: &Config, log: &Arc<Log>, margin: Duration) -> Result<Self> {
        let watch = Watch::start(&config.runtime_api, margin)?;
        Ok(Self { watch, interrupter: Arc::new(session.interrupter()?), log: Arc::clone(log), margin })
    }

    /// Watches an invocation whose answer is one document. Gives whether there is time enough to.
    pub(super) fn watch_buffered(&self, invocation: &Invocation, client: &Client) -> bool {
        let (answered, client) = (invocation.without_event(), client.clone());
        self.arm(invocation, move |answers| {
            let envelope = proxy::plain(client.origin, &client.method, TIMEOUT, TIMEOUT_TEXT);
            match answers.respond(&answered, &envelope.json) {
                Ok(Receipt::Accepted) => "the caller was answered with 504",
                _ => "the platform refused the 504 for the caller",
            }
        })
    }

    /// Watches an invocation whose answer is streamed: before the first byte the caller gets a 504, after it trailers.
    pub(super) fn watch_streamed(&self, invocation: &Invocation, client: &Client, sink: &SharedStream) -> bool {
        let (sink, client) = (Arc::clone(sink), client.clone());
        self.arm(invocation, move |_| {
            let Ok(mut sink) = sink.try_lock() else { return "the stream ends after the chunk that is being sent" };
            let started = sink.has_started();
            let sent = if started { Ok(()) } else { sink.plain(&client.method, TIMEOUT, TIMEOUT_TEXT) };
            let ended = match (sent, sink.take_writer()) {
                (Ok(()), Some(streamed)) if started => streamed.fail(&reached()),
                (Ok(()), Some(streamed)) => streamed.finish(),
                _ => Ok(Receipt::Lost),
            };
            match (ended, started) {
                (Ok(Receipt::Accepted), true) => "the stream was ended with error trailers",
                (Ok(Receipt::Accepted), false) => "the caller was answered with 504",
                _ => "the caller could not be told",
            }
        })
    }

    /// The application is done: gives whether it came too late.
    pub(super) fn is_over(&self, session: Session<'_>) -> bool {
        let rang = session.detached(|| self.watch.disarm());
        if rang {
            session.forget_interrupt();
        }
        rang
    }

    /// The caller first: what follows takes time, and looks into a process in an unknown state.
    fn arm(&self, invocation: &Invocation, answer: impl FnOnce(&mut Answers) -> &'static str + Send + 'static) -> bool {
        let (interrupter, log) = (Arc::clone(&self.interrupter), Arc::clone(&self.log));
        let (request_id, margin) = (invocation.request_id.clone(), self.margin.as_millis());
        let alarm: Alarm = Box::new(move |answers| {
            let answered = answer(answers);
            let stacks = interrupter.interrupt();
            let message =
                format!("the function's timeout is {margin} ms away: {answered}, the application interrupted");
            log.stacks(&request_id, REACHED, &message, &stacks);
        });
        self.watch.arm(invocation.deadline_ms, alarm)
    }
}

/// The error that a stream's trailers name.
pub(super) fn reached() -> Error {
    Error::new(Kind::App, REACHED, "the request was given up: the function's timeout is near")
}
