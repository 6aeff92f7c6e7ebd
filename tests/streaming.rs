//! Streamed responses: what arrives at the Runtime API, chunk by chunk.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::{Function, Response, bootstrap, event, source};
use wsgi_lambda::emulator::{Fault, Outcome, Progress, Route, Stream, Submission};

const APP: &str = r#"
import os, time
closed = []

class Body:
    def __init__(self, *parts):
        self.parts = iter(parts)
    def __iter__(self):
        return self
    def __next__(self):
        part = next(self.parts)
        if isinstance(part, BaseException):
            raise part
        return part() if callable(part) else part
    def close(self):
        closed.append(True)

def wait():
    while not os.path.exists(os.environ["GO"]):
        time.sleep(0.01)
    return b""

def app(environ, start_response):
    path = environ["PATH_INFO"]
    def start(status="200 OK", *headers):
        return start_response(status, [("Content-Type", "text/plain"), *headers])
    if path == "/chunks":
        start("200 OK", ("X-Tag", "one"), ("X-Tag", "two"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
        return Body(b"", b"first,", b"", b"second,", b"third")
    if path == "/one":
        start()
        return [b"abc"]
    if path == "/empty":
        start("204 No Content")
        return []
    if path == "/redirect":
        start("302 Found", ("Location", "/"))
        return Body(b"")
    if path == "/fails-early":
        start()
        return Body(b"", ValueError("early"))
    if path == "/fails-late":
        start()
        return Body(b"begin", ValueError("late"))
    if path == "/raises":
        raise ValueError("at once")
    if path == "/write":
        write = start()
        write(b"")
        write(b"written,")
        return [b"returned"]
    if path == "/short":
        start("200 OK", ("Content-Length", "10"))
        return Body(b"abc")
    if path == "/long":
        start("200 OK", ("Content-Length", "3"))
        return Body(b"ab", b"cdef", b"gh")
    if path == "/latin1":
        start("200 OK", ("X-Name", "\xe9"))
        return [b"x"]
    if path == "/file":
        import io
        start()
        return environ["wsgi.file_wrapper"](io.BytesIO(b"z" * 200_000))
    if path == "/closed":
        start()
        response, closed[:] = str(len(closed)).encode(), []
        return [response]
    if path == "/empty-write":
        write = start()
        write(b"")
        return Body(wait, b"late")
    if path == "/waits":
        start()
        return Body(b"first", wait, b"second")
    if path == "/prelude":
        start("200 OK", ("X-Long", "x" * 20_000))
        return [b"ok"]
    start("404 Not Found")
    return [b"?"]
"#;

fn function() -> Function {
    source(APP).env("WSGI_LAMBDA_RESPONSE_MODE", "stream").start()
}

fn get(path: &str) -> Value {
    let mut event = event("function-url-get");
    event["rawPath"] = path.into();
    event
}

fn stream(response: &Response) -> &Stream {
    match &response.outcome {
        Outcome::Response(posted) => posted.stream.as_ref().expect("a streamed response"),
        other => panic!("not a response: {other:?}"),
    }
}

/// The prelude's JSON, and the chunks after the delimiter as they arrived. Prelude and delimiter are chunks of their own,
/// as those of AWS's crate are: cargo-lambda takes the first for the prelude and throws the second away.
fn chunks(response: &Response) -> (Value, Vec<Vec<u8>>) {
    let mut chunks = stream(response).chunks.iter().map(|chunk| chunk.bytes.to_vec());
    // A large one arrives in parts.
    let prelude = chunks.by_ref().take_while(|chunk| *chunk != [0; 8]).collect::<Vec<_>>().concat();
    (serde_json::from_slice(&prelude).expect("the prelude is JSON"), chunks.collect())
}

fn body(response: &Response) -> Vec<u8> {
    chunks(response).1.concat()
}

#[test]
fn w71_each_chunk_leaves_as_it_is_yielded_the_first_one_with_the_prelude() {
    let response = function().invoke(get("/chunks"));
    let (prelude, chunks) = chunks(&response);
    assert_eq!(
        prelude,
        json!({"statusCode": 200, "headers": {"Content-Type": "text/plain", "X-Tag": "one,two"}, "cookies": ["a=1", "b=2"]})
    );
    assert_eq!(chunks, [b"first,".to_vec(), b"second,".to_vec(), b"third".to_vec()]);
    assert!(stream(&response).complete && stream(&response).error().is_none());
}

/// A platform of a few lines: what one read of a socket gives was one write, as far as one can tell.
#[test]
fn prelude_and_first_chunk_leave_in_one_write() {
    let folder = tempfile::tempdir().unwrap();
    let app = "def app(environ, start_response):\n    start_response('200 OK', [])\n    yield b'first'\n    input()\n";
    std::fs::write(folder.path().join("app.py"), app).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut runtime = Command::new(bootstrap())
        .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string())
        .env("LAMBDA_TASK_ROOT", folder.path())
        .env("_HANDLER", "app:app")
        .env("WSGI_LAMBDA_RESPONSE_MODE", "stream")
        .stdin(Stdio::piped()) // where the application waits after its first chunk
        .spawn()
        .unwrap();
    let (mut poll, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        poll.read_exact(&mut byte).unwrap();
        request.extend(byte);
    }
    let event = get("/").to_string();
    let head =
        format!("HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nContent-Length: {}\r\n\r\n", event.len());
    poll.write_all((head + &event).as_bytes()).unwrap();
    let (mut post, _) = listener.accept().unwrap();
    let mut piece = vec![0; 65_536];
    let length = post.read(&mut piece).unwrap();
    let text = String::from_utf8_lossy(&piece[..length]).into_owned();
    runtime.kill().unwrap();
    runtime.wait().unwrap();
    assert!(text.starts_with("POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\n"), "{text}");
    assert!(text.contains("{\"statusCode\":200,") && text.ends_with("\r\n5\r\nfirst\r\n"), "{text}");
}

#[test]
fn a_rest_api_gets_multi_value_headers() {
    let mut event = event("rest-get");
    event["path"] = "/chunks".into();
    let (prelude, _) = chunks(&function().invoke(event));
    assert_eq!(prelude["multiValueHeaders"]["X-Tag"], json!(["one", "two"]));
    assert_eq!(prelude["multiValueHeaders"]["Set-Cookie"], json!(["a=1", "b=2"]));
    assert_eq!(prelude.as_object().unwrap().len(), 2, "{prelude}");
}

#[test]
fn front_ends_that_cannot_stream_are_answered_in_one_document() {
    let mut function = function();
    for name in ["alb-get", "alb-multi-get", "http-api-v1-get", "http-api-v2-get", "lattice-v1-get", "lattice-v2-get"] {
        let response = function.replay(name);
        let Outcome::Response(posted) = &response.outcome else { panic!("{name}: {:?}", response.outcome) };
        assert!(posted.stream.is_none(), "{name}");
        assert_eq!(response.status(), 404, "{name}");
    }
}

#[test]
fn w75_a_body_of_one_known_chunk_announces_its_length() {
    let (prelude, chunks) = chunks(&function().invoke(get("/one")));
    assert_eq!(prelude["headers"]["Content-Length"], "3");
    assert_eq!(chunks, [b"abc".to_vec()]);
}

#[test]
fn answers_without_body_send_the_prelude_and_end() {
    let mut function = function();
    for (path, status) in [("/empty", 204), ("/redirect", 302)] {
        let response = function.invoke(get(path));
        let (prelude, chunks) = chunks(&response);
        assert_eq!(prelude["statusCode"], status);
        assert_eq!(chunks.concat(), b"");
        assert!(stream(&response).complete);
    }
    let mut head = get("/chunks");
    head["requestContext"]["http"]["method"] = "HEAD".into();
    let response = function.invoke(head);
    assert_eq!(body(&response), b"");
    assert!(stream(&response).complete);
}

#[test]
fn w91_a_failure_before_the_first_byte_is_a_clean_500() {
    let mut function = function();
    for path in ["/fails-early", "/raises"] {
        let response = function.invoke(get(path));
        assert_eq!(chunks(&response).0["statusCode"], 500, "{path}");
        assert!(stream(&response).complete && stream(&response).error().is_none(), "{path}");
    }
    assert!(function.logs().contains("ValueError: early") && function.logs().contains("ValueError: at once"));
}

#[test]
fn w86_a_failure_of_a_head_request_has_no_body() {
    for mode in ["stream", "buffered"] {
        let mut event = get("/raises");
        event["requestContext"]["http"]["method"] = "HEAD".into();
        let response = source(APP).env("WSGI_LAMBDA_RESPONSE_MODE", mode).start().invoke(event);
        assert_eq!((response.status(), response.body()), (500, &b""[..]), "{mode}");
    }
}

#[test]
fn w92_a_failure_after_the_first_byte_is_told_in_trailers() {
    let mut function = function();
    let response = function.invoke(get("/fails-late"));
    assert_eq!(body(&response), b"begin");
    let Outcome::Response(posted) = &response.outcome else { panic!("{:?}", response.outcome) };
    let announced = posted.headers["trailer"].to_str().unwrap();
    assert_eq!(announced, "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body");
    let (kind, payload) = stream(&response).error().expect("trailers");
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(kind, "ValueError");
    assert_eq!(payload["errorMessage"], "late");
    assert!(payload["stackTrace"].as_array().is_some_and(|trace| !trace.is_empty()));
    assert_eq!(body(&function.invoke(get("/closed"))), b"1", "close() was called");
}

#[test]
fn w76_close_is_called_once_however_a_stream_ends() {
    let mut function = function();
    for path in ["/chunks", "/redirect", "/fails-early", "/fails-late", "/short", "/long"] {
        function.invoke(get(path));
        assert_eq!(body(&function.invoke(get("/closed"))), b"1", "{path}");
    }
    let mut head = get("/chunks");
    head["requestContext"]["http"]["method"] = "HEAD".into();
    function.invoke(head);
    assert_eq!(body(&function.invoke(get("/closed"))), b"1", "HEAD");
}

/// The application goes on when the file is there, and the file is made when the first bytes have arrived: a runtime that
/// kept them back would wait for ever.
#[test]
fn w64_w71_what_is_yielded_or_written_leaves_before_the_application_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    for (path, parts) in [("/waits", &[&b"first"[..], b"second"][..]), ("/empty-write", &[&b"late"[..]])] {
        let mut function =
            source(APP).env("WSGI_LAMBDA_RESPONSE_MODE", "stream").env("GO", go.to_str().unwrap()).start();
        let mut running = function.api().submit(Submission::new(get(path).to_string()));
        let early = if path == "/waits" { 3 } else { 2 };
        let mut arrived = Vec::new();
        while let Some((_, step)) = function.with(async |_| running.next().await) {
            match step {
                Progress::Chunk(bytes) => arrived.push(bytes),
                Progress::End(_) => break,
                _ => {}
            }
            if arrived.len() == early {
                std::fs::write(&go, "").unwrap();
            }
        }
        std::fs::remove_file(&go).unwrap();
        assert!(arrived[0].starts_with(b"{\"statusCode\":200"), "{path}");
        assert_eq!(arrived[2..], *parts, "{path}");
    }
}

