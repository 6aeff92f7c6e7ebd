//! Deadlines, when the process is in an odd state.

use std::time::Duration;

use super::{accepted, get, hurried, watched};
use crate::support::{Function, source};
use wsgi_lambda::emulator::{Outcome, Submission};

const APP: &str = r#"
import hashlib, json, os, sqlite3, sys, threading, time

def busy():
    while True:
        json.loads(json.dumps({"a": list(range(300)), "b": "c" * 500}))

for _ in range(2):
    threading.Thread(target=busy, daemon=True).start()

def app(environ, start_response):
    path = environ["PATH_INFO"]
    start_response("200 OK", [])
    if path == "/pbkdf2":
        hashlib.pbkdf2_hmac("sha256", b"x", b"y", 2_000_000)
    elif path == "/sqlite":
        sqlite3.connect(":memory:").execute(
            "with recursive n(x) as (select 1 union all select x + 1 from n where x < 10000000) select sum(x) from n").fetchall()
    elif path == "/holds-the-gil":
        sum(range(10 ** 8))
    elif path == "/never-comes-back":
        while True:
            try:
                time.sleep(20)
            except BaseException:
                pass
    elif path == "/swallows":
        for _ in range(6):
            try:
                time.sleep(20)
            except OSError:  # what clients of HTTP APIs and databases do
                pass
    return [str(os.getpid()).encode()]
"#;

/// Frames are read while other threads run Python code: that once ended in a crash in every tenth of these.
#[test]
fn stacks_are_taken_without_a_crash_while_threads_run() {
    for path in ["/pbkdf2", "/sqlite", "/holds-the-gil"] {
        let mut function = source(APP).env("WSGI_LAMBDA_DEADLINE_MARGIN_MS", "600").start();
        for _ in 0..6 {
            let event = Submission::new(get(path).to_string()).timeout(Duration::from_millis(800));
            let response = function.send(event);
            let told = matches!(response.outcome, Outcome::Response(_) | Outcome::Platform(_));
            assert!(told && !function.logs().contains("Fatal Python error"), "{path}: {}", function.logs());
        }
        let logs = function.logs();
        assert!(logs.contains("Runtime.DeadlineReached") && logs.contains("most recent call first"), "{path}: {logs}");
        assert!(logs.contains("in app"), "{path}: the main thread's stack: {logs}");
        assert!(function.sandbox().last_exit().is_none_or(|exit| exit.signal() != Some(11)), "{path}: {logs}");
    }
}

#[test]
fn an_interrupt_that_is_swallowed_comes_again() {
    for mode in ["buffered", "stream"] {
        let mut function = watched(source(APP)).env("WSGI_LAMBDA_RESPONSE_MODE", mode).start();
        let pid = function.invoke(get("/")).text().to_owned();
        assert_eq!(hurried(&mut function, "/swallows").status(), 504, "{mode}");
        assert_eq!(function.invoke(get("/")).text(), pid, "{mode}: the same process: {}", function.logs());
        let again = function.logs().matches("is still at work, and was interrupted again").count();
        assert!(again >= 3, "{mode}: {}", function.logs());
        assert_eq!(accepted(&function), 3, "{mode}");
    }
}

#[test]
fn the_access_log_says_what_the_alarm_gave() {
    for mode in ["buffered", "stream"] {
        let mut function =
            watched(source(APP)).env("WSGI_LAMBDA_RESPONSE_MODE", mode).env("WSGI_LAMBDA_ACCESS_LOG", "true").start();
        hurried(&mut function, "/swallows");
        let seen = |function: &mut Function| function.logs().contains("GET /swallows 504 15 ").then_some(());
        function.until(Duration::from_secs(20), seen);
    }
}

/// On Lambda the platform kills the sandbox, and gives the event to another one.
#[test]
fn what_never_comes_back_costs_the_next_request_nothing() {
    let mut function = source(APP).env("WSGI_LAMBDA_DEADLINE_MARGIN_MS", "3000").start();
    let pid = function.invoke(get("/")).text().to_owned();
    let event = Submission::new(get("/never-comes-back").to_string()).timeout(Duration::from_secs(4));
    assert_eq!(function.send(event).status(), 504, "{}", function.logs());
    let next = function.invoke(get("/"));
    assert_ne!(next.text(), pid, "a new process");
}

/// Lambda ends an init after ten seconds, and says nothing of what it was doing.
#[test]
fn an_import_that_hangs_shows_where() {
    let app = "import time\n\
        def connect():\n    time.sleep(2)\n\
        connect()\n\
        def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'ok']\n";
    for (millis, shown) in [("300", true), ("0", false)] {
        let mut function = source(app).env("WSGI_LAMBDA_INIT_STACKS_MS", millis).start();
        assert_eq!(function.invoke(get("/")).text(), "ok");
        let logs = function.logs();
        assert_eq!(logs.contains("[ERROR] Runtime.SlowInit"), shown, "{logs}");
        assert_eq!(logs.contains("in connect"), shown, "{logs}");
    }
}
