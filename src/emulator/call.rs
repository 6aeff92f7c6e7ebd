//! The vocabulary of the Runtime API: its calls, its limits, the faults that a test can arrange.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

/// The largest buffered answer in bytes: 6 MiB and the 100 bytes that RIE's `interop.MaxPayloadSize` adds.
pub const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024 + 100;

/// How many calls [`RuntimeApi::calls`] remembers, so that a long replay does not grow.
pub const CALLS_KEPT: usize = 1000;

/// A call the Runtime API knows.
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
    /// Anything else; answered 404.
    Unknown,
}

/// What the server does instead of the right thing, once.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers this status with the platform's body for it.
    Status(StatusCode),
    /// Answers exactly this.
    Reply(http::Response<Bytes>),
    /// Closes the connection without an answer.
    Close,
    /// Reads this many bytes of the body, then closes the connection: a caller who goes away in the middle.
    CloseAfter(usize),
    /// Waits, then does the right thing.
    Delay(Duration),
}

/// A call that was received.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which of the known calls.
    pub route: Route,
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// The request headers.
    pub headers: HeaderMap,
    /// The answered status; `None` while it is open, and when the connection closed before.
    pub status: Option<StatusCode>,
    /// The number of the TCP connection, counted from 0: equal numbers show keep-alive.
    pub connection: u64,
    /// When the head arrived.
    pub at: Instant,
}
