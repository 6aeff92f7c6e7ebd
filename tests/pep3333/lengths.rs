//! Sections I and J: Content-Length, bodyless statuses, HEAD, and headers that are the application's own business.

use serde_json::json;

use super::{Pep, request};
use crate::support;

#[test]
fn w81_more_data_than_announced_is_cut() {
    let mut pep = Pep::start();
    // Row 21: waitress.
    for (name, body, length) in [("too_much", "abc", "3"), ("too_much_at_once", "abc", "3"), ("zero_and_data", "", "0")]
    {
        let response = pep.get(&format!("/lengths/{name}"));
        assert_eq!((response.status(), response.text(), response.header("content-length")), (200, body, Some(length)));
        assert!(
            response.log.starts_with("[WARNING]") && response.log.contains("Content-Length of"),
            "{}",
            response.log
        );
    }
}

#[test]
fn w81_writing_past_the_length_is_cut_as_well() {
    let mut pep = Pep::start();
    // As by gunicorn, Waitress and mod_wsgi.
    for name in ["write_too_much", "write_too_much_uncaught"] {
        let response = pep.get(&format!("/lengths/{name}"));
        assert_eq!((response.status(), response.text()), (200, "abc"), "{name}");
        assert!(response.log.starts_with("[WARNING]") && response.log.contains("the rest was cut"), "{}", response.log);
        assert_eq!(pep.notes(), json!([]), "{name}: nothing is raised");
    }
}

#[test]
fn w82_less_data_than_announced_gets_its_true_length() {
    let mut pep = Pep::start();
    // Row 22: waitress's warning; a front end could not carry the wrong length.
    for (name, body, length) in [("too_little", "abc", "3"), ("nothing_at_all", "", "0")] {
        let response = pep.get(&format!("/lengths/{name}"));
        assert_eq!((response.status(), response.text(), response.header("content-length")), (200, body, Some(length)));
        assert!(response.log.starts_with("[WARNING]") && response.log.contains("10"), "{}", response.log);
    }
}

#[test]
fn w82_a_right_length_is_left_alone() {
    let mut pep = Pep::start();
    for (name, body, length) in [("exact", "abcdef", "6"), ("zero", "", "0")] {
        let response = pep.get(&format!("/lengths/{name}"));
        response.assert_ok(body);
        assert_eq!(response.header("content-length"), Some(length));
    }
}

#[test]
fn w83_invalid_lengths_are_refused() {
    let mut pep = Pep::start();
    for length in ["abc", "-1", "+3", "", " ", "3.0", "0x3", "3, 3", "1_0", "\\xb2", "99999999999999999999"] {
        let arguments = format!("('200 OK', [('content-length', '{length}')])"); // row 42: mod_wsgi
        assert_eq!(pep.post("/starting/attempt", &arguments).body_json()[0], "ValueError", "{length}");
        pep.post("/starting/attempt_uncaught", &arguments).assert_failed("ValueError: ");
    }
}

#[test]
fn w83_two_lengths_are_never_joined() {
    let mut pep = Pep::start();
    let response = pep.get("/lengths/twice");
    assert_eq!((response.status(), response.text(), response.headers("content-length")), (200, "abc", vec!["3"]));
    // RFC 9112 §6.3 leaves a recipient no choice but an error. Ours may be earlier, or one length that is true.
    let response = pep.get("/lengths/two_different");
    if response.status() != 500 {
        assert_eq!(response.headers("content-length"), [response.body().len().to_string()]);
    }
}

#[test]
fn w84_an_absent_length_stays_absent() {
    let response = Pep::start().get("/iterating/a_generator");
    assert_eq!((response.header("content-length"), response.header("transfer-encoding")), (None, None));
}

#[test]
fn w85_bodyless_statuses_have_neither_body_nor_framing() {
    let mut pep = Pep::start();
    // Rows 27 and 28: waitress.
    for (status, code) in [("204 No Content", 204), ("205 Reset Content", 205), ("304 Not Modified", 304)] {
        let response = pep.get(&format!("/lengths/status?{status}"));
        assert_eq!((response.status(), response.text(), response.header("x-kept")), (code, "", Some("yes")));
        assert_eq!((response.header("content-length"), response.header("transfer-encoding")), (None, None));
        assert!(!response.log.contains("Content-Length"), "{}", response.log);
        assert_eq!(pep.notes(), json!([]), "{status}: iteration stops at the first chunk");
    }
}

#[test]
fn w86_head_has_gets_headers_and_no_body() {
    let mut pep = Pep::start();
    // Row 35: gunicorn and mod_wsgi.
    for name in ["with_length", "without_length", "knows_head", "many_chunks", "written"] {
        let target = format!("/http_features/{name}");
        let (get, head) = (pep.get(&target), pep.head(&target));
        get.assert_ok("abc");
        head.assert_ok("");
        assert_eq!(head.http().headers, get.http().headers, "{name}");
    }
}

#[test]
fn w86_head_stops_at_the_first_chunk() {
    let mut pep = Pep::start();
    pep.head("/http_features/many_chunks");
    assert_eq!(pep.notes(), json!(["", "a"]));
    assert_eq!(pep.head("/iterating/endless").header("content-length"), Some("4"));
}

#[test]
fn w87_expect_continue_is_transparent() {
    let mut event = request("POST", "/inputs/echo_by_read", Some("hello"));
    event["headers"]["expect"] = "100-continue".into();
    Pep::start().send(event).assert_ok("hello");
}

#[test]
fn w88_no_header_is_added() {
    let mut pep = Pep::start();
    let response = pep.get("/http_features/no_content_type");
    assert_eq!((response.text(), response.http().headers.as_slice()), ("<p>abc", &[][..]));
    let response = pep.get("/iterating/a_list");
    assert_eq!(response.http().headers, [("Content-Type".into(), "text/plain".into())]);
}

#[test]
fn w89_order_case_and_duplicates_of_headers_are_kept() {
    let mut event = support::event("rest-get");
    event["path"] = "/http_features/order".into();
    event["requestContext"]["path"] = "/http_features/order".into();
    event["pathParameters"]["proxy"] = "http_features/order".into();
    let response = Pep::start().send(event);
    let names: Vec<_> = response.http().headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["x-Zebra", "Set-Cookie", "Set-Cookie", "Content-Type", "X-APPLE", "Server", "Date"]);
    let cookies = ["a=1; Path=/", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"];
    assert_eq!(response.headers("set-cookie"), cookies);
    assert_eq!(Pep::start().get("/http_features/order").headers("set-cookie"), cookies);
}

#[test]
fn w90_ranges_and_conditions_are_the_applications_business() {
    let mut pep = Pep::start();
    for requests in 1..=2 {
        let mut event = request("GET", "/http_features/seen", None);
        event["headers"]["range"] = "bytes=0-1".into();
        event["headers"]["if-none-match"] = "*".into();
        let response = pep.send(event);
        assert_eq!(response.status(), 200);
        let seen = json!({"requests": requests, "HTTP_RANGE": "bytes=0-1", "HTTP_IF_NONE_MATCH": "*"});
        assert_eq!(response.body_json(), seen);
    }
}
