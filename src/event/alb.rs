//! Application Load Balancers, with and without multi-value headers.

use crate::config::RequestConfig;
use crate::event::headers::Headers;
use crate::event::objects::Objects;
use crate::event::parts::Parts;
use crate::event::path::{self, Form};
use crate::event::query::{self, Values};

pub(super) fn parts<'e>(objects: &Objects<'e>, config: &RequestConfig) -> Parts<'e> {
    let event = &objects.event;
    let path = event.text("path").unwrap_or_default();
    let query = query::from_maps(
        event.object("queryStringParameters"),
        event.object("multiValueQueryStringParameters"),
        Values::Raw,
    );
    Parts {
        method: event.string("httpMethod"),
        protocol: None,
        path: path::split(&path, Form::Encoded, b"", b"", config),
        query: query.into(),
        headers: Headers::read(event.object("headers"), event.object("multiValueHeaders")),
        peer: None,
    }
}
