//! Application Load Balancers. The query is not decoded. Without multi-value headers the last value of a repeated header
//! or parameter is passed on (docs, "Use Lambda functions as targets of an Application Load Balancer").
//!
//! `aws_lambda_events` has `AlbTargetGroupRequest`. It writes both forms of the maps at once, by whose presence readers
//! tell the two modes apart, and the first value of a repeated header.

use std::borrow::Cow;

use aws_lambda_events::alb::AlbTargetGroupRequestContext;
use bytes::Bytes;
use http::Method;
use serde::Serialize;

use super::write;
use crate::gateway::body;
use crate::gateway::fields::Fields;
use crate::gateway::pairs::Pairs;
use crate::gateway::query;
use crate::gateway::url::Url;
use crate::gateway::values::{ClientRequest, Fault};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'e, M: Serialize> {
    request_context: AlbTargetGroupRequestContext,
    http_method: &'e str,
    path: &'e str,
    #[serde(flatten)]
    maps: M,
    body: &'e str,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Single<'e> {
    query_string_parameters: std::collections::BTreeMap<&'e str, &'e str>,
    headers: Pairs<&'e str, &'e str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Multi<'e> {
    multi_value_query_string_parameters: &'e query::Parameters<'e>,
    multi_value_headers: Pairs<&'e str, &'e [Cow<'e, str>]>,
}

/// An event of a target group without multi-value headers.
pub(super) fn single(request: &ClientRequest, url: &Url<'_>) -> Result<Bytes, Fault> {
    let (fields, parameters) = (fields(request, url)?, query::raw(url.query));
    let last = fields.list().iter().map(|(name, values)| (&**name, values.last().map_or("", |value| &**value)));
    let maps = Single { query_string_parameters: query::last(&parameters), headers: Pairs(last.collect()) };
    Ok(event(request, url, "demo/6d0ecf831eec9f09", maps))
}

/// An event of a target group with multi-value headers.
pub(super) fn multi(request: &ClientRequest, url: &Url<'_>) -> Result<Bytes, Fault> {
    let (fields, parameters) = (fields(request, url)?, query::raw(url.query));
    let all = fields.list().iter().map(|(name, values)| (&**name, &**values));
    let maps = Multi { multi_value_query_string_parameters: &parameters, multi_value_headers: Pairs(all.collect()) };
    Ok(event(request, url, "demo-multi/4efa1ab384b3474d", maps))
}

/// # Errors
/// The method is TRACE (docs, "Troubleshoot your Application Load Balancers", HTTP 405).
fn fields<'r>(request: &'r ClientRequest, url: &Url<'r>) -> Result<Fields<'r>, Fault> {
    if request.method == Method::TRACE {
        return Err(Fault::MethodNotAllowed);
    }
    Ok(Fields::of(request, url).forwarded(request, url).traced(request).measured(request, false))
}

fn event(request: &ClientRequest, url: &Url<'_>, group: &str, maps: impl Serialize) -> Bytes {
    let mut context = AlbTargetGroupRequestContext::default();
    context.elb.target_group_arn =
        Some(format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{group}"));
    let body = body::body(request, body::is_text(request));
    write::json(&Event {
        request_context: context,
        http_method: request.method.as_str(),
        path: url.path,
        maps,
        body: &body.text,
        is_base64_encoded: body.is_base64,
    })
}
