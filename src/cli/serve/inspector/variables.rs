//! The variables that the application is called with, beside those of a plain server.

use serde_json::{Value, json};

use super::plain_server::{self, Variables};
use super::reasons;
use super::secrets::Secrets;
use crate::config::RequestConfig;
use crate::environ::{self, Name, SERVER_SOFTWARE};
use crate::event;
use crate::gateway::ClientRequest;

/// The environ of an event. The room `python` adds the objects: `wsgi.input` and the like.
///
/// # Errors
/// Why the runtime refuses the event.
pub(super) fn of_event(bytes: &[u8], config: &RequestConfig) -> Result<Variables, String> {
    let failed = |error: crate::error::Error| error.message().to_owned();
    let document = event::parse(bytes).map_err(failed)?;
    let request = event::probe(&document).and_then(|event| event.decode(config)).map_err(failed)?;
    let body_len = request.body.decoded_len().map_err(failed)?;
    let made = environ::environ(&request, body_len);
    let key = |name: Name<'_>| match name {
        Name::Fixed(name) => name.to_owned(),
        Name::Header(name) => environ::header_key(name),
    };
    let mut variables: Variables =
        made.variables.iter().map(|(name, value)| (key(*name), value.clone().into_owned())).collect();
    for (name, value) in [
        ("wsgi.url_scheme", made.scheme.as_str()),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_SOFTWARE", SERVER_SOFTWARE),
    ] {
        variables.push((name.to_owned(), value.into()));
    }
    Ok(variables)
}

/// `{"rows": [{"name", "here", "there", "mark", "why"}], "differences": 3}`, or `{"error": "…"}`. `mark` is `same`,
/// `changed`, `added` or `missing`; `here` and `there` are `null` where a variable is not set.
pub(super) fn compared(event: &[u8], request: &ClientRequest, config: &RequestConfig, secrets: Secrets) -> Value {
    let here = match of_event(event, config) {
        Ok(here) => here,
        Err(error) => return json!({ "error": error }),
    };
    let there = plain_server::environ(request);
    let mut names: Vec<&String> = here.iter().map(|(name, _)| name).collect();
    names.extend(there.iter().map(|(name, _)| name));
    names.sort_by_key(|name| (order(name), *name));
    names.dedup();
    let rows: Vec<Value> = names.into_iter().map(|name| row(name, &here, &there, secrets)).collect();
    let differences = rows.iter().filter(|row| row["mark"] != "same").count();
    json!({ "rows": rows, "differences": differences })
}

fn row(name: &str, here: &Variables, there: &Variables, secrets: Secrets) -> Value {
    let value = |of: &Variables| of.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let (here, there) = (value(here), value(there));
    let mark = match (&here, &there) {
        (Some(here), Some(there)) if here == there => "same",
        (Some(_), Some(_)) => "changed",
        (Some(_), None) => "added",
        _ => "missing",
    };
    let why = if mark == "same" { None } else { reasons::why(name, mark) };
    let shown = |value: Option<Vec<u8>>| value.map(|value| secrets.variable(name, &native(&value)));
    // What the bytes mean, if not each is a character.
    let utf8 = here.as_deref().filter(|value| !value.is_ascii()).and_then(|value| std::str::from_utf8(value).ok());
    let utf8 = utf8.map(|text| secrets.variable(name, text));
    json!({ "name": name, "here": shown(here), "there": shown(there), "mark": mark, "why": why, "utf8": utf8 })
}

/// A native string (PEP 3333): each byte is a character.
pub(super) fn native(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// What is looked for first comes first; headers come last.
pub(super) fn order(name: &str) -> usize {
    const FIRST: [&str; 16] = [
        "REQUEST_METHOD",
        "SCRIPT_NAME",
        "PATH_INFO",
        "QUERY_STRING",
        "REQUEST_URI",
        "RAW_URI",
        "CONTENT_TYPE",
        "CONTENT_LENGTH",
        "wsgi.url_scheme",
        "HTTPS",
        "SERVER_NAME",
        "SERVER_PORT",
        "SERVER_PROTOCOL",
        "REMOTE_ADDR",
        "REMOTE_HOST",
        "REMOTE_PORT",
    ];
    let listed = FIRST.iter().position(|known| *known == name);
    listed.unwrap_or(if name.starts_with("HTTP_") { FIRST.len() + 1 } else { FIRST.len() })
}
