//! An invocation as it arrives: the headers of the reply to `GET /runtime/invocation/next`, and the event after them.

use std::borrow::Cow;

use super::reply::Reply;
use crate::descriptor::Socket;
use crate::error::{Error, Result};
use crate::invocation::Invocation;

/// Makes an invocation of a reply.
///
/// # Errors
/// `RuntimeApi` if there is no request id. Any other header may be missing or malformed: it never fails the invocation.
pub(super) fn invocation(reply: Reply) -> Result<Invocation> {
    let mut invocation = Invocation::default();
    for (name, value) in reply.headers() {
        let unless_empty = |value: Cow<'_, str>| Some(value.into_owned()).filter(|value| !value.is_empty());
        match name.to_ascii_lowercase().as_str() {
            "lambda-runtime-aws-request-id" => invocation.request_id = value.into_owned(),
            "lambda-runtime-invocation-id" => invocation.invocation_id = unless_empty(value),
            "lambda-runtime-deadline-ms" => invocation.deadline_ms = value.parse().unwrap_or(0),
            "lambda-runtime-invoked-function-arn" => invocation.invoked_function_arn = value.into_owned(),
            "lambda-runtime-trace-id" => invocation.trace_id = unless_empty(value),
            "lambda-runtime-aws-tenant-id" => invocation.tenant_id = unless_empty(value),
            "lambda-runtime-client-context" => invocation.client_context = unless_empty(value),
            "lambda-runtime-cognito-identity" => invocation.cognito_identity = unless_empty(value),
            _ => {}
        }
    }
    if invocation.request_id.is_empty() {
        let message = "the Runtime API sent an event without the header Lambda-Runtime-Aws-Request-Id";
        return Err(Error::runtime_api(message));
    }
    invocation.event = reply.into_body();
    Ok(invocation)
}

/// Reads an invocation's ids without taking them from the connection. `None` if its request id has not arrived.
pub(super) fn peek(socket: &Socket) -> Option<Invocation> {
    let mut head = vec![0; 16 * 1024];
    let length = socket.get()?.peek(&mut head).ok()?;
    let mut reply = Reply::default();
    reply.feed(&head[..length]).ok()?;
    invocation(reply).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;

    use http::{HeaderMap, HeaderName, HeaderValue};
    use lambda_runtime::Context;

    use super::*;

    const PLATFORM: [(&str, &str); 6] = [
        ("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("Lambda-Runtime-Deadline-Ms", "1542409706888"),
        ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-2:123456789012:function:shop:live"),
        ("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1"),
        ("Lambda-Runtime-Aws-Tenant-Id", "blue"),
        ("Date", "Sun, 22 Nov 2026 00:00:00 GMT"),
    ];

    fn reply(headers: &[(&str, &str)]) -> Reply {
        let mut reply = Reply::default();
        let mut text = String::from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
        for (name, value) in headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        assert!(reply.feed((text + "\r\n{}").as_bytes()).unwrap());
        reply
    }

    #[test]
    fn headers_are_read_as_awss_own_runtime_reads_them() {
        let map: HeaderMap = PLATFORM
            .iter()
            .map(|(name, value)| (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static(value)))
            .collect();
        let theirs = Context::new(PLATFORM[0].1, Arc::default(), &map).unwrap();
        let ours = invocation(reply(&PLATFORM)).unwrap();
        assert_eq!(ours.request_id, theirs.request_id);
        assert_eq!(ours.deadline_ms, theirs.deadline);
        assert_eq!(ours.invoked_function_arn, theirs.invoked_function_arn);
        assert_eq!(ours.trace_id, theirs.xray_trace_id);
        assert_eq!(ours.tenant_id, theirs.tenant_id);
        assert_eq!(ours.event, "{}");
    }

    #[test]
    fn only_a_missing_request_id_fails_an_invocation() {
        let headers = [
            PLATFORM[0],
            ("lambda-runtime-deadline-ms", "soon"),
            ("lambda-runtime-client-context", "{"),
            ("Lambda-Runtime-Trace-Id", ""),
        ];
        let odd = invocation(reply(&headers)).unwrap();
        assert_eq!((odd.deadline_ms, odd.client_context.as_deref(), odd.trace_id), (0, Some("{"), None));
        let error = invocation(reply(&PLATFORM[1..])).unwrap_err();
        assert!(error.message().contains("Lambda-Runtime-Aws-Request-Id"), "{}", error.message());
    }
}
