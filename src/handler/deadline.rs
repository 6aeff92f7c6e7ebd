//! The last moment of an invocation: what is logged, answered and raised before the platform kills the sandbox.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::invocation::Invocation;
use crate::log::Log;
use crate::proxy::{self, StreamSink};
use crate::python::{Interrupter, Session};
use crate::request::Origin;
use crate::runtime::{Alarm, Answers, Streamed, Watch};

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

    /// Watches an invocation whose answer is one document.
    pub(super) fn watch_buffered(&self, invocation: &Invocation, origin: Origin) {
        let answered = invocation.without_event();
        self.arm(invocation, move |answers, _| {
            let envelope = proxy::plain(origin, TIMEOUT, TIMEOUT_TEXT);
            // Whether the platform took it is of no more use: a moment later it would have ended all this.
            let _ = answers.respond(&answered, &envelope.json);
        });
    }

    /// Watches an invocation whose answer is streamed: before the first byte the caller gets a 504, after it trailers.
    pub(super) fn watch_streamed(&self, invocation: &Invocation, sink: &SharedStream) {
        let sink = Arc::clone(sink);
        self.arm(invocation, move |_, error| {
            // While the application's last chunk is being sent the platform's own end is the only one possible.
            let Ok(mut sink) = sink.try_lock() else { return };
            let started = sink.has_started();
            let sent = if started { Ok(()) } else { sink.plain(TIMEOUT, TIMEOUT_TEXT) };
            if let (Ok(()), Some(streamed)) = (sent, sink.take_writer()) {
                let _ = if started { streamed.fail(error) } else { streamed.finish() };
            }
        });
    }

    /// The application is done: gives whether it came too late.
    pub(super) fn is_over(&self, session: Session<'_>) -> bool {
        let rang = session.detached(|| self.watch.disarm());
        if rang {
            session.forget_interrupt();
        }
        rang
    }

    fn arm(&self, invocation: &Invocation, answer: impl FnOnce(&mut Answers, &Error) + Send + 'static) {
        let (interrupter, log) = (Arc::clone(&self.interrupter), Arc::clone(&self.log));
        let (request_id, margin) = (invocation.request_id.clone(), self.margin.as_millis());
        let alarm: Alarm = Box::new(move |answers| {
            let message = format!(
                "the function's timeout is {margin} ms away: the caller is answered, TimeoutError is raised in the \
                 application"
            );
            let stacks = interrupter.stacks().lines().map(|line| format!("{line}\n")).collect();
            let error = Error::new(Kind::App, "Runtime.DeadlineReached", message).with_stack_trace(stacks);
            log.error(&request_id, &error);
            answer(answers, &error);
            interrupter.interrupt();
        });
        self.watch.arm(invocation.deadline_ms, alarm);
    }
}
