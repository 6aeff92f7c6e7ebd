//! Room: `request`, one HTTP request, in a form that does not depend on the front end.
//! In: filled by `event`.
//! Out: [`Request`], read by `environ`; its [`Body`] is decoded into memory that the reader provides.
//! May use: `error`, `json`, `source`, base64, `base64_simd`.
//! Must not: know what an event looks like, Python, or what becomes of the response.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::error::{Error, Result};
use crate::source::Source;

/// The AWS service that turned the client's request into an event. It decides how the event is read and in which form
/// the response is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrontEnd {
    /// API Gateway REST API (payload v1), the console's test call included.
    Rest,
    /// API Gateway HTTP API, payload format 1.0.
    HttpApiV1,
    /// API Gateway HTTP API, payload format 2.0.
    HttpApiV2,
    /// Lambda Function URL.
    FunctionUrl,
    /// Application Load Balancer, `lambda.multi_value_headers.enabled` off.
    Alb,
    /// Application Load Balancer, `lambda.multi_value_headers.enabled` on.
    AlbMulti,
    /// VPC Lattice, event structure V1.
    LatticeV1,
    /// VPC Lattice, event structure V2.
    LatticeV2,
}

impl FrontEnd {
    /// Each of them.
    pub const ALL: [Self; 8] = [
        Self::Rest,
        Self::HttpApiV1,
        Self::HttpApiV2,
        Self::FunctionUrl,
        Self::Alb,
        Self::AlbMulti,
        Self::LatticeV1,
        Self::LatticeV2,
    ];

    /// The name that applications read in `wsgi_lambda.origin`, and with which the names of our event files begin.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::HttpApiV1 => "http-api-v1",
            Self::HttpApiV2 => "http-api-v2",
            Self::FunctionUrl => "function-url",
            Self::Alb => "alb",
            Self::AlbMulti => "alb-multi",
            Self::LatticeV1 => "lattice-v1",
            Self::LatticeV2 => "lattice-v2",
        }
    }
}

impl fmt::Display for FrontEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What sent the event that became a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A front end, for a client.
    FrontEnd(FrontEnd),
    /// Something else: see the setting `WSGI_LAMBDA_EVENT_PATH`.
    Event(Source),
}

impl Origin {
    /// The value of `wsgi_lambda.origin`.
    pub fn name(self) -> &'static str {
        match self {
            Self::FrontEnd(front_end) => front_end.name(),
            Self::Event(_) => "event",
        }
    }
}

/// `http` or `https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP between the client and the front end (ALB and Lattice listeners).
    Http,
    /// TLS up to the front end.
    Https,
}

impl Scheme {
    /// The text for `wsgi.url_scheme`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port of a URL of this scheme that names none.
    pub fn default_port(self) -> &'static str {
        match self {
            Self::Http => "80",
            Self::Https => "443",
        }
    }
}

/// A header: the name as the front end wrote it (a valid RFC 9110 token), the value as bytes.
pub type Header<'e> = (Cow<'e, str>, Cow<'e, [u8]>);

/// The client's address, as far as trusted proxies say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    /// An IP address in text form.
    pub address: String,
    /// The client's port, if the front end is set up to add it.
    pub port: Option<String>,
}

/// The caller, as the front end's authorizer verified it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User<'e> {
    /// An ARN, a claim or a principal id.
    pub name: Cow<'e, [u8]>,
    /// API Gateway's own word for the kind of authorization: `AWS_IAM`, `JWT`, `COGNITO_USER_POOLS`, `CUSTOM`.
    pub auth_type: &'static str,
}

/// A verified client certificate (mutual TLS), each part as the front end writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCert<'e> {
    /// The certificate in PEM.
    pub pem: Cow<'e, [u8]>,
    /// Subject distinguished name.
    pub subject: Cow<'e, [u8]>,
    /// Issuer distinguished name.
    pub issuer: Cow<'e, [u8]>,
    /// Serial number.
    pub serial: Cow<'e, [u8]>,
}

