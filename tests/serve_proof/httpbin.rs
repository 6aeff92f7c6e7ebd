//! The checks that AWS makes of its Lambda Web Adapter with httpbin, and more of the kind, with a Flask application.

use serde_json::{Value, json};

use super::server::Server;
use super::support;

fn start() -> Server {
    let venv = support::root().join(".cache/venv");
    Server::start("app:app", "tests/apps/httpbin", &["--front", "all", "--venv", venv.to_str().unwrap()])
}

#[test]
fn an_application_like_httpbin_answers_through_each_front_end() {
    let server = start();
    let names = server.names();
    assert_eq!(names.len(), 8, "{names:?}");
    for front_end in names {
        methods(&server, front_end);
        requests(&server, front_end);
        bodies(&server, front_end);
        statuses(&server, front_end);
        cookies(&server, front_end);
        kinds_of_content(&server, front_end);
        authorization(&server, front_end);
    }
}

fn methods(server: &Server, at: &str) {
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let seen = server.json(at, method, "/anything", &[], b"");
        assert_eq!(seen["method"], method, "{at}");
    }
    let head = server.ask(at, "HEAD", "/anything", &[], b"");
    assert_eq!((head.status, head.all("content-type")), (200, vec!["application/json"]), "{at}");
    assert_eq!(head.body(), b"", "{at}");
}

fn requests(server: &Server, at: &str) {
    let headers = [("X-Test", "one"), ("Accept-Language", "de, en;q=0.5"), ("User-Agent", "a browser")];
    let seen = server.json(at, "GET", "/anything/a%20b/%C3%A9?x=1&y=a+b&z=%26&%C3%A9=%E2%82%AC", &headers, b"");
    for (name, value) in headers {
        assert_eq!(seen["headers"][name], value, "{at}");
    }
    assert_eq!(seen["args"], json!({ "x": ["1"], "y": ["a b"], "z": ["&"], "é": ["€"] }), "{at}");
    // Lattice does not tell the scheme, so HTTPS is taken.
    let scheme = if at.starts_with("lattice") { "https" } else { "http" };
    let start = format!("{scheme}://localhost{}/anything/a%20b/é?", server.mount(at));
    assert!(seen["url"].as_str().unwrap().starts_with(&start), "{at}: {}", seen["url"]);
    assert_eq!(seen["origin"], "127.0.0.1", "{at}");
    // An ALB's event has one value for each name, unless its target group has multi-value headers.
    let twice = server.json(at, "GET", "/anything?a=1&a=2", &[], b"");
    let expected = if at == "alb" { json!(["2"]) } else { json!(["1", "2"]) };
    assert_eq!(twice["args"]["a"], expected, "{at}");
}

fn bodies(server: &Server, at: &str) {
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let seen = server.json(at, "POST", "/anything", &form, b"a=1&b=x+y&a=2");
    assert_eq!(seen["form"], json!({ "a": ["1", "2"], "b": ["x y"] }), "{at}");
    let body = json!({ "grüße": [1, null, "👋"] });
    let seen =
        server.json(at, "POST", "/anything", &[("Content-Type", "application/json")], body.to_string().as_bytes());
    assert_eq!(seen["json"], body, "{at}");
    let parts = b"--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nvalue\r\n--b\r\nContent-Disposition: \
        form-data; name=\"file\"; filename=\"f.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n\x00\xff\r\n\xfe\r\n--b--\r\n";
    let seen = server.json(at, "PUT", "/anything", &[("Content-Type", "multipart/form-data; boundary=b")], parts);
    assert_eq!((&seen["form"]["text"], &seen["files"]["file"]), (&json!(["value"]), &json!(["f.bin", 5])), "{at}");
    let bytes: Vec<u8> = (0..=255).collect();
    let echo = server.ask(at, "POST", "/echo", &[("Content-Type", "application/octet-stream")], &bytes);
    assert_eq!(echo.body(), bytes, "{at}");
}

