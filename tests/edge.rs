//! docs/cloudfront.md: requests that came through CloudFront, to Django and Flask, with the code that the page shows.
#![cfg(feature = "cli")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::process::Command;

use serde_json::Value;
use support::{Function, Setup, event, root, source};

const HOST: &str = "shop.example.com";
/// The viewer and CloudFront's server, in the sample events.
const VIEWER: &str = "203.0.113.42";
const EDGE: &str = "198.51.100.17";

/// A block of the page: its first line is a comment with the file's name.
fn shown(name: &str) -> String {
    let page = fs::read_to_string(root().join("docs/cloudfront.md")).unwrap();
    let blocks = page.split("\n```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap().1);
    let is_named = |block: &&str| block.lines().next().is_some_and(|line| line.ends_with(&format!(" {name}")));
    blocks.into_iter().find(is_named).unwrap_or_else(|| panic!("docs/cloudfront.md shows no {name}")).to_owned()
}

/// A request of the viewer for this host, as the Function URL delivers it: the CloudFront function has set the header.
fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let mut event = event("function-url-via-cloudfront");
    event["rawPath"] = path.into();
    event["requestContext"]["http"]["method"] = method.into();
    event["headers"]["x-forwarded-host"] = HOST.into();
    for (name, value) in headers {
        event["headers"][name] = (*value).into();
    }
    if !body.is_empty() {
        event["headers"]["content-type"] = "application/x-www-form-urlencoded".into();
        event["body"] = body.into();
    }
    event
}

/// The settings of the recipes.
fn behind(setup: Setup) -> Function {
    let venv = root().join(".cache/venv");
    assert!(venv.is_dir(), "no virtual environment: `make test` makes it");
    let setup = setup.env("WSGI_LAMBDA_VENV", venv.to_str().unwrap()).env("WSGI_LAMBDA_TRUSTED_HOPS", "1");
    setup.env("WSGI_LAMBDA_TRUSTED_HOST_HEADER", "X-Forwarded-Host").start()
}

const DJANGO: &str = r#"
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.middleware.csrf import get_token
from django.urls import path

settings.configure(
    SECRET_KEY="of a test",
    ALLOWED_HOSTS=["shop.example.com"],
    CSRF_COOKIE_SECURE=True,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
    ROOT_URLCONF=__name__,
)

def form(request):
    told = {"url": request.build_absolute_uri("/x"), "address": request.META["REMOTE_ADDR"]}
    return JsonResponse({"token": get_token(request), "saved": request.POST.get("name")} | told)

urlpatterns = [path("form", form)]
app = get_wsgi_application()
"#;

#[test]
fn django_takes_a_form_from_its_own_site_alone() {
    let mut function = behind(source(DJANGO));
    let page = function.invoke(request("GET", "/form", &[], ""));
    assert_eq!(page.status(), 200, "{}", function.logs());
    assert_eq!(page.body_json()["url"], format!("https://{HOST}/x"));
    assert_eq!(page.body_json()["address"], VIEWER);
    let cookie = page.headers("set-cookie")[0].split(';').next().unwrap().to_owned();
    let token = page.body_json()["token"].as_str().unwrap().to_owned();
    let mut post = |headers: &[(&str, &str)], token: &str| {
        let headers = [&[("cookie", cookie.as_str())], headers].concat();
        let mut event = request("POST", "/form", &headers, &format!("name=tea&csrfmiddlewaretoken={token}"));
        event["cookies"] = vec![cookie.clone()].into();
        function.invoke(event)
    };
    let own = ("origin", "https://shop.example.com");
    let saved = post(&[own], &token);
    assert_eq!((saved.status(), saved.body_json()["saved"].as_str()), (200, Some("tea")));
    for (headers, token, status, why) in [
        (vec![("origin", "https://evil.example")], token.as_str(), 403, "another site's form"),
        (vec![("origin", "http://shop.example.com")], &token, 403, "the site without TLS"),
        (vec![own], "0123456789abcdef0123456789abcdef", 403, "a token that was not given out"),
        (vec![own, ("x-forwarded-host", "evil.example")], &token, 400, "a host that is not the site's"),
        (vec![own, ("x-forwarded-host", "")], &token, 400, "past CloudFront: the Function URL's own host"),
    ] {
        assert_eq!(post(&headers, token).status(), status, "{why}");
    }
    for forged in ["evil.example", "", "shop.example.com, evil.example", "shop.example.com@evil.example"] {
        let response = function.invoke(request("GET", "/form", &[("x-forwarded-host", forged)], ""));
        assert_eq!(response.status(), 400, "{forged}");
    }
}

#[test]
fn without_the_setting_the_header_means_nothing() {
    let venv = root().join(".cache/venv");
    let mut function = source(DJANGO).env("WSGI_LAMBDA_VENV", venv.to_str().unwrap()).start();
    assert_eq!(function.invoke(request("GET", "/form", &[], "")).status(), 400);
}

const FLASK: &str = r#"
import os
from flask import Flask, jsonify, request, url_for

app = Flask(__name__)

@app.route("/url", methods=["GET", "POST"])
def url():
    secret = [name for name in request.environ if "SECRET" in name]
    return jsonify(url=url_for("url", _external=True), address=request.remote_addr, secret=secret)

