//! Sample events that are not HTTP requests: those of `events/not-http/`.

use include_dir::{Dir, include_dir};
use serde_json::{Value, json};

static EVENTS: Dir = include_dir!("$CARGO_MANIFEST_DIR/events/not-http");

/// `[["sqs", "{…}"]]`: names and texts, by name.
pub(super) fn form() -> Value {
    let sample = |file: &include_dir::File| Some(json!([file.path().file_stem()?.to_str()?, file.contents_utf8()?]));
    EVENTS.files().filter_map(sample).collect()
}