#[test]
fn a_prelude_above_16_kb_is_sent_with_a_warning() {
    let mut function = function();
    assert_eq!(chunks(&function.invoke(get("/prelude"))).0["headers"]["X-Long"].as_str().unwrap().len(), 20_000);
    let logs = function.logs();
    assert!(logs.contains("[WARNING]") && logs.contains("API Gateway reads 16384"), "{logs}");
}

#[test]
fn write_sends_at_once() {
    let (prelude, chunks) = chunks(&function().invoke(get("/write")));
    assert_eq!(prelude["statusCode"], 200);
    assert_eq!(chunks, [b"written,".to_vec(), b"returned".to_vec()]);
}

#[test]
fn w81_w82_a_body_shorter_than_announced_does_not_end_cleanly_and_a_longer_one_is_cut() {
    let mut function = function();
    let response = function.invoke(get("/short"));
    assert_eq!(stream(&response).error().expect("trailers").0, "Runtime.TruncatedResponse");
    let response = function.invoke(get("/long"));
    assert_eq!(body(&response), b"abc");
    assert!(stream(&response).complete && stream(&response).error().is_none());
}

#[test]
fn a_process_that_dies_in_mid_stream_cuts_the_transfer() {
    let app = r#"
import os
def app(environ, start_response):
    start_response("200 OK", [])
    yield b"begin"
    os._exit(3)
"#;
    let mut function = source(app).env("WSGI_LAMBDA_RESPONSE_MODE", "stream").start();
    let response = function.invoke(get("/"));
    match &response.outcome {
        Outcome::Response(posted) => assert!(!posted.stream.as_ref().unwrap().complete),
        Outcome::Platform(error) => assert_eq!(error.error_type, "Runtime.ExitError"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn after_a_broken_connection_nothing_more_is_sent() {
    let app = r#"
def app(environ, start_response):
    write = start_response("200 OK", [])
    failed = 0
    for _ in range(200):
        try:
            write(b"x" * 200_000)
        except OSError:
            failed += 1
    print("failed", failed)
    return []
"#;
    let mut function = source(app).env("WSGI_LAMBDA_RESPONSE_MODE", "stream").start();
    function.api().arrange(Route::Response, Fault::Close);
    function.invoke(get("/"));
    let logs = function.logs();
    let failed = logs.lines().find_map(|line| line.strip_prefix("failed ")).expect("a count");
    assert!(failed.parse::<u32>().unwrap() > 150, "{logs}");
    let unknown = function.calls().iter().filter(|call| call.route == Route::Unknown).count();
    assert_eq!(unknown, 0, "no chunk was sent as if it were a request");
    let mut again = function;
    assert_eq!(again.invoke(get("/")).status(), 200);
}

#[test]
fn latin1_header_values_survive() {
    let (prelude, _) = chunks(&function().invoke(get("/latin1")));
    assert_eq!(prelude["headers"]["X-Name"], "é");
}

#[test]
fn a_request_that_cannot_be_decoded_is_a_streamed_400() {
    let mut event = get("/one");
    event["body"] = "***".into();
    event["isBase64Encoded"] = true.into();
    let response = function().invoke(event);
    assert_eq!(chunks(&response).0["statusCode"], 400);
}

#[test]
fn files_stream_in_blocks() {
    let (_, chunks) = chunks(&function().invoke(get("/file")));
    assert_eq!(chunks.concat(), vec![b'z'; 200_000]);
    assert!(chunks.len() > 2);
}

#[test]
fn a_streamed_answer_equals_the_buffered_one() {
    let (mut streamed, mut buffered) = (function(), source(APP).start());
    for path in ["/chunks", "/one", "/empty", "/redirect", "/write", "/long", "/latin1", "/file", "/raises", "/nothing"]
    {
        let (one, other) = (streamed.invoke(get(path)), buffered.invoke(get(path)));
        assert_eq!(chunks(&one).0["statusCode"], other.status(), "{path}");
        assert_eq!(body(&one), other.body(), "{path}");
    }
}
