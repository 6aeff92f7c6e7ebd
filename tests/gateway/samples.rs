//! Each sample event in `events/` is what the gateway makes of the client's request that it stands for: every member, in
//! the same order.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use http::Version;
use serde_json::Value;
use wsgi_lambda::gateway::{ClientRequest, Settings};
use wsgi_lambda::request::FrontEnd;

use crate::{event_of, request, settings};

/// Files that stand for no request a client can cause here, and why.
const OUT_OF_REACH: [(&str, &str); 14] = [
    ("alb-health-check", "the load balancer makes the request itself"),
    ("alb-multi-health-check", "the load balancer makes the request itself"),
    ("function-url-iam", "a signature that AWS has verified"),
    ("http-api-v1-authorizer-jwt", "a token that AWS has verified"),
    ("http-api-v2-authorizer-iam", "a signature that AWS has verified"),
    ("http-api-v2-authorizer-jwt", "a token that AWS has verified"),
    ("http-api-v2-authorizer-lambda", "an authorizer's result"),
    ("http-api-v2-mtls", "a client certificate that AWS has verified"),
    ("lattice-v2-iam", "a signature that AWS has verified"),
    ("rest-api-key", "a usage plan's key, by its id"),
    ("rest-authorizer-cognito", "a token that AWS has verified"),
    ("rest-authorizer-iam", "a signature that AWS has verified"),
    ("rest-authorizer-lambda", "an authorizer's result"),
    ("rest-null-everything", "no client sends a request without any header"),
];

/// Members that only AWS knows, and why.
const UNKNOWN: [(&str, &str, &str); 6] = [
    ("rest", "/requestContext/extendedRequestId", "API Gateway makes it; ours is taken from the request id"),
    ("rest", "/requestContext/apiId", "a custom domain does not show it"),
    ("http-api-v1", "/requestContext/extendedRequestId", "API Gateway makes it; ours is taken from the request id"),
    ("http-api-v1", "/requestContext/requestId", "the same id again"),
    ("http-api-v2", "/requestContext/requestId", "API Gateway makes it; ours is taken from the request id"),
    (
        "rest-stage",
        "/requestContext/identity/sourceIp",
        "the API's own CloudFront sees the client; our peer is CloudFront",
    ),
];

/// CloudFront writes names such as `CloudFront-Is-SmartTV-Viewer`, which no rule makes of those that have arrived.
const WITHOUT_CASE: &str = "rest-stage";

