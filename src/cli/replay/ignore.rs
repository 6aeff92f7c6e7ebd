//! What `--expect` does not compare: values of headers and cookies that change from run to run.

use std::str::FromStr;

use serde_json::Value;

const MASK: &str = "(ignored)";

/// `header:NAME` or `cookie:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ignored {
    /// Each value of a header field.
    Header(String),
    /// A cookie's value and its date of expiry.
    Cookie(String),
}

impl FromStr for Ignored {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("header", name)) if !name.is_empty() => Ok(Self::Header(name.to_ascii_lowercase())),
            Some(("cookie", name)) if !name.is_empty() => Ok(Self::Cookie(name.to_owned())),
            _ => Err("write it as header:NAME or cookie:NAME"),
        }
    }
}

/// The envelope, or the prelude of a streamed response, with the ignored values masked: what is compared is whether, and
/// how often, they are there.
pub(super) fn masked(envelope: &Value, ignored: &[Ignored]) -> Value {
    let mut envelope = envelope.clone();
    if !ignored.is_empty() {
        mask(&mut envelope, ignored);
        if let Some(prelude) = envelope.pointer_mut("/streamed/prelude") {
            mask(prelude, ignored);
        }
    }
    envelope
}

fn mask(envelope: &mut Value, ignored: &[Ignored]) {
    for member in ["headers", "multiValueHeaders"] {
        let fields = envelope.get_mut(member).and_then(Value::as_object_mut);
        for (name, value) in fields.into_iter().flatten() {
            if ignored.iter().any(|one| matches!(one, Ignored::Header(known) if name.eq_ignore_ascii_case(known))) {
                each_text(value, &|_| MASK.to_owned());
            } else if name.eq_ignore_ascii_case("set-cookie") {
                each_text(value, &|text| cookie(text, ignored));
            }
        }
    }
    if let Some(cookies) = envelope.get_mut("cookies") {
        each_text(cookies, &|text| cookie(text, ignored));
    }
}

fn each_text(value: &mut Value, change: &impl Fn(&str) -> String) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| each_text(value, change)),
        Value::String(text) => *text = change(text),
        _ => {}
    }
}

/// A `Set-Cookie` whose value and `Expires` are masked if its name is ignored. The other attributes stay.
fn cookie(text: &str, ignored: &[Ignored]) -> String {
    let name = text.split('=').next().unwrap_or_default().trim();
    if !ignored.iter().any(|one| matches!(one, Ignored::Cookie(known) if known == name)) {
        return text.to_owned();
    }
    let mut parts = text.split(';');
    let first = parts.next().map(|_| format!("{name}={MASK}"));
    let rest = parts.map(|part| match part.split_once('=') {
        Some((key, _)) if key.trim().eq_ignore_ascii_case("expires") => format!("{key}={MASK}"),
        _ => part.to_owned(),
    });
    first.into_iter().chain(rest).collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_masked_and_presence_is_not() {
        let ignored = ["header:Date", "cookie:session"].map(|text| text.parse().unwrap());
        let envelope = json!({
            "headers": { "date": "now", "x": "1", "set-cookie": "session=a; Path=/" },
            "multiValueHeaders": { "Date": ["one", "two"] },
            "cookies": ["session=abc; Expires=Thu, 01 Jan 2026 00:00:00 GMT; HttpOnly", "theme=dark"],
        });
        let expected = json!({
            "headers": { "date": MASK, "x": "1", "set-cookie": "session=(ignored); Path=/" },
            "multiValueHeaders": { "Date": [MASK, MASK] },
            "cookies": ["session=(ignored); Expires=(ignored); HttpOnly", "theme=dark"],
        });
        assert_eq!(masked(&envelope, &ignored), expected);
        let streamed = |cookie: &str| json!({ "streamed": { "prelude": { "cookies": [cookie] }, "body": "" } });
        assert_eq!(masked(&streamed("session=1"), &ignored), masked(&streamed("session=2"), &ignored));
        assert_ne!(
            masked(&json!({ "headers": {} }), &ignored),
            masked(&json!({ "headers": { "date": "" } }), &ignored)
        );
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["date", "header:", "body:x"] {
            assert!(text.parse::<Ignored>().is_err(), "{text}");
        }
    }
}
