//! Room: `response`, PEP 3333's `start_response` as an explicit state machine.
//! In: [`Steps`] of the application: status and headers, chunks, the end.
//! Out: [`Head`] and chunks, pushed into a [`Sink`] at the moments that the PEP allows.
//! May use: `grammar`, `bytes`, `http` (reason phrases).
//! Must not: know Lambda, Python, JSON; block; drop a byte without a word in [`Notes`].

use bytes::Bytes;

pub mod head;

pub use head::{Head, HeadError};

/// Where a response goes. A buffered sink collects it, a streaming sink sends each chunk at once.
pub trait Sink: Send {
    /// Takes status and headers: once, before any data, when PEP 3333 releases them. `whole_body` is the size of the
    /// body in bytes, if it is known before the first chunk is sent.
    ///
    /// # Errors
    /// If the receiver is gone.
    fn head(&mut self, head: Head, whole_body: Option<usize>) -> std::io::Result<()>;

    /// Takes one chunk, which is never empty.
    ///
    /// # Errors
    /// If the receiver is gone; `FileTooLarge` if the body is too large for it.
    fn data(&mut self, chunk: Bytes) -> std::io::Result<()>;

    /// Sends what it has taken and not sent yet.
    ///
    /// # Errors
    /// If the receiver is gone.
    fn flush(&mut self) -> std::io::Result<()>;
}

/// How far a response has come.
#[derive(Debug)]
enum State {
    /// `start_response` was not called, or every call so far was refused.
    NotStarted,
    /// `start_response` was called. Nothing has been released, so a call with `exc_info` may still replace the head.
    Started(Head),
    /// Status and headers were released.
    HeadersSent,
}

/// Why a step was refused. The application gets the text in an exception.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A second `start_response` without `exc_info` (PEP 3333: a fatal error, even when the first call failed).
    AlreadyStarted,
    /// `start_response` with `exc_info` after the headers were sent. The caller raises the exception again.
    HeadersSent,
    /// Output before `start_response`.
    NotStarted,
    /// More data than the front end takes.
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

/// What there is to know about a response, for the log and for its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The announced Content-Length and the bytes that the application gave, if the two differ.
    pub length_mismatch: Option<(u64, u64)>,
    /// Whether all bytes of an announced Content-Length were given. A failure after them does not concern the client.
    pub complete: bool,
    /// The status code that was released; 0 before.
    pub status: u16,
    /// The bytes of the body that the application gave.
    pub given: u64,
}

/// The result of a step.
pub type Step<T = ()> = Result<T, Refusal>;

/// The steps that an application takes to make its response. Any thread may call them: whoever implements this locks
/// the response. Each step is refused with `Ended` after the response has been taken from the application.
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

/// Whoever holds a response, and locks it for each step.
pub trait Holder: Send + Sync {
    /// Where the response goes.
    type Sink: Sink;

    /// Takes a step in the response, as long as the application may.
    ///
    /// # Errors
    /// `Ended`, and those of the step.
    fn step<T>(&self, step: impl FnOnce(&mut Response<Self::Sink>) -> Step<T>) -> Step<T>;
}

impl<H: Holder> Steps for H {
    fn headers_sent(&self) -> Step<bool> {
        self.step(|response| Ok(response.headers_sent()))
    }

    fn begin_start(&self, has_exc_info: bool) -> Step {
        self.step(|response| response.begin_start(has_exc_info))
    }

    fn start(&self, head: Head) -> Step {
        self.step(|response| {
            response.start(head);
            Ok(())
        })
    }

    fn write(&self, chunk: Bytes) -> Step {
        self.step(|response| response.write(chunk))
    }

    fn chunk(&self, chunk: Bytes, only: bool) -> Step<bool> {
        self.step(|response| response.chunk(chunk, only))
    }

    fn finish(&self) -> Step {
        self.step(Response::finish)
    }
}

