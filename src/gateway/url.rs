//! The URL that the client used: its parts, and what of its path is the stage or the base path.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

use super::identity;
use super::text::text;
use super::values::{ClientRequest, Fault, Settings};
use crate::request::FrontEnd;

/// A client's URL.
#[derive(Debug)]
pub(super) struct Url<'r> {
    pub(super) scheme: &'static str,
    /// What `Host` says in the event. `None` only for an HTTP/1.0 client that does not send it.
    pub(super) host: Option<Cow<'r, str>>,
    /// The domain that the event names, without a port.
    pub(super) domain: Cow<'r, str>,
    pub(super) port: Cow<'r, str>,
    /// Percent-encoded, with a slash at its beginning.
    pub(super) path: &'r str,
    /// Without the `?`.
    pub(super) query: &'r str,
}

impl<'r> Url<'r> {
    /// Takes the URL of a request apart.
    ///
    /// # Errors
    /// The target is not a path, or `Host` is missing or repeated (RFC 9112 §3.2).
    pub(super) fn of(request: &'r ClientRequest, settings: &'r Settings) -> Result<Self, Fault> {
        let (path, query) = split(request)?;
        let mut hosts = request.headers.get_all(http::header::HOST).iter();
        let sent = hosts.next().map(|host| text(host.as_bytes()));
        if hosts.next().is_some() {
            return Err(Fault::BadRequest("there is more than one Host header"));
        }
        if let Some(domain) = &settings.domain {
            let host = Some(Cow::Borrowed(&**domain));
            let (name, port) = split_host(domain);
            // A function URL has no custom domain: of one behind a CDN the event still names its own.
            let is_foreign = settings.front_end == FrontEnd::FunctionUrl && !name.contains(".lambda-url.");
            let domain = if is_foreign { identity::FUNCTION_URL_DOMAIN } else { name };
            let port = port.unwrap_or("443").into();
            return Ok(Self { scheme: "https", host, domain: domain.into(), port, path, query });
        }
        if sent.is_none() && request.version != http::Version::HTTP_10 {
            return Err(Fault::BadRequest("there is no Host header"));
        }
        let (name, port) = split_host(sent.as_deref().unwrap_or("localhost"));
        let domain = own_domain(settings).map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed);
        let port = port.unwrap_or("80").to_owned().into();
        Ok(Self { scheme: "http", host: sent, domain, port, path, query })
    }

    /// The first label of the domain.
    pub(super) fn domain_prefix(&self) -> &str {
        self.domain.split('.').next().unwrap_or_default()
    }

    /// Whether the domain is the service's own, whose first label is the API's id.
    pub(super) fn is_own_domain(&self) -> bool {
        self.domain.contains(".execute-api.") || self.domain.contains(".lambda-url.")
    }

    /// The id of the API or the function URL.
    pub(super) fn api_id<'u>(&'u self, otherwise: &'u str) -> &'u str {
        if self.is_own_domain() { self.domain_prefix() } else { otherwise }
    }

    /// The path after the mount point: the stage, or a custom domain's base path.
    ///
    /// # Errors
    /// The path is not below it.
    pub(super) fn mounted(&self, settings: &Settings) -> Result<Mounted<'r>, Fault> {
        let mount = if self.is_own_domain() {
            Some(settings.stage.as_str()).filter(|_| settings.has_named_stage())
        } else {
            settings.base_path.as_deref().map(|base| base.trim_matches('/')).filter(|base| !base.is_empty())
        };
        let Some(mount) = mount else { return Ok(Mounted { length: 0, rest: self.path }) };
        let rest = self.path[1..].strip_prefix(mount).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        match rest {
            Some(rest) => Ok(Mounted { length: self.path.len() - rest.len(), rest }),
            None => Err(Fault::NotFound(format!("URLs begin with /{mount} here"))),
        }
    }
}

/// A path, split where the mount point ends.
#[derive(Debug)]
pub(super) struct Mounted<'r> {
    /// Bytes of the mount point.
    pub(super) length: usize,
    /// What comes after it: empty, or with a slash at its beginning.
    pub(super) rest: &'r str,
}

/// Percent-decodes once. What is not UTF-8 becomes U+FFFD: an event can hold nothing else.
pub(super) fn decode(path: &str) -> Cow<'_, str> {
    percent_decode_str(path).decode_utf8_lossy()
}

/// The domain of an imitated service that the client's `Host` cannot be: the runtime tells a Function URL from an HTTP
/// API by it, and whether URLs have a stage.
fn own_domain(settings: &Settings) -> Option<&'static str> {
    let has_stage = settings.has_named_stage() && settings.base_path.is_none();
    match settings.front_end {
        FrontEnd::FunctionUrl => Some(identity::FUNCTION_URL_DOMAIN),
        FrontEnd::Rest | FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2 if has_stage => Some(identity::API_DOMAIN),
        _ => None,
    }
}

/// Path and query of the target. A proxy's client sends a whole URL (RFC 9112 §3.2.2).
fn split(request: &ClientRequest) -> Result<(&str, &str), Fault> {
    let target = &*request.target;
    if request.method == Method::CONNECT {
        return Err(Fault::MethodNotAllowed);
    }
    let target = if target.starts_with('/') {
        target
    } else {
        let after_scheme = target.split_once("://").ok_or(Fault::BadRequest("the target is not a path"))?.1;
        &after_scheme[after_scheme.find(['/', '?']).unwrap_or(after_scheme.len())..]
    };
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Ok((if path.is_empty() { "/" } else { path }, query))
}

/// Name and port of a `Host`. The brackets of an IPv6 address stay (RFC 3986 §3.2.2).
fn split_host(host: &str) -> (&str, Option<&str>) {
    let after_brackets = host.rfind(']').unwrap_or(0);
    match host[after_brackets..].rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (&host[..after_brackets + name.len()], Some(port))
        }
        _ => (host, None),
    }
}
