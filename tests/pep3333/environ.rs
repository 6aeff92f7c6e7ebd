//! Sections B and C: the environ.

use serde_json::{Value, json};

use super::{APPS, Pep, request};
use crate::support;

/// The environ of one event.
fn environ(event: Value) -> Value {
    environ_with(event, &[])
}

fn environ_with(event: Value, settings: &[(&str, &str)]) -> Value {
    let setup = support::app(APPS, "environment:validated");
    let setup = settings.iter().fold(setup, |setup, (key, value)| setup.env(key, value));
    Pep::setup(setup).send(event).body_json()
}

/// A REST API event: its path is delivered encoded, its header values as lists.
fn rest(path: &str, headers: &[(&str, Value)]) -> Value {
    let mut event = support::event("rest-get");
    event["path"] = path.into();
    event["requestContext"]["path"] = path.into();
    event["resource"] = "/{proxy+}".into();
    event["pathParameters"]["proxy"] = path.trim_start_matches('/').into();
    for (name, values) in headers {
        event["multiValueHeaders"][name] = values.clone();
        event["headers"][name] = values.as_array().and_then(|values| values.last()).cloned().unwrap_or_default();
    }
    event
}

fn with_header(name: &str, value: &str) -> Value {
    let mut event = request("GET", "/", None);
    event["headers"][name] = value.into();
    event
}

#[test]
fn w02_environ_is_exactly_a_dict() {
    let response = Pep::start().get("/environment/types").body_json();
    assert_eq!(response["dict"], json!(true));
}

#[test]
fn w02_environ_belongs_to_one_request() {
    let mut pep = Pep::start();
    let types = pep.get("/environment/types").body_json();
    let version = |pep: &mut Pep| {
        let shown = pep.get("/environment/show").body_json();
        ["wsgi.version", "wsgi.multithread", "wsgi.multiprocess", "left.behind"].map(|key| shown[key].clone())
    };
    let fresh = version(&mut pep);
    pep.get("/environment/spoil").assert_ok("");
    pep.get("/environment/clear").assert_ok("cleared");
    assert_eq!(version(&mut pep), fresh);
    assert_eq!(pep.get("/environment/types").body_json(), types);
}

#[test]
fn w05_native_strings_hold_one_byte_a_character() {
    // The path `/é€🐍` and a header in UTF-8: each byte a character (row 40, all servers).
    let event = rest("/%C3%A9%E2%82%AC", &[("X-Name", json!(["é€🐍"]))]);
    let shown = environ(event);
    assert_eq!(shown["PATH_INFO"], "/Ã©â\u{82}¬");
    assert_eq!(shown["HTTP_X_NAME"], "Ã©â\u{82}¬ð\u{9f}\u{90}\u{8d}");
    let mut event = with_header("x-name", "é🐍");
    event["rawPath"] = "/é".into();
    assert_eq!(environ(event)["PATH_INFO"], "/Ã©");
}

#[test]
fn w05_w15_every_cgi_value_is_a_latin1_str() {
    let mut pep = Pep::of("environment:types");
    for name in ["http-api-v2-get", "rest-null-everything", "alb-health-check", "http-api-v2-mtls", "lattice-v2-get"] {
        let mut event = support::event(name);
        event["headers"]["x-name"] = "é€🐍".into();
        let types = pep.send(event).body_json();
        let right = json!({"dict": true, "keys": true, "values": true, "latin1": true, "none": false});
        assert_eq!(types, right, "{name}");
    }
}

#[test]
fn w06_methods_are_passed_on_verbatim() {
    let mut pep = Pep::of("environment:show");
    for method in ["GET", "POST", "PATCH", "OPTIONS", "QUERY", "get", "M-SEARCH"] {
        let shown = pep.send(request(method, "/", None)).body_json();
        assert_eq!(shown["REQUEST_METHOD"], method);
    }
}

#[test]
fn w07_script_name_is_the_mount_point() {
    let shown = environ(support::event("http-api-v2-stage"));
    assert_eq!((&shown["SCRIPT_NAME"], &shown["PATH_INFO"]), (&json!("/prod"), &json!("/orders/42")));
    let shown = environ(request("GET", "/orders/42", None));
    assert_eq!((&shown["SCRIPT_NAME"], &shown["PATH_INFO"]), (&json!(""), &json!("/orders/42")));
    let shown = environ_with(request("GET", "/orders/42", None), &[("WSGI_LAMBDA_BASE_PATH", "/orders")]);
    assert_eq!((&shown["SCRIPT_NAME"], &shown["PATH_INFO"]), (&json!("/orders"), &json!("/42")));
}

#[test]
fn w08_paths_are_decoded_once_and_otherwise_left_alone() {
    let mut pep = Pep::of("environment:validated");
    for (encoded, path_info) in [
        ("/a%20b%2Fc+d", "/a b/c+d"),
        ("//x//y/", "//x//y/"),
        ("/a/./../b", "/a/./../b"),
        ("/100%25", "/100%"),
        ("/%2525", "/%25"),
        ("/%zz%", "/%zz%"),
        ("/a;b=c", "/a;b=c"),
    ] {
        assert_eq!(pep.send(rest(encoded, &[])).body_json()["PATH_INFO"], path_info, "{encoded}");
    }
}

