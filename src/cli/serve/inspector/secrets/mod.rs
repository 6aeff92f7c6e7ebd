//! Secrets are masked here, on the server, so that a page that has not asked for them never holds them.
//!
//! Masked are: credentials, cookies, keys and tokens in headers; query parameters, form fields and members of JSON whose
//! names look like those of a secret. Logs are the application's own words and stay as they are.

mod names;
mod text;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

pub(super) use text::MASK;

/// Whether secrets are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrets {
    Masked,
    Shown,
}

impl Secrets {
    /// The value of a header.
    pub(super) fn header(self, name: &str, value: &str) -> String {
        if self == Self::Shown { value.to_owned() } else { text::header(name, value) }
    }

    /// A URL, or the target of a request.
    pub(super) fn url(self, url: &str) -> String {
        if self == Self::Shown { url.to_owned() } else { text::url(url) }
    }

    /// The value of a variable in environ.
    pub(super) fn variable(self, name: &str, value: &str) -> String {
        if self == Self::Shown {
            return value.to_owned();
        }
        match name {
            "QUERY_STRING" => text::query(value),
            "REQUEST_URI" | "RAW_URI" => text::url(value),
            _ => match name.strip_prefix("HTTP_") {
                Some(header) => text::header(&header.replace('_', "-"), value),
                None => value.to_owned(),
            },
        }
    }

    /// A body, by its `Content-Type`. `None`: it stays as it is.
    pub(super) fn body(self, content_type: &str, body: &[u8]) -> Option<Vec<u8>> {
        if self == Self::Shown {
            return None;
        }
        let masked = masked_bytes(content_type, body);
        (masked != body).then_some(masked)
    }

    /// An event, or what a function has posted: masks it in place.
    pub(super) fn document(self, value: &mut Value) {
        if self == Self::Masked {
            document(value);
        }
    }
}

/// Masks a body that need not be text: a form with a file in it has passwords too. A byte stands for the character of its
/// number, and the mask has none of these.
fn masked_bytes(content_type: &str, body: &[u8]) -> Vec<u8> {
    if let Ok(text) = std::str::from_utf8(body) {
        return masked_body(content_type, text).into_bytes();
    }
    let text: String = body.iter().copied().map(char::from).collect();
    let mut bytes = Vec::with_capacity(body.len());
    for char in masked_body(content_type, &text).chars() {
        match u8::try_from(char) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// Without a type, the body says itself what it is: clients forget the header.
fn masked_body(content_type: &str, body: &str) -> String {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind == "application/x-www-form-urlencoded" {
        return text::query(body);
    }
    if kind == "multipart/form-data" {
        let at = content_type.to_ascii_lowercase().find("boundary=").map(|at| at + "boundary=".len());
        let boundary = at.and_then(|at| content_type[at..].split(';').next());
        return boundary.map_or_else(|| body.to_owned(), |mark| text::multipart(body, mark.trim().trim_matches('"')));
    }
    let is_json = kind.ends_with("json") || kind.is_empty() && body.trim_start().starts_with(['{', '[']);
    if !is_json {
        return body.to_owned();
    }
    match serde_json::from_str::<Value>(body) {
        Ok(mut value) => {
            let before = value.clone();
            members(&mut value);
            if value == before { body.to_owned() } else { value.to_string() }
        }
        // Cut, broken, or several documents.
        Err(_) => text::members(body),
    }
}

/// Masks by the names of members, at any depth, in JSON of the application's.
fn members(value: &mut Value) {
    match value {
        Value::Object(object) => object.iter_mut().for_each(|(name, value)| {
            if names::member(name) { mask(value, &|_| MASK.to_owned()) } else { members(value) }
        }),
        Value::Array(items) => items.iter_mut().for_each(members),
        // A query or a URL, as applications give them back.
        Value::String(text) if text.contains('=') && !text.contains(char::is_whitespace) => {
            *text = if text.contains(['?', '#']) { text::url(text) } else { text::query(text) };
        }
        _ => {}
    }
}

/// Masks an event or an envelope: their members have meanings of their own.
fn document(value: &mut Value) {
    match value {
        Value::Object(object) => {
            body(object);
            object.iter_mut().for_each(|(name, value)| member(name, value));
        }
        Value::Array(items) => items.iter_mut().for_each(document),
        _ => {}
    }
}

fn member(name: &str, value: &mut Value) {
    match name {
        "headers" | "multiValueHeaders" => fields(value, text::header),
        "queryStringParameters" | "multiValueQueryStringParameters" | "query_string_parameters" => {
            fields(value, |name, value| if names::parameter(name) { MASK.to_owned() } else { text::query(value) });
        }
        "cookies" => mask(value, &text::cookie),
        "rawQueryString" => mask(value, &text::query),
        "path" | "rawPath" | "raw_path" if value.is_string() => mask(value, &text::url),
        "body" => {}
        _ if names::member(name) => mask(value, &|_| MASK.to_owned()),
        _ => document(value),
    }
}

/// Masks a map of names and values, each a text or a list of texts.
fn fields(value: &mut Value, change: fn(&str, &str) -> String) {
    if let Value::Object(object) = value {
        object.iter_mut().for_each(|(name, value)| mask(value, &|text| change(name, text)));
    }
}

/// Masks the texts and numbers of a value.
fn mask(value: &mut Value, change: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) if !text.is_empty() => *text = change(text),
        Value::Number(number) => *value = change(&number.to_string()).into(),
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, change)),
        Value::Object(object) => object.values_mut().for_each(|value| mask(value, change)),
        _ => {}
    }
}

