//! VPC Lattice, event structures V1 and V2. In both the path carries the query, which is the only place where repeated
//! parameters survive; published samples show it without, so the map is the second choice.

use std::borrow::Cow;

use crate::config::RequestConfig;
use crate::error::Result;
use crate::event::fields::Fields;
use crate::event::headers::Headers;
use crate::event::path::{self, Form};
use crate::event::query::{self, Values};
use crate::event::{Event, Parts, assemble};
use crate::request::Request;

pub(super) fn decode_v1<'e>(event: &Event<'e>, config: &RequestConfig) -> Result<Request<'e>> {
    decode(event, config, "raw_path", "query_string_parameters")
}

pub(super) fn decode_v2<'e>(event: &Event<'e>, config: &RequestConfig) -> Result<Request<'e>> {
    decode(event, config, "path", "queryStringParameters")
}

fn decode<'e>(event: &Event<'e>, config: &RequestConfig, path: &str, map: &str) -> Result<Request<'e>> {
    let target = event.fields.text(path).unwrap_or_default();
    let (path, query) = if let Some(at) = memchr::memchr(b'?', &target) {
        (&target[..at], query::verbatim(Cow::Owned(target[at + 1..].to_vec())))
    } else {
        let query = query::from_maps(event.fields.object(map), Fields::default(), Values::Raw);
        (&*target, Cow::Owned(query))
    };
    assemble(
        event,
        config,
        Parts {
            method: event.fields.string("method"),
            protocol: None,
            path: path::split(path, Form::Encoded, b"", b"", config),
            query,
            headers: Headers::read(event.fields.object("headers"), Fields::default()),
            peer: None,
        },
    )
}
