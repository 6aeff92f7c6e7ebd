//! The HTTP answer inside what the runtime posted: a proxy envelope, or a streaming prelude and a body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::invocation::Response;

/// What stands between the prelude and the body of a streamed answer.
const DELIMITER: &[u8] = &[0; 8];

/// An HTTP answer, as the client of a front end would see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The header fields in the envelope's order; each of `cookies` is a `set-cookie` at the end.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Bytes,
}

impl HttpAnswer {
    /// Reads an answer. `None` if it is not one of the shapes that front ends take for HTTP, such as the
    /// result of an application that answers a queue.
    pub fn decode(response: &Response) -> Option<Self> {
        if response.stream.is_some() {
            return Self::streamed(&response.body);
        }
        let mut envelope: Map<String, Value> = serde_json::from_slice(&response.body).ok()?;
        let body = match envelope.remove("body") {
            None | Some(Value::Null) => Bytes::new(),
            Some(Value::String(text)) if envelope.get("isBase64Encoded") == Some(&Value::Bool(true)) => {
                BASE64.decode(text).ok()?.into()
            }
            Some(Value::String(text)) => text.into(),
            Some(_) => return None,
        };
        Some(Self { status: status(&envelope)?, headers: headers(&envelope)?, body })
    }

    /// The first value of a header field, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Each value of a header field, its name in any case.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let named = move |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|(_, value)| value.as_str())
    }

    fn streamed(bytes: &Bytes) -> Option<Self> {
        let end = memchr::memmem::find(bytes, DELIMITER)?;
        let prelude: Map<String, Value> = serde_json::from_slice(&bytes[..end]).ok()?;
        let body = bytes.slice(end + DELIMITER.len()..);
        Some(Self { status: status(&prelude)?, headers: headers(&prelude)?, body })
    }
}

fn status(envelope: &Map<String, Value>) -> Option<u16> {
    match envelope.get("statusCode")? {
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn headers(envelope: &Map<String, Value>) -> Option<Vec<(String, String)>> {
    let empty = Map::new();
    let object = |key: &str| match envelope.get(key) {
        None | Some(Value::Null) => Some(&empty),
        Some(Value::Object(map)) => Some(map),
        Some(_) => None,
    };
    let (single, multi) = (object("headers")?, object("multiValueHeaders")?);
    let mut fields = Vec::new();
    // API Gateway merges the two and takes the list where both have a name.
    for (name, value) in single {
        if !multi.keys().any(|other| other.eq_ignore_ascii_case(name)) {
            fields.push((name.clone(), text(value)));
        }
    }
    for (name, values) in multi {
        fields.extend(values.as_array()?.iter().map(|value| (name.clone(), text(value))));
    }
    if let Some(Value::Array(cookies)) = envelope.get("cookies") {
        fields.extend(cookies.iter().map(|cookie| ("set-cookie".to_owned(), text(cookie))));
    }
    Some(fields)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::invocation::Stream;
    use super::*;

    fn decode(body: &[u8], streamed: bool) -> Option<HttpAnswer> {
        let body = Bytes::copy_from_slice(body);
        let stream = streamed.then(Stream::default);
        HttpAnswer::decode(&Response { body, headers: http::HeaderMap::new(), stream })
    }

    #[test]
    fn an_envelope_with_every_member() {
        let envelope = br#"{"statusCode":201,"headers":{"a":"1","b":"x"},"multiValueHeaders":{"B":["2","3"]},
            "cookies":["c=1"],"isBase64Encoded":true,"body":"AP8="}"#;
        let answer = decode(envelope, false).unwrap();
        assert_eq!((answer.status, answer.body.as_ref()), (201, &[0, 255][..]));
        assert_eq!(answer.all("b").collect::<Vec<_>>(), ["2", "3"]);
        assert_eq!((answer.header("A"), answer.header("Set-Cookie")), (Some("1"), Some("c=1")));
    }

    #[test]
    fn a_prelude_and_its_body() {
        let answer = decode(b"{\"statusCode\":200}\0\0\0\0\0\0\0\0hi", true).unwrap();
        assert_eq!((answer.status, answer.body.as_ref()), (200, &b"hi"[..]));
    }

    #[test]
    fn other_answers_are_not_http() {
        for body in [&b"null"[..], b"[]", b"{\"batchItemFailures\":[]}", b"{\"statusCode\":200,\"body\":{}}", b"x"] {
            assert_eq!(decode(body, false), None);
        }
        assert_eq!(decode(b"{\"statusCode\":200}", true), None);
    }
}
