//! The process as the platform sees it: start, handler names, search path, errors, the Runtime API's odd days.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use support::{Function, Setup, app, event, source};
use wsgi_lambda::emulator::{Fault, Outcome, Route, StartError, Submission};

/// Answers with what an expression returns, as JSON.
fn expression(python: &str) -> Setup {
    source(&format!(
        r"
import json, os, sys, threading
state = {{}}
local = threading.local()

def app(environ, start_response):
    context = environ['wsgi_lambda.context']
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps({python}).encode()]
"
    ))
}

fn value(python: &str) -> Value {
    expression(python).start().replay("function-url-get").body_json()
}

/// The init error of an application that cannot be loaded, and the log.
fn init_error(setup: Setup) -> (Value, String) {
    let (mut function, result) = setup.try_start();
    let Err(StartError::Init(report)) = result else { panic!("{result:?}\n{}", function.logs()) };
    let exit = function.sandbox().last_exit();
    assert_eq!(exit.map(|exit| exit.to_string()).as_deref(), Some("exit status 1"));
    (serde_json::from_slice(&report.body).unwrap(), function.logs())
}

#[test]
fn handler_names_of_lambda_and_of_wsgi_find_the_application() {
    for handler in [
        "inner.app",
        "inner:app",
        "package.deep.app",
        "package/deep.app",
        "package.deep:app",
        "package/deep:app",
        "inner:Site.nested.app",
        "inner.Site.nested.app",
        "inner:make()",
        "inner.make()",
        "inner:Site.make_app()",
        "./inner.app",
    ] {
        let mut function = app("tests/apps/handlers", handler).start();
        assert_eq!(function.replay("rest-get").text(), "found", "{handler}");
    }
}

#[test]
fn a_handler_of_the_wrong_kind_is_told_what_it_is() {
    for (code, hint) in [
        ("def app():\n    return None", "name a factory as `module:factory()`"),
        ("async def app(scope, receive, send):\n    pass", "wrap an ASGI application"),
        ("def app(event, context):\n    return {'statusCode': 200}", "as a Lambda handler does"),
    ] {
        let mut function = source(code).start();
        assert_eq!(function.replay("rest-get").status(), 500);
        assert!(function.logs().contains(hint), "{hint}: {}", function.logs());
    }
}

#[test]
fn the_setting_for_the_application_wins_over_the_handler() {
    let mut function = app("tests/apps/handlers", "unused.handler").env("WSGI_LAMBDA_APP", "inner:app").start();
    assert_eq!(function.replay("rest-get").text(), "found");
}

#[test]
fn an_application_that_cannot_be_loaded_is_an_init_error_with_the_platforms_name() {
    for (handler, error_type, message) in [
        ("missing.app", "Runtime.ImportModuleError", "Unable to import module 'missing': No module named 'missing'"),
        ("imports_missing.app", "Runtime.ImportModuleError", "No module named 'not_installed'"),
        ("inner.nothing", "Runtime.HandlerNotFound", "Handler 'nothing' missing on module 'inner'"),
        ("inner:Site.nothing", "Runtime.HandlerNotFound", "Handler 'Site.nothing' missing on module 'inner'"),
        ("inner:number", "Runtime.HandlerNotFound", "int objects cannot be called"),
        ("inner", "Runtime.MalformedHandlerName", "expected `module.attribute` or `module:attribute`"),
        ("", "Runtime.MalformedHandlerName", "expected `module.attribute` or `module:attribute`"),
        ("broken.app", "Runtime.UserCodeSyntaxError", "Syntax error in module 'broken'"),
        ("time.app", "Runtime.BuiltInModuleConflict", "Cannot use built-in module time"),
        ("raises.app", "KeyError", "'SETTING'"),
        ("exits.app", "SystemExit", "3"),
        ("interrupts.app", "KeyboardInterrupt", ""),
        ("inner:failing_factory()", "RuntimeError", "no database"),
    ] {
        let (error, log) = init_error(app("tests/apps/handlers", handler));
        assert_eq!(error["errorType"], error_type, "{handler}: {error}");
        let text = error["errorMessage"].as_str().unwrap();
        assert!(text.contains(message), "{handler}: {text}");
        assert!(log.contains(error_type), "{handler}: {log}");
    }
}

#[test]
fn an_import_that_fails_shows_where_in_the_users_code() {
    let (error, log) = init_error(app("tests/apps/handlers", "imports_missing.app"));
    let trace = error["stackTrace"].to_string();
    assert!(trace.contains("imports_missing.py") && trace.contains("import not_installed"), "{trace}");
    assert!(!trace.contains("importlib") && !trace.contains("glue.py"), "{trace}");
    assert!(log.contains("Traceback (most recent call last)"), "{log}");
    let (error, _) = init_error(app("tests/apps/handlers", "broken.app"));
    assert!(error["stackTrace"].to_string().contains("def app("), "{error}");
}

