//! Room: `proxy`, responses in the form that each front end reads.
//! In: a [`Recipient`], a response's head, the chunks of its body.
//! Out: the JSON that Lambda hands to the front end, and [`Warning`]s about what the front end cannot carry.
//! May use: `request` (the front end), `response`, `json`, `grammar`, `base64_simd`, bytes, bytestring.
//! Must not: hold Python objects, post anything, write a key that a front end does not know.

mod body;
mod buffered;
mod envelope;
mod headers;
mod limits;
mod plain;
mod recipient;
mod stream;
mod warning;

pub use buffered::{BufferedSink, Unsendable};
pub use envelope::Envelope;
pub use limits::{MAX_ALB_RESPONSE_BYTES, MAX_API_GATEWAY_HEADER_BYTES, MAX_PRELUDE_BYTES, MAX_RESPONSE_BYTES};
pub use plain::plain;
pub use recipient::Recipient;
pub use stream::StreamSink;
pub use warning::Warning;
