//! VPC Lattice, event structures V1 and V2. In both the path includes the query, which alone keeps repeated parameters.
//! Published samples have no query in the path: the map of parameters is read then.

use std::borrow::Cow;

use crate::config::RequestConfig;
use crate::event::fields::Fields;
use crate::event::headers::Headers;
use crate::event::objects::Objects;
use crate::event::parts::Parts;
use crate::event::path::{self, Form};
use crate::event::query::{self, Values};

pub(super) fn parts_v1<'e>(objects: &Objects<'e>, config: &RequestConfig) -> Parts<'e> {
    parts(&objects.event, config, "raw_path", "query_string_parameters")
}

pub(super) fn parts_v2<'e>(objects: &Objects<'e>, config: &RequestConfig) -> Parts<'e> {
    parts(&objects.event, config, "path", "queryStringParameters")
}

fn parts<'e>(event: &Fields<'e>, config: &RequestConfig, path: &str, map: &str) -> Parts<'e> {
    let target = event.text(path).unwrap_or_default();
    let (path, query) = if let Some(at) = memchr::memchr(b'?', &target) {
        (&target[..at], query::verbatim(Cow::Owned(target[at + 1..].to_vec())))
    } else {
        let query = query::from_maps(event.object(map), Fields::default(), Values::Raw);
        (&*target, Cow::Owned(query))
    };
    Parts {
        method: event.string("method"),
        protocol: None,
        path: path::split(path, Form::Encoded, b"", b"", config),
        query,
        headers: Headers::read(event.object("headers"), Fields::default()),
        peer: None,
    }
}
