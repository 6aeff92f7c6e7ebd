//! Room: `gateway`, the front ends' side: a client's HTTP request becomes an event, and what the function posts
//! becomes the client's response.
//! In: [`ClientRequest`]s that an HTTP server has received, [`Settings`] of a front end, the bytes that a function posts.
//! Out: event bytes, [`ClientResponse`]s, the head of a streamed response, [`Fault`]s with the front end's own response.
//! May use: `request` (the names of front ends), `grammar`, `aws_lambda_events`, http, bytes, `base64_simd`, memchr,
//!   humantime, `percent_encoding`, `form_urlencoded`, serde, `serde_json`.
//! Must not: do I/O, know Python, ask for the time, take a value at random.
//!
//! What AWS loses on the way is lost here too: HTTP APIs decode the path, REST APIs the query. It shares no code with the
//! room `event`, which reads what this room writes, so that tests of one with the other find errors in both.

mod body;
mod clock;
mod events;
mod fault;
mod fields;
mod identity;
mod limits;
mod media;
mod pairs;
mod prelude;
mod query;
mod responses;
mod stream;
mod text;
mod url;
mod values;

pub use events::event;
pub use fault::fault;
pub use limits::limits;
pub use responses::response;
pub use stream::StreamedHead;
pub use values::{ClientRequest, ClientResponse, Fault, Head, Limits, Settings};
