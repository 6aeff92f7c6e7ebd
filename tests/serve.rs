//! `wsgi-lambda serve` from outside: the real program, the real runtime, real connections.
#![cfg(feature = "cli")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "serve/bad_input.rs"]
mod bad_input;
#[path = "emulators/client.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod client;
#[path = "serve/debugger.rs"]
mod debugger;
#[path = "serve/ending.rs"]
mod ending;
#[path = "serve/finding.rs"]
mod finding;
#[path = "serve/fronts.rs"]
mod fronts;
#[path = "serve/invoking.rs"]
mod invoking;
#[path = "serve/place.rs"]
mod place;
#[path = "serve/reloading.rs"]
mod reloading;
#[path = "serve/sandboxes.rs"]
mod sandboxes;
#[path = "serve/streams.rs"]
mod streams;
mod support;

use place::Place;

/// An application that does what the path says. Files in its folder tell it when to go on.
const APP: &str = r#"
import os, signal, sys, time

print("imported by", os.getpid())
served = 0

def wait_for(name):
    while not os.path.exists(name):
        time.sleep(0.01)

def chunks(environ):
    yield b"one\n"
    wait_for("go")
    if environ["PATH_INFO"] == "/broken-stream":
        raise ValueError("in the middle")
    if environ["PATH_INFO"] == "/ended-stream":
        os._exit(4)
    yield b"two\n"

def app(environ, start_response):
    global served
    served += 1
    path = environ["PATH_INFO"]
    print("serves", path)
    if path == "/exit":
        os._exit(3)
    if path == "/segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if path == "/slow":
        time.sleep(60)
    if path == "/wait":
        wait_for("go")
    if path == "/fail":
        raise ValueError("broken")
    if path == "/late":
        import wsgi_lambda
        wsgi_lambda.after_response(lambda: print("after the response"))
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path.endswith("stream"):
        return chunks(environ)
    if path == "/pid":
        return [str(os.getpid()).encode()]
    if path == "/count":
        return [str(served).encode()]
    if path == "/variable":
        return [os.environ.get("KEY", "unset").encode()]
    if path == "/length":
        return [str(len(environ["wsgi.input"].read())).encode()]
    return [b"hello from " + path.encode() + b"\n" + environ["wsgi.input"].read()]
"#;

#[test]
fn a_request_goes_through_the_function_and_the_terminal_tells_it() {
    let served = Place::app().serve(&["app:app"]);
    let reply = served.get("/some/path?q=1");
    assert_eq!((reply.status, reply.all("content-type")), (200, vec!["text/plain"]));
    assert_eq!(reply.text(), "hello from /some/path\n");
    served.shows("imported by");
    served.shows("GET /some/path?q=1  200");
    served.shows("│ serves /some/path");
    let lines = served.lines();
    let request = lines.iter().position(|line| line.starts_with("GET /some/path")).unwrap();
    assert!(lines[request + 1].ends_with("│ serves /some/path"), "a log line is below its request: {lines:#?}");
    let reply = served.post("/echo", b"\x00\xff body");
    assert_eq!(reply.body(), b"hello from /echo\n\x00\xff body");
    served.shows("POST /echo  200");
}

#[test]
fn what_is_logged_after_the_response_is_below_its_request() {
    let served = Place::app().serve(&["app:app"]);
    served.get("/late").text();
    served.shows("after the response");
    let lines = served.lines();
    let request = lines.iter().position(|line| line.starts_with("GET /late")).unwrap();
    assert_eq!(lines[request + 1..].iter().position(|line| line.contains("after the response")), Some(1), "{lines:#?}");
}

#[test]
fn an_error_of_the_application_is_its_response() {
    let served = Place::app().serve(&["app:app"]);
    assert_eq!(served.get("/fail").status, 500);
    served.shows("GET /fail  500");
    served.shows("ValueError: broken");
}

#[test]
fn variables_come_from_options_and_files() {
    let place = Place::app();
    place.write("vars", "# a comment\nKEY=\"from the file\"\n");
    let served = place.serve(&["app:app", "--env-file", "vars"]);
    assert_eq!(served.get("/variable").text(), "from the file");
    let served = served.again(&["app:app", "--env-file", "vars", "--env", "KEY=from the option"]);
    assert_eq!(served.get("/variable").text(), "from the option");
    let place = served.stop();
    place.write("vars", "KEY=1\nnot a variable\n");
    let seen = place.fails(&["app:app", "--env-file", "vars"]);
    assert!(seen.contains("vars:2: write it as KEY=VALUE"), "{seen}");
}

#[test]
fn recorded_requests_are_events_for_replay() {
    let place = Place::app();
    place.write("events/0007-old.json", "{}");
    let served = place.serve(&["app:app", "--record", "events"]);
    served.get("/a/b?c=d").text();
    served.post("/", b"body").text();
    let place = served.stop();
    let mut names: Vec<String> = place.names("events");
    names.sort();
    assert_eq!(names, ["0007-old.json", "0008-function-url-get-a-b.json", "0009-function-url-post.json"]);
    let event: serde_json::Value = serde_json::from_str(&place.read("events/0008-function-url-get-a-b.json")).unwrap();
    assert_eq!((event["rawPath"].as_str(), event["rawQueryString"].as_str()), (Some("/a/b"), Some("c=d")));
    place.remove("events/0007-old.json");
    let replayed =
        place.command(&["replay", "events", "--app", "app:app", "--expect", "stored", "--update"]).output().unwrap();
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    assert!(place.read("stored/0008-function-url-get-a-b.json").contains("hello from /a/b"));
}
