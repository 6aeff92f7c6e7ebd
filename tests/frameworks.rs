//! The examples: real frameworks in a real virtual environment, each route through every front end.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use support::{Function, app, event, root};

/// Example, handler, whether it has static files.
const EXAMPLES: [(&str, &str, bool); 7] = [
    ("plain", "app:application", false),
    ("flask", "app:app", false),
    ("django", "mysite.wsgi:application", true),
    ("pyramid", "app:make_app()", false),
    ("bottle", "app:app", false),
    ("fastapi", "app:application", false),
    ("middleware", "app:application", true),
];

const FRONT_ENDS: [&str; 8] =
    ["rest", "http-api-v1", "http-api-v2", "function-url", "alb", "alb-multi", "lattice-v1", "lattice-v2"];

fn start(example: &str, handler: &str) -> Function {
    let venv = root().join(".cache/venv");
    assert!(venv.is_dir(), "no virtual environment: `make test` makes it");
    app(format!("examples/{example}"), handler)
        .env("WSGI_LAMBDA_VENV", venv.to_str().unwrap())
        .env("DJANGO_ALLOWED_HOSTS", "*")
        .env("ALLOWED_HOSTS", "*")
        .start()
}

/// The sample GET of a front end, turned into another request.
fn request(front_end: &str, method: &str, path: &str) -> Value {
    let mut event = event(&format!("{front_end}-get"));
    match front_end {
        "http-api-v2" | "function-url" => {
            event["rawPath"] = path.into();
            event["requestContext"]["http"]["method"] = method.into();
        }
        "lattice-v1" => {
            event["raw_path"] = path.into();
            event["method"] = method.into();
        }
        "lattice-v2" => {
            event["path"] = path.into();
            event["method"] = method.into();
        }
        _ => {
            event["path"] = path.into();
            event["httpMethod"] = method.into();
        }
    }
    if front_end == "rest" {
        event["requestContext"]["path"] = path.into();
        event["pathParameters"] = json!({"proxy": path.trim_start_matches('/')});
        event["resource"] = "/{proxy+}".into();
    }
    event
}

fn set_header(event: &mut Value, name: &str, value: &str) {
    if event["headers"].is_object() {
        event["headers"][name] =
            if event["method"].is_string() && event["version"] == "2.0" { json!([value]) } else { value.into() };
    }
    if event["multiValueHeaders"].is_object() {
        event["multiValueHeaders"][name] = json!([value]);
    }
}

fn set_body(event: &mut Value, body: &[u8]) {
    event["body"] = BASE64.encode(body).into();
    let flag = if event["raw_path"].is_string() { "is_base64_encoded" } else { "isBase64Encoded" };
    event[flag] = true.into();
}

#[test]
fn every_example_answers_every_front_end() {
    for (example, handler, _) in EXAMPLES {
        let mut function = start(example, handler);
        for front_end in FRONT_ENDS {
            let at = format!("{example} through {front_end}");
            let home = function.invoke(request(front_end, "GET", "/"));
            assert_eq!(home.status(), 200, "{at}: {}", function.logs());
            assert!(home.header("content-type").unwrap().starts_with("text/html"), "{at}");
            assert!(!home.text().is_ascii(), "{at}: the greeting has a character outside ASCII");

            let seen = function.invoke(request(front_end, "GET", "/json")).body_json();
            assert_eq!((&seen["method"], &seen["path"]), (&json!("GET"), &json!("/json")), "{at}");
            assert_eq!(seen["remote_addr"], "203.0.113.42", "{at}");
        }
    }
}

#[test]
fn binary_bodies_pass_in_both_directions() {
    let bytes: Vec<u8> = (0..=255).collect();
    for (example, handler, _) in EXAMPLES {
        let mut function = start(example, handler);
        for front_end in FRONT_ENDS {
            let at = format!("{example} through {front_end}");
            let binary = function.invoke(request(front_end, "GET", "/binary"));
            assert_eq!(binary.body(), bytes, "{at}");
            let mut echo = request(front_end, "POST", "/echo");
            set_header(&mut echo, "content-type", "application/octet-stream");
            set_body(&mut echo, &bytes);
            let echo = function.invoke(echo);
            assert_eq!((echo.status(), echo.body()), (200, &bytes[..]), "{at}: {}", function.logs());
        }
    }
}

#[test]
fn cookies_redirects_streams_and_errors_come_back_right() {
    for (example, handler, _) in EXAMPLES {
        let mut function = start(example, handler);
        for front_end in FRONT_ENDS {
            let at = format!("{example} through {front_end}");
            let cookies = function.invoke(request(front_end, "GET", "/cookies"));
            let expected = if front_end.starts_with("lattice") { 1 } else { 2 };
            assert_eq!(cookies.headers("set-cookie").len(), expected, "{at}: {}", cookies.json);

            let redirect = function.invoke(request(front_end, "GET", "/redirect"));
            assert_eq!(redirect.status(), 302, "{at}");
            assert!(redirect.header("location").unwrap().ends_with("/json"), "{at}");

            let stream = function.invoke(request(front_end, "GET", "/stream"));
            assert_eq!(stream.status(), 200, "{at}");
            assert!(stream.body().len() > 10, "{at}");

            let error = function.invoke(request(front_end, "GET", "/error"));
            assert_eq!(error.status(), 500, "{at}");
        }
        // Starlette answers 500 and then raises; a2wsgi keeps what comes after the response to itself.
        let traced = example == "fastapi" || function.logs().contains("Traceback");
        assert!(traced, "{example}: {}", function.logs());
    }
}

