//! The last moment of an invocation: what is logged, answered and raised before the platform kills the sandbox.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use super::Client;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::invocation::Invocation;
use crate::log::Log;
use crate::proxy::{self, StreamSink};
use crate::python::{Interrupter, Session};
use crate::runtime::{Alarm, Api, Receipt, Streamed, Watch};

const REACHED: &str = "Runtime.DeadlineReached";
const TIMEOUT: &str = "504 Gateway Timeout";
const TIMEOUT_TEXT: &str = "Gateway Timeout";

/// How long a chunk that is being sent is waited for. One that takes longer waits for its reader, maybe for ever.
const PATIENCE: Duration = Duration::from_millis(50);
const STEP: Duration = Duration::from_millis(1);

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
        self.arm(invocation, move |api| {
            let envelope = proxy::plain(client.origin, &client.method, TIMEOUT, TIMEOUT_TEXT);
            match api.respond(&answered, &envelope.json) {
                Ok(Receipt::Accepted) => "the caller was answered with 504",
                _ => "the platform refused the 504 for the caller",
            }
        })
    }

    /// Watches an invocation whose answer is streamed: before the first byte the caller gets a 504, after it trailers.
    pub(super) fn watch_streamed(&self, invocation: &Invocation, client: &Client, sink: &SharedStream) -> bool {
        let (sink, client) = (Arc::clone(sink), client.clone());
        self.arm(invocation, move |_| end_stream(&sink, &client.method))
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
    fn arm(&self, invocation: &Invocation, answer: impl FnOnce(&mut Api) -> &'static str + Send + 'static) -> bool {
        let (interrupter, log) = (Arc::clone(&self.interrupter), Arc::clone(&self.log));
        let (request_id, margin) = (invocation.request_id.clone(), self.margin.as_millis());
        let alarm: Alarm = Box::new(move |api| {
            let answered = answer(api);
            let stacks = interrupter.interrupt();
            let message =
                format!("the function's timeout is {margin} ms away: {answered}, the application interrupted");
            log.stacks(&request_id, REACHED, &message, &stacks);
        });
        self.watch.arm(invocation.deadline_ms, alarm)
    }
}

/// Ends a stream in the application's place, and says how. What it has begun but not sent is not sent any more: a
/// deadline between a status and the first chunk is a 504.
fn end_stream(sink: &Mutex<StreamSink<Streamed>>, method: &str) -> &'static str {
    let Some(mut sink) = lock_within(PATIENCE, sink) else {
        return "the stream ends after the chunk that is being sent";
    };
    let started = sink.has_started();
    let sent = if started { Ok(()) } else { sink.plain(method, TIMEOUT, TIMEOUT_TEXT) };
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
}

/// The lock, unless its holder keeps it for longer.
fn lock_within<T>(patience: Duration, mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    let mut waited = Duration::ZERO;
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(PoisonError::into_inner(poisoned)),
            Err(TryLockError::WouldBlock) if waited >= patience => return None,
            Err(TryLockError::WouldBlock) => std::thread::sleep(STEP),
        }
        waited += STEP;
    }
}

/// The error that a stream's trailers name.
pub(super) fn reached() -> Error {
    Error::new(Kind::App, REACHED, "the request was given up: the function's timeout is near")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Origin;
    use crate::response::{Head, Sink as _, lock};
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    /// A stream, and the platform that reads it: gives all that arrived.
    fn stream() -> (Mutex<StreamSink<Streamed>>, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = Api::new(&listener.local_addr().unwrap().to_string());
        let platform = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut read = Vec::new();
            while !read.ends_with(b"\r\n0\r\n\r\n") && !String::from_utf8_lossy(&read).contains("Error-Body: ey") {
                let mut some = [0; 1024];
                let count = connection.read(&mut some).unwrap();
                assert!(count > 0, "cut after {}", String::from_utf8_lossy(&read));
                read.extend_from_slice(&some[..count]);
            }
            connection.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").unwrap();
            String::from_utf8_lossy(&read).into_owned()
        });
        let streamed = api.stream(&Invocation::default());
        (Mutex::new(StreamSink::new(Origin::FunctionUrl, streamed)), platform)
    }

    fn head() -> Head {
        Head::new("201 Created").unwrap()
    }

    #[test]
    fn before_the_first_byte_it_is_a_504() {
        let (sink, platform) = stream();
        assert_eq!(end_stream(&sink, "GET"), "the caller was answered with 504");
        assert!(platform.join().unwrap().contains("{\"statusCode\":504,"));
    }

    #[test]
    fn between_the_status_and_the_first_chunk_it_is_a_504_and_nothing_else() {
        let (sink, platform) = stream();
        lock(&sink).head(head(), None).unwrap();
        assert_eq!(end_stream(&sink, "GET"), "the caller was answered with 504");
        lock(&sink).data("late".into()).unwrap_err();
        let arrived = platform.join().unwrap();
        assert!(arrived.contains("{\"statusCode\":504,") && !arrived.contains(":201,"), "{arrived}");
    }

    #[test]
    fn the_instant_in_which_a_status_is_taken_is_waited_for() {
        let sink = Arc::new(Mutex::new(()));
        let held = lock(&sink);
        let theirs = Arc::clone(&sink);
        let alarm = std::thread::spawn(move || lock_within(Duration::from_secs(60), &theirs).is_some());
        std::thread::sleep(STEP * 5);
        drop(held);
        assert!(alarm.join().unwrap());
    }

    #[test]
    fn after_the_first_chunk_it_is_trailers() {
        let (sink, platform) = stream();
        lock(&sink).head(head(), None).unwrap();
        lock(&sink).data("begin".into()).unwrap();
        assert_eq!(end_stream(&sink, "GET"), "the stream was ended with error trailers");
        let arrived = platform.join().unwrap();
        assert!(arrived.contains(":201,") && arrived.contains("begin") && arrived.contains(REACHED), "{arrived}");
    }

    #[test]
    fn a_chunk_that_nobody_takes_is_not_waited_for() {
        let (sink, _) = stream();
        let _held = lock(&sink);
        assert_eq!(end_stream(&sink, "GET"), "the stream ends after the chunk that is being sent");
    }
}
