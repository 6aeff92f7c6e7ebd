//! What REST APIs and HTTP APIs with payload 1.0 have in common: two maps each for the headers and the query, which they
//! decode.
//!
//! `aws_lambda_events` has `ApiGatewayProxyRequest` for both. It lacks `version`, `extendedRequestId` and `deploymentId`,
//! writes names in lower case, and the first value of a repeated header where AWS writes the last.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::gateway::fields::Fields;
use crate::gateway::pairs::Pairs;
use crate::gateway::query::{self, Parameters};

/// The four maps. Each is `null` if it has no members.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Maps<'e> {
    headers: Option<Pairs<&'e str, &'e str>>,
    multi_value_headers: Option<Pairs<&'e str, &'e [Cow<'e, str>]>>,
    query_string_parameters: Option<BTreeMap<&'e str, &'e str>>,
    multi_value_query_string_parameters: Option<&'e Parameters<'e>>,
}

impl<'e> Maps<'e> {
    /// The maps of a request.
    pub(super) fn of(fields: &'e Fields<'e>, parameters: &'e Parameters<'e>) -> Self {
        let sent = Some(fields.list()).filter(|list| !list.is_empty());
        let last = |values: &'e [Cow<'e, str>]| values.last().map_or("", |value| &**value);
        let parameters = Some(parameters).filter(|parameters| !parameters.is_empty());
        Self {
            headers: sent.map(|list| Pairs(list.iter().map(|(name, values)| (&**name, last(values))).collect())),
            multi_value_headers: sent
                .map(|list| Pairs(list.iter().map(|(name, values)| (&**name, &**values)).collect())),
            query_string_parameters: parameters.map(query::last),
            multi_value_query_string_parameters: parameters,
        }
    }
}

/// A name as these events write it. HTTP/1.1 clients mostly write canonical case; the HTTP server has not kept what they
/// wrote. HTTP/2 has lower case only (RFC 9113 §8.2.1), except for what API Gateway itself writes.
pub(super) fn name(name: &str, version: http::Version) -> String {
    const INFRASTRUCTURE: [&str; 7] = [
        "content-length",
        "host",
        "user-agent",
        "x-amzn-trace-id",
        "x-forwarded-for",
        "x-forwarded-port",
        "x-forwarded-proto",
    ];
    if version == http::Version::HTTP_2 && !INFRASTRUCTURE.contains(&name) {
        return name.to_owned();
    }
    let words: Vec<String> = name.split('-').map(capitalised).collect();
    words.join("-")
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}
