//! Room: `runtime`, the Runtime API (docs, "Using the Lambda runtime API for custom runtimes").
//! In: nothing but the API's address; [`Error`]s and answers to post.
//! Out: [`Invocation`]s.
//! May use: `error`, `invocation`, `lambda_runtime`, `lambda_runtime_api_client`, `tokio`, `futures_util`, `hyper_util`, `http`,
//!   `http_body_util`, `httparse`, `serde_json`, `bytes`, base64.
//! Must not: know HTTP proxying or Python.

mod answer;
mod poll;
mod stream;
mod watch;
mod wire;

pub use answer::{Answers, Receipt};
pub use poll::Poller;
pub use stream::Streamed;
pub use watch::{Alarm, Watch};

/// The version of the API that every path begins with.
const API_VERSION: &str = "/2018-06-01";

/// How this runtime introduces itself.
const USER_AGENT: &str = concat!("wsgi-lambda/", env!("CARGO_PKG_VERSION"));
