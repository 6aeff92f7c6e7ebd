//! The Runtime API's replies: status codes and bodies as the platform sends them.
//!
//! Source: the code of the Runtime Interface Emulator, `internal/lambda/rapi/rendering`.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use super::api_call::MAX_PAYLOAD_BYTES;

pub(super) type Reply = Response<Full<Bytes>>;

/// A reply with a JSON body.
pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

/// 202: the call was accepted.
pub(super) fn accepted() -> Reply {
    json(StatusCode::ACCEPTED, "{\"status\":\"OK\"}\n")
}

/// 400: no invocation with this id is waiting for a response.
pub(super) fn invalid_request_id() -> Reply {
    error(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
}

/// 400: `Lambda-Runtime-Function-Response-Mode` has a value other than `streaming`.
pub(super) fn invalid_response_mode() -> Reply {
    error(StatusCode::BAD_REQUEST, "InvalidFunctionResponseMode", "Invalid function response mode")
}

/// 400: the body ended before its length.
pub(super) fn truncated_request() -> Reply {
    error(StatusCode::BAD_REQUEST, "TruncatedHTTPRequest", "HTTP request detected as truncated")
}

/// 403: the call is not allowed in this state.
pub(super) fn invalid_state(call: &str) -> Reply {
    let message = format!("State transition is not allowed: {call}");
    error(StatusCode::FORBIDDEN, "InvalidStateTransition", &message)
}

/// 404, in the words of Go's router.
pub(super) fn not_found() -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from_static(b"404 page not found\n")));
    *reply.status_mut() = StatusCode::NOT_FOUND;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    reply
}

/// 410: the response is for an attempt that is over.
pub(super) fn gone() -> Reply {
    error(StatusCode::GONE, "InvocationGone", "The invocation is over")
}

/// 413: the response is too large. The platform has already sent an error to the caller.
pub(super) fn too_large() -> Reply {
    error(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &too_large_message())
}

pub(super) fn too_large_message() -> String {
    format!("Exceeded maximum allowed payload size ({MAX_PAYLOAD_BYTES} bytes).")
}

/// 500: more idle polls than the function has workers (Managed Instances).
pub(super) fn too_many_polls() -> Reply {
    error(StatusCode::INTERNAL_SERVER_ERROR, "TooManyIdleRuntimes", "Too many idle runtimes")
}

/// The reply of an arranged fault.
pub(super) fn fault(status: StatusCode) -> Reply {
    match status {
        StatusCode::ACCEPTED => accepted(),
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        StatusCode::GONE => gone(),
        StatusCode::FORBIDDEN => invalid_state("arranged"),
        _ => error(status, "InternalServerError", "Internal Server Error"),
    }
}

fn error(status: StatusCode, kind: &str, message: &str) -> Reply {
    let body = serde_json::json!({ "errorMessage": message, "errorType": kind });
    json(status, format!("{body}\n"))
}
