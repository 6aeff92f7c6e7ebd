//! The inspector of `wsgi-lambda serve`: what it tells over HTTP, whom it refuses, and the page in a real browser.
#![cfg(feature = "cli")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "inspector/browser.rs"]
mod browser;
#[path = "inspector/changes.rs"]
mod changes;
#[path = "emulators/client.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod client;
#[path = "inspector/curl.rs"]
mod curl;
#[path = "inspector/environ.rs"]
mod environ;
#[path = "inspector/forms.rs"]
mod forms;
#[path = "serve/place.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod place;
#[path = "inspector/refusals.rs"]
mod refusals;
#[path = "inspector/secrets.rs"]
mod secrets;
#[path = "inspector/site.rs"]
mod site;
mod support;

/// An application that does what the path says, and otherwise returns its environ as JSON.
const APP: &str = include_str!("inspector/app.py");
