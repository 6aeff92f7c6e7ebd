//! Descriptors: none are left, or the application has closed what was not its own.

use super::{accepted, get, hurried, is_answer, watched};
use crate::support::source;
use wsgi_lambda::emulator::{Outcome, Route};

const APP: &str = r#"
import os, resource, sys, time
held = []
own = None

def exhaust():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    try:
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass

def app(environ, start_response):
    global own
    path = environ["PATH_INFO"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/exhaust":
        exhaust()
        return [b"none left"]
    if path == "/exhaust-and-wait":
        exhaust()
        time.sleep(20)
    if path == "/stream":
        return (b"%d " % number for number in range(3))
    if path == "/close":
        os.closerange(3, 200)
        # Files of its own under the numbers that have become free.
        own = [open(os.path.join(os.environ["OWN"], str(number)), "w+") for number in range(12)]
        return [b"closed"]
    if path == "/own":
        return [repr([os.path.getsize(file.name) for file in own]).encode()]
    if path == "/close-and-wait":
        os.closerange(3, 200)
        own = [open(os.path.join(os.environ["OWN"], str(number)), "w+") for number in range(12)]
        time.sleep(20)
    return [b"ok"]
"#;

#[test]
fn without_a_free_descriptor_answers_and_streams_still_leave() {
    for mode in ["buffered", "stream"] {
        let mut function = source(APP).env("WSGI_LAMBDA_RESPONSE_MODE", mode).start();
        assert_eq!(function.invoke(get("/exhaust")).text(), "none left", "{mode}: {}", function.logs());
        for _ in 0..3 {
            let response = function.invoke(get("/stream"));
            assert_eq!(response.text(), "0 1 2 ", "{mode}: {}", function.logs());
        }
        assert_eq!(accepted(&function), 4, "{mode}");
    }
}

#[test]
fn at_the_deadline_too() {
    for mode in ["buffered", "stream"] {
        let mut function = watched(source(APP)).env("WSGI_LAMBDA_RESPONSE_MODE", mode).start();
        assert_eq!(hurried(&mut function, "/exhaust-and-wait").status(), 504, "{mode}: {}", function.logs());
        assert_eq!(function.invoke(get("/")).text(), "ok", "{mode}: {}", function.logs());
        assert_eq!(accepted(&function), 2, "{mode}");
    }
}

/// Daemons close all descriptors that they do not know. Ours are among them, and their numbers become files of the
/// application's.
#[test]
fn what_the_application_has_closed_is_left_alone() {
    for mode in ["buffered", "stream"] {
        let folder = tempfile::tempdir().unwrap();
        let mut function =
            source(APP).env("WSGI_LAMBDA_RESPONSE_MODE", mode).env("OWN", folder.path().to_str().unwrap()).start();
        for path in ["/close", "/", "/stream", "/own"] {
            let response = function.invoke(get(path));
            // The connection over which the event came is among what was closed: its response needs another one.
            assert!(is_answer(&response), "{mode} {path}: {:?} {}", response.outcome, function.logs());
        }
        let sizes = function.invoke(get("/own"));
        assert_eq!(sizes.text(), format!("{:?}", [0; 12]), "{mode}: nothing of ours is in its files");
    }
}

#[test]
fn the_deadline_interrupts_it_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut function = watched(source(APP)).env("OWN", folder.path().to_str().unwrap()).start();
    let response = hurried(&mut function, "/close-and-wait");
    assert!(matches!(response.outcome, Outcome::Response(_)) && response.status() == 504, "{:?}", response.outcome);
    assert!(function.logs().contains("in app"), "{}", function.logs());
    assert_eq!(function.invoke(get("/own")).text(), format!("{:?}", [0; 12]));
    let starts = function.calls().iter().filter(|call| call.route == Route::Next).count();
    assert_eq!(starts, 3, "one process: {}", function.logs());
}