fn statuses(server: &Server, at: &str) {
    for status in [200, 201, 204, 206, 301, 304, 400, 401, 404, 405, 418, 429, 500, 502, 503] {
        let reply = server.get(at, &format!("/status/{status}"));
        assert_eq!(reply.status, status, "{at}: {}", server.said());
        let body = reply.text();
        let expected = if status == 204 || status == 304 { String::new() } else { format!("{status}\n") };
        assert_eq!(body, expected, "{at}");
    }
    // As a browser follows them.
    let mut path = "/redirect/3".to_owned();
    for _ in 0..3 {
        let reply = server.get(at, &path);
        assert_eq!(reply.status, 302, "{at}");
        let location = reply.all("location")[0];
        location.strip_prefix(server.mount(at)).unwrap_or_else(|| panic!("{at}: {location}")).clone_into(&mut path);
    }
    assert_eq!(path, "/anything", "{at}");
}

fn cookies(server: &Server, at: &str) {
    let seen = server.json(at, "GET", "/anything", &[("Cookie", "a=1; b=\"x y\"")], b"");
    assert_eq!(seen["cookies"], json!({ "a": "1", "b": "x y" }), "{at}");
    let reply = server.get(at, "/cookies/set?a=1&b=2");
    let set = reply.all("set-cookie");
    // Lattice passes on the last one.
    let expected: &[&str] = if at.starts_with("lattice") { &["b=2;"] } else { &["a=1;", "b=2;"] };
    assert!(
        set.len() == expected.len() && set.iter().zip(expected).all(|(got, start)| got.starts_with(start)),
        "{at}: {set:?}"
    );
    assert!(set.iter().all(|cookie| cookie.ends_with("HttpOnly; Path=/; SameSite=Lax")), "{at}: {set:?}");
}

fn kinds_of_content(server: &Server, at: &str) {
    let gzip = server.get(at, "/gzip");
    assert_eq!(gzip.all("content-encoding"), ["gzip"], "{at}");
    assert!(gzip.body().starts_with(b"\x1f\x8b\x08"), "{at}");
    let bytes = server.get(at, "/bytes/100000");
    assert_eq!((bytes.all("content-length"), bytes.status), (vec!["100000"], 200), "{at}");
    let first = bytes.body();
    assert_eq!((first.len(), &first), (100_000, &server.get(at, "/bytes/100000").body()), "{at}");
    let png = server.get(at, "/image/png");
    assert_eq!(png.all("content-type"), ["image/png"], "{at}");
    let png = png.body();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.ends_with(b"IEND\xae\x42\x60\x82"), "{at}: {png:?}");
    let stream = server.get(at, "/stream/5").text();
    let ids: Vec<Value> =
        stream.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect();
    assert_eq!(ids, [0, 1, 2, 3, 4].map(Value::from), "{at}");
    assert_eq!(server.json(at, "GET", "/delay/0.2", &[], b"")["delayed"], 0.2, "{at}");
    let text = server.get(at, "/encoding/utf8");
    assert_eq!(text.all("content-type"), ["text/html; charset=utf-8"], "{at}");
    assert_eq!(text.text(), "Grüße, 世界, ∮ E⋅da = Q 👋\n", "{at}");
}

fn authorization(server: &Server, at: &str) {
    let path = "/basic-auth/user/secret";
    let given = server.json(at, "GET", path, &[("Authorization", "Basic dXNlcjpzZWNyZXQ=")], b"");
    assert_eq!(given["user"], "user", "{at}");
    let refused = server.get(at, path);
    assert_eq!(refused.status, 401, "{at}");
    // API Gateway's REST APIs and Function URLs rename the header, so a browser does not ask for a password.
    let name =
        if matches!(at, "rest" | "function-url") { "x-amzn-remapped-www-authenticate" } else { "www-authenticate" };
    assert_eq!(refused.all(name), ["Basic realm=\"test\""], "{at}");
}
