//! Whom a response is for, and what follows from it.

use super::limits::{MAX_ALB_RESPONSE_BYTES, MAX_API_GATEWAY_HEADER_BYTES, MAX_RESPONSE_BYTES};
use crate::request::FrontEnd;

/// Whom a response is for: the front end that it goes through, and whether the client takes a body.
#[derive(Clone, Copy, Debug)]
pub struct Recipient {
    pub(super) dialect: Dialect,
    takes_body: bool,
}

impl Recipient {
    /// The client of a request with this method. The method is empty if the request could not be decoded.
    pub fn new(front_end: FrontEnd, method: &str) -> Self {
        Self { dialect: Dialect::of(front_end), takes_body: method != "HEAD" } // RFC 9110 §9.3.2
    }

    /// Whether the client takes a body. The client of a HEAD request takes none, also when the runtime itself makes
    /// the response.
    pub fn takes_body(self) -> bool {
        self.takes_body
    }

    /// Whether the front end can stream.
    pub fn can_stream(self) -> bool {
        self.dialect.streams
    }
}

/// The form in which a front end takes responses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    pub(super) headers: HeaderForm,
    /// Whether it reads `statusDescription`.
    pub(super) status_description: bool,
    /// The limit for names and values of headers together, in bytes, if it is below that of the whole envelope.
    pub(super) header_limit: Option<usize>,
    /// The limit of the whole envelope, in bytes.
    pub(super) limit: usize,
    /// True for Function URLs and REST APIs only (docs, "Response streaming for Lambda functions"; API Gateway, "Stream
    /// the integration response for your proxy integrations").
    streams: bool,
}

/// The members of an envelope that carry headers.
#[derive(Clone, Copy, Debug)]
pub(super) enum HeaderForm {
    /// `multiValueHeaders`.
    MultiValue,
    /// `headers` and `cookies`, as payload 2.0 has them.
    WithCookies,
    /// `headers` alone; several cookies go under names that differ in case.
    SingleByCase,
    /// `headers` alone, with one cookie at most.
    Single,
}

impl Dialect {
    fn of(front_end: FrontEnd) -> Self {
        let api_gateway = Self {
            headers: HeaderForm::MultiValue,
            status_description: false,
            header_limit: Some(MAX_API_GATEWAY_HEADER_BYTES),
            limit: MAX_RESPONSE_BYTES,
            streams: false,
        };
        let with_description = Self { status_description: true, header_limit: None, ..api_gateway };
        match front_end {
            FrontEnd::Rest => Self { streams: true, ..api_gateway },
            FrontEnd::HttpApiV1 => api_gateway,
            FrontEnd::HttpApiV2 => Self { headers: HeaderForm::WithCookies, ..api_gateway },
            FrontEnd::FunctionUrl => {
                Self { headers: HeaderForm::WithCookies, header_limit: None, streams: true, ..api_gateway }
            }
            FrontEnd::Alb => {
                Self { headers: HeaderForm::SingleByCase, limit: MAX_ALB_RESPONSE_BYTES, ..with_description }
            }
            FrontEnd::AlbMulti => Self { limit: MAX_ALB_RESPONSE_BYTES, ..with_description },
            FrontEnd::LatticeV1 | FrontEnd::LatticeV2 => Self { headers: HeaderForm::Single, ..with_description },
        }
    }
}
