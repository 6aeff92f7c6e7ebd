//! Properties of the pure rooms: an event decoded is the request it was made from, whichever front end made it; and
//! no bytes at all make the decoder panic.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wsgi_lambda::config::RequestConfig;
use wsgi_lambda::environ::{Name, environ, header_key};
use wsgi_lambda::event;
use wsgi_lambda::request::FrontEnd;

/// What a client sent.
#[derive(Clone, Debug)]
struct Sent {
    method: String,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    cookies: Vec<String>,
    body: Vec<u8>,
    base64: bool,
}

fn sent() -> impl Strategy<Value = Sent> {
    let text = || "[a-zA-Z0-9 +%&=/é€😀._~-]{0,8}";
    let headers = prop::collection::btree_map("x-[a-z]{1,6}", "[!-~]([ -~]{0,10}[!-~])?", 0..4);
    (
        "GET|POST|PUT|DELETE|OPTIONS",
        prop::collection::vec(text(), 0..4),
        prop::collection::btree_map("[a-zé %+&=]{1,5}", text(), 0..4),
        headers,
        prop::collection::vec("[a-z]{1,4}=[a-zA-Z0-9]{0,6}", 0..3),
        prop::collection::vec(any::<u8>(), 0..64),
        any::<bool>(),
    )
        .prop_map(|(method, segments, query, headers, cookies, body, base64)| Sent {
            method,
            segments,
            query: query.into_iter().collect(),
            headers: headers.into_iter().collect(),
            cookies,
            base64: base64 || std::str::from_utf8(&body).is_err(),
            body,
        })
}

fn quote(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'~' | b'-' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn unquote(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let hex: String = bytes.by_ref().take(2).map(char::from).collect();
                out.push(u8::from_str_radix(&hex, 16).expect("an escape"));
            }
            b'+' => out.push(b' '),
            _ => out.push(byte),
        }
    }
    out
}

impl Sent {
    fn decoded_path(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }

    fn encoded_path(&self) -> String {
        format!("/{}", self.segments.iter().map(|segment| quote(segment)).collect::<Vec<_>>().join("/"))
    }

