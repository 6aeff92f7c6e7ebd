//! Payload 2.0, which Function URLs and HTTP APIs have in common.
//!
//! `aws_lambda_events` has `LambdaFunctionUrlRequest` and `ApiGatewayV2httpRequest`. The first lacks `routeKey`, `stage`
//! and `authentication`. Both write the first value of a repeated header only, fail on values that are not ASCII, and
//! write `cookies` and `queryStringParameters` also where AWS leaves them out.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequestContextHttpDescription;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::write;
use crate::gateway::body::Body;
use crate::gateway::clock;
use crate::gateway::fields::{Fields, protocol};
use crate::gateway::pairs::Pairs;
use crate::gateway::query::{self, Parameters};
use crate::gateway::url::Url;
use crate::gateway::values::ClientRequest;

/// An event in AWS's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event<'e> {
    version: &'static str,
    route_key: &'e str,
    raw_path: Cow<'e, str>,
    raw_query_string: &'e str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    headers: Pairs<&'e str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<&'e str, String>,
    request_context: Context<'e>,
    /// `null` and nothing are different here.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage_variables: Option<Value>,
    #[serde(skip_serializing_if = "str::is_empty")]
    body: &'e str,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'e> {
    account_id: &'static str,
    api_id: &'e str,
    authentication: Value,
    domain_name: &'e str,
    domain_prefix: &'e str,
    http: LambdaFunctionUrlRequestContextHttpDescription,
    request_id: &'e str,
    route_key: &'e str,
    stage: &'e str,
    time: String,
    time_epoch: u64,
}

/// What is different from front end to front end.
pub(super) struct Own<'e> {
    pub(super) account_id: &'static str,
    pub(super) api_id: &'e str,
    pub(super) request_id: &'e str,
    pub(super) route_key: &'e str,
    pub(super) stage: &'e str,
    pub(super) raw_path: Cow<'e, str>,
    /// Decoded, also where `raw_path` is not.
    pub(super) path: &'e str,
    pub(super) path_parameters: Option<Value>,
    pub(super) stage_variables: Option<Value>,
    pub(super) cookies: Vec<String>,
}

/// Writes an event.
pub(super) fn event(
    request: &ClientRequest,
    url: &Url<'_>,
    fields: &Fields<'_>,
    body: &Body<'_>,
    own: Own<'_>,
) -> Bytes {
    let parameters: Parameters<'_> = query::decoded(url.query);
    let headers = fields.list().iter().map(|(name, values)| (&**name, values.join(separator(name))));
    let event = Event {
        version: "2.0",
        route_key: own.route_key,
        raw_query_string: url.query,
        cookies: own.cookies,
        headers: Pairs(headers.collect()),
        query_string_parameters: query::joined(&parameters),
        request_context: Context {
            account_id: own.account_id,
            api_id: own.api_id,
            authentication: Value::Null,
            domain_name: &url.domain,
            domain_prefix: url.domain_prefix(),
            http: http(request, fields, own.path),
            request_id: own.request_id,
            route_key: own.route_key,
            stage: own.stage,
            time: clock::common_log(request.received),
            time_epoch: clock::millis(request.received),
        },
        path_parameters: own.path_parameters,
        stage_variables: own.stage_variables,
        body: &body.text,
        is_base64_encoded: body.is_base64,
        raw_path: own.raw_path,
    };
    write::json(&event)
}

fn http(request: &ClientRequest, fields: &Fields<'_>, path: &str) -> LambdaFunctionUrlRequestContextHttpDescription {
    let mut http = LambdaFunctionUrlRequestContextHttpDescription::default();
    http.method = Some(request.method.to_string());
    http.path = Some(path.to_owned());
    http.protocol = Some(protocol(request.version).to_owned());
    http.source_ip = Some(request.peer.ip().to_canonical().to_string());
    http.user_agent = Some(fields.joined("user-agent", ",").unwrap_or_default());
    http
}

/// Cookies must not be joined by commas (RFC 6265 §5.4).
fn separator(name: &str) -> &'static str {
    if name == "cookie" { "; " } else { "," }
}
