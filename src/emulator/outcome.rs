//! What became of an invocation: a response, an error that the runtime posted, or an error of the platform.

use std::fmt::Display;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::HeaderMap;

/// What became of an invocation.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The runtime posted `/response`.
    Response(FunctionResponse),
    /// The runtime posted `/error` for this invocation.
    Error(Report),
    /// The runtime posted `/init/error`; the caller of the first invocation receives it.
    InitError(Report),
    /// The runtime posted nothing, and the platform reports an error instead.
    Platform(PlatformError),
}

impl Outcome {
    /// The bytes that the function's caller receives. If a response was cut, those that arrived.
    pub fn payload(&self) -> Bytes {
        match self {
            Self::Response(response) => response.body.clone(),
            Self::Error(report) | Self::InitError(report) => report.body.clone(),
            Self::Platform(error) => error.to_json(),
        }
    }

    /// Whether the invocation failed: there is no response, or a streamed one that was cut or ended with an error.
    pub fn is_failure(&self) -> bool {
        match self {
            Self::Response(FunctionResponse { stream: Some(stream), .. }) => {
                !stream.complete || stream.error().is_some()
            }
            Self::Response(_) => false,
            Self::Error(_) | Self::InitError(_) | Self::Platform(_) => true,
        }
    }
}

/// What the runtime posted to `/response`.
#[derive(Clone, Debug)]
pub struct FunctionResponse {
    /// The whole body. Of a streamed response, all its chunks in one piece.
    pub body: Bytes,
    /// The headers of the runtime's POST.
    pub headers: HeaderMap,
    /// How a streamed response arrived; `None` for a buffered one.
    pub stream: Option<Stream>,
}

impl FunctionResponse {
    /// Splits a streamed response into its prelude, which is JSON, and the HTTP body after it. `None` if there is no
    /// delimiter between the two.
    pub fn prelude_and_body(&self) -> Option<(Bytes, Bytes)> {
        const DELIMITER: &[u8] = &[0; 8];
        let end = memchr::memmem::find(&self.body, DELIMITER)?;
        Some((self.body.slice(..end), self.body.slice(end + DELIMITER.len()..)))
    }
}

/// How a streamed response arrived.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The chunks in order. HTTP chunks are never merged, but a large one may arrive in parts.
    pub chunks: Vec<Chunk>,
    /// The HTTP trailers, if there were any.
    pub trailers: Option<HeaderMap>,
    /// Whether the final chunk arrived; `false` means that the transfer was cut.
    pub complete: bool,
}

impl Stream {
    /// The error that the trailers report: its type, and its JSON payload decoded from base64.
    pub fn error(&self) -> Option<(String, Bytes)> {
        let trailers = self.trailers.as_ref()?;
        let value = |name: &str| trailers.get(name).map(|value| value.as_bytes().to_vec());
        let error_type = value("lambda-runtime-function-error-type")?;
        let body = value("lambda-runtime-function-error-body").unwrap_or_default();
        let body = BASE64.decode(&body).unwrap_or(body);
        Some((String::from_utf8_lossy(&error_type).into_owned(), body.into()))
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

/// An error that the runtime posted: the JSON payload as it was sent, and the headers of the POST.
#[derive(Clone, Debug)]
pub struct Report {
    /// `{"errorMessage": …, "errorType": …, "stackTrace": […]}`, if the runtime keeps to the contract.
    pub body: Bytes,
    /// The headers; `Lambda-Runtime-Function-Error-Type` is one of them.
    pub headers: HeaderMap,
}

/// An error that Lambda itself reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformError {
    /// The platform's name for it, such as `Runtime.ExitError`.
    pub error_type: &'static str,
    /// The text that the caller sees.
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

    /// `Runtime.ExitError`; `exit` is in Lambda's words.
    pub(super) fn exited(request_id: &str, exit: &dyn Display) -> Self {
        Self::new("Runtime.ExitError", format!("RequestId: {request_id} Error: Runtime exited with error: {exit}"))
    }

    /// The payload that the caller receives.
    pub fn to_json(&self) -> Bytes {
        serde_json::json!({ "errorType": self.error_type, "errorMessage": self.message }).to_string().into()
    }
}
