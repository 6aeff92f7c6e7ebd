//! Single rules of events, one front end or all.

use http::{HeaderValue, Version};
use serde_json::{Value, json};
use wsgi_lambda::gateway::{Fault, Settings, event, limits};
use wsgi_lambda::request::FrontEnd;

use crate::{event_of, request, settings};

fn rest(stage: &str) -> Settings {
    Settings { stage: stage.to_owned(), ..settings(FrontEnd::Rest) }
}

#[test]
fn without_a_domain_links_lead_back_to_the_client() {
    let event = event_of(&request("GET", "/", &[], b""), &settings(FrontEnd::FunctionUrl));
    assert_eq!(event["headers"]["host"], "127.0.0.1:8000");
    assert_eq!(event["headers"]["x-forwarded-proto"], "http");
    assert_eq!(event["headers"]["x-forwarded-port"], "8000");
    assert_eq!(event["headers"].get("x-amzn-tls-version"), None);
    let domain = event["requestContext"]["domainName"].as_str().unwrap();
    assert!(domain.contains(".lambda-url."), "{domain}");
}

#[test]
fn the_peer_is_appended_to_what_a_client_claims() {
    for front_end in FrontEnd::ALL {
        let client = request("GET", "/", &[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "gopher")], b"");
        let event = event_of(&client, &settings(front_end)).to_string();
        assert!(event.contains("6.6.6.6, 203.0.113.42"), "{front_end}: {event}");
        let is_lattice = matches!(front_end, FrontEnd::LatticeV1 | FrontEnd::LatticeV2);
        assert_eq!(event.contains("gopher"), is_lattice, "{front_end}: {event}"); // Lattice sets no other field
    }
}

#[test]
fn a_clients_trace_goes_on() {
    let trace = |sent: &str| {
        let client = request("GET", "/", &[("x-amzn-trace-id", sent)], b"");
        event_of(&client, &settings(FrontEnd::Alb))["headers"]["x-amzn-trace-id"].as_str().unwrap().to_owned()
    };
    let own = "1-6a575724-8f23807390ab7d3fb510bd54";
    assert_eq!(trace("Root=1-1-2;CalledFrom=app"), format!("Self={own};Root=1-1-2;CalledFrom=app"));
    assert_eq!(trace("Self=1-3-4;Root=1-1-2"), format!("Self={own};Root=1-1-2"));
    assert_eq!(trace("CalledFrom=app"), format!("Root={own}"));
}

#[test]
fn targets_of_every_form_are_read() {
    let path = |target: &str| {
        let client = request("GET", target, &[], b"");
        event(&client, &settings(FrontEnd::FunctionUrl))
            .map(|json| serde_json::from_slice::<Value>(&json).unwrap())
            .map(|event| {
                format!("{} {}", event["rawPath"].as_str().unwrap(), event["rawQueryString"].as_str().unwrap())
            })
    };
    assert_eq!(path("/a?b?c").unwrap(), "/a b?c");
    assert_eq!(path("//a//..").unwrap(), "//a//.. ");
    assert_eq!(path("http://example.com/a?b").unwrap(), "/a b");
    assert_eq!(path("http://example.com").unwrap(), "/ ");
    assert_eq!(path("http://example.com?b").unwrap(), "/ b");
    assert_eq!(path("/%zz/%").unwrap(), "/%zz/% ");
    assert_eq!(path("*"), Err(Fault::BadRequest("the target is not a path")));
    assert_eq!(path(""), Err(Fault::BadRequest("the target is not a path")));
}

#[test]
fn host_is_there_once() {
    for front_end in FrontEnd::ALL {
        let mut client = request("GET", "/", &[], b"");
        client.headers.append("host", HeaderValue::from_static("other"));
        assert!(matches!(event(&client, &settings(front_end)), Err(Fault::BadRequest(_))), "{front_end}");
        client.headers.remove("host");
        assert!(matches!(event(&client, &settings(front_end)), Err(Fault::BadRequest(_))), "{front_end}");
        client.version = Version::HTTP_10;
        assert!(event(&client, &settings(front_end)).is_ok(), "{front_end}");
    }
}

#[test]
fn methods_pass_where_the_service_knows_them() {
    let passes = |method, front_end| event(&request(method, "/", &[], b""), &settings(front_end));
    for front_end in FrontEnd::ALL {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            assert!(passes(method, front_end).is_ok(), "{front_end}: {method}");
        }
        let takes_any =
            !matches!(front_end, FrontEnd::FunctionUrl | FrontEnd::Rest | FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2);
        assert_eq!(passes("PROPFIND", front_end).is_ok(), takes_any, "{front_end}");
        assert_eq!(passes("CONNECT", front_end), Err(Fault::MethodNotAllowed), "{front_end}");
    }
    assert_eq!(passes("TRACE", FrontEnd::Alb), Err(Fault::MethodNotAllowed));
}

#[test]
fn a_stage_is_in_the_path_of_the_services_own_domain() {
    let paths = |target: &str, settings: &Settings| {
        let event = event_of(&request("GET", target, &[], b""), settings);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&event["path"]), text(&event["requestContext"]["path"]), event["pathParameters"].clone())
    };
    let are = |path: &str, whole: &str, proxy: Value| (path.to_owned(), whole.to_owned(), proxy);
    assert_eq!(paths("/prod/x/y", &rest("prod")), are("/x/y", "/prod/x/y", json!({"proxy": "x/y"})));
    assert_eq!(paths("/prod/", &rest("prod")), are("/", "/prod/", Value::Null));
    assert_eq!(paths("/prod", &rest("prod")), are("/", "/prod", Value::Null));
    assert_eq!(paths("/x/", &rest("")), are("/x/", "/x/", json!({"proxy": "x"}))); // the slash is not in the parameter
    let shop = Settings { base_path: Some("/shop".to_owned()), ..rest("prod") };
    assert_eq!(paths("/shop/x", &shop), are("/shop/x", "/shop/x", json!({"proxy": "x"})));

    for (target, settings) in [("/product", rest("prod")), ("/", rest("prod")), ("/shops", shop)] {
        let refused = event(&request("GET", target, &[], b""), &settings);
        assert!(matches!(refused, Err(Fault::NotFound(_))), "{target}");
    }
}

