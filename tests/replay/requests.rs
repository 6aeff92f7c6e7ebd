//! `replay GET /path`: requests of the user's own, through each front end, without a server.

use serde_json::{Value, json};

use super::{Place, Seen, support};

const FRONT_ENDS: [&str; 8] =
    ["function-url", "http-api-v2", "http-api-v1", "rest", "alb", "alb-multi", "lattice-v2", "lattice-v1"];

/// Tells what it was asked, as JSON.
const TELLS: &str = r#"
import json
def app(environ, start_response):
    told = {name: environ.get(name) for name in (
        "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_HOST",
        "HTTP_COOKIE", "HTTP_X_A", "HTTP_X_B", "HTTP_ACCEPT", "REMOTE_ADDR", "wsgi.url_scheme", "wsgi_lambda.origin")}
    told["body"] = environ["wsgi.input"].read().decode()
    fields = [("Content-Type", "application/json")]
    if environ["PATH_INFO"] == "/set":
        fields += [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/set; Secure")]
    if environ["PATH_INFO"] == "/unset":
        fields += [("Set-Cookie", "a=; Path=/; Max-Age=0")]
    start_response("200 OK", fields)
    return [json.dumps(told).encode()]
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("tells.py", TELLS);
    place
}

fn ask(place: &Place, arguments: &[&str]) -> Seen {
    place.replay(&[arguments, &["--app", "tells:app"]].concat())
}

/// What the application was asked, request by request.
fn told(seen: &Seen) -> Vec<Value> {
    assert_eq!(seen.status(), 0, "{}", seen.all());
    let bodies = seen.stdout().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["body"].clone());
    bodies.map(|body| serde_json::from_str(body.as_str().unwrap()).unwrap()).collect()
}

fn ask_json(place: &Place, arguments: &[&str]) -> Vec<Value> {
    told(&ask(place, &[arguments, &["--json"]].concat()))
}

#[test]
fn a_request_is_shown_like_an_event() {
    let place = Place::new();
    let seen = place.replay(&["GET", "/one?x=1", "GET", "/two", "--app", "tapp:app"]);
    assert_eq!(seen.status(), 0, "{}", seen.all());
    for part in [
        "GET /one?x=1  get-one-x-1\n  200 OK",
        "hello from /one\n",
        "GET /two  get-two\n",
        "2 events: 2 answered; 2 × 200",
    ] {
        assert!(seen.stdout().contains(part), "{part}: {}", seen.stdout());
    }
    assert!(seen.stderr().contains("to stdout /two\n"), "{}", seen.stderr());
}

#[test]
fn every_front_end_takes_a_request() {
    let place = place();
    let asked = ["PUT", "/a%20b/c?x=1&y=%26", "-H", "X-A: 1", "-d", "k=v", "--front", "all"];
    let all = ask_json(&place, &asked);
    assert_eq!(all.len(), FRONT_ENDS.len());
    for (told, front_end) in all.iter().zip(FRONT_ENDS) {
        let seen =
            ["REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_X_A", "body"]
                .map(|name| told[name].as_str().unwrap());
        let expected = ["PUT", "/a b/c", "x=1&y=%26", "application/x-www-form-urlencoded", "3", "1", "k=v"];
        assert_eq!(seen, expected, "{front_end}: {told}");
        assert_eq!((&told["wsgi_lambda.origin"], &told["wsgi.url_scheme"]), (&json!(front_end), &json!("https")));
        let mount = if front_end == "rest" { "/prod" } else { "" };
        assert_eq!((&told["REMOTE_ADDR"], &told["SCRIPT_NAME"]), (&json!("203.0.113.42"), &json!(mount)));
    }
    let names: Vec<&str> = ask_json(&place, &["GET", "/", "--front", "rest,url"])
        .iter()
        .map(|told| told["wsgi_lambda.origin"].as_str().unwrap().to_owned().leak() as &str)
        .collect();
    assert_eq!(names, ["rest", "function-url"]);
}

#[test]
fn stages_and_base_paths_come_before_the_applications_path() {
    let place = place();
    for (options, script_name) in [
        (&["--front", "rest"][..], "/prod"),
        (&["--front", "rest", "--stage", "test"], "/test"),
        (&["--front", "http-api"], ""),
        (&["--front", "http-api", "--stage", "test"], "/test"),
    ] {
        let told = ask_json(&place, &[&["GET", "/orders/1"], options].concat());
        assert_eq!(
            (&told[0]["SCRIPT_NAME"], &told[0]["PATH_INFO"]),
            (&json!(script_name), &json!("/orders/1")),
            "{options:?}"
        );
    }
    let base = ["--front", "rest", "--base-path", "/shop", "--env", "WSGI_LAMBDA_BASE_PATH=/shop"];
    let told = ask_json(&place, &[&["GET", "/orders/1"], &base[..]].concat());
    assert_eq!((&told[0]["SCRIPT_NAME"], &told[0]["PATH_INFO"]), (&json!("/shop"), &json!("/orders/1")));
}

