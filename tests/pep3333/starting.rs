//! Section F: `start_response`.

use serde_json::{Value, json};

use super::{APPS, Pep};
use crate::support;

/// Makes a call of `start_response` with these Python arguments and expects the application to see this exception.
#[track_caller]
fn assert_refused(pep: &mut Pep, arguments: &str, exception: &str) {
    let response = pep.post("/starting/attempt", arguments);
    assert_eq!(response.body_json()[0], exception, "{arguments}");
    pep.post("/starting/attempt_uncaught", arguments).assert_failed(&format!("[ERROR] {exception}: "));
}

#[track_caller]
fn assert_accepted(pep: &mut Pep, arguments: &str) {
    pep.post("/starting/attempt", arguments).assert_ok("started");
}

/// What an application that came too late with `exc_info` has to see: its own exception, from where it was raised.
fn raised_again() -> Value {
    json!([{"same": true, "raised in": "_exc_info"}])
}

#[test]
fn w44_two_or_three_arguments_by_position() {
    let mut pep = Pep::start();
    pep.get("/starting/two_arguments").assert_ok("ok");
    pep.get("/starting/three_arguments").assert_ok("ok");
    assert_eq!(pep.get("/starting/wrong_counts").body_json(), json!(vec!["TypeError"; 3]));
}

#[test]
fn w44_keywords_are_tolerated() {
    Pep::start().get("/starting/keywords").assert_ok("ok"); // row 32: gunicorn and waitress
}

#[test]
fn w45_a_callable_write_is_given_back() {
    Pep::start().get("/starting/gives_write").assert_ok("callable");
}

#[test]
fn w46_statuses_are_three_digits_and_a_reason() {
    let mut pep = Pep::start();
    for (status, code) in [
        ("200 OK", 200), // row 15: gunicorn and waitress take a missing reason
        ("200", 200),
        ("200 ", 200),
        ("404 Not  Found", 404),
        ("299 Caf\\xe9", 299),
        ("599 ", 599),
    ] {
        let response = pep.post("/starting/attempt", &format!("('{status}', [])"));
        assert_eq!((response.status(), response.text()), (code, "started"), "{status:?}");
    }
}

#[test]
fn w46_other_statuses_are_refused() {
    let mut pep = Pep::start();
    for status in [
        "abc", // row 16
        "",
        "20",
        "2000 OK",
        "099 X",
        "-20 OK",
        " 200 OK",
        "200OK",
        "200\\tOK",
        "200-OK",
        "200 O\\x00K",
        "200 O\\x7fK",
        "200 OK\\r\\nX: y",
        "200 OK\\n",
        "2\\xb20 OK",
        "\\u0662\\u0660\\u0660 OK",
    ] {
        assert_refused(&mut pep, &format!("('{status}', [])"), "ValueError");
    }
    for status in ["200", "None", "b'200 OK'", "('200 OK',)"] {
        assert_refused(&mut pep, &format!("({status}, [])"), "TypeError");
    }
}

#[test]
fn w46_the_reason_reaches_load_balancers() {
    let mut event = support::event("alb-json-post");
    event["path"] = "/starting/attempt".into();
    event["body"] = "('404 Gone Fishing', [])".into();
    event["isBase64Encoded"] = false.into();
    let response = Pep::start().send(event);
    assert_eq!((response.status(), &response.json["statusDescription"]), (404, &json!("404 Gone Fishing")));
}

#[test]
fn w47_headers_are_a_list_of_tuples_of_two_str() {
    let mut pep = Pep::start();
    for headers in [
        "(('A', 'b'),)", // row 18: mod_wsgi
        "None",
        "{'A': 'b'}",
        "'A: b'",
        "[['A', 'b']]",
        "['Ab']",
        "[('A',)]",
        "[('A', 'b', 'c')]",
        "[None]",
        "[('A', 1)]", // row 17
        "[('A', None)]",
        "[('A', b'b')]",
        "[(b'A', 'b')]",
        "[(1, 'b')]",
    ] {
        assert_refused(&mut pep, &format!("('200 OK', {headers})"), "TypeError");
    }
    assert_accepted(&mut pep, "('200 OK', [])");
}

#[test]
fn w47_the_list_is_copied_and_left_alone() {
    let mut pep = Pep::start();
    let response = pep.get("/starting/changed_later"); // row 47
    assert_eq!((response.header("x-late"), response.header("content-type")), (None, Some("text/plain")));
    assert_eq!(pep.notes(), json!([true]));
}

#[test]
fn w48_names_are_tokens() {
    let mut pep = Pep::start();
    for name in ["X A", "X:", "", " X", "X\\n", "X\\x00", "X\\xe9", "X\\u20ac", "X(", "X\\ud800"] {
        assert_refused(&mut pep, &format!("('200 OK', [('{name}', 'v')])"), "ValueError");
    }
    for name in ["X-A", "x.y", "X_A", "!#$%&*+.^`|~"] {
        assert_accepted(&mut pep, &format!("('200 OK', [('{name}', 'v')])"));
    }
}

