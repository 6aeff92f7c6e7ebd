//! A request's header fields on their way into an event: without those that end at the front end, with those that it
//! adds.

use std::borrow::Cow;

use http::{HeaderMap, Version};

use super::text::text;
use super::url::Url;
use super::values::ClientRequest;
use crate::grammar::elements;

/// The fields by lower-case name, sorted, as in AWS's events.
#[derive(Debug)]
pub(super) struct Fields<'r>(Vec<(Cow<'r, str>, Vec<Cow<'r, str>>)>);

impl<'r> Fields<'r> {
    /// The fields that go on to the function, with `Host` as the front end knows it.
    pub(super) fn of(request: &'r ClientRequest, url: &Url<'r>) -> Self {
        let listed = named_by_connection(&request.headers);
        let goes_on = |name: &str| !ends_here(name) && (name == "host" || !listed.iter().any(|other| other == name));
        let names = request.headers.keys().map(http::HeaderName::as_str).filter(|name| goes_on(name));
        let mut fields: Vec<_> = names.map(|name| (name.into(), texts(&request.headers, name))).collect();
        fields.sort();
        let mut fields = Self(fields);
        if let Some(host) = &url.host {
            fields.set("host", host.clone());
        }
        fields
    }

    /// Adds the fields by which proxies tell the client's side: the peer is appended to what the client sent, scheme and
    /// port replace it.
    pub(super) fn forwarded(mut self, request: &'r ClientRequest, url: &Url<'r>) -> Self {
        self.append_peer(request);
        self.set("x-forwarded-port", url.port.clone());
        self.set("x-forwarded-proto", url.scheme);
        self
    }

    /// Appends the peer's address to `X-Forwarded-For`.
    pub(super) fn append_peer(&mut self, request: &'r ClientRequest) {
        let peer = request.peer.ip().to_canonical().to_string();
        let before = self.joined("x-forwarded-for", ", ").filter(|chain| !chain.is_empty());
        self.set("x-forwarded-for", before.map_or(peer.clone(), |chain| format!("{chain}, {peer}")));
    }

    /// Adds the trace id. A client's own trace goes on (docs, "Request tracing for your Application Load Balancer").
    pub(super) fn traced(mut self, request: &'r ClientRequest) -> Self {
        let sent =
            self.joined("x-amzn-trace-id", ";").filter(|sent| trace_fields(sent).any(|it| it.starts_with("Root=")));
        let Some(sent) = sent else {
            self.set("x-amzn-trace-id", &*request.trace_id);
            return self;
        };
        let own = trace_fields(&request.trace_id).find_map(|field| field.strip_prefix("Root=")).unwrap_or_default();
        let kept = trace_fields(&sent).filter(|field| !field.starts_with("Self="));
        let fields: Vec<_> = std::iter::once(format!("Self={own}")).chain(kept.map(str::to_owned)).collect();
        self.set("x-amzn-trace-id", fields.join(";"));
        self
    }

    /// Adds the body's length to a request that has none: it came in chunks.
    pub(super) fn measured(mut self, request: &'r ClientRequest, always: bool) -> Self {
        if always || !request.body.is_empty() {
            self.set("content-length", request.body.len().to_string());
        }
        self
    }

    /// Sets a field to one value.
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Cow<'r, str>>) {
        let values = vec![value.into()];
        match self.0.binary_search_by(|(known, _)| (**known).cmp(name)) {
            Ok(at) => self.0[at].1 = values,
            Err(at) => self.0.insert(at, (name.into(), values)),
        }
    }

    /// Takes a field out.
    pub(super) fn take(&mut self, name: &str) -> Vec<Cow<'r, str>> {
        match self.0.binary_search_by(|(known, _)| (**known).cmp(name)) {
            Ok(at) => self.0.remove(at).1,
            Err(_) => Vec::new(),
        }
    }

    /// The values of a field, joined.
    pub(super) fn joined(&self, name: &str, separator: &str) -> Option<String> {
        let at = self.0.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(self.0[at].1.join(separator))
    }

    /// Writes every name anew, and sorts by the new names.
    pub(super) fn renamed(mut self, rename: impl Fn(&str) -> String) -> Self {
        for (name, _) in &mut self.0 {
            *name = rename(name).into();
        }
        self.0.sort();
        self
    }

    /// The names, each with its values.
    pub(super) fn list(&self) -> &[(Cow<'r, str>, Vec<Cow<'r, str>>)] {
        &self.0
    }
}

/// The cookies of the `Cookie` fields. HTTP/2 clients may send each in a field of its own (RFC 9113 §8.2.3).
pub(super) fn cookies(values: &[Cow<'_, str>]) -> Vec<String> {
    let cookies = values.iter().flat_map(|value| value.split(';')).map(str::trim);
    cookies.filter(|cookie| !cookie.is_empty()).map(str::to_owned).collect()
}

/// The protocol as events name it. A client's HTTP/2 ends at the front end: events of browsers that use it say
/// `HTTP/1.1`.
pub(super) fn protocol(version: Version) -> &'static str {
    if version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" }
}

fn texts<'r>(headers: &'r HeaderMap, name: &str) -> Vec<Cow<'r, str>> {
    headers.get_all(name).iter().map(|value| text(value.as_bytes())).collect()
}

/// Whether a field concerns the client's connection alone (RFC 9110 §7.6.1), or the server has acted on it (`Expect`).
fn ends_here(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "expect"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// The names that `Connection` lists: they end at the front end too.
fn named_by_connection(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(http::header::CONNECTION).iter();
    let names = values.flat_map(|value| elements(value.as_bytes()));
    names.map(|name| String::from_utf8_lossy(name).to_ascii_lowercase()).collect()
}

fn trace_fields(value: &str) -> impl Iterator<Item = &str> {
    value.split(';').map(str::trim).filter(|field| !field.is_empty())
}