#[test]
fn a_url_names_host_and_scheme() {
    let place = place();
    for (url, host, scheme) in
        [("https://shop.example/a", "shop.example", "https"), ("http://localhost:8000/a", "localhost:8000", "http")]
    {
        for told in ask_json(&place, &["GET", url, "--front", "function-url,http-api,rest,alb"]) {
            assert_eq!((&told["HTTP_HOST"], &told["wsgi.url_scheme"]), (&json!(host), &json!(scheme)), "{told}");
            assert_eq!((&told["SCRIPT_NAME"], &told["PATH_INFO"]), (&json!(""), &json!("/a")), "{told}");
        }
    }
}

#[test]
fn headers_and_data_belong_to_the_request_before_them() {
    let place = place();
    place.write("body.json", "{\n\"a\": 1}\n");
    let asked = [
        "-H",
        "X-A: all",
        "GET",
        "/a",
        "-H",
        "Accept:",
        "POST",
        "/b",
        "-H",
        "Content-Type: application/json",
        "-H",
        "X-B: b",
        "-d",
        "@body.json",
        "/c",
        "-d",
        "x=1",
        "-d",
        "y=2",
    ];
    let told = ask_json(&place, &asked);
    let of = |number: usize, names: [&str; 4]| names.map(|name| told[number][name].as_str().unwrap_or("-").to_owned());
    assert_eq!(of(0, ["REQUEST_METHOD", "HTTP_X_A", "HTTP_X_B", "HTTP_ACCEPT"]), ["GET", "all", "-", "-"]);
    assert_eq!(
        of(1, ["REQUEST_METHOD", "HTTP_X_B", "CONTENT_TYPE", "body"]),
        ["POST", "b", "application/json", "{\n\"a\": 1}\n"]
    );
    assert_eq!(
        of(2, ["REQUEST_METHOD", "HTTP_X_A", "CONTENT_TYPE", "body"]),
        ["POST", "all", "application/x-www-form-urlencoded", "x=1&y=2"]
    );
    let piped = place.replay_with_input(&["/d", "-d", "@-", "--json", "--app", "tells:app"], "from a pipe");
    assert_eq!(super::requests::told(&piped)[0]["body"], "from a pipe");
}

#[test]
fn requests_stand_beside_events() {
    let place = place();
    place.write("e.json", &super::get("/event").to_string());
    let asked = ["GET", "/first", "e.json", "GET", "/last"];
    let paths: Vec<Value> = ask_json(&place, &asked).iter().map(|told| told["PATH_INFO"].clone()).collect();
    assert_eq!(paths, ["/first", "/event", "/last"]);
}

#[test]
fn cookies_are_kept_along_a_command_and_in_a_jar() {
    let place = place();
    let cookies = |arguments: &[&str]| -> Vec<String> {
        let told = ask_json(&place, arguments);
        told.iter().map(|told| told["HTTP_COOKIE"].as_str().unwrap_or("-").to_owned()).collect()
    };
    let asked = ["GET", "/", "GET", "/set", "GET", "/", "GET", "/set/x", "GET", "/unset", "GET", "/"];
    assert_eq!(cookies(&asked), ["-", "-", "a=1", "b=2; a=1", "a=1", "-"]);
    assert_eq!(cookies(&["GET", "/set", "GET", "/", "-H", "Cookie: own=1"]), ["-", "own=1"]);
    assert_eq!(cookies(&["GET", "/set", "GET", "https://other.example/"]), ["-", "-"]);
    assert_eq!(cookies(&["GET", "/set", "--cookie-jar", "jar"]), ["-"]);
    assert_eq!(cookies(&["GET", "/", "GET", "/unset", "--cookie-jar", "jar"]), ["a=1", "a=1"]);
    assert_eq!(cookies(&["GET", "/set/", "--cookie-jar", "jar"]), ["b=2"]);
}

const ADMIN: &str = r#"
import os
from pathlib import Path
import django
from django.conf import settings

folder = Path(__file__).parent
settings.configure(
    SECRET_KEY="test", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, STATIC_URL="static/", USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "db.sqlite3"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    INSTALLED_APPS=["django.contrib." + app for app in ("admin", "auth", "contenttypes", "messages", "sessions")],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.messages.middleware.MessageMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {
        "context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
                               "django.contrib.messages.context_processors.messages"]}}],
    SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True,
)
django.setup()
from django.contrib import admin
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import path

