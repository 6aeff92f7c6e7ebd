//! What every front end does to a response on its way out.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::names::is_hop_by_hop;
use crate::gateway::values::{ClientRequest, ClientResponse, Head};

/// Whether the client takes a body with this status.
pub(in crate::gateway) fn has_body(method: &Method, status: StatusCode) -> bool {
    method != Method::HEAD && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Ends a whole response: the length is that of the body; a response to HEAD, and a 204 or 304, has no body (RFC 9110
/// §6.4.1). `content_type` is what the front end adds if there is none.
pub(in crate::gateway) fn whole(
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    request: &ClientRequest,
    content_type: Option<&'static str>,
) -> ClientResponse {
    let has_body = has_body(&request.method, status);
    let mut head = head(status, headers, content_type);
    let announced = head.headers.remove(CONTENT_LENGTH);
    let length = if has_body {
        Some(HeaderValue::from(body.len()))
    } else if request.method == Method::HEAD && body.is_empty() {
        // The length that a GET would have. The function's own is the only one that says it.
        announced.filter(is_number)
    } else if request.method == Method::HEAD {
        Some(HeaderValue::from(body.len()))
    } else {
        None
    };
    if let Some(length) = length {
        head.headers.insert(CONTENT_LENGTH, length);
    }
    ClientResponse { head, body: if has_body { body } else { Bytes::new() } }
}

/// The head, without the fields that concern the connection.
pub(in crate::gateway) fn head(status: StatusCode, mut headers: HeaderMap, content_type: Option<&'static str>) -> Head {
    let gone: Vec<_> = headers.keys().filter(|name| is_hop_by_hop(name)).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
    let takes_type = !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if let Some(content_type) = content_type.filter(|_| takes_type && !headers.contains_key(CONTENT_TYPE)) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    Head { status, reason: None, headers }
}

/// Whether a Content-Length is a number.
pub(in crate::gateway) fn is_number(value: &HeaderValue) -> bool {
    !value.is_empty() && value.as_bytes().iter().all(u8::is_ascii_digit)
}