#[test]
fn w09_script_name_and_path_info_are_never_both_empty() {
    let mut event = support::event("http-api-v2-stage");
    event["rawPath"] = "/prod".into();
    let shown = environ(event);
    assert_eq!(shown["SCRIPT_NAME"], "/prod");
    assert!(shown["PATH_INFO"] == "" || shown["PATH_INFO"] == "/");
    let shown = environ(request("GET", "", None));
    assert_eq!((&shown["SCRIPT_NAME"], &shown["PATH_INFO"]), (&json!(""), &json!("/")));
}

#[test]
fn w10_query_string_is_raw_and_always_there() {
    let mut pep = Pep::of("environment:validated");
    for (target, query) in [("/?q=%20&x", "q=%20&x"), ("/", ""), ("/?a+b=c%2B%C3%A9", "a+b=c%2B%C3%A9")] {
        assert_eq!(pep.get(target).body_json()["QUERY_STRING"], query);
    }
}

#[test]
fn w11_content_length_is_that_of_the_decoded_body() {
    let mut event = request("POST", "/", Some("aGVsbG8="));
    event["isBase64Encoded"] = true.into();
    let shown = environ(event);
    assert_eq!((&shown["CONTENT_LENGTH"], &shown["CONTENT_TYPE"]), (&json!("5"), &json!("text/plain")));
    // Bytes, not characters, and no header to tell: REST API events have none.
    let mut event = rest("/", &[]);
    event["httpMethod"] = "POST".into();
    event["body"] = "é".into();
    assert_eq!(environ(event)["CONTENT_LENGTH"], "2");
    assert_eq!(environ(request("POST", "/", Some("")))["CONTENT_LENGTH"], "0");
}

#[test]
fn w11_content_headers_have_no_http_prefix() {
    let shown = environ(request("POST", "/", Some("hello")));
    assert_eq!((shown.get("HTTP_CONTENT_TYPE"), shown.get("HTTP_CONTENT_LENGTH")), (None, None));
    let shown = environ(rest("/", &[]));
    assert_eq!((shown.get("CONTENT_TYPE"), shown.get("CONTENT_LENGTH")), (None, None));
}

#[test]
fn w12_server_name_and_port_are_never_empty() {
    let mut pep = Pep::of("environment:validated");
    let cases = [
        (with_header("host", "shop.example.com:8443"), "shop.example.com", "8443"),
        (with_header("host", "shop.example.com"), "shop.example.com", "443"),
        (support::event("alb-health-check"), "localhost", "443"),
    ];
    for (event, name, port) in cases {
        let shown = pep.send(event).body_json();
        assert_eq!((&shown["SERVER_NAME"], &shown["SERVER_PORT"]), (&json!(name), &json!(port)));
    }
    let mut event = request("GET", "/", None);
    event["headers"].as_object_mut().unwrap().remove("host");
    assert_eq!(pep.send(event).body_json()["SERVER_NAME"], "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com");
}

#[test]
fn w13_server_protocol_is_the_requests() {
    let mut event = request("GET", "/", None);
    event["requestContext"]["http"]["protocol"] = "HTTP/2.0".into();
    assert_eq!(environ(event)["SERVER_PROTOCOL"], "HTTP/2.0");
    assert_eq!(environ(support::event("alb-get"))["SERVER_PROTOCOL"], "HTTP/1.1");
}

#[test]
fn w14_repeated_headers_are_joined_and_cookies_stay_cookies() {
    let shown = environ(rest("/", &[("X-A", json!(["1", "2"])), ("Cookie", json!(["a=1", "b=2"]))]));
    assert_eq!((&shown["HTTP_X_A"], &shown["HTTP_COOKIE"]), (&json!("1,2"), &json!("a=1; b=2")));
}

#[test]
fn w14_names_that_would_overwrite_others_are_dropped() {
    // `X_A` would be a second way to say `X-A` (row 38), `Proxy` becomes HTTP_PROXY (CVE-2016-5385).
    let shown = environ(rest("/", &[("X-A", json!(["1"])), ("X_A", json!(["3"])), ("Proxy", json!(["evil"]))]));
    assert_eq!((&shown["HTTP_X_A"], shown.get("HTTP_PROXY")), (&json!("1"), None));
    assert_eq!(environ(rest("/", &[("X_A", json!(["3"]))])).get("HTTP_X_A"), None);
}

#[test]
fn w14_values_are_trimmed_and_hold_no_ends_of_line() {
    assert_eq!(environ(with_header("x-a", " \t1 2 \t"))["HTTP_X_A"], "1 2");
    for value in ["a\r\nb", "a\nb", "a\0b"] {
        let shown = environ(with_header("x-a", value));
        let shown = shown["HTTP_X_A"].as_str().unwrap_or_default();
        assert!(!shown.contains(['\r', '\n', '\0']));
    }
}

