//! Room: `response`, PEP 3333's `start_response` as an explicit state machine.
//! In: status and headers, chunks, the end, as the application gives them.
//! Out: [`Head`] and chunks pushed into a [`Sink`], at the moments the PEP allows.
//! May use: `grammar`, `bytes`, `http` (reason phrases).
//! Must not: know Lambda, Python, JSON; block; drop a byte without saying so in [`Notes`].

use bytes::Bytes;

pub mod head;

pub use head::{Head, HeadError};

/// Where a response goes. The buffered sink collects, a streaming sink writes at once.
pub trait Sink: Send {
    /// Takes status and headers: once, before any data, when PEP 3333 releases them. `whole_body` is the size of the
    /// body where it is known before the first chunk is sent.
    ///
    /// # Errors
    /// When the receiver is gone.
    fn head(&mut self, head: Head, whole_body: Option<usize>) -> std::io::Result<()>;

    /// Takes one chunk, never empty.
    ///
    /// # Errors
    /// When the receiver is gone.
    fn data(&mut self, chunk: Bytes) -> std::io::Result<()>;

    /// Sends at once what was taken so far.
    ///
    /// # Errors
    /// When the receiver is gone.
    fn flush(&mut self) -> std::io::Result<()>;
}

/// How far a response has come.
#[derive(Debug)]
enum State {
    /// `start_response` was not called, or every call so far was refused.
    NotStarted,
    /// `start_response` was called; nothing has been released, so `exc_info` may still replace it.
    Started(Head),
    /// Status and headers are out.
    HeadersSent,
}

/// Why a step was refused. The texts are raised in the application's own frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A second `start_response` without `exc_info` (PEP 3333: a fatal error, even when the first call failed).
    AlreadyStarted,
    /// `start_response` with `exc_info` after the headers were sent: the caller re-raises the exception.
    HeadersSent,
    /// Output before `start_response`.
    NotStarted,
    /// More data than can be sent.
    TooLarge(String),
    /// The receiver is gone.
    Gone(String),
    /// The request has ended.
    Ended,
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::FileTooLarge => Self::TooLarge(error.to_string()),
            _ => Self::Gone(error.to_string()),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AlreadyStarted => f.write_str(
                "start_response() was already called; a second call needs exc_info \
                 (PEP 3333, \"The start_response() Callable\")",
            ),
            Self::HeadersSent => f.write_str("the headers have already been sent"),
            Self::NotStarted => f.write_str("the application gave output before it called start_response()"),
            Self::TooLarge(error) => f.write_str(error),
            Self::Gone(error) => write!(f, "the response could not be delivered: {error}"),
            Self::Ended => f.write_str("this response belongs to a request that has ended"),
        }
    }
}

/// What to log about a response that was delivered but was not as announced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Content-Length announced, and bytes given, when they differ.
    pub length_mismatch: Option<(u64, u64)>,
    /// Whether all bytes of an announced Content-Length were given: what fails after them costs the client nothing.
    pub complete: bool,
    /// The status code that was released.
    pub status: u16,
    /// Bytes handed to the sink.
    pub sent: u64,
}

/// What comes of a step in a response.
pub type Step<T = ()> = Result<T, Refusal>;

/// The steps that an application takes in its response, from whichever thread. Who keeps the response lets one at a time at
/// it. Each step is refused with `Ended` when the response has been taken from the application.
pub trait Steps: Send + Sync {
    /// See [`Response::headers_sent`].
    ///
    /// # Errors
    /// `Ended`.
    fn headers_sent(&self) -> Step<bool>;

    /// See [`Response::begin_start`].
    ///
    /// # Errors
    /// Those of the response.
    fn begin_start(&self, has_exc_info: bool) -> Step;

    /// See [`Response::start`].
    ///
    /// # Errors
    /// `Ended`.
    fn start(&self, head: Head) -> Step;

    /// See [`Response::write`].
    ///
    /// # Errors
    /// Those of the response.
    fn write(&self, chunk: Bytes) -> Step;

    /// See [`Response::chunk`].
    ///
    /// # Errors
    /// Those of the response.
    fn chunk(&self, chunk: Bytes, only: bool) -> Step<bool>;

    /// See [`Response::finish`].
    ///
    /// # Errors
    /// Those of the response.
    fn finish(&self) -> Step;
}

/// One response on its way from the application to a sink.
#[derive(Debug)]
pub struct Response<S> {
    state: State,
    called: bool,
    /// Whether the client takes a body at all.
    takes_body: bool,
    body_forbidden: bool,
    announced: Option<u64>,
    given: u64,
    sent: u64,
    status: u16,
    sink: S,
}

impl<S: Sink> Response<S> {
    /// A response for a client that takes a body, or for one that does not, as after HEAD.
    pub fn new(takes_body: bool, sink: S) -> Self {
        Self {
            state: State::NotStarted,
            called: false,
            takes_body,
            body_forbidden: false,
            announced: None,
            given: 0,
            sent: 0,
            status: 0,
            sink,
        }
    }

