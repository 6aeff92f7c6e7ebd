//! After the response, and at the end of a sandbox.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use support::{Function, Response, Setup, source};
use wsgi_lambda::emulator::{Route, Submission};

const APP: &str = r#"
import atexit, os, signal, time
import wsgi_lambda

served = []

@wsgi_lambda.after_response
def after():
    print("after", served[-1])

@wsgi_lambda.after_response
def failing():
    raise ValueError("in a callback")

@wsgi_lambda.on_shutdown
def first():
    print("first registered")

@wsgi_lambda.on_shutdown
def second():
    print("second registered")

@atexit.register
def at_exit():
    print("at exit")

def app(environ, start_response):
    served.append(environ["PATH_INFO"])
    if environ["PATH_INFO"] == "/slow":
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)
    if environ["PATH_INFO"] == "/pid":
        start_response("200 OK", [])
        return [str(os.getpid()).encode()]
    start_response("200 OK", [])
    return [b"ok"]
"#;

fn get(path: &str) -> serde_json::Value {
    let mut event = support::event("function-url-get");
    event["rawPath"] = path.into();
    event
}

/// Sends SIGTERM, as the platform does, and returns the exit status.
fn terminate(function: &mut Function) -> String {
    let pid = function.invoke(get("/pid")).text().to_owned();
    assert!(support::kill("TERM", &pid).status().unwrap().success());
    ended(function)
}

fn ended(function: &mut Function) -> String {
    function.ended(Duration::from_secs(60))
}

#[test]
fn callbacks_run_after_the_answer_and_one_that_fails_costs_nothing() {
    let mut function = source(APP).start();
    for path in ["/one", "/two"] {
        assert_eq!(function.invoke(get(path)).text(), "ok");
        let logs = function.logs();
        assert!(logs.contains(&format!("after {path}")) && logs.contains("ValueError: in a callback"), "{logs}");
    }
}

/// The callback goes on when the file is there, and the file is made when the response has arrived: one that ran before the
/// response had left would wait for ever.
#[test]
fn callbacks_run_when_the_answer_has_left_and_before_the_next_event_is_asked_for() {
    let app = r#"
import os, time, wsgi_lambda
@wsgi_lambda.after_response
def after():
    while not os.path.exists(os.environ["GO"]):
        time.sleep(0.01)
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]
"#;
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let mut function = source(app).env("GO", go.to_str().unwrap()).start();
    let running = function.api().submit(Submission::new(get("/").to_string()));
    assert_eq!(Response::new(function.with(async |_| running.outcome().await)).text(), "ok");
    let polls = |function: &Function| function.calls().iter().filter(|call| call.route == Route::Next).count();
    assert_eq!(polls(&function), 1, "the callback has not ended");
    std::fs::write(&go, "").unwrap();
    function.with_api(async |api| api.ready().await);
    assert_eq!(polls(&function), 2);
}

#[test]
fn at_sigterm_callbacks_run_last_first_then_atexit_and_the_status_is_0() {
    let mut function = source(APP).start();
    assert_eq!(terminate(&mut function), "exit status 0");
    let logs = function.logs();
    let at = |text| logs.find(text).unwrap_or_else(|| panic!("{text}: {logs}"));
    assert!(at("second registered") < at("first registered") && at("first registered") < at("at exit"), "{logs}");
}

#[test]
fn a_sigterm_during_a_request_waits_for_its_answer() {
    let mut function = source(APP).start();
    assert_eq!(function.invoke(get("/slow")).text(), "ok");
    assert_eq!(ended(&mut function), "exit status 0");
    assert!(function.logs().contains("at exit"), "{}", function.logs());
}

#[test]
fn the_applications_own_handler_runs_while_the_process_waits() {
    let app = r#"
import os, signal, sys
def handler(number, frame):
    print("own handler", number)
    if number == signal.SIGTERM:
        sys.exit(0)
signal.signal(signal.SIGTERM, handler)
signal.signal(signal.SIGUSR1, handler)
def app(environ, start_response):
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]
"#;
    let mut function = source(app).start();
    let pid = function.replay("rest-get").text().to_owned();
    assert!(support::kill("USR1", &pid).status().unwrap().success());
    function.until(Duration::from_secs(60), |function| function.logs().contains("own handler 10").then_some(()));
    assert_eq!(function.replay("rest-get").status(), 200, "the process goes on");
    assert_eq!(terminate(&mut function), "exit status 0");
    assert!(function.logs().contains("own handler 15"), "{}", function.logs());
}

fn with_extension() -> Setup {
    source(APP).env("WSGI_LAMBDA_SHUTDOWN", "true")
}

#[test]
fn the_internal_extension_is_registered_when_asked_for_and_polls() {
    let mut function = with_extension().start();
    assert_eq!(function.invoke(get("/")).status(), 200);
    let routes: Vec<Route> = function.calls().iter().map(|call| call.route).collect();
    assert!(routes.contains(&Route::ExtensionRegister) && routes.contains(&Route::ExtensionNext), "{routes:?}");
    assert_eq!(terminate(&mut function), "exit status 0");
}

#[test]
fn the_internal_extension_is_not_used_where_it_is_not_asked_for_or_refused() {
    let managed = with_extension().env("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances");
    for setup in [source(APP), managed] {
        let mut function = setup.start();
        assert_eq!(function.invoke(get("/")).status(), 200);
        assert!(function.calls().iter().all(|call| call.route != Route::ExtensionRegister));
    }
}

#[test]
fn an_event_that_arrives_while_signals_are_handled_is_not_lost() {
    let app = APP.replace(
        "served = []",
        "served = []\nsignal.signal(signal.SIGUSR1, lambda number, frame: served.append(number))",
    );
    let mut function = source(&app).start();
    let pid = function.invoke(get("/pid")).text().to_owned();
    for _ in 0..50 {
        let mut kill = support::kill("USR1", &pid).spawn().unwrap();
        assert_eq!(function.invoke(get("/pid")).text(), pid);
        kill.wait().unwrap();
    }
}

#[test]
fn the_trace_id_is_that_of_each_request_for_python_and_for_children() {
    let app = r#"
import os, subprocess
def app(environ, start_response):
    child = subprocess.run(["printenv", "_X_AMZN_TRACE_ID"], capture_output=True, text=True).stdout.strip()
    start_response("200 OK", [])
    return [repr((os.environ.get("_X_AMZN_TRACE_ID"), child)).encode()]
"#;
    let mut function = source(app).start();
    let name = HeaderName::from_static("lambda-runtime-trace-id");
    // More of them than are kept, and some that need more room than those before.
    for number in 0..40 {
        let id = format!("Root=1-{}", "x".repeat(number * number % 700));
        let value = HeaderValue::from_str(&id).unwrap();
        let invocation = Submission::new(get("/").to_string()).header(name.clone(), value);
        assert_eq!(function.send(invocation).text(), format!("('{id}', '{id}')"));
    }
    let response = function.send(Submission::new(get("/").to_string()).without(name));
    assert_eq!(response.text(), "(None, '')");
}

/// A thread of the runtime that takes signals would get this one, whose default is to end the process.
#[test]
fn a_signal_that_the_application_waits_for_is_its_own() {
    let app = "
import os, signal
def wait():
    os.kill(os.getpid(), signal.SIGUSR1)
    return signal.sigwait({signal.SIGUSR1}).name
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
at_import = wait()
def app(environ, start_response):
    start_response('200 OK', [])
    return [f'{at_import} {wait()}'.encode()]
";
    let mut function = source(app).start();
    assert_eq!(function.invoke(get("/")).text(), "SIGUSR1 SIGUSR1", "{}", function.logs());
}
