//! Room: `compress`, the bodies of responses, compressed as the client accepts them.
//! In: what the request says in Accept-Encoding and If-None-Match; a response's head and the chunks of its body.
//! Out: head and chunks for the next [`Sink`](crate::response::Sink), compressed where that is allowed and worth it.
//! May use: `grammar`, `response`, bytes, flate2, zstd, brotli.
//! Must not: know Lambda, its front ends or Python; hold back a chunk of a streamed response.

mod accept;
mod client;
mod encoder;
mod headers;
#[cfg(test)]
mod levels;
mod sink;
mod worth;

pub use client::Client;
pub use sink::Compressed;
