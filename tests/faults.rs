//! Applications that do what they should not: `docs/failures.md`, row by row. After each, the next request is right.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::Value;
use support::{Function, Response, event, source};
use wsgi_lambda::emulator::{Outcome, Route};

const APP: &str = r#"
import ctypes, os, resource, sys, threading, time

class Deleted:
    def __del__(self):
        raise ValueError("in __del__")

class Closed(list):
    def close(self):
        raise ValueError("in close")

class Raising:
    def write(self, text):
        raise OSError("no writes")
    def flush(self):
        raise OSError("no flushes")

class Unflushed:
    def write(self, text):
        sys.__stdout__.write(text)

def recurse():
    return recurse()

def app(environ, start_response):
    path = environ["PATH_INFO"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    print("before", path)
    if path == "/system-exit":
        sys.exit(3)
    elif path == "/keyboard-interrupt":
        raise KeyboardInterrupt
    elif path == "/base-exception":
        raise BaseException("bare")
    elif path == "/generator-exit":
        raise GeneratorExit
    elif path == "/recursion":
        recurse()
    elif path == "/memory-error":
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, hard))
        try:
            bytearray(8 << 30)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    elif path == "/exit":
        os._exit(7)
    elif path == "/killed":
        os.kill(os.getpid(), 9)  # as the kernel does when the sandbox's memory is used up
    elif path == "/segfault":
        ctypes.string_at(0)
    elif path == "/abort":
        os.abort()
    elif path == "/close-raises":
        return Closed([b"ok"])
    elif path == "/del-raises":
        Deleted()
    elif path == "/threads":
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    elif path == "/close-stdout":
        sys.stdout.close()
    elif path == "/no-stdout":
        sys.stdout = sys.stderr = None
    elif path == "/raising-stdout":
        sys.stdout = sys.stderr = Raising()
    elif path == "/stdout-without-flush":
        sys.stdout = Unflushed()
    elif path == "/close-stderr":
        environ["wsgi.errors"].close()
    elif path == "/replace-stderr":
        import io
        sys.stderr = io.StringIO()
    elif path == "/fork":
        if os.fork():
            os.wait()
    elif path == "/chdir":
        os.chdir("/")
    elif path == "/raise":
        raise ValueError("plain")
    return [b"ok"]
"#;

fn get(path: &str) -> Value {
    let mut event = event("function-url-get");
    event["rawPath"] = path.into();
    event
}

fn function() -> Function {
    source(APP).start()
}

/// Plays a fault, then checks that the next request, and what it logs, are right.
fn play(function: &mut Function, path: &str) -> (Response, String) {
    let response = function.invoke(get(path));
    let logs = function.logs();
    let next = function.invoke(get("/next"));
    assert_eq!((next.status(), next.text()), (200, "ok"), "after {path}: {}", function.logs());
    assert!(function.logs().contains("before /next"), "after {path}: {}", function.logs());
    (response, logs)
}

#[test]
fn what_python_can_catch_is_a_500_and_a_traceback() {
    let mut function = function();
    for (path, name) in [
        ("/system-exit", "SystemExit"),
        ("/keyboard-interrupt", "KeyboardInterrupt"),
        ("/base-exception", "BaseException: bare"),
        ("/generator-exit", "GeneratorExit"),
        ("/recursion", "RecursionError"),
        ("/memory-error", "MemoryError"),
    ] {
        let (response, logs) = play(&mut function, path);
        assert_eq!(response.status(), 500, "{path}");
        assert!(logs.contains(&format!("[ERROR] {name}")) && logs.contains("Traceback"), "{path}: {logs}");
    }
}

#[test]
fn a_process_that_dies_is_the_platforms_to_report_and_says_what_it_can() {
    for (path, said) in [
        ("/exit", "before /exit"),
        ("/killed", "before /killed"),
        ("/segfault", "Segmentation fault"),
        ("/abort", "Aborted"),
    ] {
        let (response, logs) = play(&mut function(), path);
        let Outcome::Platform(error) = &response.outcome else { panic!("{path}: {:?}", response.outcome) };
        assert_eq!(error.error_type, "Runtime.ExitError", "{path}");
        assert!(logs.contains(said), "{path}: {logs}");
        assert!(said.starts_with("before") || logs.contains("in app"), "{path}: the Python stack: {logs}");
    }
}

#[test]
fn what_goes_wrong_beside_the_response_leaves_it_whole() {
    let mut function = function();
    for (path, said) in [
        ("/close-raises", "[ERROR] ValueError: in close"),
        ("/del-raises", "ValueError: in __del__"),
        ("/threads", ""),
        ("/close-stdout", ""),
        ("/no-stdout", ""),
        ("/raising-stdout", ""),
        ("/stdout-without-flush", ""),
        ("/close-stderr", ""),
        ("/replace-stderr", ""),
        ("/chdir", ""),
    ] {
        let (response, logs) = play(&mut function, path);
        assert_eq!((response.status(), response.text()), (200, "ok"), "{path}: {logs}");
        assert!(logs.contains(said), "{path}: {logs}");
        let (response, logs) = play(&mut function, "/raise");
        assert_eq!(response.status(), 500, "after {path}");
        assert!(logs.contains("[ERROR] ValueError: plain"), "after {path}: {logs}");
    }
}

#[test]
fn a_forked_child_that_comes_back_sends_nothing_of_a_stream() {
    let mut function = source(APP).env("WSGI_LAMBDA_RESPONSE_MODE", "stream").start();
    let (response, logs) = play(&mut function, "/fork");
    assert_eq!((response.status(), response.text()), (200, "ok"), "{logs}");
    let count = |route| function.calls().iter().filter(|call| call.route == route).count();
    assert_eq!((count(Route::Response), count(Route::Next)), (2, 3), "one response a request");
}

#[test]
fn a_forked_child_that_comes_back_answers_nothing() {
    let mut function = function();
    let (response, logs) = play(&mut function, "/fork");
    assert_eq!((response.status(), response.text()), (200, "ok"), "{logs}");
    let count = |route| function.calls().iter().filter(|call| call.route == route).count();
    assert_eq!((count(Route::Response), count(Route::Next)), (2, 3), "one response a request");
}
