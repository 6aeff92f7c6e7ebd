//! Writes an event.

use bytes::Bytes;
use serde::Serialize;

/// The event as JSON. Nothing in an event fails to serialise: its maps have strings as keys.
pub(super) fn json(event: &impl Serialize) -> Bytes {
    serde_json::to_vec(event).unwrap_or_default().into()
}
