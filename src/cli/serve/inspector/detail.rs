//! All that is known of one request.

use serde_json::{Value, json};

use super::super::journal::Exchange;
use super::secrets::Secrets;
use super::{document, posted, sent, summary, times, variables};
use crate::config::RequestConfig;
use crate::emulator::LogSource;

/// How many lines of a log are shown, the last ones.
const LINES_SHOWN: usize = 2_000;

/// The form of `GET /requests/1`.
pub(super) fn form(exchange: &Exchange, config: &RequestConfig, secrets: Secrets) -> Value {
    let mut form = summary::form(exchange);
    form["target"] = secrets.url(&exchange.request.target).into();
    form["request"] = request(exchange, secrets);
    form["event"] = event(exchange, secrets);
    form["environ"] = if exchange.event.is_empty() {
        Value::Null
    } else {
        variables::compared(&exchange.event, &exchange.request, config, secrets)
    };
    form["posted"] = exchange.posted.as_ref().map(|posted| posted::form(posted, secrets)).into();
    form["sent"] = exchange.sent.as_ref().map(|sent| sent::form(sent, secrets)).into();
    form["headers"] = headers(exchange, secrets).into();
    form["trouble"] = exchange.trouble.clone().into();
    form["error"] = exchange.posted.as_ref().and_then(posted::error).into();
    form["log"] = log(exchange);
    form["times"] = times::form(&exchange.times, before_a_sandbox(exchange));
    form["sandbox"] = exchange.sandbox.into();
    form["settings"] = settings(exchange);
    form["file"] = format!("{}-{}.json", exchange.settings.front_end.name(), exchange.number).into();
    form
}

/// What a request waits for that no sandbox has taken.
fn before_a_sandbox(exchange: &Exchange) -> &'static str {
    match (exchange.event.is_empty(), &exchange.posted) {
        (true, _) => "front end",
        // An init that has failed.
        (false, Some(_)) => "init",
        (false, None) => "waiting",
    }
}

fn request(exchange: &Exchange, secrets: Secrets) -> Value {
    let request = &exchange.request;
    json!({
        "version": format!("{:?}", request.version),
        "headers": posted::fields(&request.headers, secrets),
        "body": sent::body(&request.headers, &request.body, request.body.len() as u64, secrets),
        "peer": request.peer.to_string(),
        "id": request.request_id,
        "trace": request.trace_id,
    })
}

fn event(exchange: &Exchange, secrets: Secrets) -> Value {
    document::read(&exchange.event, secrets).map_or(Value::Null, |value| document::form(value, exchange.event.len()))
}

/// The event as a file that `replay` takes; `None` if the front end refused the request.
pub(super) fn event_file(exchange: &Exchange, secrets: Secrets) -> Option<String> {
    document::read(&exchange.event, secrets).map(|value| document::lines(&value) + "\n")
}

/// The response's headers as posted and as sent: `[{"name", "posted": ["…"], "sent": ["…"], "mark"}]`; `mark` is `same`,
/// `changed`, `added` or `missing`, seen from the client.
fn headers(exchange: &Exchange, secrets: Secrets) -> Vec<Value> {
    let Some(sent) = &exchange.sent else { return Vec::new() };
    let before = exchange.posted.as_ref().map(posted::response_fields).unwrap_or_default();
    let added = sent.head.headers.keys().filter(|name| !before.iter().any(|(known, _)| known == name.as_str()));
    let added = added.map(|name| (name.to_string(), Vec::new()));
    let rows = before.iter().cloned().chain(added).map(|(name, posted)| {
        // A name that is none, as an application may make one up, was not sent.
        let values = sent::values(sent, &name);
        let mark = match (posted.is_empty(), values.is_empty()) {
            _ if posted == values => "same",
            (true, _) => "added",
            (_, true) => "missing",
            _ => "changed",
        };
        let shown = |values: Vec<String>| values.iter().map(|value| secrets.header(&name, value)).collect::<Vec<_>>();
        json!({ "name": name, "posted": shown(posted), "sent": shown(values), "mark": mark })
    });
    rows.collect()
}

fn log(exchange: &Exchange) -> Value {
    let left_out = exchange.log.len().saturating_sub(LINES_SHOWN);
    let lines = exchange.log.iter().skip(left_out).map(|line| {
        let source = if line.source == LogSource::Stdout { "stdout" } else { "stderr" };
        json!([source, line.text])
    });
    json!({ "lines": lines.collect::<Vec<_>>(), "left_out": left_out })
}

fn settings(exchange: &Exchange) -> Value {
    let settings = &exchange.settings;
    json!({
        "front_end": summary::front_end(settings.front_end),
        "stage": settings.stage,
        "base_path": settings.base_path,
        "domain": settings.domain,
        "streams": settings.streams,
    })
}
