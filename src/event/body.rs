//! The body. It is not decoded here: the reader decodes it straight into the memory where it stays.

use std::borrow::Cow;

use crate::event::fields::Fields;
use crate::json;
use crate::request::{Body, FrontEnd, Origin, Request};

pub(super) fn read<'e>(event: &Fields<'e>) -> Body<'e> {
    let Some(raw) = event.get("body") else { return Body::Empty };
    let Some(inside) = raw.literal() else {
        // AWS sends a string, so this event is written by hand. Its JSON itself is the body.
        return Body::Plain(Cow::Borrowed(raw.text().as_bytes()));
    };
    if inside.is_empty() {
        Body::Empty
    } else if event.is_true("isBase64Encoded") || event.is_true("is_base64_encoded") {
        Body::Base64(if raw.is_escaped() { json::unescape(inside) } else { Cow::Borrowed(inside.as_bytes()) })
    } else if raw.is_escaped() {
        Body::JsonText(inside)
    } else {
        Body::Plain(Cow::Borrowed(inside.as_bytes()))
    }
}

/// Whether a REST API without binaryMediaTypes has decoded an upload as text. The lost bytes cannot be restored here.
pub fn has_lost_bytes(request: &Request<'_>) -> bool {
    let text = match &request.body {
        Body::JsonText(text) => text.as_bytes(),
        Body::Plain(text) => text,
        _ => return false,
    };
    let content_type = request.header("content-type").unwrap_or_default();
    let binary = [&b"multipart/"[..], b"application/octet-stream", b"image/"];
    request.origin == Origin::FrontEnd(FrontEnd::Rest)
        && binary.iter().any(|prefix| content_type.starts_with(prefix))
        && memchr::memmem::find(text, "\u{FFFD}".as_bytes()).is_some()
}