/// One response, between the application and a sink.
#[derive(Debug)]
pub struct Response<S> {
    state: State,
    /// Whether `start_response` was called, even if its headers were refused.
    called: bool,
    /// False if the client takes no body, as after HEAD.
    takes_body: bool,
    /// Whether the status has no body.
    body_forbidden: bool,
    /// The Content-Length of the released headers, if the body counts.
    announced: Option<u64>,
    /// The bytes of the body that the application gave.
    given: u64,
    /// The status code; 0 before the headers are released.
    status: u16,
    sink: S,
}

impl<S: Sink> Response<S> {
    /// A response that nothing was done for yet. `takes_body` is false for a client that takes no body, as after HEAD.
    pub fn new(takes_body: bool, sink: S) -> Self {
        Self {
            state: State::NotStarted,
            called: false,
            takes_body,
            body_forbidden: false,
            announced: None,
            given: 0,
            status: 0,
            sink,
        }
    }

    /// Whether status and headers were released, after which `exc_info` cannot replace them.
    pub fn headers_sent(&self) -> bool {
        matches!(self.state, State::HeadersSent)
    }

    /// Checks whether `start_response` may be called now, and records the call. It counts even if its headers are then
    /// refused.
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

    /// Stores status and headers, and replaces those from an earlier call. Nothing is sent (PEP 3333).
    pub fn start(&mut self, head: Head) {
        self.state = State::Started(head);
    }

    /// Takes data given to `write()`. The first call releases the headers, even without data. Data beyond
    /// Content-Length is cut off.
    ///
    /// # Errors
    /// `NotStarted`, `TooLarge`, `Gone`.
    pub fn write(&mut self, chunk: Bytes) -> Result<(), Refusal> {
        self.release(None)?;
        self.push(chunk)?;
        Ok(self.sink.flush()?)
    }

    /// Takes one chunk of the iterable. `only` says that it is known to be the only one. Empty chunks mean "nothing
    /// yet", and are allowed even before `start_response`. Returns whether more data is wanted.
    ///
    /// # Errors
    /// `NotStarted`, `Gone`.
    pub fn chunk(&mut self, chunk: Bytes, only: bool) -> Result<bool, Refusal> {
        if chunk.is_empty() {
            return Ok(true);
        }
        self.release(only.then_some(chunk.len()))?;
        let fits = match self.push(chunk) {
            Err(Refusal::TooLarge(_)) => false, // the sink knows it, and makes an error of it at the end
            pushed => pushed?,
        };
        Ok(fits && self.takes_body && !self.body_forbidden)
    }

    /// Ends the body, because the iterable is exhausted. Releases the headers if nothing else did.
    ///
    /// # Errors
    /// `NotStarted`, `Gone`.
    pub fn finish(&mut self) -> Result<(), Refusal> {
        self.release(Some(0))?;
        Ok(self.sink.flush()?)
    }

    /// The sink, for the deadline's alarm, which ends it early.
    pub fn sink_mut(&mut self) -> &mut S {
        &mut self.sink
    }

    /// What there is to know about the response so far.
    pub fn notes(&self) -> Notes {
        let has_body = self.takes_body && !self.body_forbidden && self.headers_sent();
        let announced = self.announced.filter(|_| has_body);
        Notes {
            length_mismatch: announced.filter(|&length| length != self.given).map(|length| (length, self.given)),
            complete: announced.is_some_and(|length| self.given >= length),
            status: self.status,
            given: self.given,
        }
    }

    /// Ends the response. Returns what there is to know about it, and the sink.
    pub fn end(self) -> (Notes, S) {
        (self.notes(), self.sink)
    }

    /// Passes status and headers to the sink, once. `whole_body` is the size of the body in bytes, if it is known.
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

    /// Passes to the sink what may be sent of a chunk: nothing for HEAD and for a status without a body, and no more than was
    /// announced. Returns whether the whole chunk may be sent.
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
            // `room` is less than the length of a chunk, so it fits into a `usize`.
            chunk.truncate(usize::try_from(room).unwrap_or(usize::MAX));
        }
        if !chunk.is_empty() {
            self.sink.data(chunk)?;
        }
        Ok(fits)
    }
}
