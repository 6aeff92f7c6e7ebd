//! One line of the list of requests. Secrets are always masked here.

use serde_json::{Value, json};

use super::super::journal::Exchange;
use super::secrets::Secrets;
use super::times::millis;
use crate::request::FrontEnd;

/// `{"number", "method", "target", "front_end", "status", "state", "ms", "bytes", "received", "cold", "trouble"}`.
/// `state` is `waiting` (no sandbox has the event), `running`, `sending`, `done` or `cut`; `received` is in milliseconds
/// since 1970.
pub(super) fn form(exchange: &Exchange) -> Value {
    let received = exchange.request.received.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    json!({
        "number": exchange.number,
        "method": exchange.request.method.as_str(),
        "target": Secrets::Masked.url(&exchange.request.target),
        "front_end": front_end(exchange.settings.front_end),
        "status": exchange.sent.as_ref().map(|sent| sent.head.status.as_u16()),
        "state": state(exchange),
        "ms": exchange.times.done.map(millis),
        "bytes": exchange.sent.as_ref().map(|sent| sent.bytes),
        "received": millis(received),
        "cold": exchange.times.init.is_some(),
        "trouble": exchange.trouble.is_some(),
    })
}

fn state(exchange: &Exchange) -> &'static str {
    let sent = exchange.sent.as_ref();
    match (exchange.times.done, exchange.times.taken) {
        (Some(_), _) if sent.is_some_and(|sent| !sent.whole) => "cut",
        (Some(_), _) => "done",
        _ if sent.is_some() => "sending",
        (None, Some(_)) => "running",
        (None, None) => "waiting",
    }
}

/// AWS's name of a front end.
pub(super) fn front_end(front_end: FrontEnd) -> &'static str {
    match front_end {
        FrontEnd::Rest => "REST API",
        FrontEnd::HttpApiV1 => "HTTP API 1.0",
        FrontEnd::HttpApiV2 => "HTTP API 2.0",
        FrontEnd::FunctionUrl => "Function URL",
        FrontEnd::Alb => "ALB",
        FrontEnd::AlbMulti => "ALB multi",
        FrontEnd::LatticeV1 => "Lattice V1",
        FrontEnd::LatticeV2 => "Lattice V2",
    }
}
