//! Room: `environ`, a request as WSGI variables (PEP 3333, "environ Variables").
//! In: [`Request`].
//! Out: [`Environ`]: names, and values as bytes, which Python reads as Latin-1.
//! May use: `grammar`, `request`.
//! Must not: hold Python objects, decode a body.

use std::borrow::Cow;

use crate::grammar::elements;
use crate::request::{Request, Scheme};

/// The value of SERVER_SOFTWARE.
pub const SERVER_SOFTWARE: &str = concat!("wsgi-lambda/", env!("CARGO_PKG_VERSION"));

/// REMOTE_ADDR of a client whose address is not known, such as a load balancer's health check. RFC 3875 §4.1.8 requires
/// one. Applications can parse this one, and do not trust it, as they may trust a loopback address.
const UNKNOWN: &str = "0.0.0.0";

/// The name of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'r> {
    /// A variable of CGI, or one that servers add to it.
    Fixed(&'static str),
    /// The variable of the request header with this name: see [`header_key`].
    Header(&'r str),
}

/// The variables that differ from request to request. The room `python` adds the `wsgi.*` ones.
#[derive(Debug)]
pub struct Environ<'r> {
    /// Each name once.
    pub variables: Vec<(Name<'r>, Cow<'r, [u8]>)>,
    /// For `wsgi.url_scheme`.
    pub scheme: Scheme,
}

/// The variable of a header: `X-Forwarded-For` becomes `HTTP_X_FORWARDED_FOR`.
pub fn header_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 5);
    key.push_str("HTTP_");
    key.extend(name.chars().map(|char| if char == '-' { '_' } else { char.to_ascii_uppercase() }));
    key
}

/// Makes the variables of a request. `body_len` is the size of the decoded body in bytes.
pub fn environ<'r>(request: &'r Request<'_>, body_len: usize) -> Environ<'r> {
    let mut environ = Environ { variables: Vec::with_capacity(24 + request.headers.len()), scheme: request.scheme };
    environ.set("REQUEST_METHOD", request.method.as_bytes());
    environ.set("SCRIPT_NAME", &request.script_name[..]);
    environ.set("PATH_INFO", &request.path_info[..]);
    environ.set("QUERY_STRING", &request.query[..]);
    environ.set("REQUEST_URI", &request.raw_target[..]);
    environ.set("RAW_URI", &request.raw_target[..]);
    environ.set("SERVER_PROTOCOL", request.protocol.as_bytes());
    environ.server(request);
    environ.client(request);
    environ.tls(request);
    environ.content_length(request, body_len);
    environ.headers(request);
    environ
}

impl<'r> Environ<'r> {
    fn set(&mut self, name: &'static str, value: impl Into<Cow<'r, [u8]>>) {
        self.variables.push((Name::Fixed(name), value.into()));
    }

    /// Sets SERVER_NAME and SERVER_PORT. They are never empty, even for an ALB health check, which has no `Host`.
    fn server(&mut self, request: &'r Request<'_>) {
        let (name, port) = split_host(request.header("host").unwrap_or_default());
        let domain = request.domain_name.as_deref().unwrap_or("localhost").as_bytes();
        self.set("SERVER_NAME", if name.is_empty() { domain } else { name });
        let forwarded = request.header("x-forwarded-port").unwrap_or_default();
        let forwarded = elements(forwarded).next().unwrap_or_default();
        // The port of the front end's own listener, which the client of a proxy before it does not use.
        let forwarded = if request.has_trusted_host { b"" } else { forwarded };
        // The client's own Host comes first: an ALB may listen on several ports.
        let port = [port, forwarded].into_iter().find(|port| is_port(port));
        let port = port.unwrap_or(request.scheme.default_port().as_bytes());
        self.set("SERVER_PORT", port);
    }

    fn client(&mut self, request: &'r Request<'_>) {
        let remote = request.remote.as_ref();
        let address = remote.map_or(UNKNOWN, |remote| &remote.address).as_bytes();
        self.set("REMOTE_ADDR", address);
        self.set("REMOTE_HOST", address);
        // Mostly not known. It is set to 0 then, since adapters to ASGI (a2wsgi) pass on an address only with a port.
        self.set("REMOTE_PORT", remote.and_then(|remote| remote.port.as_deref()).unwrap_or("0").as_bytes());
        if let Some(user) = &request.user {
            self.set("REMOTE_USER", &user.name[..]);
            self.set("AUTH_TYPE", user.auth_type.as_bytes());
        }
    }

    /// Sets the variables of Apache's mod_ssl, as far as the front end knows them (PEP 3333 asks for them under TLS).
    fn tls(&mut self, request: &'r Request<'_>) {
        if request.scheme == Scheme::Https {
            self.set("HTTPS", &b"on"[..]);
        }
        let headers = [("SSL_PROTOCOL", "x-amzn-tls-version"), ("SSL_CIPHER", "x-amzn-tls-cipher-suite")];
        for (name, header) in headers {
            if let Some(value) = request.header(header) {
                self.set(name, value);
            }
        }
        if let Some(cert) = &request.client_cert {
            self.set("SSL_CLIENT_VERIFY", &b"SUCCESS"[..]);
            self.set("SSL_CLIENT_CERT", &cert.pem[..]);
            self.set("SSL_CLIENT_S_DN", &cert.subject[..]);
            self.set("SSL_CLIENT_I_DN", &cert.issuer[..]);
            self.set("SSL_CLIENT_M_SERIAL", &cert.serial[..]);
        }
    }

    /// Sets CONTENT_LENGTH if there is a body, if the client announced one, and for methods that normally have one.
    fn content_length(&mut self, request: &Request<'_>, body_len: usize) {
        let has_body = matches!(&*request.method, "POST" | "PUT" | "PATCH");
        if body_len > 0 || request.has_content_length || has_body {
            self.set("CONTENT_LENGTH", body_len.to_string().into_bytes());
        }
    }

    fn headers(&mut self, request: &'r Request<'_>) {
        for (name, value) in &request.headers {
            if name.eq_ignore_ascii_case("content-type") {
                self.set("CONTENT_TYPE", &value[..]);
            } else {
                self.variables.push((Name::Header(name), Cow::Borrowed(value)));
            }
        }
    }
}

/// Splits a Host header into name and port. The brackets of an IPv6 address stay in the name (RFC 3986 §3.2.2).
fn split_host(host: &[u8]) -> (&[u8], &[u8]) {
    let after_brackets = host.iter().rposition(|&byte| byte == b']').unwrap_or(0);
    match host[after_brackets..].iter().position(|&byte| byte == b':') {
        Some(at) => (&host[..after_brackets + at], &host[after_brackets + at + 1..]),
        None => (host, b""),
    }
}

fn is_port(text: &[u8]) -> bool {
    !text.is_empty() && text.len() <= 5 && text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_split_outside_brackets() {
        assert_eq!(split_host(b"example.com:8443"), (&b"example.com"[..], &b"8443"[..]));
        assert_eq!(split_host(b"[2001:db8::1]"), (&b"[2001:db8::1]"[..], &b""[..]));
        assert_eq!(split_host(b"[2001:db8::1]:80"), (&b"[2001:db8::1]"[..], &b"80"[..]));
        assert_eq!(split_host(b""), (&b""[..], &b""[..]));
    }

    #[test]
    fn header_names_become_variables() {
        assert_eq!(header_key("x-Forwarded-For"), "HTTP_X_FORWARDED_FOR");
    }
}
