//! Signals in each phase.

use std::time::Duration;

use super::{accepted, get};
use crate::support::{kill, source};
use wsgi_lambda::emulator::Submission;

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
        time.sleep(0.3)
    return [str(os.getpid()).encode()]
"#;

/// The signal comes first, or the event does: it has been given away, and there is nobody else to serve it.
#[test]
fn an_event_that_comes_with_sigterm_is_served_first() {
    for _ in 0..20 {
        let mut function = source(APP).start();
        let pid = function.invoke(get("/")).text().to_owned();
        let event = Submission::new(get("/").to_string()).timeout(Duration::from_secs(10));
        // While the process is stopped both arrive.
        assert!(kill("STOP", &pid).status().unwrap().success());
        let running = function.api().submit(event);
        assert!(kill("TERM", &pid).status().unwrap().success());
        function.with(async |_| tokio::time::sleep(Duration::from_millis(30)).await);
        assert!(kill("CONT", &pid).status().unwrap().success());
        let outcome = function.with(async |_| running.outcome().await);
        assert!(matches!(outcome, wsgi_lambda::emulator::Outcome::Response(_)), "{outcome:?}");
        assert_eq!(function.ended(Duration::from_secs(10)), "exit status 0");
        assert!(function.logs().contains("atexit ran"), "{}", function.logs());
    }
}

#[test]
fn threads_at_work_in_c_code_do_not_crash_the_exit() {
    for _ in 0..10 {
        let mut function = source(APP).start();
        let pid = function.invoke(get("/threads")).text().to_owned();
        assert!(kill("TERM", &pid).status().unwrap().success());
        assert_eq!(function.ended(Duration::from_secs(10)), "exit status 0", "{}", function.logs());
        assert!(function.logs().contains("atexit ran"), "{}", function.logs());
    }
}

#[test]
fn a_request_that_is_served_gets_its_answer_before_the_end() {
    let mut function = source(APP).start();
    let pid = function.invoke(get("/")).text().to_owned();
    let running = function.api().submit(Submission::new(get("/work").to_string()).timeout(Duration::from_secs(10)));
    function.with(async |_| tokio::time::sleep(Duration::from_millis(100)).await);
    assert!(kill("TERM", &pid).status().unwrap().success());
    let outcome = function.with(async |_| running.outcome().await);
    assert!(matches!(outcome, wsgi_lambda::emulator::Outcome::Response(_)), "{outcome:?}");
    assert_eq!(function.ended(Duration::from_secs(10)), "exit status 0");
    assert_eq!(accepted(&function), 2);
}

/// As a sandbox is between two invocations, and in one.
#[test]
fn freezing_loses_nothing() {
    let mut function = source(APP).start();
    let pid = function.invoke(get("/")).text().to_owned();
    for path in ["/", "/work", "/", "/work"] {
        assert!(kill("STOP", &pid).status().unwrap().success());
        let event = Submission::new(get(path).to_string()).timeout(Duration::from_secs(10));
        let running = function.api().submit(event);
        function.with(async |_| tokio::time::sleep(Duration::from_millis(50)).await);
        assert!(kill("CONT", &pid).status().unwrap().success());
        let outcome = function.with(async |_| running.outcome().await);
        assert!(matches!(outcome, wsgi_lambda::emulator::Outcome::Response(_)), "{path}: {outcome:?}");
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
        let pid = function.sandbox().bootstrap().and_then(|bootstrap| bootstrap.id()).unwrap();
        assert!(kill("TERM", pid).status().unwrap().success());
        assert_eq!(function.ended(Duration::from_secs(10)), "exit status 0", "{workers}: {}", function.logs());
        assert!(function.logs().contains("atexit ran"), "{workers}: {}", function.logs());
    }
}
