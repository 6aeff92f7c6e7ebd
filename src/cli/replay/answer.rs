//! An outcome as JSON: what `--json` prints and what `--expect` compares.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::emulator::{HttpAnswer, Outcome, Response, Stream};

/// Whether the invocation failed: no answer, an error, or a streamed answer that broke.
pub(super) fn failed(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Response(Response { stream: Some(stream), .. }) => !stream.complete || stream.error().is_some(),
        Outcome::Response(_) => false,
        Outcome::Error(_) | Outcome::InitError(_) | Outcome::Platform(_) => true,
    }
}

/// The status that the client is told.
pub(super) fn status(outcome: &Outcome) -> Option<u16> {
    match outcome {
        Outcome::Response(response) => HttpAnswer::decode(response).map(|answer| answer.status),
        _ => None,
    }
}

/// What Lambda receives, on one line: the posted bytes as they are, if they are one line of JSON.
pub(super) fn json_line(outcome: &Outcome) -> Vec<u8> {
    let payload = outcome.payload();
    let streamed = matches!(outcome, Outcome::Response(Response { stream: Some(_), .. }));
    let is_json = serde_json::from_slice::<&serde_json::value::RawValue>(&payload).is_ok();
    if !streamed && is_json && !payload.contains(&b'\n') {
        return payload.to_vec();
    }
    value(outcome).to_string().into_bytes()
}

/// What Lambda receives, as JSON. Bytes that are none become a string; a streamed answer is taken apart.
pub(super) fn value(outcome: &Outcome) -> Value {
    if let Outcome::Response(Response { body, stream: Some(stream), .. }) = outcome {
        return streamed(body, stream);
    }
    let payload = outcome.payload();
    serde_json::from_slice(&payload).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&payload).into_owned()))
}

/// `{"streamed": {"prelude": …, "body": …, "complete": …}}`; how the body was cut into chunks is left out,
/// because the network may cut it again.
fn streamed(bytes: &[u8], stream: &Stream) -> Value {
    let (prelude, body) = match memchr::memmem::find(bytes, &[0; 8]) {
        Some(end) => (serde_json::from_slice(&bytes[..end]).unwrap_or_default(), &bytes[end + 8..]),
        None => (Value::Null, bytes),
    };
    let mut parts = json!({ "prelude": prelude });
    match std::str::from_utf8(body) {
        Ok(text) => parts["body"] = text.into(),
        Err(_) => parts["bodyBase64"] = BASE64.encode(body).into(),
    }
    parts["complete"] = stream.complete.into();
    if let Some((kind, payload)) = stream.error() {
        parts["errorType"] = kind.into();
        parts["error"] = serde_json::from_slice(&payload).unwrap_or_default();
    }
    json!({ "streamed": parts })
}
