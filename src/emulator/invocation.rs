//! What goes into the Runtime API and what comes out of it, as values.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::mpsc;

/// One event on its way to the runtime, with the headers `/next` gives it.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub(super) event: Bytes,
    pub(super) timeout: Duration,
    pub(super) request_id: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) omitted: Vec<HeaderName>,
}

impl Invocation {
    /// An invocation with these event bytes, a fresh request id and a timeout of 30 seconds.
    pub fn new(event: impl Into<Bytes>) -> Self {
        Self {
            event: event.into(),
            timeout: Duration::from_secs(30),
            request_id: uuid(random()),
            headers: Vec::new(),
            omitted: Vec::new(),
        }
    }

    /// Sets the function timeout; the deadline is this far from the moment the runtime takes the event.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the request id. Two invocations may share one, as retries do on Lambda.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = id.into();
        self
    }

    /// Derives the request id from a name, so that a recorded answer which holds the id stays the same.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        // FNV-1a twice, with two offset bases: stable over Rust versions, which `DefaultHasher` is not.
        let hash =
            |basis: u64| name.bytes().fold(basis, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        self.request_id(uuid((hash(0xcbf2_9ce4_8422_2325), hash(0x6c62_272e_07bb_0142))))
    }

    /// Adds a header to `/next`; given once or more it replaces the default of that name.
    /// The value may hold any byte a header can carry, also bytes that are not UTF-8.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Leaves out a header that `/next` would have, as an older platform does.
    #[must_use]
    pub fn without(mut self, name: HeaderName) -> Self {
        self.omitted.push(name);
        self
    }

    /// The request id.
    pub fn id(&self) -> &str {
        &self.request_id
    }
}

/// What became of an invocation.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The runtime posted `/response`.
    Response(Response),
    /// The runtime posted `/error` for this invocation.
    Error(Report),
    /// The runtime posted `/init/error`; the platform gives it to the caller of the first invocation.
    InitError(Report),
    /// The runtime did not answer, and the platform does in its place.
    Platform(PlatformError),
}

impl Outcome {
    /// The bytes the caller of the function receives. Of an answer that was cut, what had arrived.
    pub fn payload(&self) -> Bytes {
        match self {
            Self::Response(response) => response.body.clone(),
            Self::Error(report) | Self::InitError(report) => report.body.clone(),
            Self::Platform(error) => error.to_json(),
        }
    }
}

/// A posted answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The whole body; of a streamed answer, its chunks put together.
    pub body: Bytes,
    /// The headers of the runtime's POST.
    pub headers: HeaderMap,
    /// How a streamed answer arrived; `None` for a buffered one.
    pub stream: Option<Stream>,
}

/// How a streamed answer arrived.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The chunks in order. HTTP chunks are never merged, a large one may arrive in parts.
    pub chunks: Vec<Chunk>,
    /// The HTTP trailers, if there were any.
    pub trailers: Option<HeaderMap>,
    /// Whether the final chunk arrived; `false` means that the transfer was cut.
    pub complete: bool,
}

impl Stream {
    /// The error that trailers announce: its type, and its JSON payload decoded from base64.
    pub fn error(&self) -> Option<(String, Bytes)> {
        let trailers = self.trailers.as_ref()?;
        let value = |name: &str| trailers.get(name).map(|value| value.as_bytes().to_vec());
        let kind = value("lambda-runtime-function-error-type")?;
        let body = value("lambda-runtime-function-error-body").unwrap_or_default();
        let body = BASE64.decode(&body).unwrap_or(body);
        Some((String::from_utf8_lossy(&kind).into_owned(), body.into()))
    }
}

/// A piece of a streamed body.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// When it arrived, counted from the arrival of the POST's head.
    pub after: Duration,
    /// The bytes.
    pub bytes: Bytes,
}

/// An error the runtime posted: the JSON payload as it was sent, and the headers of the POST.
#[derive(Clone, Debug)]
pub struct Report {
    /// `{"errorMessage": …, "errorType": …, "stackTrace": […]}`, if the runtime keeps to the contract.
    pub body: Bytes,
    /// The headers; `Lambda-Runtime-Function-Error-Type` is among them.
    pub headers: HeaderMap,
}

/// An error that Lambda itself reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformError {
    /// The platform's name for it, such as `Runtime.ExitError`.
    pub error_type: &'static str,
    /// The text a caller sees.
    pub message: String,
}

impl PlatformError {
    pub(super) fn new(error_type: &'static str, message: impl Into<String>) -> Self {
        Self { error_type, message: message.into() }
    }