#[test]
fn http_apis_have_the_stage_in_the_path_and_not_the_mapping() {
    let stage = Settings { stage: "prod".to_owned(), ..settings(FrontEnd::HttpApiV2) };
    let raw_path =
        |target: &str, settings: &Settings| event_of(&request("GET", target, &[], b""), settings)["rawPath"].clone();
    assert_eq!(raw_path("/prod/x", &stage), "/prod/x");
    let mapped = Settings { base_path: Some("/shop".to_owned()), ..stage.clone() };
    assert_eq!(raw_path("/shop/x", &mapped), "/prod/x");
    let mapped = Settings { stage: "$default".to_owned(), ..mapped };
    assert_eq!(raw_path("/shop/x", &mapped), "/x");
    assert_eq!(raw_path("/shop", &mapped), "/");
    let first = Settings { front_end: FrontEnd::HttpApiV1, base_path: Some("/shop".to_owned()), ..stage };
    assert_eq!(event_of(&request("GET", "/shop/x", &[], b""), &first)["path"], "/shop/x");
}

#[test]
fn rest_apis_want_queries_encoded() {
    let query = |query: &str| event(&request("GET", &format!("/?{query}"), &[], b""), &rest(""));
    for malformed in ["a=%", "a=%4", "%zz", "a={1}", "a|b"] {
        assert!(matches!(query(malformed), Err(Fault::BadRequest(_))), "{malformed}");
    }
    let parameters = |text: &str| {
        serde_json::from_slice::<Value>(&query(text).unwrap()).unwrap()["multiValueQueryStringParameters"].clone()
    };
    assert_eq!(parameters("a=1;b=%3B;a=2&%C3%A9"), json!({"a": ["1", "2"], "b": [";"], "é": [""]}));
    assert_eq!(parameters("&;&"), Value::Null);
}

#[test]
fn rest_apis_damage_binary_bodies_that_are_not_set_up() {
    let png = request("POST", "/", &[("content-type", "image/png"), ("content-length", "4")], b"\x89PNG");
    let event = event_of(&png, &rest(""));
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("\u{FFFD}PNG"), &json!(false)));
    assert_eq!(event["headers"].get("Content-Length"), None);
    for binary in ["*/*", "image/*", "image/png", "IMAGE/PNG"] {
        let settings = Settings { binary_media_types: vec!["text/css".to_owned(), binary.to_owned()], ..rest("") };
        assert_eq!(event_of(&png, &settings)["body"], "iVBORw==", "{binary}");
    }
}

#[test]
fn the_consoles_test_has_the_headers_that_are_typed_in() {
    let settings = Settings { test_invoke: true, ..rest("prod") };
    let typed = request("POST", "/x?a=1", &[("content-type", "text/plain"), ("accept", "*/*")], b"hi");
    let event = event_of(&typed, &settings);
    assert_eq!(event["headers"], json!({"Content-Type": "text/plain"}));
    assert_eq!(event["multiValueQueryStringParameters"], json!({"a": ["1"]}));
    assert_eq!(event["requestContext"]["stage"], "test-invoke-stage");
    assert_eq!(event["body"], "hi");
}

#[test]
fn requests_up_to_the_limit_pass() {
    for front_end in FrontEnd::ALL {
        let settings = settings(front_end);
        let is_alb = matches!(front_end, FrontEnd::Alb | FrontEnd::AlbMulti);
        let most = if is_alb { 1 << 20 } else { 6_200_000 };
        let post = |size: usize| request("POST", "/", &[("content-type", "text/plain")], &vec![b'x'; size]);
        assert!(event(&post(most), &settings).is_ok(), "{front_end}");
        let more = if is_alb { (1 << 20) + 1 } else { 6_291_457 };
        assert_eq!(event(&post(more), &settings), Err(Fault::RequestTooLarge), "{front_end}");
        // Base64 makes four bytes of three: what a gateway takes may be more than a function takes.
        let binary = request("POST", "/", &[("content-type", "image/png")], &vec![1; 5_000_000]);
        let settings = Settings { binary_media_types: vec!["*/*".to_owned()], ..settings };
        assert_eq!(event(&binary, &settings), Err(Fault::RequestTooLarge), "{front_end}");
    }
}

#[test]
fn heads_up_to_the_limit_pass() {
    for front_end in FrontEnd::ALL {
        let settings = settings(front_end);
        let most = limits(&settings).request_head;
        let with = |size: usize| request("GET", "/", &[("x-long", &"x".repeat(size))], b"");
        assert!(event(&with(most - 200), &settings).is_ok(), "{front_end}");
        assert_eq!(event(&with(most), &settings), Err(Fault::HeadersTooLarge), "{front_end}");
    }
    let line = request("GET", &format!("/{}", "x".repeat(17_000)), &[], b"");
    assert_eq!(event(&line, &settings(FrontEnd::Alb)), Err(Fault::HeadersTooLarge));
}