    fn raw_query(&self) -> String {
        let pairs = self.query.iter().map(|(name, value)| format!("{}={}", quote(name), quote(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    fn target(&self) -> String {
        let query = self.raw_query();
        if query.is_empty() { self.encoded_path() } else { format!("{}?{query}", self.encoded_path()) }
    }

    fn header_map(&self, cookie: bool, value: impl Fn(&str) -> Value) -> Value {
        let mut map: Map<String, Value> = self.headers.iter().map(|(name, text)| (name.clone(), value(text))).collect();
        if cookie && !self.cookies.is_empty() {
            map.insert("Cookie".into(), value(&self.cookies.join("; ")));
        }
        map.into()
    }

    fn query_map(&self, encoded: bool, value: impl Fn(String) -> Value) -> Value {
        let text = |text: &str| if encoded { quote(text) } else { text.to_owned() };
        self.query.iter().map(|(name, it)| (text(name), value(text(it)))).collect::<Map<_, _>>().into()
    }

    /// The event that a front end makes of it (reference: the documents of each service).
    fn event(&self, front_end: FrontEnd) -> Value {
        let single = |text: &str| json!(text);
        let multi = |text: &str| json!([text]);
        let mut event = match front_end {
            FrontEnd::Rest | FrontEnd::HttpApiV1 => json!({
                "httpMethod": self.method,
                "path": if front_end == FrontEnd::Rest { self.encoded_path() } else { self.decoded_path() },
                "headers": self.header_map(true, single),
                "multiValueHeaders": self.header_map(true, multi),
                "queryStringParameters": self.query_map(false, |it| json!(it)),
                "multiValueQueryStringParameters": self.query_map(false, |it| json!([it])),
                "requestContext": {"stage": "$default", "identity": {"sourceIp": "203.0.113.7"}},
            }),
            FrontEnd::HttpApiV2 | FrontEnd::FunctionUrl => json!({
                "version": "2.0",
                "rawPath": if front_end == FrontEnd::FunctionUrl { self.encoded_path() } else { self.decoded_path() },
                "rawQueryString": self.raw_query(),
                "cookies": self.cookies,
                "headers": self.header_map(front_end == FrontEnd::FunctionUrl, single),
                "requestContext": {
                    "stage": "$default", "http": {"method": self.method, "sourceIp": "203.0.113.7"},
                    "domainName":
                        if front_end == FrontEnd::FunctionUrl { "x.lambda-url.eu-west-1.on.aws" } else { "api.example.com" },
                },
            }),
            FrontEnd::Alb => json!({
                "httpMethod": self.method, "path": self.encoded_path(), "headers": self.header_map(true, single),
                "queryStringParameters": self.query_map(true, |it| json!(it)), "requestContext": {"elb": {}},
            }),
            FrontEnd::AlbMulti => json!({
                "httpMethod": self.method, "path": self.encoded_path(),
                "multiValueHeaders": self.header_map(true, multi),
                "multiValueQueryStringParameters": self.query_map(true, |it| json!([it])),
                "requestContext": {"elb": {}},
            }),
            FrontEnd::LatticeV1 => json!({
                "method": self.method, "raw_path": self.target(), "headers": self.header_map(true, single),
            }),
            FrontEnd::LatticeV2 => json!({
                "version": "2.0", "method": self.method, "path": self.target(),
                "headers": self.header_map(true, multi), "requestContext": {"serviceArn": "arn:aws:vpc-lattice"},
            }),
        };
        if front_end == FrontEnd::HttpApiV1 {
            event["version"] = "1.0".into();
        }
        let flag = if front_end == FrontEnd::LatticeV1 { "is_base64_encoded" } else { "isBase64Encoded" };
        event[flag] = self.base64.into();
        event["body"] = if self.base64 {
            BASE64.encode(&self.body).into()
        } else {
            std::str::from_utf8(&self.body).expect("text").into()
        };
        event
    }
}

/// The decoded request, as an application sees it.
struct Seen {
    variables: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Seen {
    fn of(event: &[u8]) -> (FrontEnd, Self) {
        let document = event::parse(event).expect("JSON");
        let event = event::probe(&document).expect("an HTTP event");
        let front_end = event.front_end();
        let request = event.decode(&RequestConfig::default()).expect("a request");
        let mut body = vec![0; request.body.decoded_len().expect("a body")];
        request.body.decode_into(&mut body).expect("a body");
        let variables = environ(&request, body.len()).variables;
        let name = |name| match name {
            Name::Fixed(name) => name.to_owned(),
            Name::Header(name) => header_key(name),
        };
        let variables = variables.into_iter().map(|(key, value)| (name(key), value.into_owned())).collect();
        (front_end, Self { variables, body })
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        let mut found = self.variables.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_slice());
        assert!(found.next().is_none(), "{name} is there twice");
        value
    }

    fn query(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let query = String::from_utf8(self.get("QUERY_STRING").expect("QUERY_STRING").to_vec()).expect("ASCII");
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| pair.split_once('=').expect("a pair")).map(|(a, b)| (unquote(a), unquote(b))).collect()
    }
}

proptest! {
    #[test]
    fn an_event_decoded_is_the_request_it_was_made_from(sent in sent()) {
        for front_end in FrontEnd::ALL {
            let event = sent.event(front_end);
            let (seen_front_end, seen) = Seen::of(event.to_string().as_bytes());
            prop_assert_eq!(seen_front_end, front_end);
            prop_assert_eq!(seen.get("REQUEST_METHOD"), Some(sent.method.as_bytes()));
            let path = sent.decoded_path();
            prop_assert_eq!(seen.get("PATH_INFO"), Some(path.as_bytes()), "{}: {}", front_end, event);
            let uri = String::from_utf8(seen.get("REQUEST_URI").unwrap().to_vec()).unwrap();
            prop_assert_eq!(unquote(&uri.split('?').next().unwrap().replace('+', "%2B")), path.into_bytes());
            let query: Vec<_> = sent.query.iter().map(|(a, b)| (a.clone().into_bytes(), b.clone().into_bytes())).collect();
            prop_assert_eq!(seen.query(), query, "{}: {}", front_end, event);
            for (name, value) in &sent.headers {
                prop_assert_eq!(seen.get(&header_key(name)), Some(value.as_bytes()), "{}", front_end);
            }
            let cookies = sent.cookies.join("; ").into_bytes();
            prop_assert_eq!(seen.get("HTTP_COOKIE").unwrap_or_default(), cookies, "{}", front_end);
            prop_assert_eq!(&seen.body, &sent.body, "{}", front_end);
            let length = seen.get("CONTENT_LENGTH").map(<[u8]>::to_vec);
            let brings = matches!(sent.method.as_str(), "POST" | "PUT") || !sent.body.is_empty();
            prop_assert_eq!(length, brings.then(|| sent.body.len().to_string().into_bytes()));
        }
    }

    #[test]
    fn every_variable_there_is_has_a_value_that_cgi_allows(sent in sent()) {
        for front_end in FrontEnd::ALL {
            let (_, seen) = Seen::of(sent.event(front_end).to_string().as_bytes());
            for name in ["REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL"] {
                prop_assert!(!seen.get(name).unwrap_or_default().is_empty(), "{}: {}", front_end, name);
            }
            prop_assert!(seen.get("HTTP_CONTENT_TYPE").is_none() && seen.get("HTTP_CONTENT_LENGTH").is_none());
            let script_name = seen.get("SCRIPT_NAME").unwrap();
            prop_assert!(script_name.is_empty() || script_name.starts_with(b"/") && !script_name.ends_with(b"/"));
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(document) = event::parse(&bytes)
            && let Ok(event) = event::probe(&document)
        {
            let _ = event.decode(&RequestConfig::default());
        }
    }

    #[test]
    fn no_value_in_any_place_makes_the_decoder_panic(
        sent in sent(), front_end in prop::sample::select(&FrontEnd::ALL), place in any::<prop::sample::Index>(),
        value in prop::sample::select(vec![
            json!(null), json!(1), json!(-1.5e300), json!([]), json!([null, 1, "a", {}]), json!({}), json!(true),
            json!("\u{0}\r\n"), json!({"": null, "a b": ["x"]}), json!("%"), json!("%zz%4"), json!("//"), json!(""), json!("/"),
            json!({"path": "", "stage": "s", "identity": {"sourceIp": ""}}),
        ]),
    ) {
        let mut event = sent.event(front_end);
        let members = event.as_object_mut().unwrap();
        let names: Vec<String> = members.keys().cloned().collect();
        members.insert(place.get(&names).clone(), value);
        let text = event.to_string();
        let document = event::parse(text.as_bytes()).unwrap();
        if let Ok(event) = event::probe(&document)
            && let Ok(request) = event.decode(&RequestConfig::default())
            && let Ok(len) = request.body.decoded_len()
        {
            let _ = request.body.decode_into(&mut vec![0; len]);
            environ(&request, len);
        }
    }
}
