//! Memory: bodies without an end, and functions with little.

use super::{accepted, get};
use crate::support::source;

const APP: &str = r#"
import resource
pulled = 0
closed = []

class Endless:
    def __init__(self, chunk):
        self.chunk = chunk
    def __iter__(self):
        global pulled
        while True:
            pulled += len(self.chunk)
            yield self.chunk
    def close(self):
        closed.append("closed")

def app(environ, start_response):
    global pulled
    path = environ["PATH_INFO"]
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/endless":
        return Endless(b"x" * 65536)
    if path == "/writes":
        try:
            while True:
                pulled += 65536
                write(b"x" * 65536)
        finally:
            closed.append("raised")
    if path == "/controls":
        return [b"\1" * 4_000_000]
    if path == "/raises":
        def body():
            yield from (b"x" * 65536 for _ in range(80))
            raise ValueError("at the end")
        return body()
    if path == "/little":
        body = b"\xff" * 4_600_000
        used = int(open("/proc/self/statm").read().split()[0]) * 4096
        resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 20), resource.RLIM_INFINITY))
        return [body]
    if path == "/enough":
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    seen, pulled = (pulled, list(closed)), 0
    closed.clear()
    return [repr(seen).encode()]
"#;

#[test]
fn a_body_without_an_end_is_collected_up_to_the_limit() {
    const LIMIT: u64 = 6 << 20;
    for (path, how) in [("/endless", "closed"), ("/writes", "raised")] {
        let mut function = source(APP).start();
        function.invoke(get("/seen"));
        let before = function.peak();
        let response = function.invoke(get(path));
        assert_eq!(response.status(), 500, "{path}");
        let logs = function.logs();
        assert!(logs.contains("[ERROR] Function.ResponseSizeTooLarge: the response is too large"), "{path}: {logs}");
        assert!(function.peak() < before + 3 * LIMIT, "{path}: {} and before {before}", function.peak());
        let seen = function.invoke(get("/seen")).text().to_owned();
        let pulled: u64 = seen.trim_start_matches('(').split(',').next().unwrap().parse().unwrap();
        assert!(pulled <= LIMIT + 2 * 65536 && seen.contains(how), "{path}: {seen}");
        assert_eq!(accepted(&function), 3);
    }
}

#[test]
fn what_is_thrown_away_is_not_encoded_and_text_of_escapes_is_not_blown_up() {
    for (path, status) in [("/raises", 500), ("/controls", 200)] {
        let mut function = source(APP).start();
        function.invoke(get("/seen"));
        let before = function.peak();
        let response = function.invoke(get(path));
        assert_eq!(response.status(), status, "{path}: {}", function.logs());
        assert!(function.peak() < before + (20 << 20), "{path}: {} and before {before}", function.peak());
    }
}

#[test]
fn where_there_is_no_memory_to_encode_an_answer_it_is_a_500() {
    // Without threads, for each of which malloc has kept room.
    let setup = source(APP).env("WSGI_LAMBDA_DEADLINE_MARGIN_MS", "0").env("WSGI_LAMBDA_INIT_STACKS_MS", "0");
    let mut function = setup.start();
    let response = function.invoke(get("/little"));
    assert_eq!(response.status(), 500, "{}", function.logs());
    assert!(
        function.logs().contains("Runtime.OutOfMemory") || function.logs().contains("MemoryError"),
        "{}",
        function.logs()
    );
    assert_eq!(function.invoke(get("/enough")).status(), 200, "{}", function.logs());
}
