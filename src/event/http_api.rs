//! API Gateway HTTP APIs, payload formats 1.0 and 2.0. Both deliver the path decoded, and with the stage at its
//! beginning unless the stage is `$default`.

use crate::config::RequestConfig;
use crate::event::fields::{Fields, values_of};
use crate::event::headers::Headers;
use crate::event::objects::Objects;
use crate::event::parts::Parts;
use crate::event::path::{self, Form, Split};
use crate::event::query;
use crate::event::rest::{is_custom_domain, v1_parts};

pub(super) fn parts_v1<'e>(objects: &Objects<'e>, config: &RequestConfig) -> Parts<'e> {
    let path = objects.event.text("path").unwrap_or_default();
    v1_parts(objects, split(&path, &objects.context, true, config))
}

pub(super) fn parts_v2<'e>(objects: &Objects<'e>, config: &RequestConfig) -> Parts<'e> {
    let path = objects.event.text("rawPath").unwrap_or_default();
    v2_parts(objects, split(&path, &objects.context, false, config))
}

/// Reads payload 2.0. A Function URL's differs only in its path.
pub(super) fn v2_parts<'e>(objects: &Objects<'e>, path: Split) -> Parts<'e> {
    let Objects { event, context, .. } = objects;
    let http = context.object("http");
    let mut headers = Headers::read(event.object("headers"), Fields::default());
    if let Some(cookies) = event.get("cookies") {
        headers.add_cookies(values_of(cookies));
    }
    Parts {
        method: http.string("method"),
        protocol: http.string("protocol"),
        path,
        query: query::verbatim(event.text("rawQueryString").unwrap_or_default()),
        headers,
        peer: http.string("sourceIp"),
    }
}

/// Takes the stage off the path. The client's URL has the stage on execute-api domains only. On a custom domain it has
/// the key of the API mapping instead, which no member of the event names: the configured base path stands for it.
/// `has_key`: the path has the key as well, as in format 1.0 (API Gateway guide, "Create AWS Lambda proxy integrations for
/// HTTP APIs").
fn split(path: &[u8], context: &Fields<'_>, has_key: bool, config: &RequestConfig) -> Split {
    let stage = context.string("stage").filter(|stage| stage != "$default");
    let stage = stage.map(|stage| [b"/", stage.as_bytes()].concat()).unwrap_or_default();
    if stage.is_empty() && has_key || !path::has_prefix(path, &stage) {
        return path::split(path, Form::Decoded, b"", b"", config);
    }
    let path = &path[stage.len()..];
    let outside: &[u8] = match &config.base_path {
        _ if !is_custom_domain(context) => &stage,
        Some(base) if !path::has_prefix(path, base) => base,
        _ => b"",
    };
    path::split(path, Form::Decoded, outside, b"", config)
}