const BROWSER: &[(&str, &str)] = &[
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-US,en;q=0.5"),
    ("priority", "u=0, i"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-user", "?1"),
    ("upgrade-insecure-requests", "1"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
];
const TYPED: &[(&str, &str)] = &[("sec-fetch-site", "none")];
const CURL: &[(&str, &str)] = &[("accept", "*/*"), ("user-agent", "curl/8.14.1")];
const CLOUDFRONT: &[(&str, &str)] = &[
    ("accept-encoding", "br,gzip"),
    ("user-agent", "Amazon CloudFront"),
    ("via", "2.0 5e1f7c0d9a8b4c3e2d1f0a9b8c7d6e5f.cloudfront.net (CloudFront)"),
    ("x-amz-cf-id", "Qp3vJ9sV0mXb2cYl7dKe4fNw8gHr1tZu6iAo5pTsLxBnMqCjEvRyGg=="),
    ("x-forwarded-for", "203.0.113.42"),
];
const EDGE: &[(&str, &str)] = &[
    ("cloudfront-forwarded-proto", "https"),
    ("cloudfront-is-desktop-viewer", "true"),
    ("cloudfront-is-mobile-viewer", "false"),
    ("cloudfront-is-smarttv-viewer", "false"),
    ("cloudfront-is-tablet-viewer", "false"),
    ("cloudfront-viewer-asn", "64500"),
    ("cloudfront-viewer-country", "GB"),
    ("via", "2.0 5e1f7c0d9a8b4c3e2d1f0a9b8c7d6e5f.cloudfront.net (CloudFront)"),
    ("x-amz-cf-id", "Qp3vJ9sV0mXb2cYl7dKe4fNw8gHr1tZu6iAo5pTsLxBnMqCjEvRyGg=="),
    ("x-forwarded-for", "203.0.113.42"),
];

/// A client's request: method, target, groups of header fields, body, protocol.
type Sent = (&'static str, &'static str, Vec<&'static [(&'static str, &'static str)]>, Vec<u8>, Version);

/// The request that a kind of sample stands for, the same on every front end. Browsers speak HTTP/2, and curl was told to
/// speak HTTP/1.1.
fn sent(kind: &str) -> Option<Sent> {
    const COOKIE: &[(&str, &str)] =
        &[("cookie", "session=eyJ1aWQiOjQyfQ.c2lnbmF0dXJl; theme=dark; consent=analytics%3Dno%2Cads%3Dno")];
    const FORM: &[(&str, &str)] = &[
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-length", "25"),
        ("origin", "null"),
        ("sec-fetch-site", "same-origin"),
    ];
    const JSON: &[(&str, &str)] = &[("content-type", "application/json"), ("content-length", "139")];
    const BINARY: &[(&str, &str)] = &[("content-type", "application/octet-stream"), ("content-length", "32")];
    const TAGS: &[(&str, &str)] = &[("x-tag", "one"), ("x-tag", "two")];
    let json = "{\n  \"title\": \"The \\\"Analytical\\\" Engine\",\n  \"note\": \"first line\\nsecond line\",\n  \
                \"city\": \"Zürich\",\n  \"greeting\": \"こんにちは 👋\"\n}\n";
    let bytes = (0..16).chain(0xF0..=0xFF).collect();
    let (browser, curl) = (Version::HTTP_2, Version::HTTP_11);
    Some(match kind {
        "get" => ("GET", "/hello/world", vec![BROWSER, TYPED], vec![], browser),
        "head" => ("HEAD", "/hello/world", vec![CURL], vec![], curl),
        "query" => ("GET", "/search?x=1&x=2&y=%2B+z&e=", vec![CURL], vec![], curl),
        "path-encoding" => ("GET", "/a%20b%2Fc+d/%C3%A9", vec![CURL], vec![], curl),
        "cookies" => ("GET", "/cookies", vec![BROWSER, TYPED, COOKIE], vec![], browser),
        "form-post" => ("POST", "/form", vec![BROWSER, FORM], b"name=Ada+Lovelace&lang=py".to_vec(), browser),
        "json-post" => ("POST", "/items", vec![CURL, JSON], json.into(), curl),
        "binary-post" => ("POST", "/upload", vec![CURL, BINARY], bytes, curl),
        "multi-value-headers" => ("GET", "/tags", vec![CURL, TAGS], vec![], curl),
        "via-cloudfront" | "behind-cloudfront" => ("GET", "/hello/world", vec![CLOUDFRONT], vec![], Version::HTTP_2),
        "console-test" => ("GET", "/hello/world", vec![CURL], vec![], curl),
        _ => return None,
    })
}

/// The client's request and the front end's settings that a file stands for.
fn stands_for(name: &str) -> Option<(ClientRequest, Settings)> {
    let front_ends = FrontEnd::ALL.iter().filter(|front_end| name.starts_with(&format!("{front_end}-")));
    // `alb-multi-value-headers` is about an ALB without multi-value headers, `alb-multi-multi-value-headers` with.
    let is_kind = |front_end: &&&FrontEnd| sent(&name[front_end.name().len() + 1..]).is_some();
    let mut front_ends: Vec<_> = front_ends.collect();
    front_ends.sort_by_key(|front_end| (!is_kind(&front_end), front_end.name().len()));
    let front_end = **front_ends.first()?;
    let mut settings = settings(front_end);
    settings.domain = Some(domain(front_end).to_owned());
    let kind = &name[front_end.name().len() + 1..];
    if front_end == FrontEnd::Rest {
        "prod".clone_into(&mut settings.stage);
        settings.binary_media_types = vec!["application/octet-stream".to_owned()];
        settings.test_invoke = kind == "console-test";
    }
    let (method, target, headers, body, version) = match kind {
        "stage" => {
            "prod".clone_into(&mut settings.stage);
            if front_end == FrontEnd::Rest {
                settings.domain = Some("q1w2e3r4t5.execute-api.us-east-1.amazonaws.com".to_owned());
            }
            let edge = if front_end == FrontEnd::Rest { EDGE } else { &[] };
            ("GET", "/prod/orders/42", vec![CURL, edge], vec![], Version::HTTP_11)
        }
        "base-path" => {
            "prod".clone_into(&mut settings.stage);
            settings.domain = Some("shop.example.com".to_owned());
            settings.base_path = Some("/shop".to_owned());
            ("GET", "/shop/orders/42", vec![CURL], vec![], Version::HTTP_11)
        }
        kind => sent(kind)?,
    };
    let mut client = request(method, target, &headers.concat(), &body);
    client.version = version;
    client.headers.insert("host", settings.domain.as_deref().unwrap().parse().unwrap());
    if client.headers.contains_key("via") {
        client.peer = "198.51.100.17:443".parse().unwrap();
    }
    Some((client, settings))
}

fn domain(front_end: FrontEnd) -> &'static str {
    match front_end {
        FrontEnd::Rest => "api.example.com",
        FrontEnd::HttpApiV1 => "h7j8k9l0m1.execute-api.us-east-1.amazonaws.com",
        FrontEnd::HttpApiV2 => "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
        FrontEnd::FunctionUrl => "2cxn7odiwguak4feg4jtt7cwm0ziblrq.lambda-url.us-east-1.on.aws",
        FrontEnd::Alb | FrontEnd::AlbMulti => "app.example.com",
        FrontEnd::LatticeV1 | FrontEnd::LatticeV2 => {
            "orders-0a1b2c3d4e5f67890.7d67968.vpc-lattice-svcs.us-east-1.on.aws"
        }
    }
}

/// Takes from the sample what the HTTP server makes for each request: its ids and its time.
fn at_the_same_time(client: &mut ClientRequest, sample: &Value) {
    let context = &sample["requestContext"];
    let micros = match (&context["timeEpoch"], &context["requestTimeEpoch"]) {
        (Value::String(micros), _) => micros.parse().unwrap(),
        (Value::Number(millis), _) | (_, Value::Number(millis)) => millis.as_u64().unwrap() * 1000,
        _ => 0,
    };
    client.received = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
    if let Some(id) = context["requestId"].as_str() {
        id.clone_into(&mut client.request_id);
    }
    let headers = [&sample["headers"]["x-amzn-trace-id"], &sample["headers"]["X-Amzn-Trace-Id"]];
    let multi = &sample["multiValueHeaders"]["x-amzn-trace-id"][0];
    if let Some(id) = headers.into_iter().chain([multi]).find_map(Value::as_str) {
        id.clone_into(&mut client.trace_id);
    }
}

fn files() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/events")).unwrap();
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

#[test]
fn events_are_the_samples() {
    let mut compared = BTreeSet::new();
    for path in files() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if OUT_OF_REACH.iter().any(|(file, _)| *file == name) {
            continue;
        }
        let (mut client, settings) = stands_for(&name).unwrap_or_else(|| panic!("{name}: which request is it?"));
        let sample: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        at_the_same_time(&mut client, &sample);
        let (mut ours, mut theirs) = (event_of(&client, &settings), sample);
        for (_, pointer, _) in UNKNOWN.iter().filter(|(prefix, ..)| name.starts_with(prefix)) {
            for event in [&mut ours, &mut theirs] {
                if let Some(value) = event.pointer_mut(pointer) {
                    *value = Value::from("unknown");
                }
            }
        }
        let [mut ours, mut theirs] = [ours, theirs].map(|event| serde_json::to_string_pretty(&event).unwrap());
        if name == WITHOUT_CASE {
            (ours, theirs) = (ours.to_lowercase(), theirs.to_lowercase());
        }
        assert!(ours == theirs, "{name}: ours is\n{ours}\nand the sample is\n{theirs}");
        compared.insert(name);
    }
    assert!(compared.len() > 70, "only {} samples were compared", compared.len());
}

#[test]
fn the_lists_name_files_that_are_there() {
    let names: Vec<String> =
        files().iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    for (name, _) in OUT_OF_REACH {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    for (prefix, ..) in UNKNOWN {
        assert!(names.iter().any(|known| known.starts_with(prefix)), "{prefix}");
    }
}
