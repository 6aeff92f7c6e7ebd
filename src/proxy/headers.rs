//! Response headers in each front end's form.

use std::borrow::Cow;

use super::recipient::{HeaderForm, Recipient};
use super::warning::Warning;
use crate::json;
use crate::response::Head;

/// Names as the application first wrote them, each with its values in order.
type Grouped<'h> = Vec<(&'h str, Vec<&'h [u8]>)>;

/// Appends the envelope's members that carry headers, each after a comma.
pub(super) fn write(out: &mut Vec<u8>, recipient: Recipient, head: &Head, warnings: &mut Vec<Warning>) {
    let headers = group(head);
    match recipient.dialect.headers {
        HeaderForm::MultiValue => multi(out, &headers),
        HeaderForm::WithCookies => v2(out, &headers),
        HeaderForm::SingleByCase => alb_single(out, &headers, warnings),
        HeaderForm::Single => lattice(out, &headers, warnings),
    }
}

/// Groups the values of each name. Names that differ only in case are the same name.
fn group(head: &Head) -> Grouped<'_> {
    let mut groups: Grouped<'_> = Vec::with_capacity(head.headers().len());
    for (name, value) in head.headers() {
        match groups.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, values)) => values.push(value),
            None => groups.push((name, vec![value])),
        }
    }
    groups
}

/// `multiValueHeaders` alone: API Gateway would merge it with `headers`, and an ALB wants only one of the two.
fn multi(out: &mut Vec<u8>, headers: &Grouped<'_>) {
    object(out, "multiValueHeaders", headers, |out, (name, values)| {
        json::write_string(out, name);
        out.push(b':');
        array(out, values);
    });
}

/// Payload 2.0 ignores `multiValueHeaders`, and cookies must not be joined by commas (RFC 6265 §3). `cookies` is
/// written even when it is empty: AWS's own type `ApiGatewayV2httpResponse` and cargo-lambda's prelude require it.
fn v2(out: &mut Vec<u8>, headers: &Grouped<'_>) {
    let (cookies, others): (Vec<_>, Vec<_>) = headers.iter().partition(|(name, _)| is_set_cookie(name));
    object(out, "headers", &others, |out, (name, values)| member(out, name, &join(values)));
    out.extend_from_slice(b",\"cookies\":");
    array(out, cookies.first().map_or(&[], |(_, cookies)| cookies));
}

/// One value per name. Several cookies go under names that differ in case, which the load balancer passes on.
fn alb_single(out: &mut Vec<u8>, headers: &Grouped<'_>, warnings: &mut Vec<Warning>) {
    let mut single: Vec<(Cow<'_, str>, Cow<'_, [u8]>)> = Vec::with_capacity(headers.len());
    for (name, values) in headers {
        if is_set_cookie(name) && values.len() > 1 {
            warnings.push(Warning::AlbCookies);
            let cased = values.iter().enumerate().map(|(at, &value)| (case_variation(name, at).into(), value.into()));
            single.extend(cased);
        } else {
            single.push(((*name).into(), join(values)));
        }
    }
    object(out, "headers", &single, |out, (name, value)| member(out, name, value));
}

/// No form for repeated values is documented. The last of several cookies is kept, as a browser keeps the last cookie
/// of the same name.
fn lattice(out: &mut Vec<u8>, headers: &Grouped<'_>, warnings: &mut Vec<Warning>) {
    object(out, "headers", headers, |out, (name, values)| match values.as_slice() {
        [dropped @ .., last] if is_set_cookie(name) => {
            if !dropped.is_empty() {
                warnings.push(Warning::LatticeCookies(dropped.len()));
            }
            member(out, name, last);
        }
        _ => member(out, name, &join(values)),
    });
}

fn is_set_cookie(name: &str) -> bool {
    name.eq_ignore_ascii_case("set-cookie")
}

/// Repeated headers form one list (RFC 9110 §5.3).
fn join<'h>(values: &[&'h [u8]]) -> Cow<'h, [u8]> {
    match values {
        [value] => Cow::Borrowed(value),
        _ => Cow::Owned(values.join(&b","[..])),
    }
}

/// The `at`-th spelling of a name: each bit of `at` that is set flips the case of one letter.
fn case_variation(name: &str, at: usize) -> String {
    let mut bits = at;
    name.chars()
        .map(|char| {
            let flip = char.is_ascii_alphabetic() && bits & 1 == 1;
            if char.is_ascii_alphabetic() {
                bits >>= 1;
            }
            match (flip, char.is_ascii_uppercase()) {
                (true, true) => char.to_ascii_lowercase(),
                (true, false) => char.to_ascii_uppercase(),
                (false, _) => char,
            }
        })
        .collect()
}

fn object<T>(out: &mut Vec<u8>, key: &str, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":{");
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b'}');
}

fn member(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    json::write_string(out, name);
    out.push(b':');
    json::write_string(out, &text(value));
}

fn array(out: &mut Vec<u8>, values: &[&[u8]]) {
    out.push(b'[');
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json::write_string(out, &text(value));
    }
    out.push(b']');
}

/// A value as text: as UTF-8 if it is valid UTF-8, else as Latin-1. What a front end does with characters outside ASCII
/// is not documented.
fn text(value: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(value) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(value.iter().map(|&byte| char::from(byte)).collect()),
    }
}
