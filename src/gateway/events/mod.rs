//! From a client's request to an event: one file per front end.
//!
//! `aws_lambda_events` has types for all of them, made for reading. Its parts are used where they write what AWS writes;
//! each file says what is wrong with the rest.

mod alb;
mod function_url;
mod http_api_v1;
mod http_api_v2;
mod lattice;
mod methods;
mod payload1;
mod payload2;
mod rest;
mod route;
mod write;

use bytes::Bytes;

use super::limits::{exceeds_head, limits};
use super::url::Url;
use super::values::{ClientRequest, Fault, Settings};
use crate::request::FrontEnd;

/// Makes the event of a client's request.
///
/// # Errors
/// The front end does not pass the request on.
pub fn event(request: &ClientRequest, settings: &Settings) -> Result<Bytes, Fault> {
    let limits = limits(settings);
    if exceeds_head(request, settings) {
        return Err(Fault::HeadersTooLarge);
    }
    if request.body.len() > limits.request_body {
        return Err(Fault::RequestTooLarge);
    }
    let url = Url::of(request, settings)?;
    let json = match settings.front_end {
        FrontEnd::FunctionUrl => function_url::event(request, &url),
        FrontEnd::HttpApiV2 => http_api_v2::event(request, settings, &url),
        FrontEnd::HttpApiV1 => http_api_v1::event(request, settings, &url),
        FrontEnd::Rest => rest::event(request, settings, &url),
        FrontEnd::Alb => alb::single(request, &url),
        FrontEnd::AlbMulti => alb::multi(request, &url),
        FrontEnd::LatticeV1 => Ok(lattice::v1(request, &url)),
        FrontEnd::LatticeV2 => Ok(lattice::v2(request, &url)),
    }?;
    // What is smaller than the front end's own limit may still be more than a function takes.
    if json.len() > super::limits::INVOCATION { Err(Fault::RequestTooLarge) } else { Ok(json) }
}
