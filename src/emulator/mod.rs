//! Room: `emulator`, the platform's side of the Runtime API: starts the real `bootstrap` and plays Lambda to it.
//! In: events as bytes, the headers of `/next`, the variables of a function.
//! Out: [`Outcome`]s with the bytes that the runtime posted, and the lines that it logged.
//! May use: hyper, `hyper_util`, `http_body_util`, tokio, http, bytes, base64, memchr, rustix (signals, pipes), `serde`,
//!   `serde_json`, `request`, `sync`, `terminal`.
//! Must not: know Python or WSGI, read the environment, write to the standard streams.
//!
//! The shipped file runs as it is: there is no test double between the emulator and the runtime.
//! `cli` and the integration tests use it.
//!
//! * [`RuntimeApi`] is the HTTP server: takes [`Submission`]s, returns outcomes, and causes faults on demand.
//! * [`Bootstrap`] is the child process, its variables and its log lines.
//! * [`Sandbox`] is both together, with what Lambda does around them: deadlines, exits, restarts.

mod api_call;
mod http_response;
mod outcome;
mod process;
mod replies;
mod routes;
mod running;
mod runtime_api;
mod sandbox;
mod started;
mod state;
mod submission;
mod uuid;

pub use api_call::{ApiCall, CALLS_KEPT, Fault, MAX_PAYLOAD_BYTES, Route};
pub use http_response::HttpResponse;
pub use outcome::{Chunk, FunctionResponse, Outcome, PlatformError, Report, Stream};
pub use process::{BOOTSTRAP_VARIABLE, Bootstrap, Exit, Launch, LocateError, LogLine, LogSink, LogSource, locate};
pub use running::{Progress, Running, Steps};
pub use runtime_api::RuntimeApi;
pub use sandbox::{SHUTDOWN_LIMIT, Sandbox, StartError};
pub use submission::Submission;
pub use uuid::{random as random_uuid, random_hex};

#[cfg(test)]
mod tests;
