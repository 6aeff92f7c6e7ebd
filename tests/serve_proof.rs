//! What `wsgi-lambda serve` is for, shown with real clients and applications: what works on AWS works here, and what a front
//! end loses is lost.
#![cfg(feature = "cli")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "the other test invokes functions with it")]
#[path = "emulators/client.rs"]
mod client;
#[path = "serve_proof/git.rs"]
mod git;
#[path = "serve_proof/httpbin.rs"]
mod httpbin;
#[path = "serve_proof/server.rs"]
mod server;
mod support;
#[path = "serve_proof/transfers.rs"]
mod transfers;
#[path = "serve_proof/webdav.rs"]
mod webdav;