/// Views that pass on the response of another server bring it along; servers send it, and mod_wsgi takes it for the status.
#[test]
fn w48_a_header_called_status_is_left_out_with_a_warning() {
    let mut pep = Pep::start();
    for name in ["Status", "status"] {
        let response = pep.post("/starting/attempt", &format!("('200 OK', [('{name}', '404 Gone'), ('X-A', 'v')])"));
        assert_eq!((response.status(), response.header("status"), response.header("x-a")), (200, None, Some("v")));
    }
    let response = Pep::start().post("/starting/attempt", "('200 OK', [('Status', '404 Gone')])");
    assert!(response.log.contains("which belong to the server: Status"), "{}", response.log);
}

/// As of a request: Content-Type is a header that can be there once.
#[test]
fn w89_of_two_content_types_the_last_counts() {
    let mut pep = Pep::start();
    let types = "('200 OK', [('Content-Type', 'text/html'), ('X-A', 'v'), ('content-type', 'text/plain')])";
    assert_eq!(pep.post("/starting/attempt", types).header("content-type"), Some("text/plain"));
}

#[test]
fn w49_values_hold_no_control_characters() {
    let mut pep = Pep::start();
    // Rows 7 and 8: gunicorn.
    for value in ["a\\r\\nb", "a\\nb", "a\\rb", "a\\n", "a\\r\\n folded", "\\x00", "\\x01", "a\\x1fb", "\\x7f"] {
        assert_refused(&mut pep, &format!("('200 OK', [('X-A', '{value}')])"), "ValueError");
    }
    let response = pep.post("/starting/attempt", "('200 OK', [('X-A', 'a\\tb'), ('X-B', '')])"); // row 9
    assert_eq!((response.header("x-a"), response.header("x-b")), (Some("a\tb"), Some("")));
}

#[test]
fn w49_refused_values_are_not_logged() {
    let response = Pep::start().post("/starting/attempt_uncaught", "('200 OK', [('X-A', 'secret\\n')])");
    response.assert_failed("\"X-A\"");
    assert!(!response.log.contains("secret"), "{}", response.log);
}

#[test]
fn w50_what_is_beyond_latin1_is_refused() {
    let mut pep = Pep::start();
    // Row 10: gunicorn.
    for arguments in [
        "('200 OK', [('X-A', '\\u20ac')])",
        "('200 OK', [('X-A', '\\u0100')])",
        "('200 OK', [('X-A', '\\ud800')])",
        "('200 \\u20ac', [])",
        "('200 \\ud800', [])",
    ] {
        assert_refused(&mut pep, arguments, "ValueError");
    }
}

#[test]
fn w50_latin1_reaches_the_client() {
    let response = Pep::start().get("/starting/latin1"); // row 11
    assert_eq!((response.header("x-one"), response.header("x-two")), (Some("café"), Some("café")));
}

#[test]
fn w51_hop_by_hop_headers_are_dropped_with_one_warning() {
    let mut pep = Pep::start();
    let response = pep.get("/starting/hop_by_hop"); // rows 5 and 6: gunicorn, and a word about it
    let names: Vec<_> = response.http().headers.iter().map(|(name, _)| name.to_lowercase()).collect();
    assert_eq!((response.text(), names), ("ok", vec!["content-type".into(), "proxy-authenticate".into()]));
    let warnings: Vec<_> = response.log.lines().collect();
    let [warning] = warnings[..] else { panic!("{warnings:?}") };
    assert!(warning.starts_with("[WARNING]") && warning.contains("Connection") && warning.contains("UPGRADE"));
    pep.get("/starting/hop_by_hop").assert_ok("ok");
    pep.get("/starting/changed_later").assert_ok("ok");
}

#[test]
fn w51_hop_by_hop_headers_are_errors_in_strict_mode() {
    let mut pep = Pep::setup(support::app(APPS, "main:application").env("WSGI_LAMBDA_STRICT", "true"));
    for name in ["Connection", "keep-alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade"] {
        assert_refused(&mut pep, &format!("('200 OK', [('{name}', 'x')])"), "ValueError");
    }
    assert_accepted(&mut pep, "('200 OK', [('Proxy-Authenticate', 'Basic')])");
}

#[test]
fn w52_errors_are_raised_in_the_applications_frame() {
    let response = Pep::start().post("/starting/attempt_uncaught", "('abc', [])");
    response.assert_failed("in attempt_uncaught");
    assert!(response.log.contains("starting.py"), "{}", response.log);
}

#[test]
fn w53_start_response_sends_nothing() {
    Pep::start().get("/starting/raise_after_start").assert_failed("Boom: the reason");
}

#[test]
fn w54_headers_wait_for_the_first_non_empty_chunk() {
    let mut pep = Pep::start();
    pep.get("/starting/raise_after_empty_chunk").assert_failed("Boom: the reason"); // row 1: waitress
    let response = pep.get("/starting/replace_after_empty_chunk"); // row 2: waitress
    assert_eq!((response.status(), response.text(), response.header("x-first")), (503, "replaced", None));
}

