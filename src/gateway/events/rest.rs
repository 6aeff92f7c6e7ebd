//! REST APIs: regional, with a custom domain, and as the console's "Test" button calls them.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::payload1::{self, Maps};
use super::route::Route;
use super::{methods, write};
use crate::gateway::body::{self, Body, media_type};
use crate::gateway::fields::{Fields, protocol};
use crate::gateway::identity::{self, extended_request_id};
use crate::gateway::media;
use crate::gateway::url::Url;
use crate::gateway::values::{ClientRequest, Fault, Settings};
use crate::gateway::{clock, query};

/// An event in AWS's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'e> {
    resource: &'static str,
    path: &'e str,
    http_method: &'e str,
    #[serde(flatten)]
    maps: Maps<'e>,
    path_parameters: Option<Value>,
    stage_variables: Value,
    request_context: Context<'e>,
    body: Option<&'e str>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'e> {
    resource_id: &'static str,
    resource_path: &'static str,
    http_method: &'e str,
    extended_request_id: String,
    request_time: String,
    path: &'e str,
    account_id: &'static str,
    protocol: &'static str,
    stage: &'e str,
    domain_prefix: &'e str,
    request_time_epoch: u64,
    request_id: &'e str,
    identity: Identity,
    domain_name: &'e str,
    deployment_id: &'static str,
    api_id: &'e str,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    cognito_identity_pool_id: Value,
    account_id: Option<&'static str>,
    cognito_identity_id: Value,
    caller: Option<&'static str>,
    source_ip: String,
    principal_org_id: Value,
    access_key: Option<&'static str>,
    cognito_authentication_type: Value,
    cognito_authentication_provider: Value,
    user_arn: Option<&'static str>,
    user_agent: Option<String>,
    user: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key_id: Option<&'static str>,
}

pub(super) fn event(request: &ClientRequest, settings: &Settings, url: &Url<'_>) -> Result<Bytes, Fault> {
    if !methods::is_known(&request.method) {
        return Err(Fault::MethodNotAllowed);
    }
    if settings.test_invoke {
        return test_invoke(request, settings, url);
    }
    let mounted = url.mounted(settings)?;
    // The stage of the service's own domain is not in `path`, a custom domain's base path is.
    let path = match mounted.rest {
        _ if !url.is_own_domain() => url.path,
        "" => "/",
        rest => rest,
    };
    let mut fields = Fields::of(request, url).forwarded(request, url).traced(request);
    fields.take("content-length"); // REST APIs do not pass it on
    let user_agent = fields.joined("user-agent", ",");
    let identity =
        Identity { source_ip: request.peer.ip().to_canonical().to_string(), user_agent, ..Identity::default() };
    let place = Place {
        route: Route::of_rest_api(mounted.rest),
        path,
        whole_path: url.path,
        stage: if settings.stage.is_empty() { "prod" } else { &settings.stage },
        domain: &url.domain,
        domain_prefix: url.domain_prefix(),
        api_id: url.api_id(identity::API),
    };
    write(request, settings, url, fields, identity, &place)
}

/// The console calls the resource itself: there is no domain, no stage, and no header but those that one types in. Those
/// that every client adds are not among them.
fn test_invoke(request: &ClientRequest, settings: &Settings, url: &Url<'_>) -> Result<Bytes, Fault> {
    let mut fields = Fields::of(request, url);
    for name in ["accept", "accept-encoding", "content-length", "host", "user-agent"] {
        fields.take(name);
    }
    let identity = Identity {
        account_id: Some(identity::ACCOUNT),
        caller: Some("AROAIDPPEZS35WEXAMPLE:ada"),
        source_ip: "test-invoke-source-ip".to_owned(),
        access_key: Some("ASIAIOSFODNN7EXAMPLE"),
        user_arn: Some("arn:aws:sts::123456789012:assumed-role/Developer/ada"),
        user_agent: Some(CONSOLE.to_owned()),
        user: Some("AROAIDPPEZS35WEXAMPLE:ada"),
        api_key: Some("test-invoke-api-key"),
        api_key_id: Some("test-invoke-api-key-id"),
        ..Identity::default()
    };
    let place = Place {
        route: Route::of_rest_api(url.path),
        path: url.path,
        whole_path: url.path,
        stage: "test-invoke-stage",
        domain: "testPrefix.testDomainName",
        domain_prefix: "testPrefix",
        api_id: identity::API,
    };
    write(request, settings, url, fields, identity, &place)
}

/// The console's `User-Agent`.
const CONSOLE: &str = "aws-internal/3 aws-sdk-java/1.12.788 Linux/5.10.245 OpenJDK_64-Bit_Server_VM/17.0.16+9 \
                       java/17.0.16 vendor/N/A cfg/retry-mode/standard";

/// Where in the API a request arrived.
struct Place<'e> {
    route: Route<'e>,
    path: &'e str,
    whole_path: &'e str,
    stage: &'e str,
    domain: &'e str,
    domain_prefix: &'e str,
    api_id: &'e str,
}

fn write(
    request: &ClientRequest,
    settings: &Settings,
    url: &Url<'_>,
    fields: Fields<'_>,
    identity: Identity,
    place: &Place<'_>,
) -> Result<Bytes, Fault> {
    let fields = fields.renamed(|name| payload1::name(name, request.version));
    let parameters = query::of_rest_api(url.query)?;
    let body = body(request, settings);
    Ok(write::json(&Event {
        resource: place.route.resource(),
        path: place.path,
        http_method: request.method.as_str(),
        maps: Maps::of(&fields, &parameters),
        path_parameters: place.route.parameters(),
        stage_variables: Value::Null,
        request_context: Context {
            resource_id: identity::RESOURCE,
            resource_path: place.route.resource(),
            http_method: request.method.as_str(),
            extended_request_id: extended_request_id(request),
            request_time: clock::common_log(request.received),
            path: place.whole_path,
            account_id: identity::ACCOUNT,
            protocol: protocol(request.version),
            stage: place.stage,
            domain_prefix: place.domain_prefix,
            request_time_epoch: clock::millis(request.received),
            request_id: &request.request_id,
            identity,
            domain_name: place.domain,
            deployment_id: identity::DEPLOYMENT,
            api_id: place.api_id,
        },
        body: Some(&*body.text).filter(|body| !body.is_empty()),
        is_base64_encoded: body.is_base64,
    }))
}

/// Base64 if the content type is one of the API's `binaryMediaTypes`; without a content type it is JSON (API Gateway
/// guide, "Content type conversions in API Gateway").
fn body<'r>(request: &'r ClientRequest, settings: &Settings) -> Body<'r> {
    let media_type = media_type(request);
    let media_type = if media_type.is_empty() { "application/json" } else { &media_type };
    body::body(request, !media::is_binary(media_type, &settings.binary_media_types))
}