if not (folder / "db.sqlite3").exists():
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User
    User.objects.create_superuser("admin", "admin@example.com", "s3cret")
urlpatterns = [path("admin/", admin.site.urls)]
app = get_wsgi_application()
"#;

#[test]
fn one_command_logs_in_to_djangos_admin_through_each_front_end() {
    let place = Place::new();
    place.write("site_.py", ADMIN);
    let venv = support::root().join(".cache/venv");
    let login = ["POST", "/admin/login/?next=/admin/", "-d", "username=admin&password=s3cret"];
    let with = ["--app", "site_:app", "--venv", venv.to_str().unwrap()];
    for front_end in ["function-url", "http-api", "http-api-v1", "rest", "alb-multi"] {
        let seen = place.replay(&[&login[..], &["GET", "/admin/", "--csrf", "--front", front_end], &with].concat());
        assert_eq!(seen.status(), 0, "{front_end}: {}", seen.all());
        assert!(seen.stdout().contains("  302 Found"), "{front_end}: {}", seen.all());
        assert!(seen.stdout().contains("2 events: 2 answered; 1 × 200, 1 × 302"), "{front_end}: {}", seen.all());
        let stage = if front_end == "rest" { "/prod" } else { "" };
        let note = format!("GET {stage}/admin/login/?next=/admin/: 200 OK, for its CSRF token\n");
        assert!(seen.stderr().contains(&note), "{front_end}: {}", seen.all());
    }
    // Without the tokens Django refuses.
    let without = place.replay(&[&login[..], &with, &["--brief"]].concat());
    assert!(without.stdout().starts_with("403 "), "{}", without.all());
    // The session is in the jar, for the next command.
    let first = place.replay(&[&login[..], &["--csrf", "--cookie-jar", "jar", "--quiet"], &with].concat());
    assert!(first.stdout().contains("1 × 302"), "{}", first.all());
    let next = place.replay(&[&["GET", "/admin/", "--cookie-jar", "jar", "--brief"], &with[..]].concat());
    assert!(next.stdout().starts_with("200 "), "{}", next.all());
}

/// A form whose token is in the session alone, as Flask-WTF's is.
const FORM: &str = r#"
import flask, secrets
app = flask.Flask(__name__)
app.secret_key = "test"

@app.get("/form")
def form():
    token = flask.session.setdefault("token", secrets.token_hex())
    return f"<form method=post><input type=hidden name=csrf_token value={token}></form>"

@app.post("/form")
@app.post("/elsewhere")
def post():
    sent = [flask.request.form.get("csrf_token"), flask.request.headers.get("X-CSRFToken")]
    right = all(one == flask.session.get("token") for one in sent if one or flask.request.form)
    return flask.jsonify(right=right and any(sent), form=flask.request.form.to_dict() | {"csrf_token": None},
                         referer=flask.request.referrer)
"#;

#[test]
fn a_token_of_a_session_is_sent_in_the_form_and_in_a_header() {
    let place = Place::new();
    place.write("forms.py", FORM);
    let venv = support::root().join(".cache/venv");
    let post = |arguments: &[&str]| {
        place.replay(&[arguments, &["--app", "forms:app", "--csrf", "--venv", venv.to_str().unwrap()]].concat())
    };
    let body = |seen: &Seen| -> Value {
        let last: Value = serde_json::from_str(seen.stdout().lines().last().unwrap()).unwrap();
        serde_json::from_str(last["body"].as_str().unwrap()).unwrap()
    };
    let same_url = body(&post(&["POST", "/form", "-d", "a=1", "--json"]));
    assert_eq!((&same_url["right"], &same_url["form"]["a"]), (&json!(true), &json!("1")));
    assert!(same_url["referer"].as_str().unwrap().ends_with(".on.aws/form"), "{same_url}");
    let other_url =
        body(&post(&["GET", "/form", "POST", "/elsewhere", "-H", "Content-Type: text/x", "-d", "a", "--json"]));
    assert_eq!(other_url["right"], true);
    let none = post(&["POST", "/elsewhere", "-d", "a=1"]);
    let hint = "GET /elsewhere (405 Method Not Allowed) has no CSRF token: send a GET of the page with the form before, such \
                as GET /form POST /elsewhere\n";
    assert!(none.stderr().contains(hint), "{}", none.stderr());
}

