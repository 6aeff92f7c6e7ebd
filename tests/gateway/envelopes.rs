//! What a client receives of the envelope that a function posts.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use wsgi_lambda::gateway::{ClientResponse, Fault, Settings, response};
use wsgi_lambda::request::FrontEnd;

use crate::{lines, request, settings};

fn posted(envelope: &Value) -> Bytes {
    Bytes::from(serde_json::to_vec(envelope).unwrap())
}

fn received(front_end: FrontEnd, envelope: &Value) -> Result<ClientResponse, Fault> {
    response(&posted(envelope), &request("GET", "/", &[], b""), &settings(front_end))
}

fn lines_of(front_end: FrontEnd, envelope: &Value) -> Vec<String> {
    lines(&received(front_end, envelope).unwrap().head)
}

fn is_malformed(front_end: FrontEnd, envelope: &Value) -> bool {
    matches!(received(front_end, envelope), Err(Fault::Malformed(_)))
}

/// An envelope that every front end takes, in its own form.
fn envelope(front_end: FrontEnd) -> Value {
    let multi = matches!(front_end, FrontEnd::Rest | FrontEnd::HttpApiV1 | FrontEnd::AlbMulti);
    let mut envelope = if multi {
        json!({"statusCode": 201, "multiValueHeaders": {"Content-Type": ["text/plain"], "X-A": ["1", "2"]}})
    } else {
        json!({"statusCode": 201, "headers": {"Content-Type": "text/plain", "X-A": "1,2"}})
    };
    envelope["body"] = json!("hé");
    envelope["isBase64Encoded"] = json!(false);
    envelope
}

#[test]
fn a_response_arrives_with_what_the_service_adds() {
    let common = ["content-length: 3", "content-type: text/plain"].map(str::to_owned);
    for front_end in FrontEnd::ALL {
        let got = received(front_end, &envelope(front_end)).unwrap();
        assert_eq!(got.head.status, 201, "{front_end}");
        assert_eq!(got.body, "hé", "{front_end}");
        let added: &[&str] = match front_end {
            FrontEnd::Rest => &[
                "x-amz-apigw-id: AwWtyvHoQmKr/fU=",
                "x-amzn-requestid: 0305adca-f1e8-4262-abfd-f58b32c395a6",
                "x-amzn-trace-id: Root=1-6a575724-8f23807390ab7d3fb510bd54;Sampled=0",
            ],
            FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2 => &["apigw-requestid: AwWtyvHoQmKr/fU="],
            FrontEnd::FunctionUrl => &[
                "x-amzn-requestid: 0305adca-f1e8-4262-abfd-f58b32c395a6",
                "x-amzn-trace-id: root=1-6a575724-8f23807390ab7d3fb510bd54;sampled=0",
            ],
            FrontEnd::Alb | FrontEnd::AlbMulti => &["server: awselb/2.0"],
            FrontEnd::LatticeV1 | FrontEnd::LatticeV2 => &[],
        };
        let mut expected: Vec<String> = common.to_vec();
        let values: &[&str] = if lines(&got.head).iter().any(|line| line == "x-a: 1") { &["1", "2"] } else { &["1,2"] };
        expected.extend(values.iter().map(|value| format!("x-a: {value}")));
        expected.extend(added.iter().map(|&line| line.to_owned()));
        expected.sort();
        assert_eq!(lines(&got.head), expected, "{front_end}");
    }
}

#[test]
fn a_missing_content_type_is_the_services_own() {
    for (front_end, content_type) in [
        (FrontEnd::Rest, Some("application/json")),
        (FrontEnd::HttpApiV1, Some("text/plain; charset=utf-8")),
        (FrontEnd::HttpApiV2, Some("text/plain; charset=utf-8")),
        (FrontEnd::FunctionUrl, Some("application/json")),
        (FrontEnd::Alb, Some("application/octet-stream")),
        (FrontEnd::AlbMulti, Some("application/octet-stream")),
        (FrontEnd::LatticeV2, None),
    ] {
        let got = received(front_end, &json!({"statusCode": 200, "body": "x"})).unwrap();
        let header = got.head.headers.get("content-type").map(|value| value.to_str().unwrap());
        assert_eq!(header, content_type, "{front_end}");
    }
}

