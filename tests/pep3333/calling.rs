//! Section A: calling the application.

use serde_json::json;

use super::Pep;

#[test]
fn w01_app_is_called_with_two_positional_arguments() {
    let response = Pep::of("calling:any_arguments").get("/");
    assert_eq!(response.body_json(), json!({"positional": 2, "keywords": []}));
    Pep::of("calling:other_names").get("/").assert_ok("called");
    Pep::of("calling:positional_only").get("/").assert_ok("called");
}

#[test]
fn w03_any_callable_is_an_application() {
    for name in ["other_names", "ClassWithIter", "instance", "bound_method", "nested.inner", "a_lambda", "a_partial"] {
        Pep::of(&format!("calling:{name}")).get("/").assert_ok("called");
    }
}

#[test]
fn w03_any_iterable_is_a_body() {
    let mut pep = Pep::start();
    for name in [
        "a_list",
        "a_list_of_one",
        "a_tuple",
        "a_tuple_of_one",
        "a_generator",
        "an_iterator",
        "a_map",
        "a_dict",
        "a_sequence",
        "an_iterable",
    ] {
        pep.get(&format!("/iterating/{name}")).assert_ok("abc");
    }
}

#[test]
fn w03_results_that_are_no_iterables_are_errors() {
    let mut pep = Pep::start();
    for (name, kind) in [("none", "NoneType"), ("a_number", "int")] {
        let logged = format!("TypeError: the application must return an iterable of bytes, not {kind}");
        pep.get(&format!("/iterating/{name}")).assert_failed(&logged);
    }
}

#[test]
fn w04_loading_does_not_call_the_application() {
    let mut pep = Pep::of("calling:CountedClass");
    assert_eq!(pep.get("/").body_json(), json!(1));
    assert_eq!(pep.get("/").body_json(), json!(2));
}
