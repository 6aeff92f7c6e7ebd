//! The vocabulary of the Runtime API: its calls, its limits, the faults that a test can arrange.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

/// The largest buffered response in bytes: 6 MiB and the 100 bytes that RIE's `interop.MaxPayloadSize` adds. On purpose
/// not the constant of `proxy`: this side checks what the runtime believes.
pub const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024 + 100;

/// How many calls `RuntimeApi::calls` remembers: a limit, so that memory does not grow in a long replay.
pub const CALLS_KEPT: usize = 1000;

/// A call that the Runtime API knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// `GET /2018-06-01/runtime/invocation/next`
    Next,
    /// `POST /2018-06-01/runtime/invocation/{id}/response`
    Response,
    /// `POST /2018-06-01/runtime/invocation/{id}/error`
    Error,
    /// `POST /2018-06-01/runtime/init/error`
    InitError,
    /// `GET /2018-06-01/runtime/restore/next`
    RestoreNext,
    /// `POST /2018-06-01/runtime/restore/error`
    RestoreError,
    /// `POST /2020-01-01/extension/register`
    ExtensionRegister,
    /// `GET /2020-01-01/extension/event/next`
    ExtensionNext,
    /// Anything else: 404.
    Unknown,
}

/// What the server does once, instead of what the platform would do.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Replies with this status and the platform's body for it.
    Status(StatusCode),
    /// Sends exactly this reply.
    Reply(http::Response<Bytes>),
    /// Closes the connection without a reply.
    Close,
    /// Reads this many bytes of the body, then closes the connection, as for a caller that goes away in the middle.
    CloseAfter(usize),
    /// Waits, then does what the platform would do.
    Delay(Duration),
}

/// An HTTP call that the Runtime API received.
#[derive(Clone, Debug)]
pub struct ApiCall {
    /// Which call of the API it is.
    pub route: Route,
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// The request headers.
    pub headers: HeaderMap,
    /// The status of the reply; `None` while there is none, and if the connection closed before.
    pub status: Option<StatusCode>,
    /// The number of the TCP connection, counted from 0. Calls over one connection have the same number.
    pub connection: u64,
    /// When the head of the call arrived.
    pub at: Instant,
}
