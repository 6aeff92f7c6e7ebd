//! The answer to one invocation. The loop and the deadline's alarm share it, and one of them gives it, once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use bytes::Bytes;

use crate::error::{Error, Kind, Result};
use crate::invocation::Invocation;
use crate::proxy::{self, Envelope, StreamSink, Warning};
use crate::request::Origin;
use crate::response::{Head, Sink, lock};
use crate::runtime::{Api, Receipt, SharedApi, Streamed};

/// The name of the deadline in logs and trailers.
pub(super) const REACHED: &str = "Runtime.DeadlineReached";
const TIMEOUT: (&str, &str) = ("504 Gateway Timeout", "Gateway Timeout");
/// What the caller gets for an exception: nothing of it (PEP 3333, "Error Handling").
const INTERNAL_ERROR: (&str, &str) = ("500 Internal Server Error", "Internal Server Error");

/// How long the alarm waits for a chunk that is being sent. One that takes longer waits for its reader, maybe for ever.
const PATIENCE: Duration = Duration::from_millis(50);
const STEP: Duration = Duration::from_millis(1);

/// Who is answered, as far as an answer of our own depends on it.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) origin: Origin,
    /// Empty when the request could not be decoded.
    pub(super) method: String,
}

/// What was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    pub(super) status: u16,
    /// Bytes of the body.
    pub(super) bytes: u64,
    /// What the platform said to it.
    pub(super) receipt: Receipt,
}

/// See the module.
pub(super) struct Answer {
    api: SharedApi,
    /// Without its event.
    invocation: Invocation,
    client: Client,
    state: Mutex<State>,
}

enum State {
    /// One document, of which nothing has left.
    Whole,
    Stream(StreamSink<Streamed>),
    Given(Given),
}

impl Answer {
    /// One that is a document, or one that is streamed.
    pub(super) fn new(api: &SharedApi, invocation: &Invocation, client: Client, streams: bool) -> Arc<Self> {
        let stream = || State::Stream(StreamSink::new(client.origin, Api::stream(api, invocation)));
        let state = Mutex::new(if streams { stream() } else { State::Whole });
        Arc::new(Self { api: SharedApi::clone(api), invocation: invocation.without_event(), client, state })
    }

    /// Whether it is streamed.
    pub(super) fn streams(&self) -> bool {
        matches!(*lock(&self.state), State::Stream(_))
    }

    /// Gives a document, unless the alarm has given its own.
    ///
    /// # Errors
    /// `RuntimeApi` when the platform is gone.
    pub(super) fn give(&self, envelope: &Envelope) -> Result<Given> {
        let mut state = lock(&self.state);
        if let State::Given(given) = *state {
            return Ok(given);
        }
        let receipt = lock(&self.api).respond(&self.invocation, &envelope.json)?;
        let given = Given { status: envelope.status, bytes: envelope.body_bytes as u64, receipt };
        *state = State::Given(given);
        Ok(given)
    }

    /// Ends a stream in which `sent` bytes have left: as complete, with trailers that name the failure, or with a small
    /// answer of our own where nothing has left. Unless the alarm has ended it.
    ///
    /// # Errors
    /// `RuntimeApi` when the platform is gone.
    pub(super) fn end_stream(&self, status: u16, sent: u64, failure: Option<&Error>) -> Result<Given> {
        let mut state = lock(&self.state);
        let (given, result) = match &mut *state {
            State::Given(given) => return Ok(*given),
            State::Whole => (Given { status, bytes: sent, receipt: Receipt::Lost }, Ok(())), // nobody ends such a one here
            State::Stream(sink) => {
                end(sink, &self.client.method, Given { status, bytes: sent, receipt: Receipt::Lost }, failure)
            }
        };
        *state = State::Given(given);
        result.map(|()| given)
    }

    /// Answers in the place of an application, for a failure of this kind.
    ///
    /// # Errors
    /// `RuntimeApi` when the platform is gone.
    pub(super) fn refuse(&self, error: &Error) -> Result<Given> {
        if self.streams() {
            return self.end_stream(0, 0, Some(error));
        }
        let (status, text) = refusal(error);
        self.give(&proxy::plain(self.client.origin, &self.client.method, status, text))
    }

    /// Answers at the deadline, and says how. What has begun but has not left does not leave any more: a deadline between
    /// a status and the first chunk is a 504.
    pub(super) fn give_up(&self) -> &'static str {
        let Some(mut state) = lock_within(PATIENCE, &self.state) else {
            return "the answer ends after what is being sent";
        };
        let (given, told) = match &mut *state {
            State::Given(_) => return "its answer had left",
            State::Whole => {
                let envelope = proxy::plain(self.client.origin, &self.client.method, TIMEOUT.0, TIMEOUT.1);
                let Ok(receipt) = lock(&self.api).respond(&self.invocation, &envelope.json) else {
                    return "the caller could not be told"; // the loop tries again, when the application is back
                };
                let given = Given { status: envelope.status, bytes: envelope.body_bytes as u64, receipt };
                (given, "the caller was answered with 504")
            }
            State::Stream(sink) => {
                let started = sink.has_started();
                let given = Given { status: 0, bytes: 0, receipt: Receipt::Lost };
                let (given, _) = end(sink, &self.client.method, given, Some(&reached()));
                let told = if started {
                    "the stream was ended with error trailers"
                } else {
                    "the caller was answered with 504"
                };
                (given, told)
            }
        };
        *state = State::Given(given);
        match given.receipt {
            Receipt::Accepted => told,
            Receipt::Refused(_) => "the platform refused the 504 for the caller",
            Receipt::Lost => "the caller could not be told",
        }
    }

    /// What to tell the function's owner about a stream.
    pub(super) fn take_warnings(&self) -> Vec<Warning> {
        match &mut *lock(&self.state) {
            State::Stream(sink) => sink.take_warnings(),
            _ => Vec::new(),
        }
    }

    fn sink<T>(&self, work: impl FnOnce(&mut StreamSink<Streamed>) -> std::io::Result<T>) -> std::io::Result<T> {
        match &mut *lock(&self.state) {
            State::Stream(sink) => work(sink),
            _ => Err(std::io::Error::other("the request was given up")),
        }
    }
}

