//! Field values as text.

use std::borrow::Cow;

/// A field's value as text: as UTF-8 if it is valid UTF-8, else as Latin-1. What front ends do with other bytes than
/// ASCII is not documented.
pub(super) fn text(value: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(value) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(value.iter().map(|&byte| char::from(byte)).collect()),
    }
}