#[test]
fn wrong_settings_are_init_errors_that_name_the_variable() {
    for (name, wrong) in [
        ("WSGI_LAMBDA_TRUSTED_HOPS", "one"),
        ("WSGI_LAMBDA_STRICT", "perhaps"),
        ("WSGI_LAMBDA_RESPONSE_MODE", "chunky"),
        ("WSGI_LAMBDA_BASE_PATH", "/a//b"),
        ("WSGI_LAMBDA_VENV", "/nowhere"),
    ] {
        let (error, _) = init_error(expression("1").env(name, wrong));
        assert_eq!(error["errorType"], "Runtime.InvalidConfiguration");
        assert!(error["errorMessage"].as_str().unwrap().contains(name), "{error}");
    }
}

#[test]
fn a_misspelt_setting_is_a_warning() {
    let mut function = expression("1").env("WSGI_LAMBDA_BASEPATH", "/x").start();
    assert_eq!(function.replay("rest-get").status(), 200);
    assert!(function.logs().contains("WSGI_LAMBDA_BASEPATH is not a setting"), "{}", function.logs());
}

#[test]
fn a_virtual_environment_of_another_python_is_an_init_error_that_says_what_to_do() {
    let venv = tempfile::tempdir().unwrap();
    fs::write(venv.path().join("pyvenv.cfg"), "home = /usr/bin\nversion = 3.8.1\n").unwrap();
    let (error, _) = init_error(expression("1").env("WSGI_LAMBDA_VENV", venv.path().to_str().unwrap()));
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.contains("made for Python 3.8.1") && message.contains("-m venv"), "{message}");
}

#[test]
fn a_virtual_environment_whose_python_is_gone_is_not_the_applications_fault() {
    let venv = tempfile::tempdir().unwrap();
    let version = value("'%d.%d.%d' % sys.version_info[:3]");
    let settings = format!("home = /nonexistent\nversion = {}\n", version.as_str().unwrap());
    fs::write(venv.path().join("pyvenv.cfg"), settings).unwrap();
    let setup =
        expression("1").env("WSGI_LAMBDA_VENV", venv.path().to_str().unwrap()).env("PYTHONHOME", "/nonexistent");
    let (error, _) = init_error(setup);
    assert_eq!(error["errorType"], "Runtime.InterpreterError", "{error}");
}

#[test]
fn layers_stay_importable_when_pythonpath_is_set_and_pth_files_are_honoured() {
    let folder = tempfile::tempdir().unwrap();
    let version = value("'python%d.%d' % sys.version_info[:2]");
    let layer = folder.path().join("layer");
    let site = layer.join("python/lib").join(version.as_str().unwrap()).join("site-packages");
    let (more, extra) = (folder.path().join("more"), folder.path().join("extra"));
    for path in [&site, &more, &extra] {
        fs::create_dir_all(path).unwrap();
    }
    fs::write(site.join("both.py"), "where = 'site-packages'").unwrap();
    fs::write(layer.join("python/both.py"), "where = 'layer'").unwrap();
    fs::write(layer.join("python/of_layer.py"), "").unwrap();
    fs::write(more.join("both.py"), "where = 'PYTHONPATH'").unwrap();
    fs::write(more.join("of_pythonpath.py"), "").unwrap();
    fs::write(extra.join("of_pth.py"), "").unwrap();
    fs::write(site.join("extra.pth"), extra.to_str().unwrap()).unwrap();
    let mut function = expression("[__import__('of_layer') and __import__('of_pythonpath') and __import__('of_pth') and 1, __import__('both').where, sys.path[0] == os.environ['LAMBDA_TASK_ROOT']]")
        .env("WSGI_LAMBDA_LAYER_DIR", layer.to_str().unwrap())
        .env("PYTHONPATH", more.to_str().unwrap())
        .start();
    assert_eq!(function.replay("rest-get").body_json(), json!([1, "site-packages", true]));
}

#[test]
fn python_is_started_for_a_sandbox() {
    assert_eq!(
        value(
            "[sys.flags.utf8_mode, sys.stdout.encoding, sys.getfilesystemencoding(), sys.dont_write_bytecode, sys.argv]"
        ),
        json!([1, "utf-8", "utf-8", true, ["bootstrap"]])
    );
    let mut function =
        expression("[sys.getfilesystemencoding(), open.__name__]").env("LC_ALL", "C").env("LANG", "C").start();
    assert_eq!(function.replay("rest-get").body_json()[0], "utf-8");
}

