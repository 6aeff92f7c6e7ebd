//! Where processes, signals, descriptors and memory meet: whatever happens there, every invocation ends in exactly one
//! accepted response or error, or the process ends.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

#[path = "chaos/children.rs"]
mod children;
#[path = "chaos/deadlines.rs"]
mod deadlines;
#[path = "chaos/descriptors.rs"]
mod descriptors;
#[path = "chaos/memory.rs"]
mod memory;
#[path = "chaos/signals.rs"]
mod signals;
#[path = "chaos/workers.rs"]
mod workers;

use std::time::Duration;

use serde_json::Value;
use support::{Function, Response, Setup};
use wsgi_lambda::emulator::{Outcome, Route, Submission};

fn get(path: &str) -> Value {
    let mut event = support::event("function-url-get");
    event["rawPath"] = path.into();
    event
}

/// How many milliseconds before a deadline the alarm rings: more than anything here takes, on a busy machine, too.
const MARGIN: u64 = 20_000;

fn watched(setup: Setup) -> Setup {
    setup.env("WSGI_LAMBDA_DEADLINE_MARGIN_MS", &MARGIN.to_string())
}

/// A request to a function that is `watched`. The alarm rings after a second.
fn hurried(function: &mut Function, path: &str) -> Response {
    function.send(Submission::new(get(path).to_string()).timeout(Duration::from_millis(MARGIN + 1000)))
}

/// How many responses and errors the platform has accepted.
fn accepted(function: &Function) -> usize {
    let responses = [Route::Response, Route::Error];
    let calls = function.calls();
    calls.iter().filter(|call| responses.contains(&call.route) && call.status.is_some_and(|it| it.is_success())).count()
}

fn is_answer(response: &Response) -> bool {
    matches!(response.outcome, Outcome::Response(_) | Outcome::Error(_))
}
