//! Sections D and E: `wsgi.input` and `wsgi.errors`.

use serde_json::json;

use super::{Pep, request};

#[test]
fn w29_to_w37_the_input_reads_like_a_file() {
    let mut pep = Pep::start();
    // W37: what is not bytes would be told by its repr.
    let rows = [
        // W30, W31: sizes, and the end told for ever.
        ("abc", "[stream.read(2), stream.read(10**9), stream.read(1), stream.read(1)]", json!(["ab", "c", "", ""])),
        // W32: no size means everything that is left.
        ("abc", "[stream.read(1), stream.read(), stream.read()]", json!(["a", "bc", ""])),
        // W33 and row 36.
        ("abc", "[stream.read(0), stream.read(2), stream.read(-1)]", json!(["", "ab", "c"])),
        ("abc", "[stream.read(None), stream.read(None)]", json!(["abc", ""])),
        // W34.
        ("abcdef\nxyz", "[stream.readline(3), stream.readline(), stream.readline()]", json!(["abc", "def\n", "xyz"])),
        ("ab\ncd", "[stream.readline(0), stream.readline(9), stream.readline(-1)]", json!(["", "ab\n", "cd"])),
        ("ab", "[stream.readline(), stream.readline(), stream.readline(5)]", json!(["ab", "", ""])),
        ("a\r\nb\rc", "stream.readlines()", json!(["a\r\n", "b\rc"])),
        // W35: the hint may be used or ignored.
        ("a\nb\n", "b''.join(stream.readlines(100))", json!("a\nb\n")),
        ("a\nb\n", "stream.readlines(1)[0]", json!("a\n")),
        // W36.
        ("a\n\nb", "list(stream)", json!(["a\n", "\n", "b"])),
        ("a\nb", "[next(iter(stream)), stream.read()]", json!(["a\n", "b"])),
    ];
    for (body, expression, value) in rows {
        let expression = expression.replace('+', "%2B");
        let response = pep.post(&format!("/inputs/evaluate?{expression}"), body);
        assert_eq!(response.body_json(), value, "{expression} of {body:?}");
    }
}

#[test]
fn w29_the_body_arrives_whichever_way_it_is_read() {
    let mut pep = Pep::start();
    for name in [
        "echo_by_length",
        "echo_byte_by_byte",
        "echo_by_readline",
        "echo_by_readlines",
        "echo_by_iteration",
        "echo_by_read",
        "echo_while_iterating",
    ] {
        for body in ["", "one line", "two\nlines\n", "é\r\n\0€"] {
            pep.post(&format!("/inputs/{name}"), body).assert_ok(body);
        }
    }
}

#[test]
fn w29_binary_bodies_arrive_byte_for_byte() {
    let mut event = request("POST", "/inputs/echo_by_length", Some("AP+AwQ=="));
    event["isBase64Encoded"] = true.into();
    assert_eq!(Pep::start().send(event).body(), [0, 0xff, 0x80, 0xc1]);
}

#[test]
fn w38_an_unread_body_does_not_reach_the_next_request() {
    let mut pep = Pep::start();
    pep.post("/inputs/unread", "left").assert_ok("unread");
    pep.post("/inputs/echo_by_read", "new").assert_ok("new");
}

#[test]
fn w40_to_w43_errors_reach_the_log_of_their_invocation() {
    let mut pep = Pep::start();
    for (name, logged) in [
        ("write", "one line\n"),                     // W40
        ("writelines", "first\nsecond\n"),           // W40
        ("without_newline", "no end of line"),       // W43
        ("while_iterating", "after the last chunk"), // W42
        ("in_close", "from close()"),                // W42
    ] {
        let response = pep.get(&format!("/errors/{name}"));
        assert_eq!((response.status(), response.text()), (200, "written"), "{name}");
        assert_eq!(response.log.trim_end_matches('\n'), logged.trim_end_matches('\n'), "{name}");
    }
}

#[test]
fn w41_errors_take_any_unicode() {
    let response = Pep::start().get("/errors/any_unicode");
    assert_eq!((response.status(), response.text()), (200, "written"), "{}", response.log);
    assert_eq!(response.log, "euro €, snake 🐍, lone \\ud800 surrogate\n");
}

#[test]
fn w41_errors_are_a_text_stream() {
    let mut pep = Pep::start();
    pep.get("/errors/bytes_are_refused").assert_ok("written");
    assert_eq!(pep.notes(), json!(["TypeError"]));
}

#[test]
fn w42_what_is_printed_leaves_with_its_invocation() {
    let mut pep = Pep::start();
    for (name, [out, err]) in
        [("prints", ["printed out", "printed err"]), ("through_a_buffer", ["held back out", "held back err"])]
    {
        let response = pep.get(&format!("/errors/{name}"));
        assert_eq!(response.text(), "written");
        assert!(response.log.contains(out) && response.log.contains(err), "{name}: {}", response.log);
    }
    pep.get("/iterating/a_list").assert_ok("abc");
}

#[test]
fn w43_requests_are_served_after_errors_was_closed() {
    let mut pep = Pep::start();
    assert_eq!(pep.get("/errors/close").text(), "written");
    pep.get("/iterating/a_list").assert_ok("abc");
    pep.get("/failing/after_start?ValueError").assert_failed("ValueError");
}
