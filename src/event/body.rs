//! The body. It is not decoded here: the reader decodes it straight into the memory where it stays.

use std::borrow::Cow;

use crate::event::fields::Fields;
use crate::json;
use crate::request::Body;

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
