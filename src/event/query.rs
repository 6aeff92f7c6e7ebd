//! The query string: byte-exact where the front end tells it, rebuilt where it gives decoded or split values.

use std::borrow::Cow;

use crate::event::fields::{Fields, values_of};

/// How the values of a query map came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// Decoded by the front end: they are encoded again (REST, HTTP API 1.0).
    Decoded,
    /// As the client wrote them: they are only joined (ALB, Lattice).
    Raw,
}

/// Rebuilds a query string from `multiValueQueryStringParameters`, or from `queryStringParameters` when the first has
/// no members.
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

/// A query string taken verbatim; only bytes that no URL can hold are escaped.
pub(super) fn verbatim(query: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if query.iter().all(|&byte| is_query_byte(byte)) {
        return query;
    }
    let mut clean = Vec::with_capacity(query.len() + 16);
    for &byte in query.iter() {
        push(&mut clean, byte, is_query_byte(byte));
    }
    Cow::Owned(clean)
}

fn write(query: &mut Vec<u8>, text: &[u8], values: Values) {
    for &byte in text {
        match values {
            Values::Decoded if byte == b' ' => query.push(b'+'),
            Values::Decoded => push(query, byte, byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
            // A separator inside a raw value can only come from a client of an emulator: keep the value whole.
            Values::Raw => push(query, byte, is_query_byte(byte) && byte != b'&'),
        }
    }
}

/// What can stand in a request line after the `?`. More than RFC 3986 §3.4 allows: clients send more, and a signature
/// over the query needs every byte as it was.
fn is_query_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'#'
}

fn push(out: &mut Vec<u8>, byte: u8, plain: bool) {
    if plain {
        out.push(byte);
    } else {
        super::path::push_escaped(out, byte);
    }
}
