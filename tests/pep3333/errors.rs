//! Section K: exceptions out of the application.

use serde_json::{Value, json};

use super::{APPS, Pep};
use crate::support;

/// An ordinary exception and those that `except Exception` does not catch.
const KINDS: [&str; 9] = [
    "ValueError",
    "StopIteration",
    "MemoryError",
    "SystemExit",
    "KeyboardInterrupt",
    "GeneratorExit",
    "CancelledError",
    "Base",
    "Silent",
];

#[track_caller]
fn assert_survived(pep: &mut Pep, process: Option<u32>) {
    pep.get("/iterating/a_list").assert_ok("abc");
    assert_eq!(id(pep), process);
}

fn id(pep: &mut Pep) -> Option<u32> {
    pep.function.process_id()
}

#[test]
fn w91_an_exception_is_a_500_that_tells_nothing() {
    let response = Pep::start().get("/failing/after_start?ValueError"); // row 31
    response.assert_failed("[ERROR] ValueError: a secret reason");
    assert!(response.log.contains("Traceback") && response.log.contains("in after_start"), "{}", response.log);
    assert!(!response.json.to_string().contains("secret"));
}

#[test]
fn w91_the_error_names_its_request_in_json_logs() {
    let mut pep = Pep::setup(support::app(APPS, "main:application").env("AWS_LAMBDA_LOG_FORMAT", "JSON"));
    let invocation = wsgi_lambda::emulator::Submission::new(
        super::request("GET", "/failing/after_start?ValueError", None).to_string(),
    );
    let id = invocation.id().to_owned();
    pep.function.send(invocation);
    let logs = pep.function.logs();
    let record = logs.lines().find_map(|line| serde_json::from_str::<Value>(line).ok()).expect("a JSON record");
    assert_eq!((&record["requestId"], &record["errorType"]), (&json!(id), &json!("ValueError")));
}

#[test]
fn w91_causes_are_logged() {
    let response = Pep::start().get("/failing/chained");
    response.assert_failed("ValueError: the effect");
    assert!(response.log.contains("KeyError: 'missing'"), "{}", response.log);
}

#[test]
fn w91_a_message_that_cannot_be_encoded_keeps_its_traceback() {
    let response = Pep::start().get("/failing/lone_surrogate");
    response.assert_failed("ValueError: lone ");
    assert!(response.log.contains("in lone_surrogate"), "{}", response.log);
}

#[test]
fn w91_an_exception_that_cannot_be_shown_is_logged_once() {
    let response = Pep::start().get("/failing/after_start?Silent");
    response.assert_failed("[ERROR] Silent: ");
    assert!(response.log.contains("in after_start") && !response.log.contains("Exception ignored"), "{}", response.log);
}

#[test]
fn w91_a_type_error_in_iter_is_the_applications_own() {
    let response = Pep::start().get("/iterating/type_error_in_iter");
    response.assert_failed("TypeError: object of type 'NoneType' has no len()");
    assert!(response.log.contains("in __iter__"), "{}", response.log);
}

#[test]
fn w91_a_recursion_without_end_is_an_exception() {
    let mut pep = Pep::start();
    let process = id(&mut pep);
    pep.get("/failing/deep").assert_failed("RecursionError");
    assert_survived(&mut pep, process);
}

#[test]
fn w92_an_exception_after_the_first_chunk_is_a_clean_500() {
    let response = Pep::start().get("/failing/in_iteration?ValueError"); // row 30: nothing has left a buffered response
    response.assert_failed("ValueError: a secret reason");
    assert!(!response.text().contains("some data"));
}

#[test]
fn w92_a_body_that_fails_is_not_blamed_for_its_length() {
    let response = Pep::start().get("/failing/with_length");
    response.assert_failed("ValueError: before the announced end");
    assert!(!response.log.contains("WARNING"), "{}", response.log);
}

#[test]
fn w93_no_exception_ends_the_process() {
    let mut pep = Pep::start();
    let process = id(&mut pep);
    // Row 45. Where an exception comes from makes no difference.
    for place in ["in_call", "after_start", "before_the_first_chunk", "in_iteration"] {
        for kind in KINDS {
            if kind == "StopIteration" && (place == "in_iteration" || place == "before_the_first_chunk") {
                continue; // there it is the end of the body
            }
            pep.get(&format!("/failing/{place}?{kind}")).assert_failed(&format!("[ERROR] {kind}"));
            assert_survived(&mut pep, process);
        }
    }
}

#[test]
fn w94_the_traceback_joins_what_the_application_said() {
    let response = Pep::start().get("/failing/in_call?ValueError");
    response.assert_failed("ValueError: a secret reason");
    assert!(response.log.contains("said before"), "{}", response.log);
}
