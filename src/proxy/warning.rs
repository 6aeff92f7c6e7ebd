//! What the function's owner has to know about a response that was sent.

use std::fmt;

use super::limits::{MAX_API_GATEWAY_HEADER_BYTES, MAX_PRELUDE_BYTES};

/// Something that the front end cannot carry, or that is close to its limit. Each kind is logged once in a process's
/// life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Several Set-Cookie through an ALB target group without multi-value headers.
    AlbCookies,
    /// Several Set-Cookie through VPC Lattice: this many were left out.
    LatticeCookies(usize),
    /// This many bytes of headers, near or above API Gateway's limit.
    HeaderBytes(usize),
    /// An envelope near the front end's limit.
    ResponseBytes {
        /// The size of the envelope.
        bytes: usize,
        /// The front end's limit for it.
        limit: usize,
        /// Whether the front end would take the response as a stream.
        can_stream: bool,
    },
    /// A streamed response's prelude has this many bytes, above API Gateway's limit.
    PreludeBytes(usize),
}

impl Warning {
    /// A name for the kind of warning, the same whatever its numbers are.
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

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
