//! Finds out which front end made an event, from the keys that are there. The most specific ones are looked for first.

use crate::config::EVENT_HANDLER;
use crate::error::{Error, Result};
use crate::event::fields::Fields;
use crate::event::{incomplete, source};
use crate::json::{Value, ValueKind};
use crate::request::FrontEnd;

const SUPPORTED: &str = "API Gateway REST and HTTP APIs (payload 1.0 and 2.0), Lambda Function URLs, \
                         Application Load Balancers and VPC Lattice (V1 and V2)";

/// The front end that made the event. `context` is its `requestContext`.
///
/// # Errors
/// `UnsupportedEvent` if it is not an HTTP request.
pub(super) fn front_end(event: &Fields<'_>, context: &Fields<'_>) -> Result<FrontEnd> {
    if let Some(seen) = looks_like_http_but_is_not(event, context) {
        return Err(unsupported(seen));
    }
    let version = event.text("version");
    let version = version.as_deref().unwrap_or_default();
    if context.get("elb").is_some() {
        let multi = event.get("multiValueHeaders").is_some();
        return Ok(if multi { FrontEnd::AlbMulti } else { FrontEnd::Alb });
    }
    if !context.object("http").is_empty() {
        return Ok(if is_function_url(context) { FrontEnd::FunctionUrl } else { FrontEnd::HttpApiV2 });
    }
    let lattice_context = context.get("serviceArn").is_some() || context.get("targetGroupArn").is_some();
    if event.get("method").is_some() && (lattice_context || version == b"2.0" && event.get("path").is_some()) {
        return Ok(FrontEnd::LatticeV2);
    }
    if event.get("httpMethod").is_some() && version == b"1.0" {
        return Ok(FrontEnd::HttpApiV1);
    }
    // Events written by hand may have `null` there.
    let has_context = event.get("requestContext").map_or_else(|| event.has("requestContext"), is_object);
    if event.get("httpMethod").is_some() && event.get("path").is_some() && has_context {
        return Ok(FrontEnd::Rest);
    }
    if event.get("raw_path").is_some() && event.get("method").is_some() {
        return Ok(FrontEnd::LatticeV1);
    }
    Err(unsupported(&name_of(event)))
}

fn is_object(value: Value<'_>) -> bool {
    value.kind() == ValueKind::Object
}

/// Whether a payload 2.0 comes from a Function URL and not from an HTTP API. Its domain says so, and so does the
/// account of a request without authentication. The events of `cargo lambda watch` have neither, but they lack the id
/// that every API has.
fn is_function_url(context: &Fields<'_>) -> bool {
    let domain = context.string("domainName").unwrap_or_default();
    domain.contains(".lambda-url.")
        || context.text("accountId").as_deref() == Some(b"anonymous")
        || domain == "localhost" && context.string("apiId").is_none()
}

/// Names an event that has an HTTP method or path, but must not reach an application.
fn looks_like_http_but_is_not(event: &Fields<'_>, context: &Fields<'_>) -> Option<&'static str> {
    if source::is_authorizer(event) {
        Some("an API Gateway authorizer request")
    } else if source::is_websocket(context) {
        Some("an API Gateway WebSocket event")
    } else {
        None
    }
}

/// Describes an event that is not HTTP, for the error: its kind if it is known, else the names of its members. Never
/// their values.
fn name_of(event: &Fields<'_>) -> String {
    const KNOWN: [(&str, &str); 6] = [
        ("detail-type", "an EventBridge event"),
        ("apiPath", "an Amazon Bedrock agent event"),
        ("arguments", "an AppSync resolver event"),
        ("triggerSource", "a Cognito trigger"),
        ("invokingEvent", "an AWS Config event"),
        ("awslogs", "a CloudWatch Logs event"),
    ];
    if let Some(records) = event.get("Records") {
        let record = records.items().next().map(Fields::of).unwrap_or_default();
        if record.has("cf") {
            return "a CloudFront Lambda@Edge event".to_owned();
        }
        let source = record.string("eventSource").or_else(|| record.string("EventSource"));
        let source: String = source.as_deref().unwrap_or("an unknown source").chars().take(80).collect();
        return format!("an event with records of {source}");
    }
    if let Some((_, name)) = KNOWN.iter().find(|(key, _)| event.has(key)) {
        return (*name).to_owned();
    }
    if let Some(nearly) = incomplete::seen(event) {
        return nearly;
    }
    let names: Vec<String> = event.names().take(12).map(|name| name.chars().take(40).collect()).collect();
    if names.is_empty() { "an empty object".to_owned() } else { format!("an event with {}", names.join(", ")) }
}

fn unsupported(seen: &str) -> Error {
    Error::unsupported_event(format!(
        "this is {seen}, and a WSGI application serves HTTP requests only: {SUPPORTED}. {} names functions for other events",
        EVENT_HANDLER.name
    ))
}

/// The message for bytes that are not JSON.
pub(super) fn not_json(error: &serde_json::Error) -> String {
    format!("the event is not valid JSON ({error}); a WSGI application serves HTTP requests only: {SUPPORTED}")
}

/// The error for an event that is JSON, but not an object.
pub(super) fn not_an_object(value: Value<'_>) -> Error {
    unsupported(match value.kind() {
        ValueKind::Array => "a JSON array",
        ValueKind::String => "a JSON string",
        ValueKind::True | ValueKind::False => "a JSON boolean",
        ValueKind::Null => "null",
        ValueKind::Number | ValueKind::Object => "a JSON number",
    })
}