/// Masks the body that an event or an envelope carries, in base64 or not.
fn body(object: &mut Map<String, Value>) {
    let content_type = content_type(object);
    let flags = ["isBase64Encoded", "is_base64_encoded"];
    let is_base64 = flags.iter().any(|flag| object.get(*flag).and_then(Value::as_bool) == Some(true));
    let Some(Value::String(body)) = object.get_mut("body") else { return };
    if is_base64 {
        if let Ok(decoded) = BASE64.decode(&*body) {
            let masked = masked_bytes(&content_type, &decoded);
            if masked != decoded {
                *body = BASE64.encode(masked);
            }
        }
    } else {
        *body = masked_body(&content_type, body);
    }
}

fn content_type(object: &Map<String, Value>) -> String {
    let maps = ["multiValueHeaders", "headers"].into_iter().filter_map(|name| object.get(name)?.as_object());
    let found = maps.flatten().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let value = found.and_then(|(_, value)| value.as_array().and_then(|list| list.last()).or(Some(value)));
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_is_masked_wherever_a_secret_stands() {
        let mut event = json!({
            "rawPath": "/login", "rawQueryString": "token=SECRET&page=2",
            "cookies": ["sid=SECRET"],
            "headers": { "authorization": "Bearer SECRET", "cookie": "sid=SECRET", "accept": "*/*",
                         "content-type": "application/x-www-form-urlencoded" },
            "multiValueHeaders": { "X-Amz-Security-Token": ["SECRET", "SECRET"] },
            "queryStringParameters": { "token": "SECRET", "page": "2", "a": "1;token=SECRET" },
            "requestContext": { "identity": { "apiKey": "SECRET", "sourceIp": "192.0.2.1" }, "timeEpoch": 1 },
            "body": BASE64.encode("user=ann&password=SECRET"), "isBase64Encoded": true,
        });
        Secrets::Masked.document(&mut event);
        let text = event.to_string();
        assert!(!text.contains("SECRET"), "{text}");
        assert_eq!(event["rawQueryString"], "token=••••••&page=2");
        assert_eq!(event["body"], BASE64.encode("user=ann&password=••••••"));
        assert_eq!(event["requestContext"]["identity"]["sourceIp"], "192.0.2.1");
        assert_eq!(event["headers"]["accept"], "*/*");
        assert_eq!(event["requestContext"]["timeEpoch"], 1);
    }

    #[test]
    fn a_body_without_secrets_keeps_its_spelling() {
        assert_eq!(Secrets::Masked.body("application/json", b"{ \"a\" :1 }"), None);
        assert_eq!(
            masked("application/json", br#"[{"password": "x", "code": 404}]"#),
            r#"[{"password":"••••••","code":404}]"#
        );
        assert_eq!(
            masked("application/json", br#"{"query":"a=1&token=x","next":"/a?token=x"}"#),
            r#"{"query":"a=1&token=••••••","next":"/a?token=••••••"}"#
        );
        assert_eq!(Secrets::Masked.body("text/plain", b"password=x"), None);
        assert_eq!(masked("", br#"{"token": "x"}"#), r#"{"token":"••••••"}"#);
    }

    #[test]
    fn a_body_that_is_not_text_is_masked_too() {
        let form = b"--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nSECRET\r\n--b\r\n\
                     Content-Disposition: form-data; name=\"photo\"; filename=\"p\"\r\n\r\n\xff\xd8\x00\r\n--b--\r\n";
        for content_type in ["multipart/form-data; boundary=b", "Multipart/Form-Data; Boundary=\"b\""] {
            let masked = Secrets::Masked.body(content_type, form).unwrap();
            assert!(masked.windows(3).any(|bytes| bytes == b"\xff\xd8\x00"), "{masked:?}");
            assert!(!masked.windows(6).any(|bytes| bytes == b"SECRET"), "{masked:?}");
        }
        let mut event = json!({
            "headers": { "content-type": "application/x-www-form-urlencoded" },
            "body": BASE64.encode(b"name=\xe9&password=SECRET"), "isBase64Encoded": true,
        });
        Secrets::Masked.document(&mut event);
        let expected = [b"name=\xe9&password=", MASK.as_bytes()].concat();
        assert_eq!(event["body"], BASE64.encode(expected));
    }

    #[test]
    fn json_that_is_no_document_is_masked_too() {
        for (body, expected) in [
            (r#"{"a": 1, "password": "x\"y"#, r#"{"a": 1, "password": "••••••""#),
            ("\u{feff}{\"token\": \"x\"}", "\u{feff}{\"token\": \"••••••\"}"),
            (
                "{\"pin\":1,\"secret\":12}\n{\"secret\":{\"secret\":3}}",
                "{\"pin\":1,\"secret\":\"••••••\"}\n{\"secret\":{\"secret\":\"••••••\"}}",
            ),
        ] {
            assert_eq!(masked("application/json", body.as_bytes()), expected);
        }
        assert_eq!(Secrets::Masked.body("application/json", br#"{"a": "token", "#), None);
    }

    fn masked(content_type: &str, body: &[u8]) -> String {
        String::from_utf8(Secrets::Masked.body(content_type, body).unwrap()).unwrap()
    }

    #[test]
    fn shown_secrets_are_untouched() {
        let mut event = json!({ "headers": { "cookie": "a=1" } });
        Secrets::Shown.document(&mut event);
        assert_eq!(event["headers"]["cookie"], "a=1");
        assert_eq!(Secrets::Shown.header("cookie", "a=1"), "a=1");
        assert_eq!(Secrets::Shown.body("application/json", br#"{"token":1}"#), None);
    }
}
