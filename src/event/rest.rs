//! API Gateway REST APIs (payload v1).

use crate::config::RequestConfig;
use crate::event::fields::Fields;
use crate::event::headers::Headers;
use crate::event::objects::Objects;
use crate::event::parts::Parts;
use crate::event::path::{self, Form, Split};
use crate::event::query::{self, Values};

pub(super) fn parts<'e>(objects: &Objects<'e>, config: &RequestConfig) -> Parts<'e> {
    let path = objects.event.text("path").unwrap_or_default();
    let stage = stage(&path, &objects.context);
    let mount = base_path(&path, objects);
    v1_parts(objects, path::split(&path, Form::Encoded, &stage, mount, config))
}

/// Reads payload v1. HTTP API payload 1.0 differs only in its path. The query comes decoded, as two maps.
pub(super) fn v1_parts<'e>(objects: &Objects<'e>, path: Split) -> Parts<'e> {
    let Objects { event, context, identity } = objects;
    let query = query::from_maps(
        event.object("queryStringParameters"),
        event.object("multiValueQueryStringParameters"),
        Values::Decoded,
    );
    Parts {
        method: event.string("httpMethod"),
        protocol: context.string("protocol"),
        path,
        query: query.into(),
        headers: Headers::read(event.object("headers"), event.object("multiValueHeaders")),
        peer: identity.string("sourceIp"),
    }
}

/// The part of `requestContext.path` before `path`: the stage, on execute-api domains.
fn stage(path: &[u8], context: &Fields<'_>) -> Vec<u8> {
    let Some(full) = context.text("path") else { return Vec::new() };
    let stage = match full.strip_suffix(path) {
        Some(stage) => stage,
        // The API's root: `path` is `/`, and the full path may be the stage without a slash after it.
        None if path == b"/" && context.text("stage").is_some_and(|stage| full.strip_prefix(b"/") == Some(&*stage)) => {
            &full
        }
        None => b"",
    };
    if is_mount(stage) { stage.to_vec() } else { Vec::new() }
}

/// The base path of a custom domain. `path` begins with it, and no member of the event names it. It is derived from the
/// matched resource: `path` ends in the resource template with its parameters filled in, and the rest is the mount
/// point. If the two do not fit exactly, nothing is derived.
fn base_path<'p>(path: &'p [u8], objects: &Objects<'_>) -> &'p [u8] {
    let Objects { event, context, .. } = objects;
    let Some(resource) = event.string("resource") else { return b"" };
    let is_root = resource == "/" && context.text("resourcePath").as_deref() == Some(b"/");
    if is_root && is_custom_domain(context) && is_mount(path) {
        return path; // the mount point itself, without a slash at its end
    }
    let mount = expand(&resource, &event.object("pathParameters"))
        .and_then(|expanded| path.strip_suffix(expanded.as_slice()))
        .unwrap_or_default();
    if is_mount(mount) { mount } else { b"" }
}

/// Fills in a resource template such as `/users/{id}/{proxy+}`. Parameters stay percent-encoded: REST APIs deliver both
/// them and the path in that form.
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

/// Whether the client used a custom domain. Only on the platform's own domains does the path begin with the stage.
pub(super) fn is_custom_domain(context: &Fields<'_>) -> bool {
    context.string("domainName").is_some_and(|domain| !domain.contains(".execute-api."))
}
