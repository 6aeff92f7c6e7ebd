//! Memory of large bodies: it is kept from one request to the next (`python/ffi.rs`, `keep_memory`), freed and returned after
//! them (`server/memory.rs`), and a response is encoded while it is sent (`proxy/body.rs`).

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::Function;

const MEGABYTE: usize = 1 << 20;

/// Pages that the kernel has had to hand to the process since it began: field 10 of proc_pid_stat(5).
fn faults(function: &mut Function) -> u64 {
    let pid = function.process_id().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    after_name.split_whitespace().nth(7).unwrap().parse().unwrap()
}

/// The application, in an environment with these variables.
fn start(python: &str, variables: &[(&str, &str)]) -> Function {
    variables.iter().fold(support::source(python), |setup, (name, value)| setup.env(name, value)).start()
}

/// A POST with this body.
fn upload(body: &str) -> Value {
    let mut event = support::event("function-url-get");
    event["requestContext"]["http"]["method"] = json!("POST");
    event["body"] = json!(body);
    event
}

/// Pages that one echo of a megabyte takes, once the process has seen some.
fn faults_of_an_echo(variables: &[(&str, &str)]) -> u64 {
    let python = "def app(environ, start_response):\n    \
         start_response('200 OK', [('Content-Type', 'application/octet-stream')])\n    \
         return [environ['wsgi.input'].read()]\n";
    let mut function = start(python, variables);
    let mut event = upload(&"AAAA".repeat(MEGABYTE / 3));
    event["isBase64Encoded"] = json!(true);
    let echo = |function: &mut Function| assert_eq!(function.invoke(&event).body().len(), MEGABYTE / 3 * 3);
    (0..3).for_each(|_| echo(&mut function));
    let before = faults(&mut function);
    (0..10).for_each(|_| echo(&mut function));
    (faults(&mut function) - before) / 10
}

#[test]
fn large_bodies_use_the_same_pages_again() {
    let pages_of_a_body = (MEGABYTE / 4096) as u64;
    assert!(faults_of_an_echo(&[]) < pages_of_a_body / 4);
}

#[test]
fn who_tunes_malloc_has_the_last_word() {
    let pages_of_a_body = (MEGABYTE / 4096) as u64;
    assert!(faults_of_an_echo(&[("MALLOC_MMAP_THRESHOLD_", "131072")]) > pages_of_a_body);
}

#[test]
fn a_large_response_is_in_memory_once() {
    let source = "BODY = {'text': b'a \"line\"\\n' * 500_000, 'binary': bytes(range(256)) * 16_000}\n\
        def app(environ, start_response):\n    kind = environ['QUERY_STRING']\n    \
         start_response('200 OK', [('Content-Type', 'text/plain' if kind == 'text' else 'image/png')])\n    \
         return [BODY[kind]] if kind else [b'']\n";
    let mut function = support::source(source).start();
    let mut event = support::event("function-url-get");
    let mut ask = |query: &str, function: &mut Function| {
        event["rawQueryString"] = json!(query);
        function.invoke(&event).body().len()
    };
    assert_eq!(ask("", &mut function), 0);
    let before = function.peak();
    assert_eq!((ask("text", &mut function), ask("binary", &mut function)), (4_500_000, 4_096_000));
    let grown = function.peak() - before;
    // A part of each encoding, and not 6 MB.
    assert!(grown < 3500 << 10, "{grown} bytes more");
}

/// Megabytes that 10 MB of bodies leave in the process, after the first small request and after many.
fn left_by_large_bodies(variables: &[(&str, &str)]) -> [u64; 2] {
    let python = "def app(environ, start_response):\n    start_response('200 OK', [('Content-Type', 'text/plain')])\n    \
         return [b'a' * len(environ['wsgi.input'].read())]\n";
    let mut function = start(python, variables);
    let (small, large) = (support::event("function-url-get"), upload(&"a".repeat(5 * MEGABYTE)));
    let ask = |event: &Value, function: &mut Function| function.invoke(event).body().len();
    assert_eq!(ask(&small, &mut function), 0);
    let before = function.resident();
    assert_eq!(ask(&large, &mut function), 5 * MEGABYTE);
    assert_eq!(ask(&small, &mut function), 0);
    let first = function.resident().saturating_sub(before);
    (0..70).for_each(|_| assert_eq!(ask(&small, &mut function), 0));
    [first, function.resident().saturating_sub(before)].map(|bytes| bytes >> 20)
}

#[test]
fn what_large_bodies_needed_is_returned_when_no_more_come() {
    let [first, later] = left_by_large_bodies(&[]);
    assert!(first >= 8 && later <= 2, "{first} MB, then {later} MB");
}

#[test]
fn who_tunes_malloc_keeps_what_malloc_keeps() {
    let variables = [("MALLOC_MMAP_THRESHOLD_", "33554432"), ("MALLOC_TRIM_THRESHOLD_", "67108864")];
    let [first, later] = left_by_large_bodies(&variables);
    assert!(first >= 8 && later >= 8, "{first} MB, then {later} MB");
}

/// Megabytes that a process grows by, at most, in this many uploads. Each request ends in a reference cycle, as a Django
/// request does; `KEPT` holds the last of them.
fn grown_by_cycles(uploads: usize, size: usize, top: &str) -> u64 {
    let source = "KEPT = collections.deque(maxlen=KEEP)\n\
         class Request:\n    def __init__(self, environ):\n        self.itself = self\n        \
         self.body = environ['wsgi.input'].read()\n\
         def app(environ, start_response):\n    request = Request(environ)\n    \
         KEPT.append(request)\n    start_response('200 OK', [('Content-Type', 'text/plain')])\n    return [str(len(request.body)).encode()]\n";
    let mut function = start(&format!("import collections\nKEEP = 0\n{top}\n{source}"), &[]);
    let event = upload(&"a".repeat(size));
    let mut ask = || {
        assert_eq!(function.invoke(&event).body(), size.to_string().as_bytes());
        function.peak()
    };
    let before = ask();
    let after = (0..uploads).map(|_| ask()).max().unwrap();
    (after - before) >> 20
}

#[test]
fn bodies_in_reference_cycles_are_freed_by_the_megabyte() {
    for (uploads, size) in [(20, MEGABYTE), (80, MEGABYTE / 4)] {
        let grown = grown_by_cycles(uploads, size, "");
        assert!(grown <= 5, "{grown} MB with bodies of {size} bytes");
    }
}

/// Each is old when its turn comes to be garbage: only a collection of all generations frees it.
#[test]
fn bodies_that_live_longer_than_their_request_are_freed() {
    let grown = grown_by_cycles(100, MEGABYTE, "KEEP = 3");
    assert!(grown <= 40, "{grown} MB");
}

#[test]
fn who_turns_the_collector_off_collects_garbage() {
    for top in ["import gc; gc.disable()", "import gc; gc.set_threshold(0)"] {
        let grown = grown_by_cycles(20, MEGABYTE, top);
        assert!(grown >= 15, "{grown} MB after {top}");
    }
}
