//! Room: `request`, one HTTP request, as neutral as HTTP itself.
//! In: filled by `event`.
//! Out: [`Request`], read by `environ`; its [`Body`] is decoded into memory that the reader provides.
//! May use: `error`, `json`, base64, `base64_simd`.
//! Must not: know what an event looks like, Python, or who will answer.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::error::{Error, Result};

/// The front end that made the event. It decides how fields are read and which envelope the answer wears.
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
    /// The name that apps read in `wsgi_lambda.origin` and that event files begin with.
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

    /// The port that a URL of this scheme means when it names none.
    pub fn default_port(self) -> &'static str {
        match self {
            Self::Http => "80",
            Self::Https => "443",
        }
    }
}

/// A header: the name as the front end wrote it (a valid RFC 9110 token), the value as bytes.
pub type Header<'e> = (Cow<'e, str>, Cow<'e, [u8]>);

/// Where the client is, as far as the trusted hops tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    /// An IP address in text form.
    pub address: String,
    /// The client's port, when the front end was told to add it.
    pub port: Option<String>,
}

/// Who the front end's authorizer says the caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User<'e> {
    /// ARN, claim or principal id.
    pub name: Cow<'e, [u8]>,
    /// API Gateway's own word for the kind of authorization: `AWS_IAM`, `JWT`, `COGNITO_USER_POOLS`, `CUSTOM`.
    pub auth_type: &'static str,
}

/// A verified client certificate (mutual TLS), each part as the front end's text.
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

/// One HTTP request. Byte fields are bytes as the client sent them, after at most one percent-decoding.
#[derive(Clone, Debug)]
pub struct Request<'e> {
    /// The front end.
    pub front_end: FrontEnd,
    /// Never empty, case kept.
    pub method: Cow<'e, str>,
    /// `HTTP/1.1` when the front end does not say.
    pub protocol: Cow<'e, str>,
    /// From `X-Forwarded-Proto`.
    pub scheme: Scheme,
    /// The part of the decoded path that belongs to the mount point (stage, base path). Empty, or `/…` without a
    /// slash at its end.
    pub script_name: Vec<u8>,
    /// The rest of the decoded path. Empty only when `script_name` is not.
    pub path_info: Vec<u8>,
    /// The text after `?`, not decoded.
    pub query: Cow<'e, [u8]>,
    /// Path and query in their encoded form, as on the wire where the front end tells it.
    pub raw_target: Vec<u8>,
    /// Merged case-insensitively: each name once, in order of appearance; no `content-length`.
    pub headers: Vec<Header<'e>>,
    /// Whether the client sent a `content-length` header (its value is not used).
    pub has_content_length: bool,
    /// Whether `Host` is what a trusted proxy says it is: the front end's own port is then not the client's.
    pub has_trusted_host: bool,
    /// The front end's own host name, for requests without `Host`.
    pub domain_name: Option<Cow<'e, str>>,
    /// Absent when nothing trustworthy tells it.
    pub remote: Option<Remote>,
    /// Absent when no authorizer vouches for one.
    pub user: Option<User<'e>>,
    /// Absent without mutual TLS.
    pub client_cert: Option<ClientCert<'e>>,
    /// Still encoded.
    pub body: Body<'e>,
}

impl Request<'_> {
    /// The value of a header, by lower-case name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref())
    }
}

/// A request body as it stands in the event. Its decoded size is known before a byte is decoded, so that it can be
/// decoded straight into the memory it will live in (Python's): a 6 MB body is copied once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<'e> {
    /// No body.
    Empty,
    /// The bytes themselves.
    Plain(Cow<'e, [u8]>),
    /// The inside of a JSON string literal, escapes and all.
    JsonText(&'e str),
    /// Standard base64 with padding.
    Base64(Cow<'e, [u8]>),
}

impl Body<'_> {
    /// The size in bytes after decoding.
    ///
    /// # Errors
    /// `BadRequest` when base64 text has an impossible length.
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

    /// Decodes into `out`, which has [`Body::decoded_len`] bytes.
    ///
    /// # Errors
    /// `BadRequest` when the text is not base64.
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

/// The vectorised decoder does not say what is wrong: this one does.
fn why_not_base64(text: &[u8]) -> String {
    BASE64.decode(text).err().map_or_else(|| "its padding is wrong".to_owned(), |error| error.to_string())
}

fn bad_base64(detail: &str) -> Error {
    Error::bad_request(format!(
        "the event says `isBase64Encoded: true`, but `body` is not standard base64 ({detail}); \
         set the flag to false for a text body, or encode the body"
    ))
}
