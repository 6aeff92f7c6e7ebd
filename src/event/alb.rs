//! Application Load Balancers, with and without multi-value headers.

use crate::config::RequestConfig;
use crate::error::Result;
use crate::event::headers::Headers;
use crate::event::path::{self, Form};
use crate::event::query::{self, Values};
use crate::event::{Event, Parts, assemble};
use crate::request::Request;

pub(super) fn decode<'e>(event: &Event<'e>, config: &RequestConfig) -> Result<Request<'e>> {
    let path = event.fields.text("path").unwrap_or_default();
    let query = query::from_maps(
        event.fields.object("queryStringParameters"),
        event.fields.object("multiValueQueryStringParameters"),
        Values::Raw,
    );
    assemble(
        event,
        config,
        Parts {
            method: event.fields.string("httpMethod"),
            protocol: None,
            path: path::split(&path, Form::Encoded, b"", b"", config),
            query: query.into(),
            headers: Headers::read(event.fields.object("headers"), event.fields.object("multiValueHeaders")),
            peer: None,
        },
    )
}