/// One HTTP request. Fields of bytes are as the client sent them, percent-decoded at most once.
#[derive(Clone, Debug)]
pub struct Request<'e> {
    /// What sent the event.
    pub origin: Origin,
    /// Never empty; upper and lower case as the client sent it.
    pub method: Cow<'e, str>,
    /// `HTTP/1.1` if the event does not say.
    pub protocol: Cow<'e, str>,
    /// From `X-Forwarded-Proto`; HTTPS if it is missing.
    pub scheme: Scheme,
    /// The part of the decoded path that belongs to the mount point (stage, base path). Empty, or `/…` without a
    /// slash at its end.
    pub script_name: Vec<u8>,
    /// The rest of the decoded path. Empty only if `script_name` is not.
    pub path_info: Vec<u8>,
    /// The text after `?`, not decoded.
    pub query: Cow<'e, [u8]>,
    /// Path and query, percent-encoded: as the client sent them if the event has them in that form, else encoded again.
    pub raw_target: Vec<u8>,
    /// Each name once, whatever its case, in order of appearance; without `content-length`.
    pub headers: Vec<Header<'e>>,
    /// Whether the client sent a `content-length` header. Its value is not used.
    pub has_content_length: bool,
    /// Whether `Host` was set by a trusted proxy. The client does not use the front end's own port then.
    pub has_trusted_host: bool,
    /// The front end's own host name, for a request without `Host`.
    pub domain_name: Option<Cow<'e, str>>,
    /// `None` if nothing trustworthy names it.
    pub remote: Option<Remote>,
    /// `None` if no authorizer verified one.
    pub user: Option<User<'e>>,
    /// `None` without mutual TLS.
    pub client_cert: Option<ClientCert<'e>>,
    /// Not decoded yet.
    pub body: Body<'e>,
}

impl Request<'_> {
    /// The value of a header, by lower-case name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref())
    }
}

/// A request body as it stands in the event. Its decoded size is known before it is decoded, so that it can be decoded
/// straight into Python's memory: a body of 6 MB is copied once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<'e> {
    /// No body.
    Empty,
    /// The body's bytes.
    Plain(Cow<'e, [u8]>),
    /// The inside of a JSON string literal, with its escapes.
    JsonText(&'e str),
    /// Standard base64 with padding.
    Base64(Cow<'e, [u8]>),
}

impl Body<'_> {
    /// The size in bytes after decoding.
    ///
    /// # Errors
    /// `BadRequest` if the length cannot be that of base64 text.
    pub fn decoded_len(&self) -> Result<usize> {
        match self {
            Self::Empty => Ok(0),
            Self::Plain(bytes) => Ok(bytes.len()),
            Self::JsonText(inside) => Ok(crate::json::unescaped_len(inside)),
            Self::Base64(text) => {
                if !text.len().is_multiple_of(4) {
                    return Err(bad_base64("its length is not a multiple of four"));
                }
                let padding = text.iter().rev().take(2).take_while(|&&byte| byte == b'=').count();
                Ok(text.len() / 4 * 3 - padding)
            }
        }
    }

    /// Decodes into `out`, whose length must be [`Body::decoded_len`].
    ///
    /// # Errors
    /// `BadRequest` if the text is not base64.
    pub fn decode_into(&self, out: &mut [u8]) -> Result<()> {
        match self {
            Self::Empty => Ok(()),
            Self::Plain(bytes) => {
                out.copy_from_slice(bytes);
                Ok(())
            }
            Self::JsonText(inside) => {
                crate::json::unescape_into(inside, out);
                Ok(())
            }
            Self::Base64(text) => {
                let len = out.len();
                match base64_simd::STANDARD.decode(text, base64_simd::Out::from_slice(out)) {
                    Ok(decoded) if decoded.len() == len => Ok(()),
                    _ => Err(bad_base64(&why_not_base64(text))),
                }
            }
        }
    }
}

/// Decodes with another library: the vectorised decoder does not say what is wrong.
fn why_not_base64(text: &[u8]) -> String {
    BASE64.decode(text).err().map_or_else(|| "its padding is wrong".to_owned(), |error| error.to_string())
}

fn bad_base64(detail: &str) -> Error {
    Error::bad_request(format!(
        "the event says `isBase64Encoded: true`, but `body` is not standard base64 ({detail}); \
         set the flag to false for a text body, or encode the body"
    ))
}