#[test]
fn responses_are_stored_and_compared_by_method_and_path() {
    let place = Place::new();
    let check = |more: &[&str]| {
        let base = [
            "GET",
            "/a",
            "POST",
            "/a",
            "-d",
            "x",
            "GET",
            "/a",
            "--app",
            "tapp:app",
            "--expect",
            "responses",
            "--quiet",
        ];
        place.replay(&[&base[..], more].concat())
    };
    assert_eq!(check(&["--update"]).status(), 0);
    for name in ["get-a", "post-a", "get-a-2"] {
        assert!(place.read(&format!("responses/{name}.json")).contains("hello from /a"), "{name}");
    }
    assert!(check(&[]).stdout().starts_with("3 events: 3 as expected"));
    place.write("responses/get-a.json", &place.read("responses/get-a.json").replace("hello", "bye"));
    assert_eq!(check(&[]).status(), 1);
    let all = ["--front", "alb,rest", "--update"];
    assert_eq!(check(&all).status(), 0);
    assert!(place.read("responses/rest/post-a.json").contains("multiValueHeaders"));
}

#[test]
fn streams_are_read_by_the_front_ends_that_have_them() {
    let place = place();
    for front_end in ["function-url", "rest"] {
        let seen = ask(&place, &["GET", "/set", "GET", "/", "--stream", "--front", front_end]);
        assert_eq!(seen.status(), 0, "{}", seen.all());
        assert!(seen.stdout().contains("streamed "), "{}", seen.stdout());
        assert!(seen.stdout().contains(r#""HTTP_COOKIE": "a=1""#), "cookies of a stream's prelude: {}", seen.stdout());
    }
    let wrong = ask(&place, &["GET", "/", "--stream", "--front", "alb"]);
    assert_eq!(wrong.status(), 2);
    assert!(wrong.stderr().contains("write --front function-url,rest"), "{}", wrong.stderr());
}

#[test]
fn what_a_front_end_does_to_a_response_is_told() {
    let place = Place::new();
    place.write(
        "odd.py",
        "def app(environ, start_response):\n    fields = [('WWW-Authenticate', 'Basic'), ('Set-Cookie', 'a=1'), \
         ('Set-Cookie', 'b=2')]\n    start_response('200 OK', fields)\n    return [b'x']\n",
    );
    let told = |front_end: &str| {
        let seen = place.replay(&["GET", "/", "--app", "odd:app", "--front", front_end]);
        assert_eq!(seen.status(), 0, "{}", seen.all());
        seen.stderr().to_owned()
    };
    assert!(
        told("rest").contains("hint: rest renames the response's www-authenticate to x-amzn-remapped-www-authenticate")
    );
    assert!(!told("http").contains("hint:"));
    place.write("body", &"x".repeat(1_100_000));
    let refused = place.replay(&["PUT", "/", "-d", "@body", "--app", "odd:app", "--front", "alb"]);
    assert_eq!(refused.status(), 1);
    let said = "FrontEnd.Refused alb answers with 413 Payload Too Large and does not invoke the function";
    assert!(refused.stdout().contains(said), "{}", refused.all());
}

#[test]
fn wrong_words_of_a_request_name_the_right_ones() {
    let place = Place::new();
    place.write("e.json", &super::get("/").to_string());
    place.write("curl.txt", "# Netscape HTTP Cookie File\n");
    for (arguments, expected) in [
        (&["GET"][..], "GET needs a path after it, such as GET /, or a URL"),
        (&["GET", "login"], "GET login: the path of a request begins with a slash: write GET /login"),
        (&["get", "/login"], "get is no file; methods are written in capitals: GET /login"),
        (&["/login"], "/login is no file; for a request write the method before it: GET /login"),
        (&["GET", "/", "-H", "Accept"], "-H 'Accept…' has no colon: write -H 'Name: value'"),
        (
            &["POST", "/", "-d", "@none"],
            "-d @none: cannot read the file: No such file or directory (os error 2); correct its name",
        ),
        (
            &["GET", "/", "--front", "edge"],
            "write function-url, http-api, http-api-v1, rest, alb, alb-multi, lattice, lattice-v1, or all",
        ),
        (&["GET", "/", "--stage", "prod"], "--stage is for REST and HTTP APIs: write --front rest"),
        (&["GET", "/", "--front", "rest", "--stage", "/prod"], "write it without slashes, such as --stage prod"),
        (&["e.json", "--front", "rest"], "are for requests, not for events: write a request, such as GET /path"),
        (
            &["GET", "/", "--cookie-jar", "curl.txt"],
            "is a cookie jar of another program, such as curl: give a file of its own",
        ),
        (&["GET", "/", "--cookie-jar", "jar", "--front", "all"], "--cookie-jar keeps the cookies of one front end"),
    ] {
        let seen = place.replay(&[arguments, &["--app", "tapp:app"]].concat());
        assert_eq!((seen.status(), seen.stdout()), (2, ""), "{arguments:?}: {}", seen.all());
        assert!(seen.stderr().contains(expected), "{arguments:?}: {}", seen.stderr());
    }
}
