//! What goes in and what comes out: plain values.

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
    /// The host name of the API, function URL, load balancer or service: the event says that the client used it, over
    /// HTTPS. `None`: `Host` as the client sent it, over plain HTTP, so that the application's own links lead back.
    ///
    /// Below a domain with `.execute-api.` in it, the URL's path begins with the stage. Without a domain it does so if
    /// there is a stage other than `$default` and no base path.
    pub domain: Option<String>,
    /// A REST API's `binaryMediaTypes`, such as `*/*`.
    pub binary_media_types: Vec<String>,
    /// Whether responses are streamed: `RESPONSE_STREAM` of a Function URL, `responseTransferMode: STREAM` of a REST API.
    pub streams: bool,
    /// Whether a REST API's requests look like those of the console's "Test" button (test-invoke).
    pub test_invoke: bool,
}

impl Settings {
    /// A front end as it is set up without options: the stage `prod` of a REST API, `$default` of an HTTP API; all media
    /// types are binary.
    pub fn new(front_end: FrontEnd) -> Self {
        let stage = match front_end {
            FrontEnd::Rest => "prod",
            FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2 => "$default",
            _ => "",
        };
        Self {
            front_end,
            stage: stage.to_owned(),
            base_path: None,
            domain: None,
            binary_media_types: vec!["*/*".to_owned()],
            streams: false,
            test_invoke: false,
        }
    }

    /// Whether the stage has a name that URLs or paths show.
    pub(super) fn has_named_stage(&self) -> bool {
        !self.stage.is_empty() && self.stage != "$default"
    }
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
    /// The target is under no stage or base path of the front end; the text says which it has.
    NotFound(String),
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
