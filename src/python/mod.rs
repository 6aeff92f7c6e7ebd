//! Room: `python`, CPython embedded: its start, the application, its calls. All pyo3 is here, all `unsafe` in `ffi`.
//! In: plain values: settings, an [`crate::environ::Environ`], a body, an [`crate::invocation::Invocation`],
//!   [`crate::response::Steps`].
//! Out: plain values: [`Called`], [`crate::error::Error`]s with Python stack traces.
//! May use: `config`, `environ`, `error`, `grammar`, `handler_name`, `invocation`, `json`, `read_ahead`, `request`, `response`,
//!   `source`, `sync`, pyo3, libc, rustix (files in memory), `foldhash`, memchr, bytes.
//! Must not: know envelopes or the Runtime API; let a pyo3 type out; block while attached.

mod app;
mod bytecode;
mod call;
mod deadline;
mod environ;
mod errors;
mod event;
mod events;
mod expressions;
mod ffi;
mod forked;
mod glue;
mod init_profile;
mod interpreter;
mod session;
mod signals;
mod snapshot;
mod start;
mod start_response;
mod string_cache;
mod workers;

pub use app::App;
pub use call::{Call, Called};
pub use deadline::{Interrupter, look_at_stacks};
pub use ffi::{file_in_memory, file_of_descriptor, is_forked, leave, without_signals};
pub use session::Session;
pub use signals::handle_signals;
pub use start::with_interpreter;
pub use workers::{Fork, remember_start, start_again};
