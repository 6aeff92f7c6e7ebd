//! The sizes and times that front ends allow.

use std::time::Duration;

use super::values::{ClientRequest, Limits, Settings};
use crate::request::FrontEnd;

/// The largest event, and the largest response of a function: 6 MiB and 100 bytes (the constant of AWS's Runtime
/// Interface Emulator, `interop.MaxPayloadSize`; docs, "Lambda quotas").
pub(super) const INVOCATION: usize = MIB * 6 + 100;
/// The most that a load balancer takes each way (docs, "Use Lambda functions as targets of an Application Load
/// Balancer").
pub(super) const ALB_BODY: usize = MIB;
/// The names and values of a response's headers through a load balancer (docs, "Quotas for your Application Load
/// Balancers").
pub(super) const ALB_HEAD: usize = 32 * 1024;
/// A load balancer's longest request line (docs, "Quotas for your Application Load Balancers").
const ALB_REQUEST_LINE: usize = 16 * 1024;
/// The names and values of a response's headers through API Gateway (docs, "Quotas for configuring and running an API").
pub(super) const API_GATEWAY_HEAD: usize = 10_240;
/// Where the delimiter after a streamed response's prelude must be, in bytes (docs, "Set up a Lambda proxy integration
/// with payload response streaming").
pub(super) const REST_PRELUDE: usize = 16 * 1024;
/// The same for a Function URL. No page names a limit; the response's headers cannot be longer.
pub(super) const FUNCTION_URL_PRELUDE: usize = MIB;

const MIB: usize = 1024 * 1024;

/// What a front end allows.
pub fn limits(settings: &Settings) -> Limits {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    match settings.front_end {
        FrontEnd::Rest if settings.streams => {
            Limits { request_body: 10 * MIB, request_head: API_GATEWAY_HEAD, timeout: seconds(900) }
        }
        FrontEnd::Rest => Limits { request_body: 10 * MIB, request_head: API_GATEWAY_HEAD, timeout: seconds(29) },
        FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2 => {
            Limits { request_body: 10 * MIB, request_head: API_GATEWAY_HEAD, timeout: seconds(30) }
        }
        FrontEnd::FunctionUrl => Limits { request_body: 6 * MIB, request_head: 64 * 1024, timeout: None },
        FrontEnd::Alb | FrontEnd::AlbMulti => {
            Limits { request_body: ALB_BODY, request_head: 64 * 1024, timeout: seconds(60) }
        }
        FrontEnd::LatticeV1 | FrontEnd::LatticeV2 => {
            Limits { request_body: 6 * MIB, request_head: 64 * 1024, timeout: seconds(60) }
        }
    }
}

/// Whether a request's line and header fields are more than the front end takes. API Gateway counts the values.
pub(super) fn exceeds_head(request: &ClientRequest, settings: &Settings) -> bool {
    let counts_names = !matches!(settings.front_end, FrontEnd::Rest | FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2);
    let line = request.method.as_str().len() + request.target.len() + " HTTP/1.1 ".len();
    let fields = request.headers.iter();
    let size = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        value.len() + if counts_names { name.as_str().len() + ": ".len() } else { 0 }
    };
    let is_alb = matches!(settings.front_end, FrontEnd::Alb | FrontEnd::AlbMulti);
    is_alb && line > ALB_REQUEST_LINE || line + fields.map(size).sum::<usize>() > limits(settings).request_head
}
