//! Room: `json`, JSON documents that are read without a copy, and string literals as bytes.
//! In: JSON text; text to write as a literal.
//! Out: the values of a [`Document`]; bytes; literals.
//! May use: `json_escape_simd`, memchr, serde, `serde_json` (for its error messages).
//! Must not: know what the strings mean.

mod document;
mod literal;
mod plain;

pub use document::{Document, Value, ValueKind};
pub use literal::{escaped_len, escaped_room, unescape, unescape_into, unescaped_len, write_escaped, write_string};
