//! Query strings as maps of parameters. The names are sorted, as in AWS's events.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::values::Fault;

/// The parameters by name, each with its values in the client's order.
pub(super) type Parameters<'q> = BTreeMap<Cow<'q, str>, Vec<Cow<'q, str>>>;

/// Decoded once: `+` is a space, `%2B` a plus. What is not UTF-8 becomes U+FFFD.
pub(super) fn decoded(query: &str) -> Parameters<'_> {
    collect(form_urlencoded::parse(query.as_bytes()))
}

/// The same for a REST API, which takes `;` for a separator too (API Gateway guide, "Amazon API Gateway important notes").
///
/// # Errors
/// The query has a `%` without two hex digits, or a `|`, `{` or `}`: by the same page, they have to be encoded.
pub(super) fn of_rest_api(query: &str) -> Result<Parameters<'_>, Fault> {
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    if !query.split('%').skip(1).all(is_escape) {
        return Err(Fault::BadRequest("the query has a % that is no escape; write %25"));
    }
    if query.contains(['|', '{', '}']) {
        return Err(Fault::BadRequest("the query has |, { or }; REST APIs want %7C, %7B and %7D"));
    }
    Ok(collect(query.split(';').flat_map(|part| form_urlencoded::parse(part.as_bytes()))))
}

/// As the client wrote them (docs, "Use Lambda functions as targets of an Application Load Balancer").
pub(super) fn raw(query: &str) -> Parameters<'_> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    collect(pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (Cow::Borrowed(name), Cow::Borrowed(value))
    }))
}

fn collect<'q>(pairs: impl Iterator<Item = (Cow<'q, str>, Cow<'q, str>)>) -> Parameters<'q> {
    let mut parameters = Parameters::new();
    for (name, value) in pairs {
        parameters.entry(name).or_default().push(value);
    }
    parameters
}

/// The last value of each name.
pub(super) fn last<'p>(parameters: &'p Parameters<'_>) -> BTreeMap<&'p str, &'p str> {
    parameters.iter().map(|(name, values)| (&**name, values.last().map_or("", |value| &**value))).collect()
}

/// The values of each name, joined by commas.
pub(super) fn joined<'p>(parameters: &'p Parameters<'_>) -> BTreeMap<&'p str, String> {
    parameters.iter().map(|(name, values)| (&**name, values.join(","))).collect()
}
