//! HTTP APIs, payload format 1.0: the form of REST APIs, the path of HTTP APIs.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::payload1::{self, Maps};
use super::route::Route;
use super::{methods, write};
use crate::gateway::fields::{Fields, protocol};
use crate::gateway::identity::{self, extended_request_id};
use crate::gateway::url::{Url, decode};
use crate::gateway::values::{ClientRequest, Fault, Settings};
use crate::gateway::{body, clock, query};

/// An event in AWS's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'e> {
    version: &'static str,
    resource: &'static str,
    path: &'e str,
    http_method: &'e str,
    #[serde(flatten)]
    maps: Maps<'e>,
    request_context: Context<'e>,
    path_parameters: Option<Value>,
    stage_variables: Value,
    body: Option<&'e str>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'e> {
    account_id: &'static str,
    api_id: &'e str,
    domain_name: &'e str,
    domain_prefix: &'e str,
    extended_request_id: &'e str,
    http_method: &'e str,
    identity: Identity,
    path: &'e str,
    protocol: &'static str,
    request_id: &'e str,
    request_time: String,
    request_time_epoch: u64,
    resource_id: &'static str,
    resource_path: &'static str,
    stage: &'e str,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    access_key: Value,
    account_id: Value,
    caller: Value,
    cognito_authentication_provider: Value,
    cognito_authentication_type: Value,
    cognito_identity_id: Value,
    cognito_identity_pool_id: Value,
    principal_org_id: Value,
    source_ip: String,
    user: Value,
    user_agent: Option<String>,
    user_arn: Value,
}

pub(super) fn event(request: &ClientRequest, settings: &Settings, url: &Url<'_>) -> Result<Bytes, Fault> {
    if !methods::is_known(&request.method) {
        return Err(Fault::MethodNotAllowed);
    }
    let mounted = url.mounted(settings)?;
    let whole = decode(url.path);
    // The client's path has the stage on the service's own domain. A custom domain's base path stays, and replaces it
    // (API Gateway guide, "Create AWS Lambda proxy integrations for HTTP APIs").
    let path = if settings.has_named_stage() && mounted.length == 0 {
        format!("/{}{whole}", settings.stage)
    } else {
        whole.into_owned()
    };
    let rest = decode(mounted.rest);
    let route = Route::of(&rest);
    let fields = Fields::of(request, url).forwarded(request, url).traced(request).measured(request, true);
    let user_agent = fields.joined("user-agent", ",");
    let fields = fields.renamed(|name| payload1::name(name, request.version));
    let parameters = query::decoded(url.query);
    let body = body::body(request, body::is_text(request));
    let id = extended_request_id(request);
    Ok(write::json(&Event {
        version: "1.0",
        resource: route.resource(),
        path: &path,
        http_method: request.method.as_str(),
        maps: Maps::of(&fields, &parameters),
        request_context: Context {
            account_id: identity::ACCOUNT,
            api_id: url.api_id(identity::API),
            domain_name: &url.domain,
            domain_prefix: url.domain_prefix(),
            extended_request_id: &id,
            http_method: request.method.as_str(),
            identity: Identity {
                source_ip: request.peer.ip().to_canonical().to_string(),
                user_agent,
                ..Identity::default()
            },
            path: &path,
            protocol: protocol(request.version),
            request_id: &id,
            request_time: clock::common_log(request.received),
            request_time_epoch: clock::millis(request.received),
            resource_id: route.key(),
            resource_path: route.resource(),
            stage: if settings.has_named_stage() { &settings.stage } else { "$default" },
        },
        path_parameters: route.parameters(),
        stage_variables: Value::Null,
        body: Some(&*body.text).filter(|body| !body.is_empty()),
        is_base64_encoded: body.is_base64,
    }))
}
