//! Server-sent events, uploads and downloads.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::client::Reply;
use super::server::Server;
use super::support;

fn start(folder: &Path, options: &[&str]) -> Server {
    let venv = support::root().join(".cache/venv");
    let folder = format!("FOLDER={}", folder.display());
    let common = ["--venv", venv.to_str().unwrap(), "--env", &folder];
    Server::start("app:app", "tests/apps/transfers", &[&common, options].concat())
}

/// Reads until an event is complete, however its bytes are cut into chunks.
fn event(reply: &mut Reply) -> String {
    let mut text = String::new();
    while !text.ends_with("\n\n") {
        let chunk = reply.chunk();
        assert!(!chunk.is_empty(), "the stream has ended after {text:?}");
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    text
}

#[test]
fn server_sent_events_arrive_one_by_one() {
    for front_end in ["function-url", "rest"] {
        let folder = tempfile::tempdir().unwrap();
        let server = start(folder.path(), &["--stream", "--front", front_end]);
        let mut reply = server.ask(front_end, "GET", "/events", &[("Accept", "text/event-stream")], b"");
        assert_eq!((reply.status, reply.all("content-type")), (200, vec!["text/event-stream"]));
        for number in 0..4 {
            assert_eq!(event(&mut reply), format!("id: {number}\ndata: event {number}\n\n"), "{front_end}");
            // Only now does the application go on.
            std::fs::write(folder.path().join((number + 1).to_string()), "").unwrap();
        }
        assert!(reply.chunk().is_empty(), "{front_end}");
    }
}

#[test]
fn uploads_arrive_whole_up_to_the_front_ends_limit() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["--front", "all", "--timeout", "60"]);
    let text = (0..625_000).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "{number:07}");
        text
    });
    assert_eq!(text.len(), 5_000_000);
    let binary: Vec<u8> = (0..4_400_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for front_end in server.names() {
        let upload =
            |kind: &str, body: &[u8]| server.ask(front_end, "POST", "/upload", &[("Content-Type", kind)], body);
        if front_end.starts_with("alb") {
            assert_eq!(upload("text/plain", text.as_bytes()).status, 413, "{front_end} takes 1 MB");
            continue;
        }
        let told = |reply: Reply| -> Value {
            let (status, text) = (reply.status, reply.text());
            assert_eq!(status, 200, "{front_end}: {text}");
            serde_json::from_str(&text).unwrap()
        };
        // With `*/*` among its binaryMediaTypes a REST API makes base64 of text too.
        if front_end != "rest" {
            assert_eq!(told(upload("text/plain", text.as_bytes()))["length"], 5_000_000, "{front_end}");
        }
        let head = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n";
        let parts = [&head[..], &binary, b"\r\n--b--\r\n"].concat();
        assert_eq!(told(upload("multipart/form-data; boundary=b", &parts))["length"], 4_400_000, "{front_end}");
        // An event has bytes as base64, a third longer, and Lambda takes 6 MB.
        let more = [&binary[..], &binary[..600_000]].concat();
        assert_eq!(upload("application/octet-stream", &more).status, 413, "{front_end}");
    }
}

#[test]
fn downloads_can_be_continued() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["--front", "all"]);
    for front_end in server.names() {
        let whole = server.get(front_end, "/file");
        assert_eq!(whole.all("accept-ranges"), ["bytes"], "{front_end}");
        let tag = whole.all("etag")[0].to_owned();
        let whole = whole.body();
        assert_eq!(whole.len(), 600_000, "{front_end}");
        let part = |range: &str, tag: &str| {
            let reply = server.ask(front_end, "GET", "/file", &[("Range", range), ("If-Range", tag)], b"");
            (reply.status, reply.all("content-range").join(""), reply.body())
        };
        assert_eq!(
            part("bytes=16-31", &tag),
            (206, "bytes 16-31/600000".to_owned(), whole[16..32].to_vec()),
            "{front_end}"
        );
        assert_eq!(part("bytes=599990-", &tag).2, whole[599_990..], "{front_end}");
        assert_eq!(part("bytes=-8", &tag).2, b"0074999\n", "{front_end}");
        assert_eq!(part("bytes=0-7", "\"other\"").0, 200, "{front_end}");
        let beyond = server.ask(front_end, "GET", "/file", &[("Range", "bytes=700000-")], b"");
        assert_eq!(beyond.status, 416, "{front_end}");
        let known = server.ask(front_end, "GET", "/file", &[("If-None-Match", &tag)], b"");
        assert_eq!((known.status, known.body()), (304, Vec::new()), "{front_end}");
    }
}
