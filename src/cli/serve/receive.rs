//! Reads a client's request, as a front end does: to its limits, and not for ever.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use super::gate::stamps;
use crate::gateway::{ClientRequest, Fault, Limits};

/// How much of a body that is too large is read and thrown away, so that a client which writes everything before it reads
/// still sees the response.
const DISCARDED: usize = 64 * 1024 * 1024;

/// Why there is no request to answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unread {
    /// The client stopped sending, but stays connected.
    Silent,
    /// The connection ended inside the body, or what came is not HTTP.
    Broken,
}

/// Reads a request. With a fault, it is larger than the limits allow, and its body is left out.
pub(super) async fn read(
    request: Request<Incoming>,
    peer: SocketAddr,
    limits: &Limits,
    idle: Duration,
) -> Result<(ClientRequest, Option<Fault>), Unread> {
    let (mut parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("*", |target| target.as_str()).to_owned();
    // HTTP/2 has no Host, and an absolute target goes before it (RFC 9112 §3.2.2), without a user's name and password.
    if let Some(host) = parts.uri.authority().and_then(|authority| authority.as_str().rsplit('@').next())
        && let Ok(host) = HeaderValue::from_str(host)
    {
        parts.headers.insert(header::HOST, host);
    }
    let mut fault = None;
    let declared = body.size_hint().lower();
    let is_too_large = declared > limits.request_body as u64;
    let expects = parts.headers.contains_key(header::EXPECT);
    let mut bytes = Bytes::new();
    // A client that asks first is told before it sends.
    if expects && is_too_large {
        fault = Some(Fault::RequestTooLarge);
    } else if !body.is_end_stream() {
        match collect(body, limits.request_body, idle).await? {
            Some(collected) => bytes = collected,
            None => fault = Some(Fault::RequestTooLarge),
        }
    }
    let (received, request_id, trace_id) = stamps();
    let request = ClientRequest {
        method: parts.method,
        target,
        version: parts.version,
        headers: parts.headers,
        body: bytes,
        peer,
        received,
        request_id,
        trace_id,
    };
    Ok((request, fault))
}

/// The whole body; `None` if it is larger than `limit`.
async fn collect(mut body: Incoming, limit: usize, idle: Duration) -> Result<Option<Bytes>, Unread> {
    let mut collected = BytesMut::new();
    let mut read = 0;
    while let Some(frame) = tokio::time::timeout(idle, body.frame()).await.map_err(|_| Unread::Silent)? {
        let Ok(bytes) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        read += bytes.len();
        if read <= limit {
            collected.extend_from_slice(&bytes);
        } else if read > DISCARDED {
            break;
        }
    }
    Ok((read <= limit).then(|| collected.freeze()))
}