#[test]
fn w54_headers_are_out_after_the_first_non_empty_chunk() {
    let mut pep = Pep::start();
    pep.get("/starting/replace_too_late").assert_ok("data, more");
    assert_eq!(pep.notes(), raised_again());
}

#[test]
fn w54_headers_are_out_after_the_first_write() {
    let mut pep = Pep::start();
    pep.get("/starting/replace_after_write").assert_ok("data");
    assert_eq!(pep.notes(), raised_again());
}

#[test]
fn w54_headers_are_out_when_the_iterable_is_exhausted() {
    let mut pep = Pep::start();
    pep.get("/starting/replace_after_the_end").assert_ok("");
    assert_eq!(pep.notes(), raised_again());
}

#[test]
fn w55_exc_info_replaces_status_and_all_headers() {
    let mut pep = Pep::start();
    for name in ["replace_after_start", "replace_twice", "first_call_with_exc_info"] {
        let response = pep.get(&format!("/starting/{name}")); // rows 33 and 34: waitress
        let headers = response.http().headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        assert_eq!(headers.collect::<Vec<_>>(), [("Content-Type", "text/plain"), ("X-Error", "yes")], "{name}");
        assert_eq!((response.status(), response.log.as_str()), (503, ""), "{name}");
    }
}

#[test]
fn w55_exc_info_replaces_a_refused_first_call() {
    let response = Pep::start().post("/starting/attempt", "('abc', [('X-First', 'yes')])");
    assert_eq!((response.status(), response.header("x-first")), (200, None));
}

#[test]
fn w56_exc_info_after_the_headers_raises_it_again() {
    let mut pep = Pep::start();
    let response = pep.get("/starting/uncaught_too_late"); // row 3, with the clean 500 of W92
    response.assert_failed("Boom: the reason");
    assert!(response.log.contains("in _exc_info") && response.log.contains("in uncaught_too_late"), "{}", response.log);
}

#[test]
fn w57_a_second_call_is_an_error() {
    let mut pep = Pep::start();
    for name in ["second_call", "second_call_after_data"] {
        pep.get(&format!("/starting/{name}")).assert_failed("AssertionError: "); // row 4: gunicorn and waitress
    }
    let response = pep.get("/starting/second_call_caught");
    assert_eq!(response.status(), 200);
    assert!(response.text().contains("already called"), "{}", response.text());
}

#[test]
fn w57_a_refused_first_call_counts() {
    let mut pep = Pep::start();
    pep.get("/starting/second_call_after_refusal").assert_failed("AssertionError: "); // row 43
    assert_eq!(pep.notes(), json!(["refused"]));
}

#[test]
fn w58_exc_info_is_not_kept() {
    let mut pep = Pep::start();
    assert_eq!(pep.get("/lifetime/watch_exc_info").text(), "data");
    let dead = json!({"frame": false, "exception": false, "late exception": false});
    assert_eq!(pep.get("/lifetime/alive").body_json(), dead);
    pep.get("/lifetime/watch_failure").assert_failed("Watched");
    assert_eq!(pep.get("/lifetime/alive").body_json(), json!({"frame": false, "exception": false}));
}

#[test]
fn w59_false_exc_info_counts_as_not_given() {
    let mut pep = Pep::start();
    pep.get("/starting/false_exc_info").assert_ok("ok");
    let second = "second call";
    assert_eq!(pep.notes(), json!(["accepted", second, second, second]));
}

#[test]
fn w59_empty_exc_info_is_harmless() {
    let mut pep = Pep::start();
    let response = pep.get("/starting/empty_exc_info");
    assert_eq!((response.status(), response.text()), (202, "data"));
    assert_eq!(pep.notes().as_array().unwrap().len(), 1);
}

#[test]
fn w59_exc_info_is_a_tuple_of_three() {
    let mut pep = Pep::start();
    pep.get("/starting/odd_exc_info").assert_ok("ok");
    assert_eq!(pep.notes(), json!(vec!["TypeError"; 3]));
}

#[test]
fn w60_start_response_may_wait_for_the_first_next() {
    Pep::start().get("/starting/lazy").assert_ok("lazy");
}

#[test]
fn w61_output_without_start_response_is_an_error() {
    let mut pep = Pep::start();
    for name in ["never", "never_and_empty", "too_late"] {
        let logged = "AssertionError: the application gave output before it called start_response()";
        pep.get(&format!("/starting/{name}")).assert_failed(logged); // row 19: mod_wsgi
    }
}

#[test]
fn w61_empty_chunks_may_come_before_start_response() {
    Pep::start().get("/starting/late").assert_ok("late"); // row 48
}

#[test]
fn w62_callables_of_an_ended_request_are_dead() {
    let mut pep = Pep::start();
    for (keep, calls) in [("keep_unstarted", 2), ("keep", 3)] {
        pep.get(&format!("/lifetime/{keep}"));
        let response = pep.get("/lifetime/use_kept");
        assert_eq!((response.status(), response.text(), response.header("x-stale")), (202, "second", None), "{keep}");
        assert_eq!(response.log, "");
        assert_eq!(pep.notes(), json!(vec!["RuntimeError"; 3 * calls]), "{keep}");
    }
}