    /// Whether status and headers were released, after which `exc_info` cannot replace them.
    pub fn headers_sent(&self) -> bool {
        matches!(self.state, State::HeadersSent)
    }

    /// Asks whether `start_response` may be called now, and notes that it was. The call counts even when its headers
    /// are then refused.
    ///
    /// # Errors
    /// `AlreadyStarted`, or `HeadersSent` with `exc_info`.
    pub fn begin_start(&mut self, has_exc_info: bool) -> Result<(), Refusal> {
        match (has_exc_info, self.headers_sent(), self.called) {
            (true, true, _) => Err(Refusal::HeadersSent),
            (false, _, true) => Err(Refusal::AlreadyStarted),
            _ => {
                self.called = true;
                Ok(())
            }
        }
    }

    /// Stores status and headers; nothing is sent (PEP 3333). Replaces both when `exc_info` brought new ones.
    pub fn start(&mut self, head: Head) {
        self.state = State::Started(head);
    }

    /// Takes data given to `write()`: the first call releases the headers, even with no data. What is beyond
    /// Content-Length is cut off.
    ///
    /// # Errors
    /// `NotStarted`, `TooLarge`, `Gone`.
    pub fn write(&mut self, chunk: Bytes) -> Result<(), Refusal> {
        self.release(None)?;
        self.push(chunk)?;
        Ok(self.sink.flush()?)
    }

    /// Takes one chunk of the iterable, of which it may be known to be the only one. Empty chunks mean "nothing yet"
    /// and are legal even before `start_response`. Returns whether more data is wanted.
    ///
    /// # Errors
    /// `NotStarted`, `Gone`.
    pub fn chunk(&mut self, chunk: Bytes, only: bool) -> Result<bool, Refusal> {
        if chunk.is_empty() {
            return Ok(true);
        }
        self.release(only.then_some(chunk.len()))?;
        let fits = match self.push(chunk) {
            Err(Refusal::TooLarge(_)) => false, // which the sink knows
            pushed => pushed?,
        };
        Ok(fits && self.takes_body && !self.body_forbidden)
    }

    /// The iterable is exhausted: releases the headers if nothing else did.
    ///
    /// # Errors
    /// `NotStarted`, `Gone`.
    pub fn finish(&mut self) -> Result<(), Refusal> {
        self.release(Some(0))?;
        Ok(self.sink.flush()?)
    }

    /// The sink, for one who ends it before its time.
    pub fn sink_mut(&mut self) -> &mut S {
        &mut self.sink
    }

    /// What there is to say of it so far.
    pub fn notes(&self) -> Notes {
        let has_body = self.takes_body && !self.body_forbidden && self.headers_sent();
        let announced = self.announced.filter(|_| has_body);
        Notes {
            length_mismatch: announced.filter(|&length| length != self.given).map(|length| (length, self.given)),
            complete: announced.is_some_and(|length| self.given >= length),
            status: self.status,
            sent: self.sent,
        }
    }

    /// Ends the response: returns what there is to say of it, and the sink.
    pub fn end(self) -> (Notes, S) {
        (self.notes(), self.sink)
    }

    /// Hands status and headers to the sink, once.
    fn release(&mut self, whole_body: Option<usize>) -> Result<(), Refusal> {
        match std::mem::replace(&mut self.state, State::HeadersSent) {
            State::HeadersSent => Ok(()),
            State::NotStarted => {
                self.state = State::NotStarted;
                Err(Refusal::NotStarted)
            }
            State::Started(mut head) => {
                self.body_forbidden = head.forbids_body();
                if self.body_forbidden {
                    head.remove_framing();
                } else {
                    self.announced = head.content_length();
                }
                self.status = head.status();
                let whole_body = whole_body.filter(|_| self.takes_body && !self.body_forbidden);
                Ok(self.sink.head(head, whole_body)?)
            }
        }
    }

    /// Sends what may be sent of a chunk: nothing for HEAD and bodyless statuses, no more than was announced.
    fn push(&mut self, mut chunk: Bytes) -> Result<bool, Refusal> {
        if chunk.is_empty() {
            return Ok(true);
        }
        let room = self.announced.map_or(u64::MAX, |announced| announced.saturating_sub(self.given));
        self.given = self.given.saturating_add(chunk.len() as u64);
        if !self.takes_body || self.body_forbidden {
            return Ok(true);
        }
        let fits = chunk.len() as u64 <= room;
        if !fits {
            // `room` is below a length, so it is a length.
            chunk.truncate(usize::try_from(room).unwrap_or(usize::MAX));
        }
        if !chunk.is_empty() {
            self.sent += chunk.len() as u64;
            self.sink.data(chunk)?;
        }
        Ok(fits)
    }
}