#[test]
fn urls_made_by_the_frameworks_keep_the_stage() {
    for (example, handler, _) in EXAMPLES {
        let mut function = start(example, handler);
        for name in ["rest-stage", "http-api-v1-stage", "http-api-v2-stage"] {
            let text = event(name).to_string().replace("/orders/42", "/redirect").replace("orders/42", "redirect");
            let redirect = function.invoke(serde_json::from_str::<Value>(&text).unwrap());
            assert_eq!(redirect.status(), 302, "{example}: {name}");
            let location = redirect.header("location").unwrap();
            assert!(location.ends_with("/prod/json"), "{example}: {name}: {location}");
        }
    }
}

#[test]
fn djangos_error_reports_do_not_show_what_the_event_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let source = r#"
import django.conf
django.conf.settings.configure(DEBUG=True)
from django.core.handlers.wsgi import WSGIRequest
from django.views.debug import SafeExceptionReporterFilter

def app(environ, start_response):
    meta = SafeExceptionReporterFilter().get_safe_request_meta(WSGIRequest(environ))
    start_response("200 OK", [])
    return [repr([key for key, value in meta.items() if "s3cr3t" in repr(value)]).encode()]
"#;
    std::fs::write(folder.path().join("app.py"), source).unwrap();
    let venv = root().join(".cache/venv");
    let mut function = app(folder.path(), "app:app").env("WSGI_LAMBDA_VENV", venv.to_str().unwrap()).start();
    let mut event = event("function-url-cookies");
    event["cookies"] = json!(["session=s3cr3t"]);
    event["headers"]["cookie"] = "session=s3cr3t".into();
    assert_eq!(function.invoke(event).text(), "[]");
}

#[test]
fn static_files_of_whitenoise_arrive_whole() {
    for (example, handler, _) in EXAMPLES.iter().filter(|(_, _, has_static)| *has_static) {
        let mut function = start(example, handler);
        for front_end in FRONT_ENDS {
            let response = function.invoke(request(front_end, "GET", "/static/hello.txt"));
            assert_eq!(response.status(), 200, "{example} through {front_end}: {}", function.logs());
            assert!(!response.body().is_empty());
            let head = function.invoke(request(front_end, "HEAD", "/static/hello.txt"));
            assert_eq!((head.status(), head.body()), (200, &b""[..]));
            assert_eq!(head.header("content-length").unwrap(), response.body().len().to_string());
        }
    }
}

#[test]
fn pooled_connections_can_be_closed_before_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let source = r#"
import django, django.conf, sqlalchemy, wsgi_lambda
from snapshot_restore_py import register_before_snapshot

django.conf.settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}})
django.setup()
from django.db import connection

connection.ensure_connection()
engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.QueuePool)
engine.connect().close()
before = [connection.connection is not None, engine.pool.checkedin()]
register_before_snapshot(wsgi_lambda.close_django_connections)
register_before_snapshot(wsgi_lambda.close_sqlalchemy_pools, engine)

def app(environ, start_response):
    start_response("200 OK", [])
    after = [connection.connection is not None, engine.pool.checkedin()]
    with connection.cursor() as cursor, engine.connect() as other:
        works = [cursor.execute("SELECT 1").fetchone()[0], other.execute(sqlalchemy.text("SELECT 1")).scalar()]
    return [repr((before, after, works)).encode()]
"#;
    std::fs::write(folder.path().join("app.py"), source).unwrap();
    let venv = root().join(".cache/venv");
    let mut function = app(folder.path(), "app:app")
        .env("WSGI_LAMBDA_VENV", venv.to_str().unwrap())
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
        .start();
    assert_eq!(function.replay("rest-get").text(), "([True, 1], [False, 0], [1, 1])", "{}", function.logs());
}

/// Behind CloudFront the front end's host is not the client's, and Django's CSRF check compares it with `Origin`.
#[test]
fn django_takes_forms_behind_cloudfront_with_one_setting() {
    let app = r#"
import django
from django.conf import settings
settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=["www.example.com", ".on.aws"], ROOT_URLCONF=__name__,
                   MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"])
django.setup()
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("login/", lambda request: HttpResponse(request.build_absolute_uri()))]
from django.core.wsgi import get_wsgi_application
app = get_wsgi_application()
"#;
    let venv = support::root().join(".cache/venv");
    let mut event = support::event("function-url-get");
    let token = "a".repeat(32);
    event["rawPath"] = "/login/".into();
    event["requestContext"]["http"]["method"] = "POST".into();
    for (name, value) in [
        ("x-forwarded-host", "www.example.com"),
        ("origin", "https://www.example.com"),
        ("x-csrftoken", &token),
        ("cookie", &format!("csrftoken={token}")),
    ] {
        event["headers"][name] = value.into();
    }
    let setup = || support::source(app).env("WSGI_LAMBDA_VENV", venv.to_str().unwrap());
    assert_eq!(setup().start().invoke(&event).status(), 403, "a forged host changes nothing");
    let response = setup().env("WSGI_LAMBDA_TRUSTED_HOST_HEADER", "X-Forwarded-Host").start().invoke(&event);
    assert_eq!((response.status(), response.text()), (200, "https://www.example.com/login/"));
}
