//! Streamed responses: chunk by chunk, and cut where the function fails.

use std::io::Read as _;

use crate::place::{Place, Served};

/// Reads until the connection ends; an error counts as the end.
fn rest(connection: &mut std::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = connection.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn streams(arguments: &[&str]) -> Served {
    Place::app().serve(&[&["app:app", "--stream"], arguments].concat())
}

#[test]
fn chunks_reach_the_client_as_they_are_made() {
    let served = streams(&[]);
    let mut reply = served.get("/stream");
    assert_eq!((reply.status, reply.all("content-type")), (200, vec!["text/plain"]));
    assert_eq!(reply.chunk(), b"one\n"); // the second waits for the file
    served.place().write("go", "");
    assert_eq!(reply.chunk(), b"two\n");
    assert_eq!(reply.chunk(), b"");
    served.shows("GET /stream  200");
    assert_eq!(served.get("/count").text(), "2");
}

#[test]
fn without_stream_the_response_comes_at_once() {
    let served = Place::app().serve(&["app:app"]);
    served.place().write("go", "");
    let reply = served.get("/stream");
    assert_eq!(reply.all("content-length"), ["8"]);
    assert_eq!(reply.text(), "one\ntwo\n");
}

#[test]
fn an_error_in_the_middle_cuts_the_connection() {
    let served = streams(&[]);
    for (path, why) in [("/broken-stream", "ended with an error"), ("/ended-stream", "cut")] {
        let mut connection = served.connect(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        served.place().write("go", "");
        let got = rest(&mut connection);
        assert!(got.contains("one\n") && !got.ends_with("0\r\n\r\n"), "{path}: {got}");
        served.shows(&format!("GET {path}  200"));
        served.shows(why);
        served.place().remove("go");
    }
    served.place().write("go", "");
    assert_eq!(served.get("/stream").text(), "one\ntwo\n");
}

#[test]
fn a_client_that_leaves_a_stream_does_not_stop_it() {
    let served = streams(&["--concurrency", "1"]);
    let mut reply = served.get("/stream");
    assert_eq!(reply.chunk(), b"one\n");
    drop(reply);
    served.place().write("go", "");
    assert_eq!(served.get("/count").text(), "2");
    served.shows("GET /stream  200");
}

#[test]
fn a_head_request_has_no_body() {
    let served = streams(&[]);
    served.place().write("go", "");
    let mut connection = served.connect(b"HEAD /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let got = rest(&mut connection);
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.ends_with("\r\n\r\n"), "{got}");
    served.shows("HEAD /stream  200");
    assert!(!served.shown().contains("cut"), "{}", served.shown());
}
