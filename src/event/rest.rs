//! API Gateway REST APIs (payload v1).

use crate::config::RequestConfig;
use crate::error::Result;
use crate::event::fields::Fields;
use crate::event::headers::Headers;
use crate::event::path::{self, Form, Split};
use crate::event::query::{self, Values};
use crate::event::{Event, Parts, assemble};
use crate::request::Request;

pub(super) fn decode<'e>(event: &Event<'e>, config: &RequestConfig) -> Result<Request<'e>> {
    let path = event.fields.text("path").unwrap_or_default();
    let stage = stage(&path, &event.context);
    let mount = base_path(&path, event);
    let path = path::split(&path, Form::Encoded, &stage, mount, config);
    assemble(event, config, v1_parts(event, path))
}

/// What HTTP API payload 1.0 shares with REST: everything but the path. The query comes decoded, as two maps.
pub(super) fn v1_parts<'e>(event: &Event<'e>, path: Split) -> Parts<'e> {
    let query = query::from_maps(
        event.fields.object("queryStringParameters"),
        event.fields.object("multiValueQueryStringParameters"),
        Values::Decoded,
    );
    Parts {
        method: event.fields.string("httpMethod"),
        protocol: event.context.string("protocol"),
        path,
        query: query.into(),
        headers: Headers::read(event.fields.object("headers"), event.fields.object("multiValueHeaders")),
        peer: event.identity.string("sourceIp"),
    }
}

/// What `requestContext.path` has before `path`: the stage, on execute-api domains.
fn stage(path: &[u8], context: &Fields<'_>) -> Vec<u8> {
    let Some(full) = context.text("path") else { return Vec::new() };
    let stage = match full.strip_suffix(path) {
        Some(stage) => stage,
        // The API's root: `path` is `/`, and the full path may be the bare stage.
        None if path == b"/" && context.text("stage").is_some_and(|stage| full.strip_prefix(b"/") == Some(&*stage)) => {
            &full
        }
        None => b"",
    };
    if is_mount(stage) { stage.to_vec() } else { Vec::new() }
}

/// The base path of a custom domain, which `path` contains and no member names. The matched resource tells it: `path`
/// ends in the resource template with its parameters filled in, and the rest is the mount point. When the two do not
/// fit exactly nothing is derived.
fn base_path<'p>(path: &'p [u8], event: &Event<'_>) -> &'p [u8] {
    let Some(resource) = event.fields.string("resource") else { return b"" };
    let is_root = resource == "/" && event.context.text("resourcePath").as_deref() == Some(b"/");
    if is_root && is_custom_domain(&event.context) && is_mount(path) {
        return path; // the mount point itself, without a slash at its end
    }
    let mount = expand(&resource, &event.fields.object("pathParameters"))
        .and_then(|expanded| path.strip_suffix(expanded.as_slice()))
        .unwrap_or_default();
    if is_mount(mount) { mount } else { b"" }
}

/// Fills in a resource template such as `/users/{id}/{proxy+}`. Parameters are compared in their encoded form, which
/// is how REST APIs deliver both them and the path.
fn expand(resource: &str, parameters: &Fields<'_>) -> Option<Vec<u8>> {
    let mut expanded = Vec::new();
    for segment in resource.strip_prefix('/')?.split('/') {
        expanded.push(b'/');
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => expanded.extend_from_slice(&parameters.text(name.strip_suffix('+').unwrap_or(name))?),
            None => expanded.extend_from_slice(segment.as_bytes()),
        }
    }
    Some(expanded)
}

fn is_mount(prefix: &[u8]) -> bool {
    prefix.starts_with(b"/") && !prefix.ends_with(b"/")
}

/// Whether the client used a domain of the user's own; the platform's have the stage in front.
pub(super) fn is_custom_domain(context: &Fields<'_>) -> bool {
    context.string("domainName").is_some_and(|domain| !domain.contains(".execute-api."))
}
