//! An outcome as JSON: what `--json` prints and what `--expect` compares.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::emulator::{FunctionResponse, Outcome, Stream};

/// What Lambda receives, on one line: the posted bytes unchanged, if they are one line of JSON.
pub(super) fn line(outcome: &Outcome) -> Vec<u8> {
    let payload = outcome.payload();
    let streamed = matches!(outcome, Outcome::Response(FunctionResponse { stream: Some(_), .. }));
    let is_json = serde_json::from_slice::<&RawValue>(&payload).is_ok();
    if !streamed && is_json && !payload.contains(&b'\n') {
        return payload.to_vec();
    }
    value(outcome).to_string().into_bytes()
}

/// What Lambda receives, as JSON. Bytes that are not JSON become a string; a streamed response is split into its parts.
pub(super) fn value(outcome: &Outcome) -> Value {
    if let Outcome::Response(response) = outcome
        && let Some(stream) = &response.stream
    {
        return streamed(response, stream);
    }
    let payload = outcome.payload();
    serde_json::from_slice(&payload).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&payload).into_owned()))
}

/// `{"streamed": {"prelude": …, "body": …, "complete": …}}`. The chunks are left out, because the network may cut the
/// body differently next time.
fn streamed(response: &FunctionResponse, stream: &Stream) -> Value {
    let (prelude, body) = match response.prelude_and_body() {
        Some((prelude, body)) => (serde_json::from_slice(&prelude).unwrap_or_default(), body),
        None => (Value::Null, Bytes::clone(&response.body)),
    };
    let mut parts = json!({ "prelude": prelude });
    match std::str::from_utf8(&body) {
        Ok(text) => parts["body"] = text.into(),
        Err(_) => parts["bodyBase64"] = BASE64.encode(&body).into(),
    }
    parts["complete"] = stream.complete.into();
    if let Some((error_type, payload)) = stream.error() {
        parts["errorType"] = error_type.into();
        parts["error"] = serde_json::from_slice(&payload).unwrap_or_default();
    }
    json!({ "streamed": parts })
}
