//! Direct invocations, as Lambda's own API takes them (docs, "Invoke"): for `aws lambda invoke --endpoint-url`, for
//! `wsgi-lambda manage`, and for events that are not HTTP requests.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::json;

use super::super::gate::Gate;
use super::reply::{self, Reply};
use crate::emulator::Outcome;

/// The largest event of a synchronous invocation in bytes (docs, "Lambda quotas").
const MOST: usize = 6 * 1024 * 1024;

const INVOCATION_TYPE: &str = "x-amz-invocation-type";
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Whether the path is that of Invoke, of whatever function.
pub(super) fn is_path(path: &[&str]) -> bool {
    matches!(path, ["2015-03-31", "functions", _, "invocations"])
}

/// Whether a client of AWS has signed the request. The signature is not checked: what counts is that no other web page can
/// send this header here, since the browser would ask first.
pub(super) fn is_signed(parts: &Parts) -> bool {
    let signature = parts.headers.get(header::AUTHORIZATION);
    signature.is_some_and(|value| value.as_bytes().starts_with(b"AWS4-"))
}

/// Invokes the function with the body as the event.
pub(super) async fn serve(gate: &Arc<Gate>, parts: &Parts, body: Incoming) -> Reply {
    let event = match Limited::new(body, MOST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let why = format!("the event is larger than {MOST} bytes");
            return failure(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", &why);
        }
        Err(_) => return failure(StatusCode::BAD_REQUEST, "InvalidRequestContentException", "the body was cut"),
    };
    let event = if event.is_empty() { Bytes::from_static(b"{}") } else { event };
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&event) {
        let why = format!("could not parse the event as JSON: {error}");
        return failure(StatusCode::BAD_REQUEST, "InvalidRequestContentException", &why);
    }
    match parts.headers.get(INVOCATION_TYPE).map_or(&b""[..], HeaderValue::as_bytes) {
        b"" | b"RequestResponse" => answer(gate.invoke(event).await),
        b"Event" => {
            let gate = Arc::clone(gate);
            tokio::spawn(async move { gate.invoke(event).await });
            empty(StatusCode::ACCEPTED)
        }
        b"DryRun" => empty(StatusCode::NO_CONTENT),
        _ => failure(StatusCode::BAD_REQUEST, "InvalidParameterValueException", "there is no such invocation type"),
    }
}

fn answer(outcome: Option<Outcome>) -> Reply {
    let Some(outcome) = outcome else {
        let why = "no sandbox was free; --concurrency sets how many there may be";
        return failure(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", why);
    };
    let mut reply = reply::of("application/json", outcome.payload());
    reply.headers_mut().insert(EXECUTED_VERSION, HeaderValue::from_static("$LATEST"));
    if outcome.is_failure() {
        reply.headers_mut().insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
    }
    reply
}

fn empty(status: StatusCode) -> Reply {
    let mut reply = reply::of("application/json", Bytes::new());
    *reply.status_mut() = status;
    reply
}

fn failure(status: StatusCode, kind: &'static str, why: &str) -> Reply {
    let mut reply = reply::json(&json!({ "Type": "User", "Message": why }));
    *reply.status_mut() = status;
    reply.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(kind));
    reply
}
