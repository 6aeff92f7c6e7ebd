//! Lambda Function URLs: payload 2.0, except that the path is still percent-encoded and never has a stage.

use crate::config::RequestConfig;
use crate::event::http_api::v2_parts;
use crate::event::objects::Objects;
use crate::event::parts::Parts;
use crate::event::path::{self, Form};

pub(super) fn parts<'e>(objects: &Objects<'e>, config: &RequestConfig) -> Parts<'e> {
    let path = objects.event.text("rawPath").unwrap_or_default();
    v2_parts(objects, path::split(&path, Form::Encoded, b"", b"", config))
}