    /// `Sandbox.Timedout`.
    pub(super) fn timed_out(request_id: &str, timeout: Duration) -> Self {
        let seconds = timeout.as_secs_f64();
        Self::new(
            "Sandbox.Timedout",
            format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds"),
        )
    }

    /// `Runtime.ExitError`; `exit` is worded as Lambda words it.
    pub(super) fn exited(request_id: &str, exit: &dyn std::fmt::Display) -> Self {
        Self::new("Runtime.ExitError", format!("RequestId: {request_id} Error: Runtime exited with error: {exit}"))
    }

    /// The payload a caller receives.
    pub fn to_json(&self) -> Bytes {
        serde_json::json!({ "errorType": self.error_type, "errorMessage": self.message }).to_string().into()
    }
}

/// One step of a running invocation.
#[derive(Clone, Debug)]
pub enum Progress {
    /// The runtime has taken the event; its time runs.
    Started,
    /// The head of a streamed answer, then come [`Progress::Chunk`]s.
    Head(HeaderMap),
    /// Bytes of a streamed answer.
    Chunk(Bytes),
    /// The clean end of a streamed answer, with its trailers.
    End(Option<HeaderMap>),
    /// Everything at once: a buffered answer, or an error.
    Done(Outcome),
}

/// A queued or running invocation.
///
/// Steps that are not taken hold the runtime back, so a slow client slows a streaming application here
/// as it does on Lambda. Dropping this lets the runtime finish and forgets the answer.
#[derive(Debug)]
pub struct Running {
    pub(super) request_id: String,
    pub(super) steps: mpsc::Receiver<(Instant, Progress)>,
}

impl Running {
    /// The request id.
    pub fn id(&self) -> &str {
        &self.request_id
    }

    /// The next step and when it happened; `None` after the last one.
    ///
    /// `None` without [`Progress::End`] or [`Progress::Done`] means that the transfer was cut.
    pub async fn next(&mut self) -> Option<(Instant, Progress)> {
        self.steps.recv().await
    }

    /// Waits for the end and puts the steps together.
    pub async fn outcome(mut self) -> Outcome {
        let mut collected = Collected::default();
        while let Some((at, step)) = self.next().await {
            if let Some(outcome) = collected.add(at, step) {
                return outcome;
            }
        }
        collected.cut(&self.request_id)
    }
}

/// Steps put together to an [`Outcome`].
#[derive(Debug, Default)]
pub(super) struct Collected {
    head: Option<(Instant, HeaderMap)>,
    body: BytesMut,
    stream: Stream,
}

impl Collected {
    /// Adds a step; the last one gives the outcome.
    pub(super) fn add(&mut self, at: Instant, step: Progress) -> Option<Outcome> {
        match step {
            Progress::Started => None,
            Progress::Head(headers) => {
                self.head = Some((at, headers));
                None
            }
            Progress::Chunk(bytes) => {
                let start = self.head.as_ref().map_or(at, |(start, _)| *start);
                self.body.extend_from_slice(&bytes);
                self.stream.chunks.push(Chunk { after: at.duration_since(start), bytes });
                None
            }
            Progress::End(trailers) => {
                self.stream.trailers = trailers;
                self.stream.complete = true;
                self.response()
            }
            Progress::Done(outcome) => Some(outcome),
        }
    }

    /// The outcome of an invocation whose steps stopped before the last one.
    pub(super) fn cut(mut self, request_id: &str) -> Outcome {
        self.response().unwrap_or_else(|| {
            Outcome::Platform(PlatformError::new(
                "Runtime.TruncatedResponse",
                format!("RequestId: {request_id} Error: the runtime's answer was cut before its end"),
            ))
        })
    }

    fn response(&mut self) -> Option<Outcome> {
        let (_, headers) = self.head.take()?;
        let body = std::mem::take(&mut self.body).freeze();
        Some(Outcome::Response(Response { body, headers, stream: Some(std::mem::take(&mut self.stream)) }))
    }
}

/// Random bits from the keys that the standard library draws for its hash maps.
pub(super) fn random() -> (u64, u64) {
    use std::hash::{BuildHasher as _, RandomState};
    let state = RandomState::new();
    (state.hash_one(0), state.hash_one(1))
}

/// The shape of a version 4 UUID (RFC 9562 §5.4), which is what Lambda's request ids have.
pub(super) fn uuid((high, low): (u64, u64)) -> String {
    let high = (high & !0xf000) | 0x4000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}
