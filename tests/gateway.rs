//! The front ends' side, from outside: what a client's request becomes, and what the client receives.
#![cfg(feature = "cli")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "gateway/envelopes.rs"]
mod envelopes;
#[path = "gateway/events.rs"]
mod events;
#[path = "gateway/faults.rs"]
mod faults;
#[path = "gateway/round_trip.rs"]
mod round_trip;
#[path = "gateway/samples.rs"]
mod samples;
#[path = "gateway/streams.rs"]
mod streams;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use serde_json::Value;
use wsgi_lambda::gateway::{ClientRequest, Head, Settings, event};
use wsgi_lambda::request::FrontEnd;

/// A front end as `serve` sets it up without options.
fn settings(front_end: FrontEnd) -> Settings {
    let stage = match front_end {
        FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2 => "$default",
        _ => "",
    };
    Settings {
        front_end,
        stage: stage.to_owned(),
        base_path: None,
        domain: None,
        binary_media_types: Vec::new(),
        streams: false,
        test_invoke: false,
    }
}

/// A request over HTTP/1.1 with `Host: 127.0.0.1:8000`.
fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> ClientRequest {
    let mut map = HeaderMap::new();
    map.insert("host", HeaderValue::from_static("127.0.0.1:8000"));
    for (name, value) in headers {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    ClientRequest {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        target: target.to_owned(),
        version: Version::HTTP_11,
        headers: map,
        body: Bytes::copy_from_slice(body),
        peer: "203.0.113.42:50000".parse().unwrap(),
        received: SystemTime::UNIX_EPOCH + Duration::from_millis(1_784_108_836_668),
        request_id: "0305adca-f1e8-4262-abfd-f58b32c395a6".to_owned(),
        trace_id: "Root=1-6a575724-8f23807390ab7d3fb510bd54".to_owned(),
    }
}

fn event_of(request: &ClientRequest, settings: &Settings) -> Value {
    serde_json::from_slice(&event(request, settings).unwrap()).unwrap()
}

/// The fields of a head, one a line, sorted.
fn lines(head: &Head) -> Vec<String> {
    let mut lines: Vec<String> = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    lines.sort();
    lines
}
