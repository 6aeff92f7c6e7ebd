//! Room: `event`, the bytes of a Lambda event as one HTTP request.
//! In: event bytes, [`RequestConfig`].
//! Out: [`Request`], or an error that names what was seen and what is supported.
//! May use: `config`, `error`, `grammar`, `json`, `request`, `serde`, `serde_json`, memchr.
//! Must not: do I/O, panic on any bytes, decode anything twice, trust a header for who the caller is.

mod alb;
mod authorizer;
mod body;
mod fields;
mod function_url;
mod headers;
mod http_api;
mod incomplete;
mod lattice;
mod path;
mod probe;
mod query;
mod remote;
mod rest;

use std::borrow::Cow;

use crate::config::RequestConfig;
use crate::error::{Error, Result};
use crate::grammar::is_token;
use crate::json::{Document, Kind};
use crate::request::{FrontEnd, Request, Scheme};
use fields::Fields;

/// An event that is known to be an HTTP request and whose front end is known. Still to be decoded.
///
/// The front end outlives a decoding error, so that the caller can be told in its own dialect.
#[derive(Debug)]
pub struct Event<'e> {
    fields: Fields<'e>,
    context: Fields<'e>,
    /// `requestContext.identity`, which three readers share.
    identity: Fields<'e>,
    front_end: FrontEnd,
}

/// Reads an event's JSON.
///
/// # Errors
/// `UnmarshalError` when the bytes are not JSON.
pub fn parse(bytes: &[u8]) -> Result<Document<'_>> {
    Document::parse(bytes).map_err(|error| Error::unmarshal(probe::not_json(&error)).with_source(error))
}

/// Finds out which front end made an event.
///
/// # Errors
/// `UnsupportedEvent` when it is not an HTTP request.
pub fn probe<'e>(event: &'e Document<'e>) -> Result<Event<'e>> {
    let root = event.root();
    if root.kind() != Kind::Object {
        return Err(probe::not_an_object(root));
    }
    let fields = Fields::of(root);
    let context = fields.object("requestContext");
    let front_end = probe::front_end(&fields, &context)?;
    let identity = context.object("identity");
    Ok(Event { fields, context, identity, front_end })
}

impl<'e> Event<'e> {
    /// The front end.
    pub fn front_end(&self) -> FrontEnd {
        self.front_end
    }

    /// Decodes the request.
    ///
    /// # Errors
    /// `BadRequest` when a field cannot be read; the message names it.
    pub fn decode(self, config: &RequestConfig) -> Result<Request<'e>> {
        match self.front_end {
            FrontEnd::Rest => rest::decode(&self, config),
            FrontEnd::HttpApiV1 => http_api::decode_v1(&self, config),
            FrontEnd::HttpApiV2 => http_api::decode_v2(&self, config),
            FrontEnd::FunctionUrl => function_url::decode(&self, config),
            FrontEnd::Alb | FrontEnd::AlbMulti => alb::decode(&self, config),
            FrontEnd::LatticeV1 => lattice::decode_v1(&self, config),
            FrontEnd::LatticeV2 => lattice::decode_v2(&self, config),
        }
    }
}

/// What each front end's file reads for itself.
struct Parts<'e> {
    method: Option<Cow<'e, str>>,
    protocol: Option<Cow<'e, str>>,
    path: path::Split,
    query: Cow<'e, [u8]>,
    headers: headers::Headers<'e>,
    /// The client's address as the front end saw it, where the event has a member for it.
    peer: Option<Cow<'e, str>>,
}

/// Puts the parts together with what is read alike for every front end.
fn assemble<'e>(event: &Event<'e>, config: &RequestConfig, parts: Parts<'e>) -> Result<Request<'e>> {
    let Parts { method, protocol, path, query, mut headers, peer } = parts;
    let method = method.unwrap_or(Cow::Borrowed("GET"));
    if !is_token(&method) {
        return Err(Error::bad_request("the event's HTTP method is not a token (RFC 9110, 9.1)"));
    }
    let prefix = config.trusted_prefix_header.as_deref().and_then(|name| headers.trusted_prefix(name));
    let path = match prefix {
        Some(prefix) => path.under(&prefix),
        None => path,
    };
    let mut raw_target = path.raw;
    if !query.is_empty() {
        raw_target.push(b'?');
        raw_target.extend_from_slice(&path::printable(&query));
    }
    let mut scheme = headers.scheme("x-forwarded-proto").unwrap_or(Scheme::Https);
    let trusted_host = config.trusted_host_header.as_deref().and_then(|name| headers.trusted_host(name));
    let has_trusted_host = trusted_host.is_some();
    if let Some(host) = trusted_host {
        scheme = headers.scheme("cloudfront-forwarded-proto").unwrap_or(scheme);
        headers.set_host(host);
    }
    Ok(Request {
        front_end: event.front_end,
        method,
        protocol: protocol.filter(|text| text.starts_with("HTTP/")).unwrap_or(Cow::Borrowed("HTTP/1.1")),
        scheme,
        script_name: path.script_name,
        path_info: path.path_info,
        query,
        raw_target,
        remote: remote::resolve(peer.as_deref(), headers.get("x-forwarded-for"), config.trusted_hops),
        user: authorizer::user(event, &config.user_claim),
        client_cert: authorizer::client_cert(event),
        has_trusted_host,
        domain_name: event.context.string("domainName"),
        headers: headers.list,
        has_content_length: headers.has_content_length,
        body: body::read(&event.fields),
    })
}
