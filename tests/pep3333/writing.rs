//! Section G: `write()`.

use serde_json::json;

use super::Pep;

#[test]
fn w64_w65_what_is_written_comes_before_what_is_yielded() {
    let mut pep = Pep::start();
    pep.get("/writing/before_the_iterable").assert_ok("abcd"); // row 25
    assert_eq!(pep.notes(), json!([null]));
}

#[test]
fn w64_write_may_be_called_in_other_threads() {
    Pep::start().get("/writing/from_threads").assert_ok(&"x".repeat(2000));
}

#[test]
fn w66_only_bytes_can_be_written() {
    let mut pep = Pep::start();
    pep.get("/writing/wrong_types").assert_ok("ok");
    let types = ["TypeError"; 5];
    assert_eq!(pep.notes(), json!([types.as_slice(), &["arguments"; 2]].concat()));
    pep.get("/writing/wrong_type_uncaught").assert_failed("TypeError: the body must be made of bytes");
}

#[test]
fn w67_the_iterable_may_be_empty_after_write() {
    Pep::start().get("/writing/alone").assert_ok("written");
}

#[test]
fn w68_the_first_write_releases_the_headers_even_if_empty() {
    let mut pep = Pep::start();
    pep.get("/starting/replace_after_empty_write").assert_ok("data"); // row 26
    assert_eq!(pep.notes(), json!([{"same": true, "raised in": "_exc_info"}]));
    pep.get("/writing/empty_chunks").assert_ok("a");
}

#[test]
fn w70_one_chunk_after_write_is_not_the_whole_body() {
    let response = Pep::start().get("/writing/then_one_chunk");
    response.assert_ok("abc");
    assert_eq!(response.header("content-length"), None);
}

#[test]
fn w92_an_exception_after_write_is_a_clean_500() {
    Pep::start().get("/writing/then_raise").assert_failed("ValueError: after write()");
}
