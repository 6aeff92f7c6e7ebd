//! # wsgi-lambda: the architecture
//!
//! This library makes two programs. `bootstrap` is a custom AWS Lambda runtime: it embeds CPython and runs any WSGI
//! application. `wsgi-lambda` is its command line: it replays events, checks projects, and builds layers and packages.
//!
//! ## How a request becomes a response
//!
//! Between the arrows are the rooms: the modules of this library. On the arrows are the plain values that pass between
//! them.
//!
//! ```text
//! the request    Runtime API ─▶ runtime ─Invocation─▶ server ─JSON─▶ event ─Request─▶ environ ─Environ─▶ python ─▶ app
//!
//! the response   app ─▶ python ─steps─▶ response ─head, chunks─▶ proxy ─▶ server::delivery ─▶ runtime ─▶ Runtime API
//! ```
//!
//! 1. `runtime` asks the platform's Runtime API for the next event and returns an [`invocation::Invocation`].
//! 2. `server`, the loop, gives its JSON to [`event`], which finds out which front end (the AWS service) made the
//!    event, and decodes it to a [`request::Request`].
//! 3. `python` makes the WSGI variables of it with [`environ`], decodes the body straight into Python's memory, and
//!    calls the application.
//! 4. The application calls `start_response` and returns chunks. `python` passes each on as one of the
//!    [`response::Steps`]. [`response::Response`] checks the order that PEP 3333 demands, and pushes status, headers
//!    and chunks into a sink of [`proxy`].
//! 5. The sink writes for one [`proxy::Recipient`]: the front end, and whether the client takes a body. It collects a
//!    buffered response into one JSON document, and sends each chunk of a streamed response at once.
//! 6. `server::delivery` holds the response and its sink. It ends the response, once, and `runtime` posts it.
//!
//! ## Decisions and why
//!
//! 1. **One package, one library, two binaries, two features.** The feature `python` links libpython and builds
//!    `bootstrap`. The feature `cli` builds `wsgi-lambda`, which starts `bootstrap` as a child and plays the Runtime
//!    API to it, so that a replay runs the very file that is shipped. The pure rooms build without either feature.
//! 2. **The client of the Runtime API is our own, and small.** It sends one request at a time over one blocking
//!    connection with TCP_NODELAY; only a streamed response has another. `lambda_runtime::Runtime` ends the process on
//!    a malformed client context and panics on a 5xx. Its crates lose stack traces, have no init error, and keep two
//!    connections with a task each, which costs a fifth of a small request (`docs/speed.md`). `httparse` parses the
//!    replies, apart from the socket (`runtime/reply.rs`). Tests compare what is read from an event's headers with
//!    `lambda_runtime`'s `Context`.
//! 3. **Python lives on the main thread.** The thread stays attached to the interpreter for the life of the process,
//!    and detaches around every blocking wait. So `threading.local` values, context variables and signal handlers
//!    behave as in any server. It waits for events and signals with `poll(2)`, without an executor: tokio serves only
//!    the emulator and the command line. Responses are written on the same thread, streamed ones too: a slow reader
//!    slows the generator down, and nothing piles up.
//!
//!    One more thread, the deadline watch, sends a response instead of the application's when the deadline is near, and
//!    then interrupts the application with signals. It never waits for the GIL. The loop and the watch share one owner
//!    of the response, `server::delivery`, which delivers it once.
//!
//!    Several requests at once (Managed Instances) are served by several processes. They are forked after the import,
//!    or before it if the application starts threads at import. The parent posts an error for the request of a worker
//!    that dies.
//! 4. **An event's JSON is read once**, into a flat list of where its values are ([`json::Document`]). The request and
//!    Python's dict are both made from that list. Nothing is copied or decoded twice, the order is kept, and a value of
//!    an unexpected type counts as missing. Tests compare the result with `aws_lambda_events`, where its types are
//!    right.
//! 5. **The front end is found out once**, from the keys of the event. It decides the form of the response.
//! 6. **Bytes first.** A native string (PEP 3333, "Unicode Issues") is bytes read as Latin-1.
//! 7. **One bootstrap for each minor version of Python**, linked to `libpython3.N.so` through an `$ORIGIN` RUNPATH.
//! 8. **The application is not changed.** `import`, modules and their types mean what Python means by them. One module
//!    is deferred, by a finder that is removed when the application has been imported (`python/glue/imports/`).
//!
//! ## Rooms
//!
//! | rooms | what they do |
//! |---|---|
//! | `config`, `error`, `log` | settings, the error type, log records: most rooms use them |
//! | `invocation`, `request` | plain values that pass between rooms |
//! | `event`, `environ`, `response`, `proxy` | pure: from an event to WSGI variables, and from an application's steps to a response |
//! | `compress` | pure: between an application's steps and `proxy`, bodies compressed as the client accepts them |
//! | `json`, `grammar`, `handler_name`, `source` | pure: JSON documents, HTTP's small grammars, the name that leads to the application, what sends other events |
//! | `sync`, `descriptor`, `terminal` | locks that survive a panic, file descriptors that applications may close, who waits at the terminal |
//! | `read_ahead` | the files of a cold start, brought into the kernel's cache |
//! | `runtime` | talks to the platform |
//! | `python` | talks to the interpreter; `python/glue/` has what is better said in Python |
//! | `server` | the loop that joins them |
//! | `emulator` | the platform's side of the Runtime API, for replays and tests |
//! | `gateway` | pure: the front ends' side, from a client's request to an event, and back |
//! | `bundle` | zips of checked files, for layers and packages |
//! | `cli` | the command line, on top of `emulator` and `bundle` |
//!
//! Each room's first file opens with a card: Room, In, Out, May use, Must not. `tests/house.rs` reads the cards. It
//! fails on a `use` that is not on the card, and on `unsafe` outside `python/ffi.rs`.

pub mod config;
#[cfg(feature = "python")]
pub mod descriptor;
pub mod environ;
pub mod error;
pub mod event;
pub mod grammar;
pub mod handler_name;
pub mod invocation;
pub mod json;
pub mod proxy;
pub mod read_ahead;
pub mod request;
pub mod response;
pub mod source;
pub mod sync;
pub mod terminal;

#[cfg(feature = "python")]
pub mod compress;
#[cfg(feature = "python")]
pub mod log;
#[cfg(feature = "python")]
pub mod python;
#[cfg(feature = "python")]
pub mod runtime;
#[cfg(feature = "python")]
pub mod server;

#[cfg(feature = "cli")]
pub mod bundle;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod emulator;
#[cfg(feature = "cli")]
pub mod gateway;
