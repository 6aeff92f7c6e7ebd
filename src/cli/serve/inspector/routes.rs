//! The inspector's addresses.

use std::sync::Arc;

use http::request::Parts;
use http::{Method, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::super::front::{self, Front};
use super::super::gate::Gate;
use super::super::journal::{Exchange, KEPT};
use super::feed::Feed;
use super::guard::Guard;
use super::reply::{self, Reply};
use super::secrets::Secrets;
use super::{comparison, curl, detail, invoke, page, samples, stream, summary};
use crate::config::RequestConfig;
use crate::gateway::Settings;

/// What every connection shares.
pub(super) struct Site {
    pub(super) guard: Guard,
    pub(super) gate: Arc<Gate>,
    pub(super) feed: Arc<Feed>,
}

/// Answers one request. What its body has is read for an invocation alone.
pub(super) async fn serve(site: Arc<Site>, request: http::Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    if let Err(why) = site.guard.host(&parts) {
        return reply::text(StatusCode::FORBIDDEN, why);
    }
    if let Some(file) = page::file(parts.uri.path(), &site.guard.token) {
        return if parts.method == Method::GET { file } else { not_allowed() };
    }
    let path: Vec<&str> = parts.uri.path().split('/').skip(1).collect();
    if invoke::is_path(&path) && invoke::is_signed(&parts) && parts.method == Method::POST {
        return invoke::serve(&site.gate, &parts, body).await;
    }
    if let Err(why) = site.guard.caller(&parts.headers) {
        return reply::text(StatusCode::FORBIDDEN, why);
    }
    let secrets = secrets(&parts);
    match (&parts.method, path.as_slice()) {
        (&Method::GET, ["about"]) => reply::json(&about(&site)),
        (&Method::GET, ["samples"]) => reply::json(&samples::form()),
        (&Method::GET, ["changes"]) => changes(&site, &parts),
        (&Method::GET, ["requests"]) => work(move || reply::json(&list(&site))).await,
        (&Method::GET, ["comparison"]) => {
            several(&site, &parts, move |of, config| comparison::form(of, config, secrets)).await
        }
        (&Method::GET, ["events"]) => several(&site, &parts, move |of, _| events(of, secrets)).await,
        (&Method::GET, ["requests", number]) => {
            let config = site.gate.request_config();
            one(&site, number, move |exchange| reply::json(&detail::form(exchange, &config, secrets))).await
        }
        (&Method::GET, ["requests", number, "event"]) => one(&site, number, move |of| event_file(of, secrets)).await,
        (&Method::GET, ["requests", number, "curl"]) => {
            one(&site, number, move |of| reply::text(StatusCode::OK, curl::command(&of.request, secrets))).await
        }
        (&Method::POST, ["requests", number, "again"]) => again(&site, number, &parts).await,
        (&Method::POST, ["_events"]) => invoke::serve(&site.gate, &parts, body).await,
        (_, ["about" | "samples" | "requests" | "changes" | "comparison" | "events" | "_events", ..]) => not_allowed(),
        _ => reply::text(StatusCode::NOT_FOUND, "The inspector has no such address.\n"),
    }
}

/// Work that may take a while: it must not keep the served requests waiting.
async fn work(work: impl FnOnce() -> Reply + Send + 'static) -> Reply {
    let failed = |_| reply::text(StatusCode::INTERNAL_SERVER_ERROR, "The inspector failed to show this request.\n");
    tokio::task::spawn_blocking(work).await.unwrap_or_else(failed)
}

/// What is shown of one request.
async fn one(site: &Site, number: &str, form: impl FnOnce(&Exchange) -> Reply + Send + 'static) -> Reply {
    match find(site, number) {
        Some(exchange) => work(move || form(&exchange)).await,
        None => forgotten(),
    }
}

/// What is shown of several, which `of=1,2,3` names.
async fn several(
    site: &Site,
    parts: &Parts,
    form: impl FnOnce(&[Exchange], &RequestConfig) -> Value + Send + 'static,
) -> Reply {
    let numbers = parameter(parts, "of").unwrap_or_default();
    let found: Option<Vec<Exchange>> = numbers.split(',').map(|number| find(site, number)).collect();
    let config = site.gate.request_config();
    match found {
        Some(found) => work(move || reply::json(&form(&found, &config))).await,
        None => forgotten(),
    }
}

fn find(site: &Site, number: &str) -> Option<Exchange> {
    site.gate.journal().get(number.parse().ok()?)
}

fn about(site: &Site) -> Value {
    let name = |settings: &Arc<Settings>| json!([settings.front_end.name(), summary::front_end(settings.front_end)]);
    let front_ends: Vec<Value> = site.gate.everywhere().iter().map(name).collect();
    let urls: Vec<String> = site.gate.fronts().iter().map(Front::url).collect();
    json!({ "kept": KEPT, "front_ends": front_ends, "urls": urls })
}

fn list(site: &Site) -> Value {
    site.gate.journal().all().iter().map(summary::form).collect()
}

fn changes(site: &Site, parts: &Parts) -> Reply {
    let id = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    reply::events(stream::start(Arc::clone(&site.feed), Arc::clone(site.gate.journal()), id.unwrap_or(0)))
}

fn events(of: &[Exchange], secrets: Secrets) -> Value {
    match of {
        [left, right] => comparison::events(left, right, secrets),
        _ => Value::Null,
    }
}

fn event_file(exchange: &Exchange, secrets: Secrets) -> Reply {
    match detail::event_file(exchange, secrets) {
        Some(text) => reply::of("application/json", text),
        None => reply::text(StatusCode::NOT_FOUND, "This request has no event: the front end has refused it.\n"),
    }
}

/// Sends a request again, through the same front end or through the one that `front_end=` names, and waits for the end of
/// the response. A page that goes away is a client that hangs up.
async fn again(site: &Site, number: &str, parts: &Parts) -> Reply {
    let Some(exchange) = find(site, number) else { return forgotten() };
    let settings = match parameter(parts, "front_end") {
        None => Some(&exchange.settings),
        Some(name) => site.gate.everywhere().iter().find(|settings| settings.front_end.name() == name),
    };
    let Some(settings) = settings else {
        return reply::text(StatusCode::BAD_REQUEST, "There is no front end of this name.\n");
    };
    let mut request = (*exchange.request).clone();
    request.target = front::retarget(&request.target, &exchange.settings, settings);
    let number = site.gate.send(request, settings).await;
    reply::json(&json!({ "number": number }))
}

fn secrets(parts: &Parts) -> Secrets {
    if parameter(parts, "secrets") == Some("shown") { Secrets::Shown } else { Secrets::Masked }
}

/// A parameter of the query. None has a value with escapes.
fn parameter<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let pairs = parts.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(known, _)| *known == name).map(|(_, value)| value).next()
}

fn forgotten() -> Reply {
    reply::text(StatusCode::NOT_FOUND, "This request is not kept any more, or has never been.\n")
}

fn not_allowed() -> Reply {
    reply::text(StatusCode::METHOD_NOT_ALLOWED, "The inspector has no such address for this method.\n")
}
