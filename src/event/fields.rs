//! JSON objects that are read leniently: a value of an unexpected type counts as missing, so that only broken JSON
//! makes an event fail.

use std::borrow::Cow;

use crate::json::{self, Value, ValueKind};

/// The members of a JSON object, in order. If a name is repeated, the last one counts, as in Python.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields<'e>(Option<Value<'e>>);

impl<'e> Fields<'e> {
    /// The members of an object; no members for any other value.
    pub(super) fn of(value: Value<'e>) -> Self {
        Self(Some(value).filter(|value| value.kind() == ValueKind::Object))
    }

    /// The member's value; `None` also if it is `null`.
    pub(super) fn get(&self, name: &str) -> Option<Value<'e>> {
        let named = self.pairs().filter(|(known, _)| is_named(*known, name));
        named.last().map(|(_, value)| value).filter(|value| value.kind() != ValueKind::Null)
    }

    /// Whether there is such a member, even if it is `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.pairs().any(|(known, _)| is_named(known, name))
    }

    /// A member that is an object; an empty object if there is none.
    pub(super) fn object(&self, name: &str) -> Fields<'e> {
        self.get(name).map(Fields::of).unwrap_or_default()
    }

    /// A member as UTF-8 text; numbers and booleans in their JSON spelling.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'e, [u8]>> {
        self.get(name).and_then(text_of)
    }

    /// A member as text; `None` if it is empty.
    pub(super) fn string(&self, name: &str) -> Option<Cow<'e, str>> {
        self.get(name).and_then(string_of).filter(|text| !text.is_empty())
    }

    /// Whether the member is `true`, or the text `"true"`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| matches!(value.text(), "true" | "\"true\""))
    }

    /// Whether there are no members.
    pub(super) fn is_empty(&self) -> bool {
        self.pairs().next().is_none()
    }

    /// The names of all members, for messages.
    pub(super) fn names(&self) -> impl Iterator<Item = Cow<'e, str>> {
        self.members().map(|(name, _)| name)
    }

    /// The name and value of each member.
    pub(super) fn members(&self) -> impl Iterator<Item = (Cow<'e, str>, Value<'e>)> {
        self.pairs().map(|(name, value)| (string_of(name).unwrap_or_default(), value))
    }

    fn pairs(&self) -> impl Iterator<Item = (Value<'e>, Value<'e>)> + use<'e> {
        self.0.into_iter().flat_map(|object| object.members())
    }
}

fn is_named(known: Value<'_>, name: &str) -> bool {
    known.is_plain(name) || known.is_escaped() && string_of(known).as_deref() == Some(name)
}

/// The text of a string, number or boolean, as bytes; `None` for other values.
pub(super) fn text_of(value: Value<'_>) -> Option<Cow<'_, [u8]>> {
    match string_of(value)? {
        Cow::Borrowed(text) => Some(Cow::Borrowed(text.as_bytes())),
        Cow::Owned(text) => Some(Cow::Owned(text.into_bytes())),
    }
}

/// The same as [`text_of`], as a string.
fn string_of(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value.kind() {
        ValueKind::Object | ValueKind::Array | ValueKind::Null => None,
        ValueKind::Number | ValueKind::True | ValueKind::False => Some(Cow::Borrowed(value.text())),
        ValueKind::String if value.is_escaped() => Some(into_string(json::unescape(value.literal()?))),
        ValueKind::String => value.literal().map(Cow::Borrowed),
    }
}

/// The texts of an array's items, or the text of any other value. Leaves out what has no text.
pub(super) fn values_of(value: Value<'_>) -> impl Iterator<Item = Cow<'_, [u8]>> {
    // One of the two is always empty: an array has no text, and only an array has items.
    let (mut one, mut items) = (text_of(value), value.items());
    std::iter::from_fn(move || one.take().or_else(|| items.find_map(text_of)))
}

/// Bytes as a string. JSON is UTF-8, so nothing is ever replaced.
fn into_string(text: Cow<'_, [u8]>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}
