//! What the function posted: an envelope, a prelude with a body after it, an error, or bytes of another form.

use bytes::Bytes;
use http::HeaderMap;
use memchr::memmem;
use serde_json::{Value, json};

use super::super::journal::Posted;
use super::body::Body;
use super::document;
use super::secrets::Secrets;

/// The type of a stream that begins with a prelude.
const WITH_PRELUDE: &str = "application/vnd.awslambda.http-integration-response";

/// Between a prelude and the body (AWS, "Lambda response streaming").
const DELIMITER: [u8; 8] = [0; 8];

/// `{"kind": "envelope" | "prelude" | "error" | "bytes", "streamed", "headers", "document", "body", "bytes"}`: `document` is
/// there but for `bytes`, and `body` for `bytes` alone. What follows a prelude is as the client got it.
pub(super) fn form(posted: &Posted, secrets: Secrets) -> Value {
    let headers = fields(&posted.headers, secrets);
    let (kind, json, body) = parts(posted);
    let document = document::read(json, secrets).map(|value| document::form(value, json.len()));
    let body = body.map(|body| {
        let content_type = content_type(&posted.headers);
        Body { content_type: &content_type, encoding: "", kept: &body, total: body.len() as u64 }.form(secrets)
    });
    let bytes = if kind == "prelude" { json.len() } else { posted.body.len() };
    json!({
        "kind": kind, "streamed": posted.streamed, "headers": headers, "document": document, "body": body,
        "bytes": bytes,
    })
}

/// What it is, its JSON, and the bytes that are none.
fn parts(posted: &Posted) -> (&'static str, &[u8], Option<Bytes>) {
    if posted.streamed && content_type(&posted.headers).starts_with(WITH_PRELUDE) {
        if let Some(end) = memmem::find(&posted.body, &DELIMITER) {
            return ("prelude", &posted.body[..end], None);
        }
    } else if !posted.streamed {
        match serde_json::from_slice::<Value>(&posted.body) {
            Ok(Value::Object(object)) if object.contains_key("errorType") && !object.contains_key("statusCode") => {
                return ("error", &posted.body, None);
            }
            Ok(Value::Object(_)) => return ("envelope", &posted.body, None),
            _ => {}
        }
    }
    ("bytes", b"", Some(posted.body.clone()))
}

/// `{"type", "message", "trace": ["…"]}` of an error that the runtime posted.
pub(super) fn error(posted: &Posted) -> Option<Value> {
    let (kind, json, _) = parts(posted);
    let value: Value = serde_json::from_slice(json).ok().filter(|_| kind == "error")?;
    let trace = value["stackTrace"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let trace: Vec<&str> = trace.map(|line| line.trim_end_matches('\n')).collect();
    Some(json!({ "type": value["errorType"], "message": value["errorMessage"], "trace": trace }))
}

/// Header fields as they came: `[["name", "value"]]`.
pub(super) fn fields(headers: &HeaderMap, secrets: Secrets) -> Vec<(String, String)> {
    let text = |name: &str, value: &[u8]| secrets.header(name, &String::from_utf8_lossy(value));
    headers.iter().map(|(name, value)| (name.to_string(), text(name.as_str(), value.as_bytes()))).collect()
}

/// The response's headers that a document has: name by name in lower case, with all values.
pub(super) fn response_fields(posted: &Posted) -> Vec<(String, Vec<String>)> {
    let (kind, json, _) = parts(posted);
    let document: Value = serde_json::from_slice(json).unwrap_or_default();
    let mut fields: Vec<(String, Vec<String>)> = Vec::new();
    if kind == "error" {
        return fields;
    }
    let mut add = |name: &str, values: Vec<String>| {
        let name = name.to_ascii_lowercase();
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => known.extend(values),
            None => fields.push((name, values)),
        }
    };
    let multi = document["multiValueHeaders"].as_object();
    let has_multi = |name: &str| multi.is_some_and(|map| map.keys().any(|known| known.eq_ignore_ascii_case(name)));
    for (name, value) in document["headers"].as_object().into_iter().flatten().filter(|(name, _)| !has_multi(name)) {
        add(name, texts(value));
    }
    multi.into_iter().flatten().for_each(|(name, value)| add(name, texts(value)));
    if !document["cookies"].is_null() {
        add("set-cookie", texts(&document["cookies"]));
    }
    fields
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Null => Vec::new(),
        other => vec![other.to_string()],
    }
}

/// The `Content-Type` of headers; empty if there is none.
fn content_type(headers: &HeaderMap) -> String {
    header_text(headers, "content-type")
}

/// The first value of a header; empty if there is none.
pub(super) fn header_text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map_or_else(String::new, |value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(content_type: &str, body: &'static [u8], streamed: bool) -> Posted {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", content_type.parse().unwrap());
        Posted { headers, body: Bytes::from_static(body), streamed }
    }

    #[test]
    fn each_form_is_told_from_the_others() {
        let kind = |posted: &Posted| form(posted, Secrets::Masked)["kind"].as_str().unwrap().to_owned();
        assert_eq!(kind(&posted("application/json", br#"{"statusCode":200}"#, false)), "envelope");
        assert_eq!(kind(&posted("application/json", br#"{"errorType":"E","errorMessage":"m"}"#, false)), "error");
        assert_eq!(kind(&posted("application/json", b"\"text\"", false)), "bytes");
        let stream = posted(WITH_PRELUDE, b"{\"statusCode\":200,\"headers\":{}}\0\0\0\0\0\0\0\0hello", true);
        let form = form(&stream, Secrets::Masked);
        assert_eq!((form["kind"].as_str(), form["bytes"].as_u64()), (Some("prelude"), Some(31)));
        assert_eq!(kind(&posted(WITH_PRELUDE, b"{\"statusCode\"", true)), "bytes");
    }

    #[test]
    fn headers_of_both_maps_and_cookies_are_found() {
        let body = br#"{"headers":{"A":"1","B":2},"multiValueHeaders":{"a":["3","4"]},"cookies":["c=1"]}"#;
        let expected = [("b", vec!["2"]), ("a", vec!["3", "4"]), ("set-cookie", vec!["c=1"])];
        let expected =
            expected.map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect::<Vec<_>>()));
        assert_eq!(response_fields(&posted("application/json", body, false)), expected);
    }
}
