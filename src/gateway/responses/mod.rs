//! From what a function posts to the client's response: one file per form of the envelope.
//!
//! `aws_lambda_events` has types for envelopes. They cannot be used to read: they take no status in quotes, no numbers as
//! header values, no two names that differ in case, and stop at unknown members instead of telling which they are.

pub(super) mod alb;
pub(super) mod envelope;
pub(super) mod finish;
pub(super) mod fixed;
mod lattice;
pub(super) mod names;
pub(super) mod payload1;
pub(super) mod payload2;

use bytes::Bytes;

use super::limits::{ALB_BODY, INVOCATION};
use super::values::{ClientRequest, ClientResponse, Fault, Settings};
use crate::request::FrontEnd;

/// The client's response of what a function posted at once (buffered).
///
/// # Errors
/// The front end does not take what was posted.
pub fn response(posted: &Bytes, request: &ClientRequest, settings: &Settings) -> Result<ClientResponse, Fault> {
    let is_alb = matches!(settings.front_end, FrontEnd::Alb | FrontEnd::AlbMulti);
    if posted.len() > if is_alb { ALB_BODY } else { INVOCATION } {
        return Err(Fault::ResponseTooLarge);
    }
    match settings.front_end {
        // The function has not streamed although it should have (docs, "Configuring a response streaming function").
        FrontEnd::Rest if settings.streams => Err(envelope::malformed("the response is not streamed".to_owned())),
        FrontEnd::FunctionUrl if settings.streams => Ok(payload2::verbatim(posted, request, settings)),
        FrontEnd::Rest => payload1::rest(posted, request, settings),
        FrontEnd::HttpApiV1 => payload1::http_api(posted, request, settings),
        FrontEnd::HttpApiV2 => payload2::http_api(posted, request, settings),
        FrontEnd::FunctionUrl => payload2::function_url(posted, request, settings),
        FrontEnd::Alb => alb::single(posted, request),
        FrontEnd::AlbMulti => alb::multi(posted, request),
        FrontEnd::LatticeV1 | FrontEnd::LatticeV2 => lattice::response(posted, request),
    }
}
