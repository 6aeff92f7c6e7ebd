//! Room: `proxy`, responses in the envelope of each front end.
//! In: a [`Recipient`], a [`Head`], the chunks of the body.
//! Out: the JSON that Lambda hands to the front end, and [`Warning`]s about what the front end cannot carry.
//! May use: `request` (the front end), `response`, `json`, `base64_simd`, bytes.
//! Must not: hold Python objects, post anything, write a key that a front end does not know.

mod body;
mod buffered;
mod headers;
mod recipient;
mod stream;

pub use buffered::{BufferedSink, Unsendable};
pub use recipient::{MAX_ALB_RESPONSE_BYTES, MAX_API_GATEWAY_HEADER_BYTES, MAX_RESPONSE_BYTES, Recipient};
pub use stream::StreamSink;

use crate::response::Head;

/// API Gateway looks for the delimiter after a streamed response's metadata within this many bytes (docs, as below).
pub const MAX_PRELUDE_BYTES: usize = 16 * 1024;

/// A response ready to be posted.
#[derive(Debug)]
pub struct Envelope {
    /// The JSON.
    pub json: Vec<u8>,
    /// The HTTP status in it.
    pub status: u16,
    /// The size of the body before it was encoded.
    pub body_bytes: usize,
    /// What to tell the function's owner.
    pub warnings: Vec<Warning>,
}

/// What a front end cannot carry, or hardly. Each kind is worth one log line in a process's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Several Set-Cookie through a target group without multi-value headers.
    AlbCookies,
    /// Several Set-Cookie through VPC Lattice: this many were left out.
    LatticeCookies(usize),
    /// This many bytes of headers, near or above API Gateway's limit.
    HeaderBytes(usize),
    /// An envelope near the front end's limit.
    ResponseBytes {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
        /// Whether the front end would take it as a stream.
        can_stream: bool,
    },
    /// This many bytes of prelude, above API Gateway's limit.
    PreludeBytes(usize),
}

impl Warning {
    /// Distinguishes kinds, whatever their numbers.
    pub fn kind(self) -> &'static str {
        match self {
            Self::AlbCookies => "alb-cookies",
            Self::LatticeCookies(_) => "lattice-cookies",
            Self::HeaderBytes(_) => "header-bytes",
            Self::ResponseBytes { .. } => "response-bytes",
            Self::PreludeBytes(_) => "prelude-bytes",
        }
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::PreludeBytes(bytes) => write!(
                f,
                "status and headers of a streamed response have {bytes} bytes; API Gateway reads {MAX_PRELUDE_BYTES}"
            ),
            Self::AlbCookies => f.write_str(
                "the response sets several cookies, and this load balancer's target group takes one value per header: \
                 they are sent under differently cased names. Set the target group attribute \
                 lambda.multi_value_headers.enabled to true",
            ),
            Self::LatticeCookies(dropped) => {
                write!(f, "VPC Lattice takes one Set-Cookie per response: only the last was sent, {dropped} left out")
            }
            Self::HeaderBytes(bytes) => write!(
                f,
                "the response has {bytes} bytes of headers; API Gateway answers 502 above \
                 {MAX_API_GATEWAY_HEADER_BYTES}",
            ),
            Self::ResponseBytes { bytes, limit, can_stream } => {
                let or_stream = if *can_stream { ", or stream them" } else { " (this front end does not stream)" };
                write!(
                    f,
                    "the response has {bytes} bytes, near the limit of {limit}: serve large bodies from S3{or_stream}"
                )
            }
        }
    }
}

/// A small response of the runtime's own, such as a 500 for an exception.
pub fn plain(recipient: Recipient, status: &str, text: &str) -> Envelope {
    let envelope = buffered::encode(recipient, &plain_head(status), plain_body(recipient, text));
    // Where not even that can be had, any front end takes this.
    envelope.unwrap_or_else(|_| Envelope {
        json: b"{\"statusCode\":500}".to_vec(),
        status: 500,
        body_bytes: 0,
        warnings: Vec::new(),
    })
}

fn plain_body(recipient: Recipient, text: &str) -> &[u8] {
    if recipient.takes_body() { text.as_bytes() } else { b"" }
}

/// The head of such a response.
fn plain_head(status: &str) -> Head {
    let head = Head::new(status).and_then(|mut head| {
        head.add("Content-Type", "text/plain; charset=utf-8")?;
        Ok(head)
    });
    head.unwrap_or_default() // the callers' statuses are constants, and a bare 500 would still be a response
}