impl Sink for Arc<Answer> {
    fn head(&mut self, head: Head, whole_body: Option<usize>) -> std::io::Result<()> {
        self.sink(|sink| sink.head(head, whole_body))
    }

    fn data(&mut self, chunk: Bytes) -> std::io::Result<()> {
        self.sink(|sink| sink.data(chunk))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.sink(Sink::flush)
    }
}

/// Ends what a sink writes to. What came of it stands in the first value also where the second is an error.
fn end(
    sink: &mut StreamSink<Streamed>,
    method: &str,
    mut given: Given,
    failure: Option<&Error>,
) -> (Given, Result<()>) {
    let started = sink.has_started();
    let failure = match failure {
        Some(error) if !started => {
            let (status, text) = refusal(error);
            given = Given { status: status[..3].parse().unwrap_or(500), bytes: text.len() as u64, ..given };
            if sink.plain(method, status, text).is_err() {
                return (given, Ok(()));
            }
            None
        }
        failure => failure,
    };
    let ended = match (sink.take_writer(), failure) {
        (None, _) => Ok(Receipt::Lost),
        (Some(streamed), Some(error)) => streamed.fail(error),
        (Some(streamed), None) => streamed.finish(),
    };
    match ended {
        Ok(receipt) => (Given { receipt, ..given }, Ok(())),
        Err(error) => (given, Err(error)),
    }
}

/// What the caller gets for a request that the application did not answer.
fn refusal(error: &Error) -> (&'static str, &str) {
    match error.kind() {
        Kind::BadRequest => ("400 Bad Request", error.message()),
        _ if error.error_type() == REACHED => TIMEOUT,
        _ => INTERNAL_ERROR,
    }
}

/// A 500 in the place of an application's response.
pub(super) fn internal_error(client: &Client) -> Envelope {
    proxy::plain(client.origin, &client.method, INTERNAL_ERROR.0, INTERNAL_ERROR.1)
}

/// The error of a request that was given up at its deadline.
fn reached() -> Error {
    Error::new(Kind::App, REACHED, "the request was given up: the function's timeout is near")
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    /// A streamed answer, and the platform that reads it: gives all that arrived.
    fn stream() -> (Arc<Answer>, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = Arc::new(Mutex::new(Api::new(&listener.local_addr().unwrap().to_string())));
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
        let client = Client { origin: Origin::FunctionUrl, method: "GET".to_owned() };
        (Answer::new(&api, &Invocation::default(), client, true), platform)
    }

    fn head() -> Head {
        Head::new("201 Created").unwrap()
    }

    #[test]
    fn before_the_first_byte_it_is_a_504() {
        let (answer, platform) = stream();
        assert_eq!(answer.give_up(), "the caller was answered with 504");
        assert!(platform.join().unwrap().contains("{\"statusCode\":504,"));
        let given = answer.end_stream(200, 5, None).unwrap();
        assert_eq!((given.status, given.receipt), (504, Receipt::Accepted), "the loop is told what was given");
        assert_eq!(answer.give_up(), "its answer had left");
    }

    #[test]
    fn between_the_status_and_the_first_chunk_it_is_a_504_and_nothing_else() {
        let (mut answer, platform) = stream();
        answer.head(head(), None).unwrap();
        assert_eq!(answer.give_up(), "the caller was answered with 504");
        answer.data("late".into()).unwrap_err();
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
        let (mut answer, platform) = stream();
        answer.head(head(), None).unwrap();
        answer.data("begin".into()).unwrap();
        assert_eq!(answer.give_up(), "the stream was ended with error trailers");
        let arrived = platform.join().unwrap();
        assert!(arrived.contains(":201,") && arrived.contains("begin") && arrived.contains(REACHED), "{arrived}");
    }

    #[test]
    fn a_chunk_that_nobody_takes_is_not_waited_for() {
        let (answer, _) = stream();
        let _held = lock(&answer.state);
        assert_eq!(answer.give_up(), "the answer ends after what is being sent");
    }

    #[test]
    fn what_reaches_nobody_is_lost_and_not_accepted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = Arc::new(Mutex::new(Api::new(&listener.local_addr().unwrap().to_string())));
        drop(listener);
        let client = Client { origin: Origin::FunctionUrl, method: "GET".to_owned() };
        let streamed = Answer::new(&api, &Invocation::default(), client.clone(), true);
        assert_eq!(streamed.give_up(), "the caller could not be told");
        assert_eq!(streamed.end_stream(200, 0, None).unwrap().receipt, Receipt::Lost);
        let whole = Answer::new(&api, &Invocation::default(), client.clone(), false);
        assert_eq!(whole.give_up(), "the caller could not be told");
        whole.give(&internal_error(&client)).unwrap_err();
    }
}
