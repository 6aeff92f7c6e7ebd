//! Room: `runtime`, the Runtime API (docs, "Using the Lambda runtime API for custom runtimes").
//! In: the API's address; responses and [`Error`](crate::error::Error)s to post.
//! Out: [`Invocation`](crate::invocation::Invocation)s.
//! May use: `descriptor`, `error`, `grammar`, `invocation`, `log` (for the limit of messages), `sync`, `httparse`, `rustix`,
//!   `serde_json`, `bytes`, base64; tests also `lambda_runtime`, `http`, tempfile.
//! Must not: know HTTP proxying or Python.

mod api;
mod arrival;
mod connection;
mod extension;
mod failure;
mod payload;
mod poll;
mod receipt;
mod reply;
mod respond;
mod stream;
mod twin;
mod wake;
mod watch;

pub use api::{Api, SharedApi};
pub use payload::Payload;
pub use receipt::Receipt;
pub use stream::Streamed;
pub use twin::Twin;
pub use wake::Wake;
pub use watch::{Alarm, Watch};
