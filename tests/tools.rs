//! Tools that change how Python imports, with the real ones: for monitoring, started by `sitecustomize` or by the
//! application, and for checking.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::process::Command;

use support::{app, root, said};

/// Says whether Flask is watched, and uses modules that wsgi-lambda puts off.
const FLASK: &str = "import decimal, tempfile, uuid\n\
    import flask\n\
    app = flask.Flask(__name__)\n\
    @app.get('/<path:path>')\n\
    def response(path):\n    \
        used = decimal.Decimal('1.10') + 1, uuid.UUID(int=1).int, tempfile.gettempdir() != ''\n    \
        return repr((WATCHED(), *used))\n";

/// The response of the Flask application, with this in front of it and this in the environment.
fn response(python: &str, settings: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app.py"), format!("{python}{FLASK}")).unwrap();
    let venv = root().join(".cache/venv");
    let mut setup = app(folder.path(), "app:app").env("WSGI_LAMBDA_VENV", venv.to_str().unwrap());
    for (name, value) in settings {
        setup = setup.env(name, value);
    }
    let mut function = setup.start();
    (0..3).map(|_| function.replay("http-api-v2-get").text().to_owned()).last().unwrap()
}

/// The folder of a package in the virtual environment; `None` if there is no release of it for this Python.
fn folder_of(package: &str) -> Option<String> {
    let script =
        format!("import importlib.util as it; print(next(iter(it.find_spec({package:?}).submodule_search_locations)))");
    let python = root().join(".cache/venv/bin/python");
    let found = said(Command::new(&python).args(["-c", "import sys; print(*sys.version_info[:2], sep='.')"]));
    if package == "ddtrace" && found.trim().trim_start_matches("3.").parse::<u32>().unwrap() >= 15 {
        support::skipped("ddtrace has no release for this Python (tests/requirements.txt)");
        return None;
    }
    Some(said(Command::new(&python).args(["-c", &script])).trim().to_owned())
}

const DATADOG: [(&str, &str); 2] =
    [("DD_INSTRUMENTATION_TELEMETRY_ENABLED", "false"), ("DD_REMOTE_CONFIGURATION_ENABLED", "false")];

#[test]
fn datadogs_tracer_watches_flask_however_it_is_started() {
    let Some(folder) = folder_of("ddtrace") else { return };
    let watched = "WATCHED = lambda: hasattr(flask.Flask.wsgi_app, '__wrapped__')\n";
    let by_application = response(&format!("import ddtrace.auto\n{watched}"), &DATADOG);
    assert_eq!(by_application, "(True, Decimal('2.10'), 1, True)");
    let sitecustomize = format!("{folder}/bootstrap");
    let by_python = response(watched, &[("PYTHONPATH", &sitecustomize), DATADOG[0], DATADOG[1]]);
    assert_eq!(by_python, "(True, Decimal('2.10'), 1, True)");
}

#[test]
fn opentelemetry_watches_flask() {
    let folder = folder_of("opentelemetry.instrumentation.auto_instrumentation").unwrap();
    let exporters = ["OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"].map(|name| (name, "none"));
    let watched = "WATCHED = lambda: flask.Flask.__name__\n";
    let settings: Vec<_> = exporters.into_iter().chain([("PYTHONPATH", folder.as_str())]).collect();
    assert_eq!(response(watched, &settings), "('_InstrumentedFlask', Decimal('2.10'), 1, True)");
}

#[test]
fn beartype_checks_what_it_is_told_to() {
    let check = "import os, sys\n\
        from beartype.claw import beartype_package\n\
        beartype_package('checked')\n\
        here = os.path.dirname(__file__)\n\
        with open(os.path.join(here, 'checked.py'), 'w') as file: file.write('def f(x: int) -> int: return x')\n\
        import checked\n\
        def WATCHED():\n    \
            try: return checked.f('text')\n    \
            except Exception as error: return type(error).__name__\n";
    assert_eq!(response(check, &[]), "('BeartypeCallHintParamViolation', Decimal('2.10'), 1, True)");
}
