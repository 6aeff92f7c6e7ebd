//! JSON objects read leniently: each member is kept as its own untouched text, and a value of another type than
//! expected counts as absent, so that nothing but broken JSON fails an event.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json;

/// The members of a JSON object, in order. Of a repeated name the last one counts, as in Python.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields<'e>(Vec<(Cow<'e, str>, &'e RawValue)>);

/// The values of one name, as bytes.
pub(super) type Values<'e> = Vec<Cow<'e, [u8]>>;

impl<'e> Fields<'e> {
    /// Reads an object; anything else has no members.
    pub(super) fn of(raw: &'e RawValue) -> Self {
        if is_object(raw) { serde_json::from_str(raw.get()).unwrap_or_default() } else { Self::default() }
    }

    /// The member's value, `null` excepted.
    pub(super) fn get(&self, name: &str) -> Option<&'e RawValue> {
        let value = self.0.iter().rev().find(|(known, _)| known == name).map(|&(_, value)| value);
        value.filter(|value| value.get() != "null")
    }

    /// Whether the member is there at all, even as `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// A member that is an object; without it, one that has no members.
    pub(super) fn object(&self, name: &str) -> Fields<'e> {
        self.get(name).map(Fields::of).unwrap_or_default()
    }

    /// A member as text; numbers and booleans in their JSON spelling.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'e, [u8]>> {
        self.get(name).and_then(text_of)
    }

    /// A member as text that must be UTF-8 (it is: JSON is) and not empty.
    pub(super) fn string(&self, name: &str) -> Option<Cow<'e, str>> {
        let text = self.text(name).filter(|text| !text.is_empty())?;
        Some(into_string(text))
    }

    /// A member that is `true`, or the text `"true"`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| matches!(value.get(), "true" | "\"true\""))
    }

    /// Whether there are no members.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, for messages.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    /// Each member with its values: an array's items, or the one value.
    pub(super) fn multi(self) -> Vec<(Cow<'e, str>, Values<'e>)> {
        self.0.into_iter().map(|(name, value)| (name, values_of(value))).collect()
    }
}

/// The text of a string, number or boolean.
pub(super) fn text_of(raw: &RawValue) -> Option<Cow<'_, [u8]>> {
    match literal(raw) {
        Some(inside) => Some(json::unescape(inside)),
        None if raw.get().starts_with(['{', '[', 'n']) => None,
        None => Some(Cow::Borrowed(raw.get().as_bytes())),
    }
}

/// The inside of a string literal.
pub(super) fn literal(raw: &RawValue) -> Option<&str> {
    raw.get().strip_prefix('"')?.strip_suffix('"')
}

/// The items of an array, or the one value; what has no text is left out.
pub(super) fn values_of(raw: &RawValue) -> Values<'_> {
    if raw.get().starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
        items.into_iter().filter_map(text_of).collect()
    } else {
        text_of(raw).into_iter().collect()
    }
}

/// The first item of an array.
pub(super) fn first_item(raw: &RawValue) -> Option<&RawValue> {
    let items: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
    items.first().copied()
}

/// Text as a string. JSON is UTF-8, so nothing is ever replaced.
pub(super) fn into_string(text: Cow<'_, [u8]>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Whether a value is an object.
pub(super) fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(16);
        // Names too are taken as they stand: one with an unpaired surrogate must not cost the others.
        while let Some((name, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
            fields.push((into_string(json::unescape(literal(name).unwrap_or_default())), value));
        }
        Ok(Fields(fields))
    }
}
