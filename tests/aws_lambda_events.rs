//! Our decoding compared with AWS's own types, on every sample event that those can read.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a measurement prints its times")]

use aws_lambda_events::event::alb::AlbTargetGroupRequest;
use aws_lambda_events::event::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use aws_lambda_events::event::lambda_function_urls::LambdaFunctionUrlRequest;
use aws_lambda_events::event::vpc_lattice::VpcLatticeRequestV2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use wsgi_lambda::config::RequestConfig;
use wsgi_lambda::event;
use wsgi_lambda::request::FrontEnd;

/// What both ways of reading can say of a request.
#[derive(Debug)]
struct Theirs {
    method: String,
    source_ip: Option<String>,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

fn body(body: Option<String>, base64: bool) -> Option<Vec<u8>> {
    body.map(|text| if base64 { BASE64.decode(text).expect("base64") } else { text.into_bytes() })
}

fn theirs(front_end: FrontEnd, bytes: &[u8]) -> Option<Theirs> {
    Some(match front_end {
        FrontEnd::Rest | FrontEnd::HttpApiV1 => {
            let event: ApiGatewayProxyRequest = parse(bytes)?;
            Theirs {
                method: event.http_method.to_string(),
                source_ip: event.request_context.identity.source_ip,
                headers: event.multi_value_headers,
                body: body(event.body, event.is_base64_encoded),
            }
        }
        FrontEnd::HttpApiV2 => {
            let event: ApiGatewayV2httpRequest = parse(bytes)?;
            Theirs {
                method: event.request_context.http.method.to_string(),
                source_ip: event.request_context.http.source_ip,
                headers: event.headers,
                body: body(event.body, event.is_base64_encoded),
            }
        }
        FrontEnd::FunctionUrl => {
            let event: LambdaFunctionUrlRequest = parse(bytes)?;
            Theirs {
                method: event.request_context.http.method?,
                source_ip: event.request_context.http.source_ip,
                headers: event.headers,
                body: body(event.body, event.is_base64_encoded),
            }
        }
        FrontEnd::Alb | FrontEnd::AlbMulti => {
            let event: AlbTargetGroupRequest = parse(bytes)?;
            let multi = front_end == FrontEnd::AlbMulti;
            Theirs {
                method: event.http_method.to_string(),
                source_ip: None,
                headers: if multi { event.multi_value_headers } else { event.headers },
                body: body(event.body, event.is_base64_encoded),
            }
        }
        FrontEnd::LatticeV2 => {
            let event: VpcLatticeRequestV2 = parse(bytes)?;
            Theirs {
                method: event.method?.to_string(),
                source_ip: None,
                headers: event.headers,
                body: body(event.body, event.is_base64_encoded),
            }
        }
        FrontEnd::LatticeV1 => return None, // their header values are split at commas
    })
}

#[test]
fn both_ways_of_reading_agree() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/events");
    let (mut compared, mut headers) = (0, 0);
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&path).unwrap();
        let document = event::parse(&bytes).unwrap();
        let event = event::probe(&document).unwrap();
        let Some(theirs) = theirs(event.front_end(), &bytes) else { continue };
        let ours = event.decode(&RequestConfig::default()).unwrap();
        let name = path.display();
        compared += 1;
        assert_eq!(ours.method, theirs.method, "{name}");
        if let Some(ip) = theirs.source_ip.filter(|ip| ip != "test-invoke-source-ip") {
            assert_eq!(ours.remote.as_ref().unwrap().address, ip, "{name}");
        }
        let mut bytes = vec![0; ours.body.decoded_len().unwrap()];
        ours.body.decode_into(&mut bytes).unwrap();
        assert_eq!(bytes, theirs.body.unwrap_or_default(), "{name}");
        for (header, value) in &ours.headers {
            let values: Vec<&[u8]> =
                theirs.headers.get_all(&**header).iter().map(http::HeaderValue::as_bytes).collect();
            if !values.is_empty() {
                headers += 1;
                let separator: &[u8] = if header.eq_ignore_ascii_case("cookie") { b"; " } else { b"," };
                assert_eq!(value.as_ref(), values.join(separator), "{name}: {header}");
            }
        }
    }
    assert!(compared > 60 && headers > 300, "only {compared} events and {headers} headers were compared");
}

/// The least time that one of `rounds` runs takes.
fn least(rounds: u32, read: &dyn Fn()) -> std::time::Duration {
    let times = (0..rounds).map(|_| {
        let start = std::time::Instant::now();
        read();
        start.elapsed()
    });
    times.min().unwrap()
}

/// What each way of reading costs (docs/speed.md, "Crates that are not on the hot path"). With the runtime's own
/// optimisations: `cargo test --profile bootstrap --no-default-features --test aws_lambda_events -- --ignored --nocapture`
#[test]
#[ignore = "a measurement: it prints times"]
fn what_each_way_of_reading_costs() {
    let stored =
        |name: &str| std::fs::read_to_string(format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut large: serde_json::Value = serde_json::from_str(&stored("function-url-binary-post")).unwrap();
    (large["body"], large["isBase64Encoded"]) = (BASE64.encode(vec![7; 1_000_000]).into(), true.into());
    let names = ["rest-get", "http-api-v2-get", "function-url-get", "alb-get", "lattice-v2-get"];
    let small = names.map(|name| (name, stored(name)));
    for (name, text) in small.into_iter().chain([("a body of 1 MB", large.to_string())]) {
        let bytes = text.as_bytes();
        let front_end = event::probe(&event::parse(bytes).unwrap()).unwrap().front_end();
        let ours = least(2000, &|| {
            let document = event::parse(bytes).unwrap();
            let request = event::probe(&document).unwrap().decode(&RequestConfig::default()).unwrap();
            let mut body = vec![0; request.body.decoded_len().unwrap()];
            request.body.decode_into(&mut body).unwrap();
            std::hint::black_box((request.headers.len(), body));
        });
        let types = least(2000, &|| {
            std::hint::black_box(theirs(front_end, bytes).unwrap());
        });
        println!("{name}: {ours:?}, with aws_lambda_events {types:?}");
    }
}
