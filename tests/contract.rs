//! The Lambda contract, case by case: an event, and the environ or the response it must give.
//!
//! Each file of `tests/contract` is a group. A case is an event of `events/` with changes, or one of its own:
//!
//! ```json
//! {"name": "…", "base": "rest-get", "set": {"/path": "/x"}, "remove": ["/body"], "headers": {"X-A": ["1", "2"]},
//!  "env": {"WSGI_LAMBDA_BASE_PATH": "/orders"}, "answer": {"status": "404 Not Found", "text": "…"},
//!  "expect": {"environ": {"PATH_INFO": "/x"}, "absent": ["REMOTE_USER"], "status": 200, "envelope": {"/body": "…"}}}
//! ```
//!
//! * `base` or `event` (JSON) or `raw` (text); `set` and `remove` take JSON pointers; `splice` replaces text in the
//!   serialised event, for JSON that no value can hold; `repeat` sets a string member to a repeated text;
//! * `headers` adds header fields in the form which the event's front end uses, `many_headers` that many of them;
//! * `answer` is what the application is told to answer (see `tests/apps/contract`); without it, it reports;
//! * `env` gives the case a process of its own kind; `fresh` gives it one that has served nothing yet;
//! * `expect`: `environ`, `absent`, `query` (decoded pairs), `url`, `body`, `body_base64`, `body_length`, `context`
//!   are about the report; `status`, `headers`, `envelope` (pointers), `text`, `bytes` (base64), `length` about the
//!   response; `error` about a Lambda error's message; `log` and `called` about what was written and run;
//!   `outcome: "any"` takes every response and error, as long as there is one.
//!
//! An expected value is equal, or one of the matchers in [`matcher::differs`]. Whatever a case expects, the rules that hold for
//! every call and every response are checked as well: `problems` in the report and [`front_end::envelope_problems`].
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

#[path = "contract/case.rs"]
mod case;
#[path = "contract/findings.rs"]
mod findings;
#[path = "contract/front_end.rs"]
mod front_end;
#[path = "contract/matcher.rs"]
mod matcher;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use case::{Processes, event_of};
use front_end::ALB_LIMIT;
use matcher::text_of;
use serde_json::{Value, json};
use wsgi_lambda::emulator::MAX_PAYLOAD_BYTES;

macro_rules! groups {
    ($($name:ident)*) => {
        const GROUPS: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { run_group(stringify!($name)); })*
    };
}

groups! {
    detection paths stages base_path queries headers cookies addresses remote users bodies nulls keys
    answers answer_bodies answer_headers sizes broken
}

#[test]
fn every_file_is_a_group() {
    let files: BTreeSet<String> = stems(&folder());
    assert_eq!(files, GROUPS.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn every_sample_event_is_a_request() {
    let mut processes = Processes::default();
    let cases = stems(&support::root().join("events"))
        .into_iter()
        .map(|base| json!({"name": base, "base": base, "expect": {"status": 200}}));
    assert_passed(&cases.filter_map(|case| processes.run(&case)).collect::<Vec<_>>());
}

#[test]
fn every_sample_event_passes_the_validator() {
    let mut function = support::app("tests/apps/contract", "validated:app").start();
    let mut failures = String::new();
    for name in stems(&support::root().join("events")) {
        let answer = function.replay(&name);
        let text = String::from_utf8_lossy(&answer.outcome.payload()).into_owned();
        if answer.json["statusCode"] != json!(200) {
            let _ = writeln!(failures, "{name}: {text}");
        }
    }
    assert!(failures.is_empty(), "{failures}\n{}", function.logs());
}

#[test]
fn the_largest_answer_is_exact() {
    for (base, limit) in
        [("rest-get", MAX_PAYLOAD_BYTES), ("alb-get", ALB_LIMIT), ("http-api-v2-get", MAX_PAYLOAD_BYTES)]
    {
        let mut function = support::app("tests/apps/contract", "app:app").start();
        let mut post = |count: usize| {
            let wish =
                json!({"headers": [["Content-Type", "text/plain"]], "repeat": {"base64": "YQ==", "count": count}});
            function.invoke(event_of(&json!({"base": base, "answer": wish})))
        };
        let near = limit - 4000;
        let length = near + limit - post(near).outcome.payload().len();
        let (fits, exceeds) = (post(length), post(length + 1));
        assert_eq!((fits.status(), fits.outcome.payload().len()), (200, limit), "{base}: the largest");
        assert_eq!(exceeds.status(), 500, "{base}: one byte more");
        assert!(exceeds.outcome.payload().len() < 2000, "{base}: our own 500 is small");
    }
}

fn run_group(name: &str) {
    let path = folder().join(name).with_extension("json");
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let cases: Vec<Value> = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let names: BTreeSet<&str> = cases.iter().map(|case| text_of(&case["name"])).collect();
    assert!(!cases.is_empty() && names.len() == cases.len(), "{name}: no case, or two with one name");
    let mut processes = Processes::default();
    assert_passed(&cases.iter().filter_map(|case| processes.run(case)).collect::<Vec<_>>());
}

fn assert_passed(failures: &[String]) {
    assert!(failures.is_empty(), "{} cases failed\n\n{}", failures.len(), failures.join("\n"));
}

fn folder() -> PathBuf {
    support::root().join("tests/contract")
}

/// The names of the JSON files in a folder, without what is in folders below.
fn stems(folder: &Path) -> BTreeSet<String> {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let json = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    json.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect()
}