#[test]
fn the_application_runs_on_the_main_thread_and_its_locals_survive() {
    let source = "[threading.current_thread() is threading.main_thread(), local.__dict__.setdefault('n', []).append(1) or len(local.n)]";
    let mut function = expression(source).start();
    assert_eq!(function.replay("rest-get").body_json(), json!([true, 1]));
    assert_eq!(function.replay("alb-get").body_json(), json!([true, 2]));
}

#[test]
fn the_context_object_has_what_applications_read() {
    let mut function = expression(
        "[context.aws_request_id, context.function_name, context.function_version, context.memory_limit_in_mb, \
         context.invoked_function_arn.split(':')[0], context.tenant_id, context.identity.cognito_identity_id, \
         context.client_context and [context.client_context.custom, context.client_context.client.app_title], \
         0 < context.get_remaining_time_in_millis() <= 30000, context.w3c(), os.environ.get('_X_AMZN_TRACE_ID')]",
    )
    .start();
    let header =
        |name: &'static str, value: &str| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    let mut invocation = Submission::new(event("rest-get").to_string()).request_id("id-1");
    for (name, value) in [
        header("lambda-runtime-aws-tenant-id", "tenant"),
        header("lambda-runtime-cognito-identity", r#"{"cognitoIdentityId": "me"}"#),
        header(
            "lambda-runtime-client-context",
            r#"{"custom": {"a": 1}, "client": {"app_title": "t"}, "w3c": {"b": "c"}}"#,
        ),
        header("lambda-runtime-trace-id", "Root=1-2-3"),
    ] {
        invocation = invocation.header(name, value);
    }
    let seen = function.send(invocation).body_json();
    assert_eq!(seen[0], "id-1");
    assert_eq!(seen[4], "arn");
    assert_eq!(
        seen.as_array().unwrap()[5..],
        json!(["tenant", "me", [{"a": 1}, "t"], true, {"b": "c"}, "Root=1-2-3"]).as_array().unwrap()[..]
    );
    let without = HeaderName::from_static("lambda-runtime-trace-id");
    let seen = function.send(Submission::new(event("rest-get").to_string()).without(without)).body_json();
    assert_eq!(seen.as_array().unwrap()[5..], json!([null, null, null, true, {}, null]).as_array().unwrap()[..]);
}

#[test]
fn a_deadline_that_cannot_be_read_costs_nothing() {
    let mut function = expression("context.get_remaining_time_in_millis()").start();
    let name = HeaderName::from_static("lambda-runtime-deadline-ms");
    let event = event("rest-get").to_string();
    for invocation in [
        Submission::new(event.clone()).without(name.clone()),
        Submission::new(event.clone()).header(name.clone(), HeaderValue::from_static("soon")),
        Submission::new(event).header(name, HeaderValue::from_static("1540000000000")),
    ] {
        assert_eq!(function.send(invocation).body_json(), json!(0));
    }
}

#[test]
fn an_odd_client_context_costs_nothing_but_itself() {
    let mut function = expression("context.client_context and context.client_context.custom").start();
    for (odd, expected) in [
        (&b"not json"[..], json!(null)),
        (b"[1]", json!(null)),
        (b"{\"custom\": [1]}", json!([1])),
        (b"{\"custom\": {\"n\": {\"deep\": 1}}}", json!({"n": {"deep": 1}})),
        (b"\xff\xfe", json!(null)),
        (b"", json!(null)),
    ] {
        let name = HeaderName::from_static("lambda-runtime-client-context");
        let invocation =
            Submission::new(event("rest-get").to_string()).header(name, HeaderValue::from_bytes(odd).unwrap());
        assert_eq!(function.send(invocation).body_json(), expected, "{odd:?}");
    }
}

#[test]
fn the_invocation_id_is_echoed_and_connections_are_kept() {
    let mut function = expression("1").start();
    let name = HeaderName::from_static("lambda-runtime-invocation-id");
    let with_id = Submission::new(event("rest-get").to_string()).header(name.clone(), HeaderValue::from_static("it-7"));
    function.send(with_id);
    function.send(Submission::new("[]"));
    function.send(Submission::new(event("rest-get").to_string()).without(name.clone()));
    let calls = function.calls();
    let posts: Vec<_> = calls.iter().filter(|call| matches!(call.route, Route::Response | Route::Error)).collect();
    assert_eq!(posts[0].headers.get(&name).unwrap(), "it-7");
    assert!(posts[2].headers.get(&name).is_none());
    assert!(posts.iter().all(|post| post.connection == posts[0].connection), "responses share one connection");
    let polls: Vec<_> = calls.iter().filter(|call| call.route == Route::Next).collect();
    assert!(polls.iter().all(|poll| poll.connection == polls[0].connection), "polls share one connection");
}

#[test]
fn an_answer_that_the_platform_refuses_is_logged_and_the_next_one_served() {
    let mut function = expression("1").start();
    for status in [StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN, StatusCode::GONE, StatusCode::PAYLOAD_TOO_LARGE] {
        function.api().arrange(Route::Response, Fault::Status(status));
        function.replay("rest-get");
        assert!(function.logs().contains(&format!("HTTP status {}", status.as_u16())), "{}", function.logs());
        assert_eq!(function.replay("rest-get").status(), 200, "after {status}");
    }
    let errors = function.calls().iter().filter(|call| call.route == Route::Error).count();
    assert_eq!(errors, 0, "no /error after a refused response");
}

#[test]
fn a_platform_that_fails_ends_the_process_with_one_clear_line() {
    for (fault, line) in [
        (Fault::Status(StatusCode::INTERNAL_SERVER_ERROR), "the Runtime API answered 500"),
        (Fault::Close, "is lost: unexpected end of file"),
    ] {
        let mut function = expression("1").start();
        function.api().arrange(Route::Next, fault);
        let outcome = function.send(Submission::new(event("rest-get").to_string())).outcome;
        assert!(matches!(outcome, Outcome::Platform(_)), "{outcome:?}");
        let exit = function.sandbox().last_exit();
        assert_eq!(exit.map(|exit| exit.to_string()).as_deref(), Some("exit status 1"));
        let logs = function.logs();
        assert_eq!(logs.lines().filter(|text| text.contains(line)).count(), 1, "{logs}");
        assert!(!logs.contains("panicked"), "{logs}");
    }
}

#[test]
fn events_that_are_not_http_are_errors_that_say_what_was_seen() {
    let mut function: Function = expression("1").start();
    for (name, seen) in [
        ("not-http/sqs", "records of aws:"),
        ("not-http/s3", "records of aws:"),
        ("not-http/scheduled", "an EventBridge event"),
        ("not-http/api-gateway-request-authorizer", "an API Gateway authorizer request"),
        ("not-http/websocket-connect", "an API Gateway WebSocket event"),
        ("not-http/direct-invoke", "an event with"),
    ] {
        let response = function.replay(name);
        assert_eq!(response.error()["errorType"], "Runtime.UnsupportedEvent", "{name}");
        let message = response.error()["errorMessage"].as_str().unwrap();
        assert!(message.contains(seen) && message.contains("Function URLs"), "{name}: {message}");
        assert_eq!(function.replay("rest-get").status(), 200);
    }
    for (bytes, error_type) in [
        ("[1, 2]", "Runtime.UnsupportedEvent"),
        ("null", "Runtime.UnsupportedEvent"),
        ("\"text\"", "Runtime.UnsupportedEvent"),
        ("", "Runtime.UnmarshalError"),
        ("{", "Runtime.UnmarshalError"),
        ("{} {}", "Runtime.UnmarshalError"),
        ("{}", "Runtime.UnsupportedEvent"),
    ] {
        assert_eq!(function.send(Submission::new(bytes)).error()["errorType"], error_type, "{bytes}");
    }
}

#[test]
fn odd_members_of_an_event_cost_only_themselves() {
    let mut function = expression("[environ['PATH_INFO'], environ.get('HTTP_X_GOOD'), environ.get('REMOTE_ADDR')]")
        .env("WSGI_LAMBDA_TRUSTED_HOPS", &usize::MAX.to_string())
        .start();
    let mut event = event("rest-get");
    event["path"] = "/".into();
    event["requestContext"]["path"] = "".into();
    event["multiValueHeaders"] = json!({"X-Good": ["yes"], "SURROGATE": ["no"]});
    let bytes = event.to_string().replace("SURROGATE", "\\ud800");
    let seen = function.send(Submission::new(bytes)).body_json();
    assert_eq!((&seen[0], &seen[1]), (&json!("/"), &json!("yes")));
}

#[test]
fn the_exception_of_an_application_is_a_500_with_its_traceback_in_the_log_alone() {
    let mut function = expression("1/0 if 'x' else 'secret'").start();
    let response = function.replay("rest-get");
    assert_eq!((response.status(), response.text()), (500, "Internal Server Error"));
    let logs = function.logs();
    assert!(
        logs.contains("[ERROR] ZeroDivisionError: division by zero\rTraceback (most recent call last):\r"),
        "{logs:?}"
    );
    assert_eq!(function.replay("alb-get").json["statusDescription"], "500 Internal Server Error");
}
