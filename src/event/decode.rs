//! An event, from its JSON to the request that it stands for.

use std::borrow::Cow;

use crate::config::RequestConfig;
use crate::error::{Error, Result};
use crate::event::fields::Fields;
use crate::event::headers::Headers;
use crate::event::objects::Objects;
use crate::event::parts::Parts;
use crate::event::percent;
use crate::event::probe::{front_end, not_an_object, not_json};
use crate::event::{alb, authorizer, body, function_url, http_api, lattice, remote, rest};
use crate::grammar::is_token;
use crate::json::{Document, ValueKind};
use crate::request::{FrontEnd, Origin, Request, Scheme};

/// An event that is an HTTP request from a known front end. Its fields are not decoded yet.
///
/// If decoding fails, the front end is still known, so that the client gets a response in the form it reads.
#[derive(Debug)]
pub struct Event<'e> {
    objects: Objects<'e>,
    front_end: FrontEnd,
}

/// Reads an event's JSON.
///
/// # Errors
/// `UnmarshalError` if the bytes are not JSON.
pub fn parse(bytes: &[u8]) -> Result<Document<'_>> {
    Document::parse(bytes).map_err(|error| Error::unmarshal(not_json(&error)).with_source(error))
}

/// Finds out which front end made an event.
///
/// # Errors
/// `UnsupportedEvent` if it is not an HTTP request.
pub fn probe<'e>(event: &'e Document<'e>) -> Result<Event<'e>> {
    let root = event.root();
    if root.kind() != ValueKind::Object {
        return Err(not_an_object(root));
    }
    let objects = Objects::of(Fields::of(root));
    let front_end = front_end(&objects.event, &objects.context)?;
    Ok(Event { objects, front_end })
}

impl<'e> Event<'e> {
    /// The front end that made the event.
    pub fn front_end(&self) -> FrontEnd {
        self.front_end
    }

    /// Decodes the request.
    ///
    /// # Errors
    /// `BadRequest` if a field cannot be read; the message names it.
    pub fn decode(self, config: &RequestConfig) -> Result<Request<'e>> {
        let objects = &self.objects;
        let parts = match self.front_end {
            FrontEnd::Rest => rest::parts(objects, config),
            FrontEnd::HttpApiV1 => http_api::parts_v1(objects, config),
            FrontEnd::HttpApiV2 => http_api::parts_v2(objects, config),
            FrontEnd::FunctionUrl => function_url::parts(objects, config),
            FrontEnd::Alb | FrontEnd::AlbMulti => alb::parts(objects, config),
            FrontEnd::LatticeV1 => lattice::parts_v1(objects, config),
            FrontEnd::LatticeV2 => lattice::parts_v2(objects, config),
        };
        self.request(parts, config)
    }

    /// Adds to the parts what is read in the same way for every front end.
    fn request(&self, parts: Parts<'e>, config: &RequestConfig) -> Result<Request<'e>> {
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
        let host = config.trusted_host_header.as_deref().and_then(|name| headers.trusted_host(name));
        let has_trusted_host = host.is_some();
        let scheme = scheme(&headers, has_trusted_host);
        if let Some(host) = host {
            headers.set_host(host);
        }
        let Objects { event, context, identity } = &self.objects;
        Ok(Request {
            origin: Origin::FrontEnd(self.front_end),
            method,
            protocol: protocol.filter(|text| text.starts_with("HTTP/")).unwrap_or(Cow::Borrowed("HTTP/1.1")),
            scheme,
            script_name: path.script_name,
            path_info: path.path_info,
            raw_target: target(path.raw, &query),
            query,
            remote: remote::resolve(peer.as_deref(), headers.get("x-forwarded-for"), config.trusted_hops),
            user: authorizer::user(context, identity, &config.user_claim, self.front_end),
            client_cert: authorizer::client_cert(context, identity),
            has_trusted_host,
            domain_name: context.string("domainName"),
            headers: headers.list,
            has_content_length: headers.has_content_length,
            body: body::read(event),
        })
    }
}

/// The scheme that the client used. With a trusted proxy before the front end, CloudFront's own header comes first.
fn scheme(headers: &Headers<'_>, has_trusted_host: bool) -> Scheme {
    let clients = has_trusted_host.then(|| headers.scheme("cloudfront-forwarded-proto")).flatten();
    clients.or_else(|| headers.scheme("x-forwarded-proto")).unwrap_or(Scheme::Https)
}

/// Path and query, joined as in a request line.
fn target(mut path: Vec<u8>, query: &[u8]) -> Vec<u8> {
    if !query.is_empty() {
        path.push(b'?');
        path.extend_from_slice(&percent::encode(query, |byte| byte.is_ascii_graphic()));
    }
    path
}
