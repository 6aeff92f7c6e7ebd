//! Room: `event`, the bytes of a Lambda event as one HTTP request.
//! In: event bytes, [`RequestConfig`](crate::config::RequestConfig).
//! Out: [`Request`](crate::request::Request), or an error that names what was seen and what is supported.
//! May use: `config`, `error`, `grammar`, `json`, `request`, `source`, `serde_json`, memchr, `hashbrown`,
//! `foldhash`.
//! Must not: do I/O, panic on any bytes, decode anything twice, trust a header for who the caller is.

mod alb;
mod authorizer;
mod body;
mod command;
mod decode;
mod fields;
mod function_url;
mod headers;
mod http_api;
mod incomplete;
mod lattice;
mod objects;
mod parts;
mod path;
mod percent;
mod post;
mod probe;
mod query;
mod remote;
mod rest;
mod source;

pub use body::has_lost_bytes;
pub use command::is_command;
pub use decode::{Event, parse, probe};
pub use post::{is_for_events, post};
pub use source::{is_ping, source};
