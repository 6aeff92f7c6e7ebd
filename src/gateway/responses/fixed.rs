//! The fields that each service adds to its responses, its own and the function's.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::gateway::identity::extended_request_id;
use crate::gateway::values::{ClientRequest, Settings};
use crate::request::FrontEnd;

const AMZN_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const AMZN_TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
const APIGW_ID: HeaderName = HeaderName::from_static("x-amz-apigw-id");
const APIGW_REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// Adds the request's ids, in place of fields of the same names.
pub(in crate::gateway) fn add_ids(headers: &mut HeaderMap, request: &ClientRequest, settings: &Settings) {
    let root = request.trace_id.strip_prefix("Root=").unwrap_or(&request.trace_id);
    let root = root.split(';').next().unwrap_or_default();
    match settings.front_end {
        FrontEnd::Rest => {
            set(headers, AMZN_REQUEST_ID, &request.request_id);
            set(headers, APIGW_ID, &extended_request_id(request));
            set(headers, AMZN_TRACE_ID, &format!("Root={root};Sampled=0"));
        }
        FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2 => set(headers, APIGW_REQUEST_ID, &extended_request_id(request)),
        FrontEnd::FunctionUrl => {
            set(headers, AMZN_REQUEST_ID, &request.request_id);
            set(headers, AMZN_TRACE_ID, &format!("root={root};sampled=0"));
        }
        FrontEnd::Alb | FrontEnd::AlbMulti | FrontEnd::LatticeV1 | FrontEnd::LatticeV2 => {}
    }
}

/// Sets a field, unless the value cannot be one.
pub(in crate::gateway) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
