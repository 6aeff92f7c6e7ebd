//! PEP 3333, rule by rule, against the process that ships. A test is named after its rule: `w54_…` is rule W54 of the
//! `docs/pep3333.md`.
//!
//! The applications are in `tests/apps/pep3333`, one function a behaviour; a path such as `/starting/lazy` calls
//! `lazy` in `starting.py`. Those that are legal are also run under `wsgiref.validate`. Where servers differ the tests
//! follow the server that a comment names; what was measured of each is in a table there ("row").
//!
//! Responses are buffered here; what a client sees of a stream is tested in `streaming.rs`.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

#[path = "pep3333/calling.rs"]
mod calling;
#[path = "pep3333/environ.rs"]
mod environ;
#[path = "pep3333/errors.rs"]
mod errors;
#[path = "pep3333/files.rs"]
mod files;
#[path = "pep3333/input.rs"]
mod input;
#[path = "pep3333/iterating.rs"]
mod iterating;
#[path = "pep3333/lengths.rs"]
mod lengths;
#[path = "pep3333/starting.rs"]
mod starting;
#[path = "pep3333/validate.rs"]
mod validate;
#[path = "pep3333/writing.rs"]
mod writing;

use std::ops::Deref;

use serde_json::Value;
use support::{Function, Response, Setup};

const APPS: &str = "tests/apps/pep3333";

/// The function under test.
struct Pep {
    function: Function,
}

/// What came of a request: the response, and what was logged for it.
struct Served {
    response: Response,
    log: String,
}

impl Deref for Served {
    type Target = Response;

    fn deref(&self) -> &Response {
        &self.response
    }
}

impl Pep {
    /// Starts the application that calls what the path names.
    fn start() -> Self {
        Self::of("main:application")
    }

    fn of(handler: &str) -> Self {
        Self::setup(support::app(APPS, handler))
    }

    fn setup(setup: Setup) -> Self {
        Self { function: setup.start() }
    }

    fn send(&mut self, event: Value) -> Served {
        let before = self.function.log_lines().len();
        let response = self.function.invoke(event);
        let lines = self.function.log_lines();
        let log = lines[before..].iter().fold(String::new(), |text, line| text + &line.text + "\n");
        Served { response, log }
    }

    fn get(&mut self, target: &str) -> Served {
        self.send(request("GET", target, None))
    }

    fn head(&mut self, target: &str) -> Served {
        self.send(request("HEAD", target, None))
    }

    fn post(&mut self, target: &str, body: &str) -> Served {
        self.send(request("POST", target, Some(body)))
    }

    /// What the applications have noted since the last time.
    fn notes(&mut self) -> Value {
        self.get("/common/report").body_json()
    }
}

impl Served {
    /// A plain 500 that tells nothing, and a traceback with this in the log.
    #[track_caller]
    fn assert_failed(&self, logged: &str) {
        assert_eq!((self.status(), self.text()), (500, "Internal Server Error"), "{}", self.log);
        assert_eq!(self.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(self.log.contains(logged), "no {logged:?} in the log:\n{}", self.log);
    }

    /// A 200 with this body and nothing in the log.
    #[track_caller]
    fn assert_ok(&self, body: &str) {
        assert_eq!((self.status(), self.text()), (200, body), "{}", self.log);
        assert_eq!(self.log, "");
    }
}

/// An HTTP API event: its path is delivered decoded.
fn request(method: &str, target: &str, body: Option<&str>) -> Value {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut event = support::event("http-api-v2-get");
    event["rawPath"] = path.into();
    event["rawQueryString"] = query.into();
    event["requestContext"]["http"]["method"] = method.into();
    event["requestContext"]["http"]["path"] = path.into();
    if let Some(body) = body {
        event["body"] = body.into();
        event["headers"]["content-length"] = body.len().to_string().into();
        event["headers"]["content-type"] = "text/plain".into();
    }
    event
}
