//! Section L: `wsgi.file_wrapper`.

use serde_json::json;

use super::Pep;

const DIGITS: &str = "0123456789";

#[test]
fn w96_a_wraps_a_file_with_or_without_a_block_size() {
    let mut pep = Pep::start();
    pep.get("/files/in_memory").assert_ok(DIGITS);
    pep.get("/files/with_block_size").assert_ok(DIGITS);
    assert_eq!(pep.get("/files/bad_block_sizes").body_json(), json!(["ValueError", "ValueError"]));
}

#[test]
fn w96_b_sends_nothing_before_it_is_returned() {
    let mut pep = Pep::start();
    pep.get("/files/not_returned").assert_ok("something else");
    assert_eq!(pep.notes(), json!(["closed"]));
}

#[test]
fn w96_c_close_closes_the_file_once() {
    let mut pep = Pep::start();
    pep.get("/files/closes").assert_ok(DIGITS);
    assert_eq!(pep.notes(), json!(["closed 1"]));
    pep.head("/files/closes").assert_ok("");
    assert_eq!(pep.notes(), json!(["closed 1"]));
    assert_eq!(pep.get("/files/attributes").body_json(), json!({"with": true, "without": false}));
}

#[test]
fn w96_d_read_is_all_a_file_needs() {
    let mut pep = Pep::start();
    pep.get("/files/read_only").assert_ok(DIGITS);
    pep.get("/files/pipe").assert_ok(DIGITS);
}

#[test]
fn w96_e_middleware_may_stand_between() {
    let mut pep = Pep::start();
    for (name, body) in [("through_middleware", "ABCDEF"), ("consumed_by_middleware", "abcdef")] {
        pep.get(&format!("/files/{name}")).assert_ok(body);
        assert_eq!(pep.notes(), json!(["closed 1"]), "{name}");
    }
}

#[test]
fn w96_f_begins_at_the_position_and_ends_at_the_end_or_the_length() {
    let mut pep = Pep::start();
    pep.get("/files/from_position").assert_ok("3456789");
    let response = pep.get("/files/until_length");
    assert_eq!((response.text(), response.header("content-length")), ("0123", Some("4")));
    assert_eq!(pep.notes(), json!(["closed 1"]));
    assert_eq!(pep.get("/files/larger_than_a_block").body(), DIGITS.repeat(20_000).as_bytes());
}

#[test]
fn w96_g_adds_no_content_length_to_a_buffered_response() {
    assert_eq!(Pep::start().get("/files/from_position").header("content-length"), None);
}

#[test]
fn w96_h_text_and_failing_files_are_errors() {
    let mut pep = Pep::start();
    for (name, logged) in [("text", "TypeError: the body must be made of bytes"), ("read_fails", "OSError: the disk")] {
        pep.get(&format!("/files/{name}")).assert_failed(logged);
        assert_eq!(pep.notes(), json!(["closed 1"]), "{name}");
    }
}
