//! Requests that take longer than the function may: who is told, and what is left afterwards.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{Function, Response, Setup, event, source};
use wsgi_lambda::emulator::{Outcome, Route, Stream, Submission};

const APP: &str = r#"
import threading, time
caught, alarms = [], []

def wait_in_a_system_call():
    time.sleep(60)

def beside():
    threading.Event().wait()

threading.Thread(target=beside, daemon=True).start()

def app(environ, start_response):
    path = environ["PATH_INFO"]
    alarm = environ["wsgi_lambda.context"]._epoch_deadline_time_in_ms / 1e3 - 20
    start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        if path == "/sleep":
            wait_in_a_system_call()
        elif path == "/busy":
            while True:
                pass
        elif path == "/work":
            import json, re
            while True:
                value = json.loads(json.dumps({"a": [re.sub("b", "c", "abc" * 20) for _ in range(50)]}))
        elif path == "/lock":
            threading.Event().wait()
        elif path == "/stubborn":
            while len(caught) < 3:
                try:
                    time.sleep(60)
                except TimeoutError as error:
                    caught.append(str(error))
            return [b"too late"]
        elif path == "/in-c":
            while time.time() < alarm - 0.1:
                pass
            sum(range(10 ** 8))
            return [b"too late"]
        elif path == "/quick":
            alarms.append(alarm)
        elif path == "/after":
            while time.time() < max(alarms) + 0.3:
                pass
        elif path == "/stream":
            return endless()
        elif path == "/edge":
            while time.time() < alarm + int(environ["QUERY_STRING"]) / 1e6:
                pass
            return (chunk for chunk in [b"first,", b"second"])
    except TimeoutError as error:
        caught.append(str(error))
        raise
    return ["; ".join(caught).encode()]

def endless():
    yield b"begin"
    try:
        time.sleep(60)
    except TimeoutError as error:
        caught.append("in the generator")
        raise
"#;

/// How long before the deadline the alarm rings, here and in the application. What the tests wait for takes milliseconds;
/// the rest is for a machine that is busy with something else.
const MARGIN: Duration = Duration::from_secs(20);
/// From taking an event to its alarm: the runtime must have read the event by then.
const HURRY: Duration = Duration::from_secs(1);

fn function() -> Setup {
    source(APP).env("WSGI_LAMBDA_DEADLINE_MARGIN_MS", &MARGIN.as_millis().to_string())
}

fn get(path: &str) -> Value {
    let mut event = event("function-url-get");
    event["rawPath"] = path.into();
    event
}

/// A request whose alarm rings soon.
fn hurried(function: &mut Function, path: &str) -> Response {
    hurried_event(function, &get(path))
}

fn hurried_event(function: &mut Function, event: &Value) -> Response {
    function.send(Submission::new(event.to_string()).timeout(MARGIN + HURRY))
}

#[test]
fn the_caller_gets_a_504_the_log_the_stacks_the_application_a_timeout_error() {
    for (path, place) in [("/sleep", "wait_in_a_system_call"), ("/busy", "in app"), ("/lock", "in wait")] {
        let mut function = function().start();
        let response = hurried(&mut function, path);
        assert_eq!((response.status(), response.text()), (504, "Gateway Timeout"), "{path}");
        assert!(function.invoke(get("/caught")).text().contains("timeout is near"), "{path}");
        let logs = function.logs();
        let record = logs.lines().find(|line| line.starts_with("[ERROR] Runtime.DeadlineReached")).expect("a record");
        assert!(record.contains("most recent call first") && record.contains(place), "{path}: {logs}");
        assert!(record.contains("in beside"), "{path}: every thread: {logs}");
        assert_eq!(function.invoke(get("/")).status(), 200);
        let responses = function.calls().iter().filter(|call| call.route == Route::Response).count();
        assert_eq!(responses, 3, "{path}: one response a request");
    }
}

#[test]
fn python_code_that_never_stops_is_looked_at_without_a_crash() {
    let mut function = function().start();
    for _ in 0..12 {
        // The first alarms of an earlier version read frames while they changed, and some ended in a crash.
        assert_eq!(hurried(&mut function, "/work").status(), 504, "{}", function.logs());
    }
    let starts = function.calls().iter().filter(|call| call.route == Route::Response).count();
    assert_eq!(starts, 12, "one process served all of them");
}

#[test]
fn a_margin_that_is_not_below_the_timeout_is_a_warning() {
    let mut function = function().start();
    for _ in 0..2 {
        let response = function.send(Submission::new(get("/").to_string()).timeout(MARGIN.saturating_sub(HURRY)));
        assert_eq!(response.status(), 200);
    }
    assert_eq!(
        function.logs().matches("WSGI_LAMBDA_DEADLINE_MARGIN_MS is not below").count(),
        1,
        "{}",
        function.logs()
    );
}

