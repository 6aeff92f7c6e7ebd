//! Room: `gateway`, the front ends' side: a client's HTTP request becomes an event, and what the function posts
//! becomes the client's response.
//! In: [`ClientRequest`]s that an HTTP server has received, [`Settings`] of a front end, the bytes that a function posts.
//! Out: event bytes, [`ClientResponse`]s, the head of a streamed response, [`Fault`]s with the front end's own response.
//! May use: `request` (the names of front ends), `grammar`, `json`, `aws_lambda_events`, http, bytes, base64, memchr,
//!   humantime, serde, `serde_json`.
//! Must not: do I/O, know Python, ask for the time, take a value at random.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Version};

use crate::request::FrontEnd;

/// How a front end is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The AWS service.
    pub front_end: FrontEnd,
    /// The stage of a REST or HTTP API; `$default` for an HTTP API without a named one. Others have none.
    pub stage: String,
    /// The base path of a custom domain, such as `/shop`; REST and HTTP APIs only.
    pub base_path: Option<String>,
    /// The host name of the API, function URL, load balancer or service. `None`: `Host` as the client sent it.
    pub domain: Option<String>,
    /// A REST API's `binaryMediaTypes`, such as `*/*`.
    pub binary_media_types: Vec<String>,
    /// Whether responses are streamed: `RESPONSE_STREAM` of a Function URL, `responseTransferMode: STREAM` of a REST API.
    pub streams: bool,
    /// Whether a REST API's requests look like those of the console's "Test" button (test-invoke).
    pub test_invoke: bool,
}

/// An HTTP request as the front end's HTTP server has received it.
#[derive(Clone, Debug)]
pub struct ClientRequest {
    /// The method.
    pub method: Method,
    /// The target as it was on the wire, in origin form: `/path?query`.
    pub target: String,
    /// HTTP/1.0, HTTP/1.1 or HTTP/2.
    pub version: Version,
    /// The header fields, `host` included (of HTTP/2: from `:authority`).
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// The client's address and port.
    pub peer: SocketAddr,
    /// When the request had arrived.
    pub received: SystemTime,
    /// The request id that the front end makes: a UUID.
    pub request_id: String,
    /// The front end's value of `X-Amzn-Trace-Id`, such as `Root=1-…`.
    pub trace_id: String,
}

/// The status and the headers of a response to the client.
#[derive(Clone, Debug)]
pub struct Head {
    /// The status.
    pub status: StatusCode,
    /// The reason that goes with it, if it is not the usual one: of an ALB's `statusDescription`.
    pub reason: Option<String>,
    /// The header fields as the client receives them.
    pub headers: HeaderMap,
}

/// A whole response to the client.
#[derive(Clone, Debug)]
pub struct ClientResponse {
    /// Status and headers.
    pub head: Head,
    /// The body.
    pub body: Bytes,
}

/// Why a front end answers by itself instead of with what the function posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request's body is larger than the front end takes.
    RequestTooLarge,
    /// The request's headers or its target are larger than the front end takes.
    HeadersTooLarge,
    /// The front end does not know the method.
    MethodNotAllowed,
    /// The request is not one that the front end passes on; the text says why.
    BadRequest(&'static str),
    /// What the function posted has not the form that the front end demands; the text says what is wrong.
    Malformed(String),
    /// What the function posted is larger than the front end takes.
    ResponseTooLarge,
    /// The function failed: an error, an exit, its own timeout.
    FunctionFailed,
    /// The front end's own limit has passed before the function answered.
    TimedOut,
    /// All sandboxes were busy, and their number is limited.
    Throttled,
}

/// What a front end allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body, as the client sends it.
    pub request_body: usize,
    /// Bytes of a request's headers and target.
    pub request_head: usize,
    /// How long the front end waits for the function; `None`: as long as the function's own timeout.
    pub timeout: Option<Duration>,
}

/// What a front end allows.
pub fn limits(settings: &Settings) -> Limits {
    let _ = settings;
    Limits { request_body: 6_291_456, request_head: 10_240, timeout: None }
}

/// Makes the event of a client's request.
///
/// # Errors
/// The front end does not pass the request on.
pub fn event(request: &ClientRequest, settings: &Settings) -> Result<Bytes, Fault> {
    let _ = (request, settings);
    Err(Fault::BadRequest("to come"))
}

/// The client's response of what a function posted at once (buffered).
///
/// # Errors
/// The front end does not take what was posted.
pub fn response(posted: &Bytes, request: &ClientRequest, settings: &Settings) -> Result<ClientResponse, Fault> {
    let _ = (posted, request, settings);
    Err(Fault::Malformed("to come".to_owned()))
}

/// The response that a front end makes by itself.
pub fn fault(fault: &Fault, request: &ClientRequest, settings: &Settings) -> ClientResponse {
    let _ = (fault, request, settings);
    let head = Head { status: StatusCode::BAD_GATEWAY, reason: None, headers: HeaderMap::new() };
    ClientResponse { head, body: Bytes::new() }
}

/// Reads the head of a streamed response from its first chunks.
#[derive(Debug)]
pub struct StreamedHead {
    pending: Vec<u8>,
}

impl StreamedHead {
    /// `content_type` is that of the function's POST: `application/vnd.awslambda.http-integration-response` says that a
    /// prelude comes first; with any other, a Function URL sends the bytes as they are, and a REST API refuses them.
    pub fn new(content_type: Option<&[u8]>) -> Self {
        let _ = content_type;
        Self { pending: Vec::new() }
    }

    /// Takes a chunk. Returns the head and the first bytes of the body as soon as the prelude is complete.
    ///
    /// # Errors
    /// The prelude is malformed, or longer than the front end takes.
    pub fn push(
        &mut self,
        chunk: &Bytes,
        request: &ClientRequest,
        settings: &Settings,
    ) -> Result<Option<(Head, Bytes)>, Fault> {
        let _ = (request, settings);
        self.pending.extend_from_slice(chunk);
        Ok(None)
    }

    /// The stream has ended before the prelude was complete.
    pub fn end(&mut self, request: &ClientRequest, settings: &Settings) -> Result<(Head, Bytes), Fault> {
        let _ = (request, settings);
        Err(Fault::Malformed("the response ended inside its prelude".to_owned()))
    }
}
