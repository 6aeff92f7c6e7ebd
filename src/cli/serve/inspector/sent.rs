//! The response as the client got it.

use http::HeaderMap;
use serde_json::{Value, json};

use super::super::journal::Sent;
use super::body::Body;
use super::posted;
use super::secrets::Secrets;

/// How many characters of a body a comparison shows.
const START_SHOWN: usize = 2_000;

/// `{"status", "reason", "headers", "body", "whole"}`
pub(super) fn form(sent: &Sent, secrets: Secrets) -> Value {
    let reason = sent.head.reason.clone();
    let reason = reason.or_else(|| sent.head.status.canonical_reason().map(str::to_owned));
    json!({
        "status": sent.head.status.as_u16(),
        "reason": reason,
        "headers": posted::fields(&sent.head.headers, secrets),
        "body": body(&sent.head.headers, &sent.body, sent.bytes, secrets),
        "whole": sent.whole,
    })
}

/// The form of a body with its headers.
pub(super) fn body(headers: &HeaderMap, kept: &bytes::Bytes, total: u64, secrets: Secrets) -> Value {
    let content_type = posted::header_text(headers, "content-type");
    let encoding = posted::header_text(headers, "content-encoding");
    Body { content_type: &content_type, encoding: &encoding, kept, total }.form(secrets)
}

/// The beginning of the body, as one text.
pub(super) fn start_of_body(sent: &Sent, secrets: Secrets) -> String {
    let form = body(&sent.head.headers, &sent.body, sent.bytes, secrets);
    let text = form["text"].as_str().unwrap_or_default();
    let start: String = text.chars().take(START_SHOWN).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}

/// All values of a header, in order.
pub(super) fn values(sent: &Sent, name: &str) -> Vec<String> {
    let values = sent.head.headers.get_all(name).iter();
    values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}