#[test]
fn payload_2_takes_other_json_for_a_response() {
    for front_end in [FrontEnd::HttpApiV2, FrontEnd::FunctionUrl] {
        for (json, body) in [
            (json!({"statuscode": 404, "body": "x"}), r#"{"statuscode":404,"body":"x"}"#),
            (json!("Hello"), r#""Hello""#),
            (json!([1, null]), "[1,null]"),
            (Value::Null, "null"),
        ] {
            let got = received(front_end, &json).unwrap();
            assert_eq!((got.head.status.as_u16(), &*got.body), (200, body.as_bytes()), "{front_end}");
            assert_eq!(got.head.headers["content-type"], "application/json", "{front_end}");
        }
    }
    for front_end in FrontEnd::ALL.into_iter().filter(|it| !matches!(it, FrontEnd::HttpApiV2 | FrontEnd::FunctionUrl)) {
        for json in [json!("Hello"), json!([1]), Value::Null] {
            assert!(is_malformed(front_end, &json), "{front_end}: {json}");
        }
    }
}

#[test]
fn malformed_envelopes_are_refused_by_all() {
    for front_end in FrontEnd::ALL {
        let with = |member: &str, value: Value| {
            let mut envelope = envelope(front_end);
            envelope[member] = value;
            envelope
        };
        for (member, value) in [
            ("statusCode", json!("two hundred")),
            ("statusCode", json!(99)),
            ("statusCode", json!(101)),
            ("statusCode", json!(600)),
            ("statusCode", json!(200.5)),
            ("statusCode", json!([200])),
            ("body", json!({"a": 1})),
            ("body", json!(1)),
            ("isBase64Encoded", json!("yes")),
        ] {
            assert!(is_malformed(front_end, &with(member, value.clone())), "{front_end}: {member} {value}");
        }
        let member = if envelope(front_end).get("headers").is_some() { "headers" } else { "multiValueHeaders" };
        for value in [json!([]), json!("x"), json!({"X": {"a": 1}}), json!({"X Y": "1"}), json!({"X": "a\nb"})] {
            assert!(is_malformed(front_end, &with(member, value.clone())), "{front_end}: {member} {value}");
        }
        let client = request("GET", "/", &[], b"");
        for bytes in [&b"not JSON"[..], b"", b"{\"statusCode\":200", b"\xFF"] {
            let got = response(&Bytes::from_static(bytes), &client, &settings(front_end));
            assert!(matches!(got, Err(Fault::Malformed(_))), "{front_end}: {bytes:?}");
        }
        assert_eq!(received(front_end, &with("statusCode", json!("404"))).unwrap().head.status, 404, "{front_end}");
    }
}

#[test]
fn binary_bodies_are_decoded_where_they_are() {
    for front_end in FrontEnd::ALL.into_iter().filter(|it| *it != FrontEnd::Rest) {
        let binary = |body: &str| json!({"statusCode": 200, "body": body, "isBase64Encoded": true});
        assert_eq!(received(front_end, &binary("iVBORw==")).unwrap().body, &b"\x89PNG"[..], "{front_end}");
        assert!(is_malformed(front_end, &binary("iVBORw=")), "{front_end}");
    }
    let png = posted(&json!({"statusCode": 200, "body": "iVBORw==", "isBase64Encoded": true}));
    let body = |accept: &str, binary: &[&str]| {
        let settings = Settings {
            binary_media_types: binary.iter().map(|&it| it.to_owned()).collect(),
            ..settings(FrontEnd::Rest)
        };
        response(&png, &request("GET", "/", &[("accept", accept)], b""), &settings).unwrap().body
    };
    let (decoded, text) = (&b"\x89PNG"[..], &b"iVBORw=="[..]);
    assert_eq!(body("text/html", &["*/*"]), decoded);
    assert_eq!(body("image/png;q=0.5, text/html", &["image/png"]), decoded);
    assert_eq!(body("image/webp", &["image/*"]), decoded);
    assert_eq!(body("text/html, image/png", &["image/png"]), text); // the first alone counts
    assert_eq!(body("*/*", &["image/png"]), text);
    assert_eq!(body("image/png", &[]), text);
}

#[test]
fn rest_apis_know_five_members() {
    assert!(is_malformed(FrontEnd::Rest, &json!({"statusCode": 200, "cookies": []})));
    assert!(is_malformed(FrontEnd::Rest, &json!({"statusCode": 200, "statusDescription": "200 OK"})));
    assert_eq!(received(FrontEnd::Rest, &json!({})).unwrap().head.status, 200);
    assert!(is_malformed(FrontEnd::HttpApiV1, &json!({}))); // only payload 2.0 assumes a status
    assert!(received(FrontEnd::HttpApiV1, &json!({"statusCode": 200, "more": 1})).is_ok());
}

#[test]
fn rest_apis_merge_and_rename() {
    let lines = lines_of(
        FrontEnd::Rest,
        &json!({
            "statusCode": 401,
            "headers": {
                "x-a": "2", "X-B": 3, "X-C": true, "X-D": null, "WWW-Authenticate": "Basic", "Date": "today", "Server": "me",
                "Connection": "close", "Host": "h", "Transfer-Encoding": "chunked", "Content-Length": "99",
            },
            "multiValueHeaders": {"X-A": ["1", "2"], "Set-Cookie": ["a=1", "b=2"]},
        }),
    );
    let own = |line: &&String| {
        !line.starts_with("x-amz-apigw-id") && !line.contains("id: ") && !line.contains("x-amzn-trace")
    };
    assert_eq!(
        lines.iter().filter(own).collect::<Vec<_>>(),
        [
            "content-length: 0",
            "content-type: application/json",
            "set-cookie: a=1",
            "set-cookie: b=2",
            "x-a: 1",
            "x-a: 2",
            "x-amzn-remapped-connection: close",
            "x-amzn-remapped-date: today",
            "x-amzn-remapped-server: me",
            "x-amzn-remapped-www-authenticate: Basic",
            "x-b: 3",
            "x-c: true",
        ]
    );
}

#[test]
fn payload_2_has_cookies_and_no_multi_value_headers() {
    for front_end in [FrontEnd::HttpApiV2, FrontEnd::FunctionUrl] {
        let lines = lines_of(
            front_end,
            &json!({
                "statusCode": 200,
                "headers": {"X-A": "1,2", "Transfer-Encoding": "chunked", "WWW-Authenticate": "Basic"},
                "multiValueHeaders": {"X-Lost": ["1"]},
                "cookies": ["a=1; Path=/", "b=2"],
            }),
        );
        let has = |line: &str| lines.iter().any(|known| known == line);
        assert!(has("x-a: 1,2") && has("set-cookie: a=1; Path=/") && has("set-cookie: b=2"), "{front_end}: {lines:?}");
        assert!(!lines.iter().any(|line| line.starts_with("x-lost") || line.starts_with("transfer")), "{lines:?}");
        let renames = front_end == FrontEnd::FunctionUrl;
        assert_eq!(has("x-amzn-remapped-www-authenticate: Basic"), renames, "{front_end}");
        assert_eq!(has("www-authenticate: Basic"), !renames, "{front_end}");
        assert!(is_malformed(front_end, &json!({"statusCode": 200, "cookies": "a=1"})), "{front_end}");
    }
}

#[test]
fn load_balancers_demand_their_mode() {
    let (single, multi) = (FrontEnd::Alb, FrontEnd::AlbMulti);
    let of_single = json!({"statusCode": 200, "headers": {"X-A": "1", "Set-Cookie": "a=1", "sEt-cOOkie": "b=2"}});
    let of_multi = json!({"statusCode": 200, "multiValueHeaders": {"X-A": ["1", "2"]}});
    assert!(is_malformed(single, &of_multi) && is_malformed(multi, &of_single));
    let lines = lines_of(single, &of_single);
    assert!(
        lines.contains(&"set-cookie: a=1".to_owned()) && lines.contains(&"set-cookie: b=2".to_owned()),
        "{lines:?}"
    );
    assert!(lines_of(multi, &of_multi).contains(&"x-a: 2".to_owned()));

    let both = json!({"statusCode": 200, "headers": {"X-A": "single"}, "multiValueHeaders": {"X-A": ["multi"]}});
    assert!(lines_of(single, &both).contains(&"x-a: single".to_owned()));
    assert!(lines_of(multi, &both).contains(&"x-a: multi".to_owned()));
    assert!(received(single, &json!({"statusCode": 200})).is_ok());
    assert!(is_malformed(single, &json!({"statusCode": 200, "headers": null})));
    assert!(is_malformed(single, &json!({"statusCode": 200, "headers": {"X-A": 1}})));
    assert!(is_malformed(single, &json!({"headers": {}})));
}

#[test]
fn a_status_description_is_the_reason() {
    let reason = |description: Value| {
        received(FrontEnd::Alb, &json!({"statusCode": 404, "statusDescription": description}))
            .map(|got| got.head.reason)
    };
    assert_eq!(reason(json!("404 No Such Page")), Ok(Some("No Such Page".to_owned())));
    assert_eq!(reason(json!("404 Not Found")), Ok(None)); // the usual one
    assert_eq!(reason(json!("404")), Ok(None));
    for malformed in [Value::Null, json!(""), json!("Not Found"), json!(404), json!("404 a\r\nb")] {
        assert!(matches!(reason(malformed.clone()), Err(Fault::Malformed(_))), "{malformed}");
    }
}

#[test]
fn some_responses_have_no_body() {
    for front_end in FrontEnd::ALL {
        let of = |method: &str, status: u16, length: Value, body: &str| {
            let member = if front_end == FrontEnd::AlbMulti { "multiValueHeaders" } else { "headers" };
            let length = if member == "headers" { length } else { json!([length]) };
            let envelope = json!({"statusCode": status, "body": body, member: {"Content-Length": length}});
            response(&posted(&envelope), &request(method, "/", &[], b""), &settings(front_end)).unwrap()
        };
        let head = of("HEAD", 200, json!("1234"), "");
        assert_eq!(
            (head.body.len(), &head.head.headers["content-length"]),
            (0, &"1234".parse().unwrap()),
            "{front_end}"
        );
        let head = of("HEAD", 200, json!("1234"), "abc");
        assert_eq!((head.body.len(), &head.head.headers["content-length"]), (0, &"3".parse().unwrap()), "{front_end}");
        for status in [204, 304] {
            let empty = of("GET", status, json!("3"), "abc");
            assert_eq!((empty.body.len(), empty.head.headers.get("content-length")), (0, None), "{front_end}");
            assert_eq!(empty.head.headers.get("content-type"), None, "{front_end}");
        }
        // What the function says of the length does not count.
        assert_eq!(of("GET", 200, json!("99"), "abc").head.headers["content-length"], "3", "{front_end}");
    }
}

#[test]
fn responses_up_to_the_limit_arrive() {
    for front_end in FrontEnd::ALL {
        let most = if matches!(front_end, FrontEnd::Alb | FrontEnd::AlbMulti) { 1 << 20 } else { 6_291_556 };
        let of = |size: usize| {
            let frame = serde_json::to_string(&json!({"statusCode": 200, "body": ""})).unwrap().len();
            received(front_end, &json!({"statusCode": 200, "body": "x".repeat(size - frame)}))
        };
        assert!(of(most).is_ok(), "{front_end}");
        assert_eq!(of(most + 1).map(|got| got.body.len()), Err(Fault::ResponseTooLarge), "{front_end}");
    }
}

#[test]
fn heads_up_to_the_limit_arrive() {
    for front_end in FrontEnd::ALL {
        let of = |size: usize| {
            let value = json!("x".repeat(size));
            let multi = front_end == FrontEnd::AlbMulti;
            let (member, value) = if multi { ("multiValueHeaders", json!([value])) } else { ("headers", value) };
            received(front_end, &json!({"statusCode": 200, member: {"X": value}})).map(|got| got.head.headers.len())
        };
        let limit = match front_end {
            FrontEnd::Rest | FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2 => Some(10_240),
            FrontEnd::Alb | FrontEnd::AlbMulti => Some(32 * 1024),
            _ => None,
        };
        assert!(of(limit.unwrap_or(100_000) - 1).is_ok(), "{front_end}");
        if let Some(limit) = limit {
            assert_eq!(of(limit), Err(Fault::ResponseTooLarge), "{front_end}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_posted_makes_the_gateway_panic(
        status in prop_oneof![any::<u16>().prop_map(Value::from), any::<String>().prop_map(Value::from)],
        name in any::<String>(),
        value in any::<String>(),
        body in any::<String>(),
        base64 in any::<bool>(),
        method in "GET|HEAD|X",
        raw in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        for front_end in FrontEnd::ALL {
            let client = request(&method, "/", &[], b"");
            let _ = response(&Bytes::from(raw.clone()), &client, &settings(front_end));
            let envelope = json!({
                "statusCode": status, "headers": {&name: &value}, "multiValueHeaders": {&name: [&value]},
                "cookies": [&value], "body": body, "isBase64Encoded": base64, "statusDescription": value,
            });
            let _ = response(&posted(&envelope), &client, &settings(front_end));
        }
    }
}