if os.environ.get("PROXY_FIX"):
    from werkzeug.middleware.proxy_fix import ProxyFix

    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_host=1)
if os.environ.get("ORIGIN_SECRETS") is not None:
    from guard import only_cloudfront

    app.wsgi_app = only_cloudfront(app.wsgi_app)
"#;

#[test]
fn flask_builds_the_viewers_urls_and_needs_no_proxy_fix() {
    let get = request("GET", "/url", &[], "");
    let told = behind(source(FLASK)).invoke(&get).body_json();
    assert_eq!((&told["url"], &told["address"]), (&format!("https://{HOST}/url").into(), &VIEWER.into()));
    // What the page warns of.
    let told = behind(source(FLASK).env("PROXY_FIX", "1")).invoke(&get).body_json();
    assert_eq!(told["address"], EDGE);
}

#[test]
fn a_load_balancer_needs_the_hops_alone() {
    let venv = root().join(".cache/venv");
    let setup = source(FLASK).env("WSGI_LAMBDA_VENV", venv.to_str().unwrap()).env("WSGI_LAMBDA_TRUSTED_HOPS", "1");
    let mut event = event("alb-behind-cloudfront");
    event["path"] = "/url".into();
    let told = setup.start().invoke(event).body_json();
    assert_eq!((&told["url"], &told["address"]), (&"https://app.example.com/url".into(), &VIEWER.into()));
}

#[test]
fn the_guard_refuses_what_did_not_come_through_cloudfront() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("guard.py"), shown("guard.py")).unwrap();
    fs::write(folder.path().join("app.py"), FLASK).unwrap();
    let start = |secrets: &str| behind(support::app(folder.path(), "app:app").env("ORIGIN_SECRETS", secrets));
    let mut function = start("new-secret,old-secret");
    let header = "x-origin-secret";
    for (method, headers, status) in [
        ("GET", vec![(header, "new-secret")], 200),
        ("POST", vec![(header, "old-secret")], 200),
        ("GET", vec![], 403),
        ("GET", vec![(header, "")], 403),
        ("POST", vec![(header, "wrong")], 403),
        ("GET", vec![(header, "new-secret,old-secret")], 403),
        ("GET", vec![(header, "\u{e9}\u{20ac}")], 403),
        ("GET", vec![("x_origin_secret", "new-secret")], 403),
        ("GET", vec![("x-forwarded-host", HOST)], 403),
    ] {
        let response = function.invoke(request(method, "/url", &headers, if method == "POST" { "x=1" } else { "" }));
        assert_eq!(response.status(), status, "{method} {headers:?}: {}", function.logs());
        if status == 200 {
            assert_eq!(response.body_json()["secret"], Value::Array(vec![]), "the application does not see it");
        }
    }
    assert!(!function.logs().contains("-secret"), "{}", function.logs());
    // A variable that is set and empty lets nobody in.
    let mut function = start("");
    for headers in [vec![], vec![(header, "")]] {
        assert_eq!(function.invoke(request("GET", "/url", &headers, "")).status(), 403);
    }
}

#[test]
fn a_browsers_fetch_sends_the_hash_of_its_body() {
    if Command::new("node").arg("--version").output().is_err() {
        return support::skipped("node is not installed: signed-fetch.js of docs/cloudfront.md");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("signed-fetch.mjs"), shown("signed-fetch.js")).unwrap();
    let script = r#"
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { signedFetch } from "./signed-fetch.mjs";

const server = createServer(async (request, response) => {
  const chunks = await request.toArray();
  const hash = createHash("sha256").update(Buffer.concat(chunks)).digest("hex");
  response.end(JSON.stringify([request.method, hash === request.headers["x-amz-content-sha256"], request.headers["x-csrftoken"]]));
});
server.listen(0, "127.0.0.1", async () => {
  const url = `http://127.0.0.1:${server.address().port}/orders`;
  for (const body of ["{\"tea\": \"grün\"}", undefined]) {
    const response = await signedFetch(url, { method: "POST", body, headers: { "X-CSRFToken": "token" } });
    console.log(await response.text());
  }
  server.close();
});
"#;
    fs::write(folder.path().join("test.mjs"), script).unwrap();
    let said = support::said(Command::new("node").arg("test.mjs").current_dir(folder.path()));
    assert_eq!(said, "[\"POST\",true,\"token\"]\n".repeat(2));
}

#[test]
fn the_recipes_have_the_pages_function_and_settings() {
    let page = fs::read_to_string(root().join("docs/cloudfront.md")).unwrap();
    let function = page.split("```js\n").nth(1).unwrap().split("```").next().unwrap();
    for recipe in ["recipes/cloudfront.yaml", "terraform/cloudfront/main.tf"] {
        let text = fs::read_to_string(root().join(recipe)).unwrap();
        let lines = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
        assert!(lines(&text).contains(&lines(function)), "{recipe} has another function than the page");
        for named in ["WSGI_LAMBDA_TRUSTED_HOST_HEADER", "WSGI_LAMBDA_TRUSTED_HOPS", "lambda:InvokeFunctionUrl"] {
            assert!(
                text.contains(named)
                    && text.contains("lambda:InvokeFunction\n") | text.contains("lambda:InvokeFunction\"")
            );
        }
    }
}
