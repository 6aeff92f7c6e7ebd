//! API Gateway HTTP APIs, payload formats 1.0 and 2.0. Both deliver the path decoded, and with the stage in front
//! unless it is `$default`.

use crate::config::RequestConfig;
use crate::error::Result;
use crate::event::fields::{Fields, values_of};
use crate::event::headers::Headers;
use crate::event::path::{self, Form, Split};
use crate::event::rest::{is_custom_domain, v1_parts};
use crate::event::{Event, Parts, assemble, query};
use crate::request::Request;

pub(super) fn decode_v1<'e>(event: &Event<'e>, config: &RequestConfig) -> Result<Request<'e>> {
    let path = event.fields.text("path").unwrap_or_default();
    let path = split(&path, &event.context, config);
    assemble(event, config, v1_parts(event, path))
}

pub(super) fn decode_v2<'e>(event: &Event<'e>, config: &RequestConfig) -> Result<Request<'e>> {
    let path = event.fields.text("rawPath").unwrap_or_default();
    let path = split(&path, &event.context, config);
    assemble(event, config, v2_parts(event, path))
}

/// What a Function URL shares with payload 2.0: everything but the path.
pub(super) fn v2_parts<'e>(event: &Event<'e>, path: Split) -> Parts<'e> {
    let http = event.context.object("http");
    let mut headers = Headers::read(event.fields.object("headers"), Fields::default());
    if let Some(cookies) = event.fields.get("cookies") {
        headers.add_cookies(values_of(cookies));
    }
    Parts {
        method: http.string("method"),
        protocol: http.string("protocol"),
        path,
        query: query::verbatim(event.fields.text("rawQueryString").unwrap_or_default()),
        headers,
        peer: http.string("sourceIp"),
    }
}

/// Takes the stage off. The client's URL has it on execute-api domains only; on a custom domain it has the key of the
/// API mapping instead, which no member of the event names: the configured base path stands for it.
fn split(path: &[u8], context: &Fields<'_>, config: &RequestConfig) -> Split {
    let stage = context.string("stage").filter(|stage| stage != "$default");
    let stage = stage.map(|stage| [b"/", stage.as_bytes()].concat()).unwrap_or_default();
    if stage.is_empty() || !path::has_prefix(path, &stage) {
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