#[test]
fn a_late_answer_is_dropped_and_the_sandbox_stays_usable() {
    for path in ["/stubborn", "/in-c"] {
        let mut function = function().start();
        let response = hurried(&mut function, path);
        assert_eq!((response.status(), response.text()), (504, "Gateway Timeout"), "{path}");
        let logs = function.logs();
        let record = logs.lines().find(|line| line.contains("Runtime.DeadlineReached")).expect("a record");
        assert!(record.contains("in app") && record.contains("in beside"), "{path}: {logs}");
        assert_eq!(function.invoke(get("/")).status(), 200, "{path}");
    }
}

#[test]
fn a_deadline_never_rings_in_another_invocation() {
    let mut function = function().start();
    for _ in 0..3 {
        assert_eq!(hurried(&mut function, "/quick").status(), 200);
    }
    // The application waits in another invocation until the alarms would have rung.
    assert_eq!(function.invoke(get("/after")).text(), "");
    assert!(!function.logs().contains("DeadlineReached"), "{}", function.logs());
}

#[test]
fn a_stream_is_given_up_with_trailers_or_with_a_504() {
    let mut function = function().env("WSGI_LAMBDA_RESPONSE_MODE", "stream").start();
    let response = hurried(&mut function, "/stream");
    let Outcome::Response(response) = &response.outcome else { panic!("{:?}", response.outcome) };
    let stream = response.stream.as_ref().expect("a stream");
    assert!(response.body.ends_with(b"begin"));
    assert_eq!(stream.error().expect("trailers").0, "Runtime.DeadlineReached");
    assert_eq!(hurried(&mut function, "/sleep").status(), 504);
    let caught = function.invoke(get("/caught"));
    assert!(caught.text().contains("in the generator"), "{}", caught.text());
}

#[test]
fn at_whatever_instant_it_rings_the_caller_is_told() {
    for mode in ["stream", "buffered"] {
        let mut function = function().env("WSGI_LAMBDA_RESPONSE_MODE", mode).start();
        // The application answers around the alarm, each time a little later.
        for micros in (-300..600).step_by(15) {
            let mut event = get("/edge");
            event["rawQueryString"] = micros.to_string().into();
            let timeout = MARGIN + Duration::from_millis(15);
            let response = function.send(Submission::new(event.to_string()).timeout(timeout));
            let Outcome::Response(posted) = &response.outcome else {
                panic!("{mode} {micros}: {:?}", response.outcome)
            };
            let stream = posted.stream.as_ref();
            let error = stream.and_then(Stream::error).map(|(name, _)| name);
            assert!(stream.is_none_or(|stream| stream.complete), "{mode} {micros}: cut");
            match (response.status(), response.text(), error.as_deref()) {
                (200, "first,second", None)
                | (504, "Gateway Timeout", None)
                | (200, "" | "first," | "first,second", Some("Runtime.DeadlineReached")) => {}
                other => panic!("{mode} {micros}: {other:?}"),
            }
        }
        assert_eq!(function.invoke(get("/")).status(), 200, "{mode}");
    }
}

#[test]
fn each_front_end_gets_its_own_form_of_504() {
    let mut function = function().start();
    for (name, member, body) in [
        ("alb-get", "path", json!({"statusDescription": "504 Gateway Timeout", "isBase64Encoded": false})),
        ("lattice-v1-get", "raw_path", json!({"statusDescription": "504 Gateway Timeout"})),
        ("rest-get", "path", json!({"multiValueHeaders": {"Content-Type": ["text/plain; charset=utf-8"]}})),
        ("http-api-v2-get", "rawPath", json!({"headers": {"Content-Type": "text/plain; charset=utf-8"}})),
    ] {
        let mut event = event(name);
        event[member] = "/sleep".into();
        let response = hurried_event(&mut function, &event);
        assert_eq!(
            (&response.json["statusCode"], &response.json["body"]),
            (&json!(504), &json!("Gateway Timeout")),
            "{name}"
        );
        for (key, value) in body.as_object().unwrap() {
            assert_eq!(response.json[key], *value, "{name}");
        }
    }
}

#[test]
fn zero_turns_the_watch_off() {
    let mut function = source(APP).env("WSGI_LAMBDA_DEADLINE_MARGIN_MS", "0").start();
    let response = function.send(Submission::new(get("/sleep").to_string()).timeout(Duration::from_millis(700)));
    assert!(matches!(response.outcome, Outcome::Platform(_)), "{:?}", response.outcome);
}
