//! The envelope of Application Load Balancers (docs, "Use Lambda functions as targets of an Application Load Balancer").

use bytes::Bytes;
use http::header::SERVER;
use http::{HeaderMap, HeaderValue};
use serde_json::value::RawValue;

use super::envelope::{Members, Posted, Scalars, malformed};
use super::{finish, names};
use crate::gateway::limits::ALB_HEAD;
use crate::gateway::values::{ClientRequest, ClientResponse, Fault};

/// Without multi-value headers. Several cookies stand under names that differ in case.
pub(super) fn single(posted: &Bytes, request: &ClientRequest) -> Result<ClientResponse, Fault> {
    let members = Posted::object(posted)?;
    of_mode(&members, "headers", "multiValueHeaders")?;
    let headers = members.headers("headers", Scalars::Strings)?;
    response(&members, headers, request)
}

/// With multi-value headers.
pub(super) fn multi(posted: &Bytes, request: &ClientRequest) -> Result<ClientResponse, Fault> {
    let members = Posted::object(posted)?;
    of_mode(&members, "multiValueHeaders", "headers")?;
    let headers = members.multi_value_headers()?;
    response(&members, headers, request)
}

/// # Errors
/// The headers are in the other mode's member, or `null`, which a load balancer does not take for left out.
fn of_mode(members: &Members<'_>, own: &str, other: &str) -> Result<(), Fault> {
    if members.has(own) && members.get(own).is_none() {
        return Err(malformed(format!("`{own}` is null")));
    }
    if !members.has(own) && members.has(other) {
        return Err(malformed(format!(
            "there are `{other}` instead of `{own}`, which the target group's mode demands"
        )));
    }
    Ok(())
}

fn response(members: &Members<'_>, mut headers: HeaderMap, request: &ClientRequest) -> Result<ClientResponse, Fault> {
    let status = members.status()?.ok_or_else(|| malformed("there is no `statusCode`".to_owned()))?;
    let reason = reason(members)?;
    names::check_size(&headers, ALB_HEAD)?;
    let body = members.body(false)?;
    add_server(&mut headers);
    let mut response = finish::whole(status, headers, body, request, Some("application/octet-stream"));
    response.head.reason = reason.filter(|reason| Some(reason.as_str()) != status.canonical_reason());
    Ok(response)
}

/// The text of `statusDescription` after the status: of `404 No Such Page`, the last three words.
///
/// # Errors
/// It is not a status, a space and a text. `null` is not one either (aws-lambda-go-api-proxy#79).
fn reason(members: &Members<'_>) -> Result<Option<String>, Fault> {
    if !members.has("statusDescription") {
        return Ok(None);
    }
    let text =
        members.get("statusDescription").map(RawValue::get).and_then(|raw| serde_json::from_str::<String>(raw).ok());
    let text = text.unwrap_or_default();
    let (status, reason) = text.split_once(' ').unwrap_or((&text, ""));
    let is_status = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    let is_reason = reason.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
    if is_status && is_reason {
        return Ok(Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty()));
    }
    Err(malformed("`statusDescription` is not of the form `200 OK`".to_owned()))
}

/// A load balancer names itself unless the function does.
pub(in crate::gateway) fn add_server(headers: &mut HeaderMap) {
    if !headers.contains_key(SERVER) {
        headers.insert(SERVER, HeaderValue::from_static("awselb/2.0"));
    }
}
