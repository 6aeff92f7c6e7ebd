//! Room: `emulator`, the Runtime API from the other side: starts the real `bootstrap` and plays Lambda to it.
//! In: events as bytes, the headers of `/next`, the variables of a function.
//! Out: [`Outcome`]s with the bytes the runtime posted, and the lines it logged.
//! May use: hyper, `hyper_util`, `http_body_util`, tokio, http, bytes, base64, memchr, `serde`, `serde_json`,
//!   `request`.
//! Must not: know Python or WSGI, read the environment, write to the standard streams.
//!
//! The shipped file is exercised as it is: no test double stands between the emulator and the runtime.
//! Users are `cli` (replaying events, serving locally) and the integration tests.
//!
//! * [`RuntimeApi`] is the HTTP server: invocations go in, outcomes come out, and faults can be arranged.
//! * [`Bootstrap`] is the child process, its variables and its log lines.
//! * [`Environment`] is both together, with what Lambda does around them: deadlines, exits, restarts.

mod answer;
mod call;
mod environment;
mod invocation;
mod process;
mod replies;
mod routes;
mod runtime_api;
mod state;

pub use answer::HttpAnswer;
pub use call::{CALLS_KEPT, Call, Fault, MAX_PAYLOAD_BYTES, Route};
pub use environment::{Environment, StartError};
pub use invocation::{Chunk, Invocation, Outcome, PlatformError, Progress, Report, Response, Running, Stream};
pub use process::{Bootstrap, Exit, Launch, LocateError, LogLine, LogSink, LogSource, locate};
pub use runtime_api::RuntimeApi;

#[cfg(test)]
mod tests;
