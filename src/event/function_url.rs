//! Lambda Function URLs: payload 2.0, but with the path still percent-encoded and never a stage.

use crate::config::RequestConfig;
use crate::error::Result;
use crate::event::http_api::v2_parts;
use crate::event::path::{self, Form};
use crate::event::{Event, assemble};
use crate::request::Request;

pub(super) fn decode<'e>(event: &Event<'e>, config: &RequestConfig) -> Result<Request<'e>> {
    let path = event.fields.text("rawPath").unwrap_or_default();
    let path = path::split(&path, Form::Encoded, b"", b"", config);
    assemble(event, config, v2_parts(event, path))
}
