//! The envelope of REST APIs, and of HTTP APIs with payload 1.0: `headers` and `multiValueHeaders`, merged.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::envelope::{Members, Posted, Scalars, malformed};
use super::{finish, fixed, names};
use crate::gateway::limits::API_GATEWAY_HEAD;
use crate::gateway::media;
use crate::gateway::prelude::DELIMITER;
use crate::gateway::text::text;
use crate::gateway::values::{ClientRequest, ClientResponse, Fault, Settings};

/// The response of a REST API. Members that it does not know are an error (API Gateway guide, "Lambda proxy integrations
/// in API Gateway": "Malformed Lambda proxy response").
pub(super) fn rest(posted: &Bytes, request: &ClientRequest, settings: &Settings) -> Result<ClientResponse, Fault> {
    // A function that streams to an API that does not: status and headers count, the body is lost (API Gateway guide, "Set
    // up a Lambda proxy integration with payload response streaming").
    if let Some(end) = memchr::memmem::find(posted, &DELIMITER) {
        let members = Posted::object(&posted[..end])?;
        let status = members.status()?.unwrap_or(StatusCode::OK);
        let mut headers = streamed_headers(&members)?;
        fixed::add_ids(&mut headers, request, settings);
        return Ok(finish::whole(status, headers, Bytes::new(), request, Some("application/json")));
    }
    let members = Posted::object(posted)?;
    members.only(&["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"])?;
    let status = members.status()?.unwrap_or(StatusCode::OK);
    let mut headers = names::remap(merged(&members)?);
    names::check_size(&headers, API_GATEWAY_HEAD)?;
    let body = members.body(!takes_binary(request, settings))?;
    fixed::add_ids(&mut headers, request, settings);
    Ok(finish::whole(status, headers, body, request, Some("application/json")))
}

/// The response of an HTTP API. It has to have a status: only payload 2.0 assumes one.
pub(super) fn http_api(posted: &Bytes, request: &ClientRequest, settings: &Settings) -> Result<ClientResponse, Fault> {
    let members = Posted::object(posted)?;
    let status = members.status()?.ok_or_else(|| malformed("there is no `statusCode`".to_owned()))?;
    let mut headers = merged(&members)?;
    names::check_size(&headers, API_GATEWAY_HEAD)?;
    let body = members.body(false)?;
    fixed::add_ids(&mut headers, request, settings);
    Ok(finish::whole(status, headers, body, request, Some("text/plain; charset=utf-8")))
}

/// The headers of a streamed response's prelude. It may have `cookies` besides `multiValueHeaders`, and nothing else.
///
/// # Errors
/// It has another form, or more than a REST API takes.
pub(in crate::gateway) fn streamed_headers(members: &Members<'_>) -> Result<HeaderMap, Fault> {
    members.only(&["statusCode", "headers", "multiValueHeaders", "cookies"])?;
    let mut headers = merged(members)?;
    members.add_cookies(&mut headers)?;
    let headers = names::remap(headers);
    names::check_size(&headers, API_GATEWAY_HEAD)?;
    Ok(headers)
}

/// Both maps in one. A value that both have is there once (API Gateway guide, "Lambda proxy integrations in API
/// Gateway").
///
/// # Errors
/// One of them has another form.
fn merged(members: &Members<'_>) -> Result<HeaderMap, Fault> {
    let mut headers = members.multi_value_headers()?;
    for (name, value) in &members.headers("headers", Scalars::All)? {
        if !headers.get_all(name).iter().any(|known| known == value) {
            headers.append(name, value.clone());
        }
    }
    Ok(headers)
}

/// Whether base64 is decoded: the API's `binaryMediaTypes` have the first media type of the client's `Accept`. Otherwise
/// the client receives base64 (API Gateway guide, "Return binary media from a Lambda proxy integration").
fn takes_binary(request: &ClientRequest, settings: &Settings) -> bool {
    let accept = request.headers.get(http::header::ACCEPT).map(|value| text(value.as_bytes())).unwrap_or_default();
    let first = accept.split([',', ';']).next().unwrap_or_default().trim();
    media::is_binary(first, &settings.binary_media_types)
}
