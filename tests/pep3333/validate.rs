//! Every application that is legal, with `wsgiref.validate` in between: it must find nothing, and change nothing.

use super::{Pep, Served, request};

/// What of a response does not depend on the validator.
fn essence(served: &Served) -> (u16, Vec<(String, String)>, Vec<u8>) {
    (served.status(), served.http().headers.clone(), served.body().to_vec())
}

#[test]
fn legal_applications_behave_the_same_under_the_validator() {
    let (mut bare, mut validated) = (Pep::start(), Pep::of("main:validated"));
    let paths = bare.get("/common/legal_paths").body_json();
    let paths: Vec<_> = paths.as_array().unwrap().iter().filter_map(|path| path.as_str()).collect();
    assert!(paths.len() > 80, "only {} applications are marked as legal", paths.len());
    for path in paths {
        for (method, body) in [("GET", None), ("HEAD", None), ("POST", Some("two\nlines\n"))] {
            let event = request(method, path, body);
            let (expected, found) = (bare.send(event.clone()), validated.send(event));
            assert_eq!(essence(&found), essence(&expected), "{method} {path}\n{}", found.log);
            for complaint in ["AssertionError", "WSGIWarning", "without being closed"] {
                assert!(!found.log.contains(complaint), "{method} {path}\n{}", found.log);
            }
        }
    }
}
