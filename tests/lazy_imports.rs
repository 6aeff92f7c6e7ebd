//! `WSGI_LAMBDA_LAZY_IMPORTS`: Python 3.15's own lazy imports (PEP 810), and what older Pythons say to it.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{Setup, root, said};
use wsgi_lambda::emulator::StartError;

const SWITCH: &str = "WSGI_LAMBDA_LAZY_IMPORTS";

/// Tells which of its modules are there: one that it uses in a request, and one that it does not use.
const APP: &str = "import sys, json, decimal, colorsys, no_such_module_of_anybody\n\
    def app(environ, start_response):\n    \
        before = [name in sys.modules for name in ('decimal', 'colorsys')]\n    \
        number = str(decimal.Decimal('1.10') + 1)\n    \
        finders = [getattr(finder, '__module__', '') for finder in sys.meta_path]\n    \
        found = [before, number, 'colorsys' in sys.modules, [name for name in finders if 'wsgi_lambda' in name]]\n    \
        start_response('200 OK', [('Content-Type', 'application/json')])\n    \
        return [json.dumps(found).encode()]\n";

/// The minor version of the Python under test.
fn minor() -> u32 {
    said(support::python().args(["-c", "import sys; print(sys.version_info[1])"])).trim().parse().unwrap()
}

fn lazy(setup: Setup) -> Option<Setup> {
    if minor() < 15 {
        support::skipped("Python has lazy imports since 3.15");
        return None;
    }
    Some(setup.env(SWITCH, "true"))
}

#[test]
fn a_module_is_imported_when_a_name_of_it_is_used() {
    let Some(setup) = lazy(support::source(APP)) else { return };
    let seen = setup.start().replay("function-url-get").body_json();
    assert_eq!(seen, serde_json::json!([[false, false], "2.10", false, []]));
}

#[test]
fn flask_and_django_answer_with_lazy_imports() {
    let venv = root().join(".cache/venv");
    for (example, handler) in [("flask", "app:app"), ("django", "mysite.wsgi:application")] {
        let setup = support::app(root().join("examples").join(example), handler);
        let Some(setup) = lazy(setup.env("WSGI_LAMBDA_VENV", venv.to_str().unwrap())) else { return };
        let mut function = setup.start();
        for _ in 0..2 {
            let mut event = support::event("function-url-get");
            event["rawPath"] = "/".into();
            let response = function.invoke(event);
            assert_eq!((response.status(), response.text().contains("Grüße")), (200, true), "{example}");
        }
    }
}

/// Without a use of its name there is no import, and so nothing that the import would do. Documented in
/// `docs/cold-start.md`.
#[test]
fn a_module_that_is_imported_for_its_effect_alone_has_none() {
    let source = "import sys\nhandlers = []\nsys.modules['shop'] = sys.modules[__name__]\nimport shop_routes\n\
        def app(environ, start_response):\n    \
            start_response('200 OK', [])\n    \
            return [repr(handlers).encode()]\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.py"), source).unwrap();
    std::fs::write(folder.path().join("shop_routes.py"), "import shop\nshop.handlers.append(1)\n").unwrap();
    assert_eq!(support::app(folder.path(), "app:app").start().replay("function-url-get").text(), "[1]");
    let Some(setup) = lazy(support::app(folder.path(), "app:app")) else { return };
    assert_eq!(setup.start().replay("function-url-get").text(), "[]");
}

#[test]
fn an_older_python_refuses_the_setting_by_name() {
    if minor() >= 15 {
        return;
    }
    let (mut function, result) = support::source(APP).env(SWITCH, "true").try_start();
    assert!(matches!(result, Err(StartError::Init(_))), "{result:?}");
    function.stop();
    let logs = function.logs();
    assert!(logs.contains(SWITCH) && logs.contains("lazy imports came with Python 3.15"), "{logs}");
}
