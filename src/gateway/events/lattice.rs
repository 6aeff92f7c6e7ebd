//! VPC Lattice, event structures V1 and V2. The path has the query in it. There is no stage, and no trace.
//!
//! `aws_lambda_events` has `VpcLatticeRequestV1` and `VpcLatticeRequestV2`. They lose header values that are not ASCII,
//! V1's type writes the first value of a repeated parameter where AWS writes the last, and V2's writes an empty map,
//! and `null` for parts of an identity, where AWS writes nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::write;
use crate::gateway::fields::Fields;
use crate::gateway::pairs::Pairs;
use crate::gateway::query::{self, Parameters};
use crate::gateway::url::Url;
use crate::gateway::values::ClientRequest;
use crate::gateway::{body, clock};

#[derive(Serialize)]
struct V1<'e> {
    raw_path: Cow<'e, str>,
    method: &'e str,
    headers: Pairs<&'e str, String>,
    query_string_parameters: BTreeMap<&'e str, &'e str>,
    body: &'e str,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct V2<'e> {
    version: &'static str,
    path: Cow<'e, str>,
    method: &'e str,
    headers: Pairs<&'e str, &'e [Cow<'e, str>]>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: Parameters<'e>,
    body: &'e str,
    is_base64_encoded: bool,
    request_context: Value,
}

/// An event of structure V1.
pub(super) fn v1(request: &ClientRequest, url: &Url<'_>) -> Bytes {
    let fields = fields(request, url);
    let parameters = query::raw(url.query);
    let headers = fields.list().iter().map(|(name, values)| (&**name, values.join(separator(name))));
    let body = body::body(request, body::is_text(request));
    write::json(&V1 {
        raw_path: target(url),
        method: request.method.as_str(),
        headers: Pairs(headers.collect()),
        query_string_parameters: query::last(&parameters),
        body: &body.text,
        is_base64_encoded: body.is_base64,
    })
}

/// An event of structure V2.
pub(super) fn v2(request: &ClientRequest, url: &Url<'_>) -> Bytes {
    let fields = fields(request, url);
    let headers = fields.list().iter().map(|(name, values)| (&**name, &**values));
    let body = body::body(request, body::is_text(request));
    write::json(&V2 {
        version: "2.0",
        path: target(url),
        method: request.method.as_str(),
        headers: Pairs(headers.collect()),
        query_string_parameters: query::raw(url.query),
        body: &body.text,
        is_base64_encoded: body.is_base64,
        request_context: context(request),
    })
}

fn fields<'r>(request: &'r ClientRequest, url: &Url<'r>) -> Fields<'r> {
    let mut fields = Fields::of(request, url).measured(request, false);
    fields.append_peer(request);
    fields
}

fn target<'r>(url: &Url<'r>) -> Cow<'r, str> {
    if url.query.is_empty() { url.path.into() } else { format!("{}?{}", url.path, url.query).into() }
}

/// Cookies must not be joined by commas (RFC 6265 §5.4).
fn separator(name: &str) -> &'static str {
    if name == "cookie" { "; " } else { ", " }
}

fn context(request: &ClientRequest) -> Value {
    let of_lattice = |rest: &str| format!("arn:aws:vpc-lattice:us-east-1:123456789012:{rest}");
    json!({
        "serviceNetworkArn": of_lattice("servicenetwork/sn-0bf3f2882e9cc805a"),
        "serviceArn": of_lattice("service/svc-0a40eebed65f8d69c"),
        "targetGroupArn": of_lattice("targetgroup/tg-6d0ecf831eec9f09"),
        "identity": { "sourceVpcArn": "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-0b8276c84697e7339", "type": "NONE" },
        "region": "us-east-1",
        "timeEpoch": clock::epoch(request.received).as_micros().to_string(),
    })
}
