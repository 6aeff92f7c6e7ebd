//! # wsgi-lambda: the house
//!
//! `bootstrap` is a custom AWS Lambda runtime that embeds CPython and runs any WSGI application; `wsgi-lambda` is the
//! command line around it. Both are thin binaries over this library.
//!
//! ```text
//! Runtime API ─bytes─▶ runtime ─Invocation─▶ handler ─▶ event ─Request─▶ environ ─Environ─▶ python ─▶ app
//!      ▲                                        │                                            │
//!      └───── bytes ◀── runtime ◀── Answer ◀── proxy (each origin's envelope) ◀── response::Sink
//! ```
//!
//! One way, values only. A request is decoded once: its body goes from the event's JSON straight into Python's memory.
//! What the app gives is *pushed* into a [`response::Sink`].
//!
//! ## Decisions and why
//!
//! 1. **One package, one library, two binaries, two features.** `python` links libpython and builds `bootstrap`; `cli`
//!    builds `wsgi-lambda`, which starts `bootstrap` as a child and plays the Runtime API to it. What you replay is the
//!    shipped file. The pure rooms build with neither feature.
//! 2. **The Runtime API is talked to by a small client of our own**, in turns, over one blocking connection with
//!    TCP_NODELAY. `lambda_runtime::Runtime` ends the process on an odd client context and panics on a 5xx; its crates
//!    lose stack traces, have no init error, and keep two connections with a task each, a fifth of a small
//!    request (`docs/speed.md`). Replies are parsed by `httparse`, apart from the socket ([`runtime`], `reply.rs`). The
//!    tests hold what is read from an event's headers beside `lambda_runtime`'s `Context`.
//! 3. **Python lives on the main thread**, attached for the whole life of the process and detached around every
//!    blocking wait, so `threading.local` values, context variables and signal handlers behave as in any server.
//!    It waits for events and signals by `poll(2)`, without an executor: tokio serves the emulator and the command
//!    line. An answer is written in line, streamed ones too: a slow reader slows the generator, and nothing piles up.
//!    One thread more, the deadline watch, answers in the application's place and interrupts it by signals; it never waits
//!    for the GIL. The answer has one owner, `handler::answer`, which gives it once, over the one connection. Several
//!    requests at once (Managed Instances) are several processes, forked after the import, or before it where the
//!    application starts threads in it; their parent answers for those that die.
//! 4. **One pass over the event's JSON** gives a flat list of where its values stand ([`json::Document`]). The request
//!    and Python's dict are both read from it: nothing is copied or decoded twice, order is kept, and nothing but
//!    broken JSON fails an event.
//!    `aws_lambda_events` is held beside them in the tests, where its types are right.
//! 5. **The origin is decided once**, by probing keys, and picks the answer's dialect.
//! 6. **Bytes first.** A native string (PEP 3333, "Unicode Issues") is bytes seen as Latin-1.
//! 7. **One bootstrap per Python minor version**, linked to `libpython3.N.so` through an `$ORIGIN` RUNPATH.
//! 8. **Your application, unchanged**: `import`, modules and their types mean what Python means by them. One module is
//!    imported late, by a finder that is gone when the application has been imported (`glue/imports/`).
//!
//! ## Rooms
//!
//! `config` and `error` are read everywhere, `descriptor` holds files that applications may close; `event`, `environ`, `proxy`, `request`, `response` and `json` are pure;
//! `runtime` speaks to the platform, `python` to the interpreter (with `python/glue/` for what is better said in
//! Python), `handler` joins them; `emulator` is the platform's side of the same protocol,
//! `bundle` makes zips of checked files, and `cli` uses both.
//!
//! Each room's first file opens with a card (Room, In, Out, May use, Must not); `tests/house.rs` reads the cards and
//! fails on a `use` that is not on one, and on `unsafe` outside `python/ffi.rs`.

pub mod config;
#[cfg(feature = "python")]
pub mod descriptor;
pub mod environ;
pub mod error;
pub mod event;
pub mod grammar;
pub mod invocation;
pub mod json;
pub mod proxy;
pub mod request;
pub mod response;
pub mod sync;

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
