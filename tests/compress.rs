//! `WSGI_LAMBDA_COMPRESS=true` through the real runtime. What it compresses is decoded by other programs than those that
//! encode it: Python's zlib, and ruzstd.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "compress/decode.rs"]
mod decode;
mod support;

use decode::decode;
use serde_json::{Value, json};
use support::{Function, Response, Setup, event, root, source};
use wsgi_lambda::emulator::{Outcome, Progress, Submission};

const FRONT_ENDS: [&str; 8] =
    ["rest", "http-api-v1", "http-api-v2", "function-url", "alb", "alb-multi", "lattice-v1", "lattice-v2"];

/// Responds as the header X-Plan says: `chunks` are the sizes of the chunks of a text.
const APP: &str = r#"
import json, os, time

LINE = b'{"name": "value", "number": 12345}\n'

def text(start, size):
    return (LINE * ((start + size) // len(LINE) + 1))[start:start + size]

def app(environ, start_response):
    plan = json.loads(environ["HTTP_X_PLAN"])
    headers = plan.get("headers", {"Content-Type": "application/json"})
    write = start_response(plan.get("status", "200 OK"), list(headers.items()))
    start, chunks = 0, []
    for size in plan.get("chunks", []):
        chunks.append(text(start, size))
        start += size
    if plan.get("write"):
        for chunk in chunks:
            write(chunk)
        return []
    return steps(plan, chunks) if plan.get("lazy", True) else chunks

def steps(plan, chunks):
    for at, chunk in enumerate(chunks):
        yield chunk
        while plan.get("waits") and at == 0 and not os.path.exists(os.environ["GO"]):
            time.sleep(0.01)
    if plan.get("fails"):
        raise ValueError("late")
"#;

fn text(size: usize) -> Vec<u8> {
    b"{\"name\": \"value\", \"number\": 12345}\n".iter().copied().cycle().take(size).collect()
}

fn on() -> Setup {
    source(APP).env("WSGI_LAMBDA_COMPRESS", "true")
}

/// A GET through a front end, with these headers besides the sample's own.
fn get(front_end: &str, headers: &[(&str, &str)]) -> Value {
    let mut event = event(&format!("{front_end}-get"));
    for (name, value) in headers {
        if front_end != "alb-multi" {
            event["headers"][*name] = if front_end == "lattice-v2" { json!([value]) } else { json!(value) };
        }
        if matches!(front_end, "rest" | "http-api-v1" | "alb-multi") {
            event["multiValueHeaders"][*name] = json!([value]);
        }
    }
    event
}

fn ask(function: &mut Function, accept: &str, plan: &Value) -> Response {
    function.invoke(get("function-url", &[("accept-encoding", accept), ("x-plan", &plan.to_string())]))
}

fn decoded(response: &Response) -> Vec<u8> {
    let (decoded, whole) = decode(response.header("content-encoding").expect("a coding"), response.body());
    assert!(whole, "the body is cut");
    decoded
}

/// The chunks of a streamed body as they arrived.
fn chunks(response: &Response) -> Vec<Vec<u8>> {
    let Outcome::Response(posted) = &response.outcome else { panic!("{:?}", response.outcome) };
    let chunks = posted.stream.as_ref().expect("a stream").chunks.iter().map(|chunk| chunk.bytes.to_vec());
    chunks.skip_while(|chunk| *chunk != [0; 8]).skip(1).collect()
}

#[test]
fn every_front_end_gets_what_its_client_accepts() {
    let mut function = on().start();
    let plan = json!({"chunks": [3000, 2000]}).to_string();
    for front_end in FRONT_ENDS {
        for coding in ["gzip", "zstd"] {
            let response = function.invoke(get(front_end, &[("accept-encoding", coding), ("x-plan", &plan)]));
            assert_eq!(response.header("content-encoding"), Some(coding), "{front_end}");
            assert_eq!(response.header("vary"), Some("Accept-Encoding"), "{front_end}");
            assert_eq!(response.json["isBase64Encoded"], true, "{front_end}");
            assert_eq!(decoded(&response), text(5000), "{front_end}");
        }
        let response = function.invoke(get(front_end, &[("accept-encoding", "br;q=0"), ("x-plan", &plan)]));
        assert_eq!((response.header("content-encoding"), response.header("vary")), (None, Some("Accept-Encoding")));
        assert_eq!(response.text().as_bytes(), text(5000), "{front_end}");
    }
}

#[test]
fn bodies_arrive_whole_however_they_are_made() {
    for mode in ["buffered", "stream"] {
        let mut function = on().env("WSGI_LAMBDA_RESPONSE_MODE", mode).start();
        for coding in ["gzip", "zstd"] {
            for plan in [
                json!({"chunks": [1024], "lazy": false}),
                json!({"chunks": [500, 500, 500]}),
                json!({"chunks": [1, 1_000_000, 1]}),
                json!({"chunks": vec![100; 50], "write": true}),
                json!({"chunks": [2000, 2000], "headers": {"Content-Type": "text/plain", "Content-Length": "4000"}}),
                json!({"chunks": [4000], "lazy": false, "headers": {"Content-Type": "text/plain", "Content-Length": "3000"}}),
            ] {
                let size: u64 = plan["chunks"].as_array().unwrap().iter().map(|size| size.as_u64().unwrap()).sum();
                let announced = plan["headers"]["Content-Length"].as_str().map(|length| length.parse().unwrap());
                let response = ask(&mut function, coding, &plan);
                let expected = text(usize::try_from(announced.unwrap_or(size)).unwrap());
                assert!(decoded(&response) == expected, "{mode} {coding} {plan}");
                let length = response.header("content-length").map(|length| length.parse().unwrap());
                let correct = announced.filter(|_| mode == "buffered").map(|_| response.body().len());
                assert_eq!(length, correct, "{mode} {coding} {plan}");
            }
        }
    }
}

#[test]
fn small_bodies_stay_as_they_are() {
    for mode in ["buffered", "stream"] {
        let mut function = on().env("WSGI_LAMBDA_RESPONSE_MODE", mode).start();
        for plan in [
            json!({"chunks": [1023], "lazy": false}),
            json!({"chunks": [500, 100], "headers": {"Content-Type": "text/plain", "Content-Length": "600"}}),
            json!({"chunks": []}),
        ] {
            let response = ask(&mut function, "gzip", &plan);
            assert_eq!(response.header("content-encoding"), None, "{mode} {plan}");
            assert_eq!(response.header("vary"), Some("Accept-Encoding"), "{mode} {plan}");
        }
    }
    let response = ask(&mut on().start(), "gzip", &json!({"chunks": [1000, 23]}));
    assert_eq!((response.header("content-encoding"), response.body()), (None, &text(1023)[..]));
    let response = ask(&mut on().start(), "gzip, identity;q=0", &json!({"chunks": [100]}));
    assert_eq!(decoded(&response), text(100), "the client refuses it uncompressed");
}

/// The application goes on when the file is there, and the file is made when the first chunk was decoded.
#[test]
fn a_chunk_can_be_decoded_before_the_next_one_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let mode = ("WSGI_LAMBDA_RESPONSE_MODE", "stream");
    let mut function = on().env(mode.0, mode.1).env("GO", go.to_str().unwrap()).start();
    for coding in ["gzip", "zstd"] {
        let plan = json!({"chunks": [40, 30], "waits": true, "headers": {"Content-Type": "text/event-stream"}});
        let event = get("function-url", &[("accept-encoding", coding), ("x-plan", &plan.to_string())]);
        let mut running = function.api().submit(Submission::new(event.to_string()));
        let mut arrived = Vec::new();
        while let Some((_, step)) = function.with(async |_| running.next().await) {
            match step {
                Progress::Chunk(bytes) => arrived.push(bytes.to_vec()),
                Progress::End(_) => break,
                _ => {}
            }
            // Prelude, delimiter, first chunk.
            if arrived.len() == 3 {
                assert_eq!(decode(coding, &arrived[2]), (text(40), false), "{coding}");
                std::fs::write(&go, "").unwrap();
            }
        }
        std::fs::remove_file(&go).expect("the first chunk arrived alone");
        assert_eq!(decode(coding, &arrived[2..].concat()), (text(70), true), "{coding}");
    }
}

#[test]
fn a_stream_that_fails_never_looks_whole() {
    let mut function = on().env("WSGI_LAMBDA_RESPONSE_MODE", "stream").start();
    for coding in ["gzip", "zstd"] {
        let response = ask(&mut function, coding, &json!({"chunks": [40], "fails": true}));
        let Outcome::Response(posted) = &response.outcome else { panic!("{:?}", response.outcome) };
        assert_eq!(posted.stream.as_ref().unwrap().error().expect("trailers").0, "ValueError");
        assert_eq!(decode(coding, &chunks(&response).concat()), (text(40), false));
    }
    // All that was announced was given: what happens then does not concern the client.
    let headers = json!({"Content-Type": "text/plain", "Content-Length": "2000"});
    for mode in ["buffered", "stream"] {
        let mut function = on().env("WSGI_LAMBDA_RESPONSE_MODE", mode).start();
        let response = ask(&mut function, "gzip", &json!({"chunks": [2000], "fails": true, "headers": headers}));
        assert_eq!(decoded(&response), text(2000), "{mode}");
        let response = ask(&mut function, "gzip", &json!({"chunks": [3000], "fails": true, "lazy": true}));
        assert_eq!(response.status(), if mode == "buffered" { 500 } else { 200 });
    }
}

#[test]
fn the_limit_counts_compressed_bytes() {
    let plan = json!({"chunks": vec![1_000_000; 7]});
    assert_eq!(ask(&mut source(APP).start(), "gzip", &plan).status(), 500);
    let mut function = on().start();
    for coding in ["gzip", "zstd"] {
        assert!(decoded(&ask(&mut function, coding, &plan)) == text(7_000_000), "{coding}");
    }
    let plan = json!({"chunks": [1_500_000]}).to_string();
    let response = function.invoke(get("alb", &[("accept-encoding", "gzip"), ("x-plan", &plan)]));
    assert!(decoded(&response) == text(1_500_000), "1 MiB through a load balancer");
    assert_eq!(function.invoke(get("alb", &[("accept-encoding", "x"), ("x-plan", &plan)])).status(), 500);
}

/// Of what does not shrink enough, no more is read than the limit.
#[test]
fn what_is_too_large_when_compressed_is_a_clear_500() {
    let app = "
import random
given = []
def app(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    if environ['PATH_INFO'] == '/given':
        yield str(len(given)).encode()
        return
    for at in range(40):
        given.append(at)
        yield random.randbytes(1_000_000)
";
    let mut function = source(app).env("WSGI_LAMBDA_COMPRESS", "true").start();
    assert_eq!(function.invoke(get("function-url", &[("accept-encoding", "gzip")])).status(), 500);
    assert!(function.logs().contains("Function.ResponseSizeTooLarge"), "{}", function.logs());
    let mut event = event("function-url-get");
    event["rawPath"] = "/given".into();
    assert_eq!(function.invoke(event).text(), "7");
}

#[test]
fn what_must_stay_as_it_is_stays() {
    let mut function = on().start();
    for (name, value) in [
        ("Content-Type", "image/png"),
        ("Content-Encoding", "br"),
        ("Content-Range", "bytes 0-4999/9000"),
        ("Cache-Control", "public, no-transform"),
        ("Content-MD5", "Q2hlY2sgSW50ZWdyaXR5IQ=="),
        ("Repr-Digest", "sha-256=:AAAA:"),
    ] {
        let mut headers = json!({"Content-Type": "text/html", "ETag": "\"a\"", "Accept-Ranges": "bytes"});
        headers[name] = value.into();
        let plan = json!({"chunks": [5000], "headers": headers});
        let response = ask(&mut function, "gzip", &plan);
        assert_eq!(response.header(name), Some(value));
        assert_eq!(response.header("content-encoding"), Some("br").filter(|_| name == "Content-Encoding"), "{name}");
        let unchanged = [response.header("etag"), response.header("accept-ranges"), response.header("vary")];
        assert_eq!(unchanged, [Some("\"a\""), Some("bytes"), None], "{name}");
        assert_eq!(response.body(), text(5000), "{name}");
    }
    for status in ["206 Partial Content", "204 No Content"] {
        let response = ask(&mut function, "gzip", &json!({"chunks": [5000], "status": status}));
        assert_eq!((response.header("content-encoding"), response.header("vary")), (None, None), "{status}");
    }
}

#[test]
fn a_compressed_response_has_a_weak_tag_and_no_ranges() {
    let mut function = on().start();
    let headers = json!({
        "Content-Type": "text/html", "ETag": "\"a\"", "Accept-Ranges": "bytes", "Content-Length": "5000", "Vary": "Cookie",
    });
    let plan = json!({"chunks": [5000], "headers": headers});
    let response = ask(&mut function, "gzip", &plan);
    let length = response.body().len().to_string();
    for (name, expected) in [
        ("etag", Some("W/\"a\"")),
        ("accept-ranges", None),
        ("content-length", Some(length.as_str())),
        ("vary", Some("Cookie, Accept-Encoding")),
    ] {
        assert_eq!(response.header(name), expected, "{name}");
    }
    let response = ask(&mut function, "", &plan);
    assert_eq!((response.header("etag"), response.header("accept-ranges")), (Some("\"a\""), Some("bytes")));
}

#[test]
fn head_has_the_headers_of_get() {
    for mode in ["buffered", "stream"] {
        let mut function = on().env("WSGI_LAMBDA_RESPONSE_MODE", mode).start();
        for (length, coding) in [("5000", Some("gzip")), ("500", None)] {
            let headers = json!({"Content-Type": "text/html", "ETag": "\"a\"", "Content-Length": length});
            let plan = json!({"chunks": [5000], "headers": headers}).to_string();
            let mut event = get("function-url", &[("accept-encoding", "gzip"), ("x-plan", &plan)]);
            event["requestContext"]["http"]["method"] = "HEAD".into();
            let response = function.invoke(event);
            assert_eq!(response.header("content-encoding"), coding, "{mode}");
            assert_eq!(response.header("content-length"), Some(length).filter(|_| coding.is_none()), "{mode}");
            assert_eq!(response.header("etag"), Some(if coding.is_some() { "W/\"a\"" } else { "\"a\"" }), "{mode}");
            assert_eq!(response.header("vary"), Some("Accept-Encoding"), "{mode}");
            assert!(response.body().is_empty(), "{mode}");
        }
    }
}

#[test]
fn the_application_sees_the_tag_that_the_client_sends_and_a_304_has_it_too() {
    let app = r#"
def app(environ, start_response):
    seen = environ.get("HTTP_IF_NONE_MATCH", "")
    if seen.removeprefix("W/") == '"a"':
        start_response("304 Not Modified", [("ETag", '"a"'), ("X-Seen", seen)])
        return []
    start_response("200 OK", [("ETag", '"a"'), ("Content-Type", "text/css")])
    return [b"a { color: red }\n" * 100]
"#;
    let mut function = source(app).env("WSGI_LAMBDA_COMPRESS", "true").start();
    for accept in ["gzip", "identity"] {
        let first = function.invoke(get("function-url", &[("accept-encoding", accept)]));
        let tag = first.header("etag").unwrap().to_owned();
        let second = function.invoke(get("function-url", &[("accept-encoding", accept), ("if-none-match", &tag)]));
        assert_eq!(second.status(), 304);
        assert_eq!((second.header("etag"), second.header("x-seen")), (Some(tag.as_str()), Some(tag.as_str())));
        assert_eq!((second.header("vary"), second.header("content-encoding")), (Some("Accept-Encoding"), None));
    }
}

#[test]
fn the_access_log_has_the_size_that_was_sent() {
    for mode in ["buffered", "stream"] {
        let mut function = on().env("WSGI_LAMBDA_ACCESS_LOG", "true").env("WSGI_LAMBDA_RESPONSE_MODE", mode).start();
        let response = ask(&mut function, "gzip", &json!({"chunks": [3000, 3000]}));
        let expected = format!(" 200 {} ", response.body().len());
        assert!(function.logs().contains(&expected), "{expected} {}", function.logs());
    }
}

#[test]
fn without_the_setting_nothing_changes() {
    let plan =
        json!({"chunks": [5000], "headers": {"Content-Type": "text/html", "ETag": "\"a\"", "Content-Length": "5000"}});
    let expected = [("Content-Type", "text/html"), ("ETag", "\"a\""), ("Content-Length", "5000")];
    for value in ["false", ""] {
        let response = ask(&mut source(APP).env("WSGI_LAMBDA_COMPRESS", value).start(), "gzip, zstd, br", &plan);
        let headers: Vec<_> = response.http().headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(headers, expected);
        assert_eq!((response.json["isBase64Encoded"].as_bool(), response.body()), (Some(false), &text(5000)[..]));
    }
}

#[test]
fn what_django_has_compressed_is_not_compressed_again() {
    let venv = root().join(".cache/venv");
    assert!(venv.is_dir(), "no virtual environment: `make test` makes it");
    let app = r#"
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.gzip import gzip_page

@gzip_page
def zipped(request):
    return HttpResponse("line\n" * 1000)

def plain(request):
    return HttpResponse("line\n" * 1000, headers={"ETag": '"a"'})

urlpatterns = [path("zipped", zipped), path("plain", plain)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=["django.middleware.http.ConditionalGetMiddleware"])
app = get_wsgi_application()
"#;
    let mut function =
        source(app).env("WSGI_LAMBDA_COMPRESS", "true").env("WSGI_LAMBDA_VENV", venv.to_str().unwrap()).start();
    let mut ask = |path: &str, headers: &[(&str, &str)]| {
        let mut event = get("function-url", headers);
        event["rawPath"] = path.into();
        function.invoke(event)
    };
    let zipped = ask("/zipped", &[("accept-encoding", "gzip, zstd")]);
    assert_eq!((zipped.header("content-encoding"), zipped.headers("vary")), (Some("gzip"), vec!["Accept-Encoding"]));
    assert_eq!(decoded(&zipped), "line\n".repeat(1000).as_bytes());
    let plain = ask("/plain", &[("accept-encoding", "gzip, zstd")]);
    assert_eq!((plain.header("content-encoding"), plain.header("etag")), (Some("zstd"), Some("W/\"a\"")));
    assert_eq!(decoded(&plain), "line\n".repeat(1000).as_bytes());
    let again = ask("/plain", &[("accept-encoding", "gzip, zstd"), ("if-none-match", "W/\"a\"")]);
    assert_eq!((again.status(), again.header("etag")), (304, Some("W/\"a\"")));
}
