//! The front end of an event, and what holds for every response to it.

use serde_json::Value;
use wsgi_lambda::emulator::MAX_PAYLOAD_BYTES;

use crate::matcher::short;

/// The largest response for a load balancer.
pub(crate) const ALB_LIMIT: usize = 1 << 20;

/// The front end of an event, by the order of tests in the event reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrontEnd {
    Rest,
    HttpV1,
    HttpV2,
    FunctionUrl,
    AlbSingle,
    AlbMulti,
    LatticeV1,
    LatticeV2,
}

impl FrontEnd {
    pub(crate) fn of(event: &Value) -> Option<Self> {
        let context = &event["requestContext"];
        if event.get("methodArn").or(event.get("routeArn")).is_some() || context.get("connectionId").is_some() {
            return None;
        }
        if context.get("elb").is_some() {
            return Some(if event["multiValueHeaders"].is_null() { Self::AlbSingle } else { Self::AlbMulti });
        }
        if context["http"].is_object() {
            let is_url = context["domainName"].as_str().is_some_and(|name| name.contains(".lambda-url."));
            return Some(if is_url { Self::FunctionUrl } else { Self::HttpV2 });
        }
        match event {
            _ if event.get("httpMethod").is_some() && event["version"] == "1.0" => Some(Self::HttpV1),
            _ if event.get("httpMethod").is_some() && context.is_object() => Some(Self::Rest),
            _ if event.get("raw_path").is_some() => Some(Self::LatticeV1),
            _ if event.get("method").is_some() && context.is_object() => Some(Self::LatticeV2),
            _ => None,
        }
    }

    /// The keys its envelope may have.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Rest | Self::HttpV1 => &["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"],
            Self::HttpV2 | Self::FunctionUrl => &["statusCode", "headers", "cookies", "body", "isBase64Encoded"],
            Self::AlbSingle | Self::LatticeV1 | Self::LatticeV2 => {
                &["statusCode", "statusDescription", "headers", "body", "isBase64Encoded"]
            }
            Self::AlbMulti => &["statusCode", "statusDescription", "multiValueHeaders", "body", "isBase64Encoded"],
        }
    }

    /// The keys it must have.
    fn required(self) -> &'static [&'static str] {
        match self {
            Self::AlbSingle => &["statusCode", "statusDescription", "headers", "body", "isBase64Encoded"],
            Self::AlbMulti => self.keys(),
            _ => &["statusCode", "body", "isBase64Encoded"],
        }
    }

    fn limit(self) -> usize {
        if matches!(self, Self::AlbSingle | Self::AlbMulti) { ALB_LIMIT } else { MAX_PAYLOAD_BYTES }
    }
}

/// What is wrong with an envelope for any case of its front end.
pub(crate) fn envelope_problems(front_end: FrontEnd, payload: &[u8], envelope: &Value) -> Vec<String> {
    let Some(map) = envelope.as_object() else { return vec![format!("not an envelope: {}", short(envelope))] };
    let mut problems: Vec<String> = Vec::new();
    problems.extend(map.keys().filter(|key| !front_end.keys().contains(&key.as_str())).map(|key| format!("key {key}")));
    problems
        .extend(front_end.required().iter().filter(|key| !map.contains_key(**key)).map(|key| format!("no key {key}")));
    if !map.get("statusCode").is_some_and(Value::is_u64) {
        problems.push(format!("statusCode is {}", envelope["statusCode"]));
    }
    if !map.get("body").is_some_and(Value::is_string) {
        problems.push(format!("body is {}", short(&envelope["body"])));
    }
    if !map.get("isBase64Encoded").is_some_and(Value::is_boolean) {
        problems.push(format!("isBase64Encoded is {}", envelope["isBase64Encoded"]));
    }
    if let Some(description) = map.get("statusDescription") {
        let code = envelope["statusCode"].to_string();
        if !description.as_str().is_some_and(|text| text.starts_with(&format!("{code} "))) {
            problems.push(format!("statusDescription is {description}"));
        }
    }
    problems.extend(map.get("headers").filter(|headers| !is_map(headers, Value::is_string)).map(|_| "headers".into()));
    let lists = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    problems.extend(map.get("multiValueHeaders").filter(|map| !is_map(map, lists)).map(|_| "multiValueHeaders".into()));
    problems.extend(map.get("cookies").filter(|cookies| !lists(cookies)).map(|_| "cookies".into()));
    if payload.len() > front_end.limit() {
        problems.push(format!("{} bytes posted", payload.len()));
    }
    problems
}

fn is_map(value: &Value, each: impl Fn(&Value) -> bool) -> bool {
    value.as_object().is_some_and(|map| map.values().all(each))
}
