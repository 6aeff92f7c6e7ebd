//! The front ends' side, from outside: what a client's request becomes, and what the client receives.
#![cfg(feature = "cli")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "gateway/client.rs"]
mod client;
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

use client::request;
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