#[test]
fn w15_variables_without_a_value_are_absent() {
    let shown = environ(support::event("rest-null-everything"));
    for name in ["REMOTE_USER", "AUTH_TYPE", "CONTENT_TYPE", "HTTP_COOKIE"] {
        assert_eq!(shown.get(name), None, "{name}");
    }
}

#[test]
fn w16_other_cgi_variables_are_there_as_far_as_known() {
    let shown = environ(request("GET", "/", None));
    assert_eq!(shown["REMOTE_ADDR"], "203.0.113.42");
    assert_eq!(shown["GATEWAY_INTERFACE"], "CGI/1.1");
    assert_eq!(shown["HTTPS"], "on");
    assert!(shown["SERVER_SOFTWARE"].as_str().unwrap().starts_with("wsgi-lambda/"));
}

#[test]
fn w18_the_raw_target_is_under_the_names_everybody_reads() {
    let mut event = support::event("function-url-get");
    event["rawPath"] = "/a%2Fb".into();
    event["rawQueryString"] = "x=%20".into();
    let shown = environ(event);
    assert_eq!((&shown["REQUEST_URI"], &shown["RAW_URI"]), (&json!("/a%2Fb?x=%20"), &json!("/a%2Fb?x=%20")));
}

#[test]
fn w18_our_own_variables_have_a_prefix() {
    let shown = environ(request("GET", "/", None));
    let own = shown.as_object().unwrap().keys().filter(|key| key.contains('.'));
    for key in own {
        assert!(!key.contains(char::is_uppercase) && !key.contains(' '), "{key}");
    }
    assert_eq!(shown["wsgi_lambda.origin"], "http-api-v2");
}

#[test]
fn w19_the_process_environment_is_not_copied() {
    let secrets = [("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"), ("AWS_SESSION_TOKEN", "IQoJb3JpZ2lu"), ("MY_OWN", "1")];
    let shown = environ_with(request("GET", "/", None), &secrets);
    for (name, value) in secrets {
        assert_eq!(shown.get(name), None);
        assert!(value == "1" || !shown.to_string().contains(value));
    }
    assert_eq!((shown.get("PATH"), shown.get("_HANDLER")), (None, None));
}

#[test]
fn w20_to_w28_the_wsgi_variables_tell_the_truth() {
    let shown = environ(request("GET", "/", None));
    let rows = [
        ("wsgi.version", json!("(1, 0)")),      // W20
        ("wsgi.url_scheme", json!("https")),    // W21
        ("wsgi.multithread", json!(false)),     // W24, W27: a real bool
        ("wsgi.multiprocess", json!(false)),    // W25: no second process in this sandbox
        ("wsgi.run_once", json!(false)),        // W26: the sandbox is used again
        ("wsgi.input_terminated", json!(true)), // W28
    ];
    for (key, value) in rows {
        assert_eq!(shown[key], value, "{key}");
    }
}

#[test]
fn w21_the_scheme_is_the_front_ends() {
    let mut pep = Pep::of("environment:validated");
    for (proto, scheme, https) in [("http", "http", None), ("https", "https", Some(&json!("on")))] {
        let mut event = support::event("alb-get");
        event["headers"]["x-forwarded-proto"] = proto.into();
        let shown = pep.send(event).body_json();
        assert_eq!((&shown["wsgi.url_scheme"], shown.get("HTTPS")), (&json!(scheme), https));
    }
}

#[test]
fn w22_w23_the_streams_are_there_without_a_body() {
    let mut pep = Pep::start();
    let there = json!({"wsgi.input": true, "wsgi.errors": true});
    assert_eq!(pep.get("/environment/callables").body_json(), there);
    assert_eq!(pep.get("/inputs/evaluate?stream.read()").body_json(), json!(""));
}

#[test]
fn w39_hop_by_hop_request_headers_are_handled_here() {
    let mut event = request("POST", "/", Some("hello"));
    event["headers"]["transfer-encoding"] = "chunked".into();
    let shown = environ(event);
    assert_eq!((shown.get("HTTP_TRANSFER_ENCODING"), &shown["CONTENT_LENGTH"]), (None, &json!("5")));
}

/// The acceptance test of W7 to W12 and W21: the PEP's recipe gives the client's URL.
#[test]
fn the_url_can_be_reconstructed() {
    let mut pep = Pep::of("environment:url");
    let execute_api = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com";
    assert_eq!(pep.get("/a b/c?x=1").body_json(), format!("{execute_api}/a%20b/c?x=1"));
    let stage = pep.send(support::event("http-api-v2-stage"));
    assert_eq!(stage.body_json(), format!("{execute_api}/prod/orders/42"));
    let mut event = with_header("host", "shop.example.com:8443");
    event["headers"]["x-forwarded-proto"] = "http".into();
    assert_eq!(pep.send(event).body_json(), "http://shop.example.com:8443/");
}
