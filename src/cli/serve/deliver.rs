//! Gives a reply to hyper, which sends it: at once, or chunk by chunk as the client takes it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Response};
use hyper::body::{Frame, SizeHint};
use hyper::ext::ReasonPhrase;

use super::reply::{Body, Cut, Reply};

/// A body that hyper sends. An error in it cuts the connection.
#[derive(Debug)]
pub(super) struct Delivery(Body);

/// The response for hyper.
pub(super) fn response(reply: Reply) -> Response<Delivery> {
    let Reply { head, body } = reply;
    let mut response = Response::new(Delivery(body));
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    if let Some(reason) = head.reason.and_then(|reason| ReasonPhrase::try_from(reason.into_bytes()).ok()) {
        response.extensions_mut().insert(reason);
    } else if head.status.canonical_reason().is_none() {
        response.extensions_mut().insert(ReasonPhrase::from_static(b"")); // hyper would write `<none>`
    }
    response
}

/// The same, and the connection ends with it.
pub(super) fn last(reply: Reply) -> Response<Delivery> {
    let mut response = response(reply);
    response.headers_mut().insert(http::header::CONNECTION, HeaderValue::from_static("close"));
    response
}

impl hyper::body::Body for Delivery {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.0.poll(context).map(|next| next.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.length() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.length().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
