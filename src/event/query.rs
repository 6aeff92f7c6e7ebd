//! The query string: byte for byte if the event has it, else rebuilt from the event's maps of parameters.

use std::borrow::Cow;

use crate::event::fields::{Fields, values_of};
use crate::event::percent;

/// The form of the names and values in a map of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// The front end decoded them: they are encoded again (REST, HTTP API 1.0).
    Decoded,
    /// They are as the client wrote them, and only have to be joined (ALB, Lattice).
    Raw,
}

/// Rebuilds a query string from `multi` (`multiValueQueryStringParameters`), or from `single`
/// (`queryStringParameters`) if the first has no members.
pub(super) fn from_maps(single: Fields<'_>, multi: Fields<'_>, values: Values) -> Vec<u8> {
    let map = if multi.is_empty() { single } else { multi };
    let mut query = Vec::new();
    for (name, items) in map.members() {
        for value in values_of(items) {
            if !query.is_empty() {
                query.push(b'&');
            }
            write(&mut query, name.as_bytes(), values);
            query.push(b'=');
            write(&mut query, &value, values);
        }
    }
    query
}

/// Takes a query string as it is. Only bytes that no URL can hold are escaped.
pub(super) fn verbatim(query: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match query {
        Cow::Borrowed(query) => percent::encode(query, is_query_byte),
        Cow::Owned(query) => Cow::Owned(percent::encode(&query, is_query_byte).into_owned()),
    }
}

fn write(query: &mut Vec<u8>, text: &[u8], values: Values) {
    for &byte in text {
        match values {
            Values::Decoded if byte == b' ' => query.push(b'+'),
            Values::Decoded => percent::push(query, byte, byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
            // Only an emulator can send a separator inside a raw value. It is escaped, so that the value stays whole.
            Values::Raw => percent::push(query, byte, is_query_byte(byte) && byte != b'&'),
        }
    }
}

/// Whether a byte may stand in a request line after the `?`. More than RFC 3986 §3.4 allows: clients send more, and a
/// signature over the query needs every byte unchanged.
fn is_query_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'#'
}
