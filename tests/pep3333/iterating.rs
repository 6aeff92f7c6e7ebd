//! Section H: iterating the result, closing it, and the thread in which both happen.

use serde_json::{Value, json};

use super::Pep;

#[test]
fn w72_empty_chunks_mean_nothing_yet() {
    let mut pep = Pep::start();
    pep.get("/iterating/empty_chunks_between").assert_ok("ab");
    pep.get("/iterating/only_empty_chunks").assert_ok("");
    pep.get("/iterating/empty").assert_ok(""); // row 24
}

#[test]
fn w73_every_byte_arrives() {
    let mut pep = Pep::start();
    let all: Vec<u8> = (0..=255).collect();
    for name in ["every_byte", "every_byte_as_text"] {
        let response = pep.get(&format!("/iterating/{name}"));
        assert_eq!(response.body(), all, "{name}");
        assert_eq!(response.json["isBase64Encoded"], json!(true));
    }
    pep.get("/iterating/ends_of_line").assert_ok("a\r\nb\nc\rd\0\u{1a}\u{feff}\u{2028}");
    pep.get("/iterating/a_character_cut_in_two").assert_ok("é");
}

#[test]
fn w74_only_bytes_are_a_body() {
    let mut pep = Pep::start();
    for (name, kind) in [
        ("text", "str"),
        ("bare_bytes", "int"), // row 13: mod_wsgi
        ("a_bytearray", "int"),
        ("text_chunk", "str"), // row 12: mod_wsgi
        ("text_chunk_among_others", "str"),
        ("bytearray_chunk", "bytearray"), // row 14: mod_wsgi
        ("memoryview_chunk", "memoryview"),
        ("none_chunk", "NoneType"),
        ("number_chunk", "int"),
    ] {
        let response = pep.get(&format!("/iterating/{name}"));
        response.assert_failed("TypeError: the body must be made of bytes");
        assert!(response.log.contains(&format!("not {kind}")), "{name}: {}", response.log);
    }
}

#[test]
fn w75_a_single_chunk_adds_no_content_length() {
    // In buffered responses the front end computes it.
    let response = Pep::start().get("/iterating/a_list_of_one"); // row 23
    response.assert_ok("abc");
    assert_eq!(response.header("content-length"), None);
}

/// What was noted: the chunks taken, and one `close()`, the last of all.
fn closed_after(chunks: usize) -> Value {
    let mut notes = vec!["chunk"; chunks];
    notes.push("closed");
    json!(notes)
}

#[test]
fn w76_the_result_is_closed_once_on_every_path() {
    let mut pep = Pep::start();
    for (name, status, chunks) in [
        ("closes", 200, 2),
        ("closes_after_raise", 500, 1), // row 29
        ("closes_after_exit", 500, 1),
        ("closes_after_wrong_chunk", 500, 2),
        ("closes_without_start", 500, 1),
        ("closes_too_large", 500, 1),
        ("closes_after_iter", 500, 0),
        ("closes_what_cannot_be_iterated", 500, 0),
    ] {
        assert_eq!(pep.get(&format!("/iterating/{name}")).status(), status, "{name}");
        assert_eq!(pep.notes(), closed_after(chunks), "{name}");
    }
}

#[test]
fn w76_w79_the_result_is_closed_after_an_early_stop() {
    let mut pep = Pep::start();
    pep.head("/iterating/closes");
    assert_eq!(pep.notes(), closed_after(1));
    assert_eq!(pep.get("/iterating/closes_without_body").status(), 204);
    assert_eq!(pep.notes(), closed_after(1));
    assert_eq!(pep.get("/iterating/closes_when_cut").text(), "a");
    let notes = pep.notes();
    let notes = notes.as_array().unwrap();
    assert!(notes.len() < 5 && notes.last() == Some(&json!("closed")), "{notes:?}");
}

#[test]
fn w76_generators_run_their_finally() {
    let mut pep = Pep::start();
    pep.get("/iterating/generator_finally").assert_ok("ab");
    assert_eq!(pep.notes(), json!(["finally"]));
    pep.head("/iterating/generator_finally").assert_ok("");
    assert_eq!(pep.notes(), json!(["finally"]));
}

#[test]
fn w77_exceptions_in_close_are_only_logged() {
    let mut pep = Pep::start();
    for (name, logged) in [("raises_in_close", "ValueError: in close()"), ("exits_in_close", "SystemExit: 3")] {
        let response = pep.get(&format!("/iterating/{name}")); // row 44
        assert_eq!((response.status(), response.text()), (200, "ab"), "{name}");
        assert!(response.log.contains(logged) && response.log.contains("in close"), "{}", response.log);
        assert_eq!(pep.notes(), closed_after(2), "{name}");
    }
    let response = pep.get("/iterating/raises_twice");
    response.assert_failed("ValueError: in iteration");
    assert!(response.log.contains("KeyError: 'in close()'"), "{}", response.log);
}

#[test]
fn w78_nothing_else_of_the_result_is_touched() {
    let mut pep = Pep::start();
    pep.get("/iterating/nosy").assert_ok("abc");
    assert_eq!(pep.notes(), json!(["close"]));
}

#[test]
fn w79_an_endless_body_stops_at_its_content_length() {
    let response = Pep::start().get("/iterating/endless");
    assert_eq!((response.status(), response.text()), (200, "abca"));
}

#[test]
fn w80_call_iteration_and_close_share_thread_and_context() {
    let mut pep = Pep::start();
    pep.get("/iterating/context").assert_ok("abc");
    let step = |name| json!([name, true, "set in the call"]);
    assert_eq!(pep.notes(), json!([step("iteration"), step("iteration"), step("close")]));
}

#[test]
fn w80_thread_locals_and_context_survive_between_requests() {
    let mut pep = Pep::start();
    pep.get("/iterating/context");
    let last = pep.get("/iterating/context_of_the_last_request");
    assert_eq!(last.body_json(), json!([true, "set in the call"]));
}

#[test]
fn w80_w95_requests_run_in_the_main_thread() {
    let mut pep = Pep::start();
    for _ in 0..2 {
        assert_eq!(pep.get("/iterating/main_thread").body_json(), json!(true));
    }
}

#[test]
fn w80_signal_handlers_can_be_set_and_run() {
    let mut pep = Pep::start();
    for _ in 0..2 {
        assert_eq!(pep.get("/lifetime/handles_signals").body_json(), json!(["SIGUSR1"]));
        pep.notes();
    }
    pep.get("/lifetime/interrupted_while_iterating").assert_ok("data, then the timer");
}

#[test]
fn w38_nothing_of_a_request_is_kept() {
    let mut pep = Pep::start();
    let watch = |pep: &mut Pep| pep.post("/lifetime/watch", "the body").assert_ok("watched");
    let dead = json!({"environ": false, "input": false, "body": false, "context": false});
    for _ in 0..2 {
        watch(&mut pep);
        assert_eq!(pep.get("/lifetime/alive").body_json(), dead);
    }
}
