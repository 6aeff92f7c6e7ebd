//! The envelope of Function URLs and of HTTP APIs with payload 2.0. Other JSON is a response too: 200, the JSON itself
//! (docs, "Invoking Lambda function URLs", Response payload format).

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::envelope::{Members, Posted, Scalars};
use super::{finish, fixed, names};
use crate::gateway::limits::API_GATEWAY_HEAD;
use crate::gateway::values::{ClientRequest, ClientResponse, Fault, Settings};
use crate::request::FrontEnd;

const JSON: &str = "application/json";

/// The response of a Function URL. Without a content type it is JSON.
pub(super) fn function_url(
    posted: &Bytes,
    request: &ClientRequest,
    settings: &Settings,
) -> Result<ClientResponse, Fault> {
    response(posted, request, settings, JSON)
}

/// The response of an HTTP API. Without a content type it is text.
pub(super) fn http_api(posted: &Bytes, request: &ClientRequest, settings: &Settings) -> Result<ClientResponse, Fault> {
    response(posted, request, settings, "text/plain; charset=utf-8")
}

fn response(
    posted: &Bytes,
    request: &ClientRequest,
    settings: &Settings,
    content_type: &'static str,
) -> Result<ClientResponse, Fault> {
    let members = match Posted::read(posted)? {
        Posted::Object(members) if members.get("statusCode").is_some() => members,
        // Also of an envelope whose `statusCode` is misspelt.
        _ => return Ok(verbatim(posted, request, settings)),
    };
    let status = members.status()?.unwrap_or(StatusCode::OK);
    let headers = headers(&members, settings)?;
    let body = members.body(false)?;
    Ok(finish::whole(status, added(headers, request, settings), body, request, Some(content_type)))
}

/// The JSON itself. A Function URL that streams sends an envelope like this too.
pub(super) fn verbatim(posted: &Bytes, request: &ClientRequest, settings: &Settings) -> ClientResponse {
    let headers = added(HeaderMap::new(), request, settings);
    finish::whole(StatusCode::OK, headers, posted.clone(), request, Some(JSON))
}

/// `headers` and `cookies`; `multiValueHeaders` is not read. A streamed response's prelude has the same form.
///
/// # Errors
/// One of them has another type, or they are more than an HTTP API takes.
pub(in crate::gateway) fn headers(members: &Members<'_>, settings: &Settings) -> Result<HeaderMap, Fault> {
    let mut headers = members.headers("headers", Scalars::All)?;
    members.add_cookies(&mut headers)?;
    if settings.front_end == FrontEnd::FunctionUrl {
        return Ok(names::remap(headers));
    }
    names::check_size(&headers, API_GATEWAY_HEAD)?;
    Ok(headers)
}

fn added(mut headers: HeaderMap, request: &ClientRequest, settings: &Settings) -> HeaderMap {
    fixed::add_ids(&mut headers, request, settings);
    headers
}
