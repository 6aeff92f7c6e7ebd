//! Signals in each phase.

use std::time::Duration;

use super::{accepted, get};
use crate::support::{Function, kill, source};
use wsgi_lambda::emulator::{Route, Submission};

const APP: &str = r#"
import atexit, os, threading, time
atexit.register(print, "atexit ran")

def busy():
    import hashlib, json
    while True:
        hashlib.pbkdf2_hmac("sha256", b"x", b"y", 2000)
        json.dumps(list(range(200)))

def app(environ, start_response):
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/threads":
        for _ in range(2):
            threading.Thread(target=busy, daemon=True).start()
    if environ["PATH_INFO"] == "/work":
        print("at work", flush=True)
        while not os.path.exists(os.environ["GO"]):
            time.sleep(0.01)
    return [str(os.getpid()).encode()]
"#;

/// No test needs as long.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits until the process has an event that it has not read: in /proc/net/tcp a connection to the API's port with bytes
/// in its receive queue.
fn await_arrival(function: &mut Function) {
    let port = format!(":{:04X}", function.api().address().port());
    function.until(LIMIT, |_| {
        let connections = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let unread = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields[2].ends_with(&port) && !fields[4].ends_with(":00000000")
        };
        connections.lines().skip(1).any(unread).then_some(())
    });
}

/// Waits until the process has asked for its next event, after this many that it has served: one that is stopped earlier gets
/// none.
fn await_poll(function: &mut Function, served: usize) {
    function.until(LIMIT, |function| {
        let polls = function.calls().iter().filter(|call| call.route == Route::Next).count();
        (polls > served).then_some(())
    });
}

/// The signal comes first, or the event does: it has been given away, and there is nobody else to serve it.
#[test]
fn an_event_that_comes_with_sigterm_is_served_first() {
    for _ in 0..20 {
        let mut function = source(APP).start();
        let pid = function.invoke(get("/")).text().to_owned();
        let event = Submission::new(get("/").to_string()).timeout(LIMIT);
        await_poll(&mut function, 1);
        // While the process is stopped both arrive.
        assert!(kill("STOP", &pid).status().unwrap().success());
        let running = function.api().submit(event);
        assert!(kill("TERM", &pid).status().unwrap().success());
        await_arrival(&mut function);
        assert!(kill("CONT", &pid).status().unwrap().success());
        let outcome = function.with(async |_| running.outcome().await);
        assert!(matches!(outcome, wsgi_lambda::emulator::Outcome::Response(_)), "{outcome:?}");
        assert_eq!(function.ended(LIMIT), "exit status 0");
        assert!(function.logs().contains("atexit ran"), "{}", function.logs());
    }
}

#[test]
fn threads_at_work_in_c_code_do_not_crash_the_exit() {
    for _ in 0..10 {
        let mut function = source(APP).start();
        let pid = function.invoke(get("/threads")).text().to_owned();
        assert!(kill("TERM", &pid).status().unwrap().success());
        assert_eq!(function.ended(LIMIT), "exit status 0", "{}", function.logs());
        assert!(function.logs().contains("atexit ran"), "{}", function.logs());
    }
}

#[test]
fn a_request_that_is_served_gets_its_answer_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let mut function = source(APP).env("GO", go.to_str().unwrap()).start();
    let pid = function.invoke(get("/")).text().to_owned();
    let running = function.api().submit(Submission::new(get("/work").to_string()).timeout(LIMIT));
    function.until(LIMIT, |function| function.logs().contains("at work").then_some(()));
    assert!(kill("TERM", &pid).status().unwrap().success());
    std::fs::write(&go, "").unwrap();
    let outcome = function.with(async |_| running.outcome().await);
    assert!(matches!(outcome, wsgi_lambda::emulator::Outcome::Response(_)), "{outcome:?}");
    assert_eq!(function.ended(LIMIT), "exit status 0");
    assert_eq!(accepted(&function), 2);
}

/// As a sandbox is between two invocations, and in one.
#[test]
fn freezing_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let mut function = source(APP).env("GO", go.to_str().unwrap()).start();
    let pid = function.invoke(get("/")).text().to_owned();
    for (served, (times, path)) in (1..).zip([(0, "/"), (1, "/work"), (1, "/"), (2, "/work")]) {
        let event = Submission::new(get(path).to_string()).timeout(LIMIT);
        await_poll(&mut function, served);
        let running = if path == "/" {
            assert!(kill("STOP", &pid).status().unwrap().success());
            let running = function.api().submit(event);
            await_arrival(&mut function);
            running
        } else {
            let running = function.api().submit(event);
            let at_work = |function: &mut Function| (function.logs().matches("at work").count() == times).then_some(());
            function.until(LIMIT, at_work);
            assert!(kill("STOP", &pid).status().unwrap().success());
            std::fs::write(&go, "").unwrap();
            running
        };
        assert!(kill("CONT", &pid).status().unwrap().success());
        let outcome = function.with(async |_| running.outcome().await);
        assert!(matches!(outcome, wsgi_lambda::emulator::Outcome::Response(_)), "{path}: {outcome:?}");
        let _ = std::fs::remove_file(&go); // there after `/work`
    }
    assert_eq!(accepted(&function), 5);
}

#[test]
fn a_file_that_grows_too_large_is_an_exception() {
    let app = "import resource\n\
        def app(environ, start_response):\n    \
            start_response('200 OK', [])\n    \
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n    \
            try:\n        \
                with open('/tmp/wsgi-lambda-too-large', 'wb', 0) as file: [file.write(b'x' * 900) for _ in range(3)]\n    \
            except OSError as error: return [type(error).__name__.encode()]\n    \
            finally: resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n";
    assert_eq!(source(app).start().invoke(get("/")).text(), "OSError");
}

/// `multiprocessing` ends its daemons at exit by SIGTERM, and waits for them.
#[test]
fn a_daemon_child_does_not_hold_up_the_end() {
    let app = format!(
        "import multiprocessing\nbackground = multiprocessing.get_context('fork').Process(target=__import__('time').sleep, \
         args=(60,), daemon=True)\nbackground.start()\n{APP}"
    );
    for workers in ["1", "3"] {
        let mut function = source(&app).env("AWS_LAMBDA_MAX_CONCURRENCY", workers).start();
        let pid = function.process_id().unwrap();
        assert!(kill("TERM", pid).status().unwrap().success());
        assert_eq!(function.ended(LIMIT), "exit status 0", "{workers}: {}", function.logs());
        assert!(function.logs().contains("atexit ran"), "{workers}: {}", function.logs());
    }
}
