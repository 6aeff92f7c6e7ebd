//! The inspector's own replies, with headers that keep other pages out.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};
use serde_json::Value;
use tokio::sync::mpsc;

/// The body of a reply: whole, or in pieces as they come.
pub(super) enum Content {
    Whole(Option<Bytes>),
    Stream(mpsc::Receiver<Bytes>),
}

pub(super) type Reply = Response<Content>;

/// Nothing but the page's own files is loaded, and no text of a request ever becomes a document or a script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// A reply with a type and a body.
pub(super) fn of(content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    with(content_type, Content::Whole(Some(body.into())))
}

pub(super) fn json(value: &Value) -> Reply {
    of("application/json", value.to_string())
}

/// Plain text with a status: what is wrong, for people.
pub(super) fn text(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    let mut reply = of("text/plain; charset=utf-8", text);
    *reply.status_mut() = status;
    reply
}

/// Server-Sent Events.
pub(super) fn events(pieces: mpsc::Receiver<Bytes>) -> Reply {
    with("text/event-stream", Content::Stream(pieces))
}

fn with(content_type: &'static str, content: Content) -> Reply {
    let mut reply = Response::new(content);
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    reply
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take()),
            Self::Stream(pieces) => pieces.poll_recv(context),
        };
        bytes.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}
