//! The HTTP response inside what the runtime posted: a proxy envelope, or a streaming prelude and a body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::outcome::{FunctionResponse, Outcome};

/// An HTTP response, as the client of a front end would see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The header fields in the envelope's order; each of `cookies` becomes a `set-cookie` at the end.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Bytes,
}

impl HttpResponse {
    /// Reads a posted response. `None` if it has none of the shapes that front ends take for HTTP; the result of an
    /// application for queues, for instance, has none.
    pub fn decode(response: &FunctionResponse) -> Option<Self> {
        if response.stream.is_some() {
            let (prelude, body) = response.prelude_and_body()?;
            let prelude: Map<String, Value> = serde_json::from_slice(&prelude).ok()?;
            return Some(Self { status: status(&prelude)?, headers: headers(&prelude)?, body });
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

    /// Reads the response of an outcome. `None` also if the outcome is an error.
    pub fn of(outcome: &Outcome) -> Option<Self> {
        match outcome {
            Outcome::Response(response) => Self::decode(response),
            Outcome::Error(_) | Outcome::InitError(_) | Outcome::Platform(_) => None,
        }
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
    // API Gateway merges the two. Where both have a name, the list wins.
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
    use super::super::outcome::Stream;
    use super::*;

    fn decode(body: &[u8], streamed: bool) -> Option<HttpResponse> {
        let body = Bytes::copy_from_slice(body);
        let stream = streamed.then(Stream::default);
        HttpResponse::decode(&FunctionResponse { body, headers: http::HeaderMap::new(), stream })
    }

    #[test]
    fn an_envelope_with_every_member() {
        let envelope = br#"{"statusCode":201,"headers":{"a":"1","b":"x"},"multiValueHeaders":{"B":["2","3"]},
            "cookies":["c=1"],"isBase64Encoded":true,"body":"AP8="}"#;
        let response = decode(envelope, false).unwrap();
        assert_eq!((response.status, response.body.as_ref()), (201, &[0, 255][..]));
        assert_eq!(response.all("b").collect::<Vec<_>>(), ["2", "3"]);
        assert_eq!((response.header("A"), response.header("Set-Cookie")), (Some("1"), Some("c=1")));
    }

    #[test]
    fn a_prelude_and_its_body() {
        let response = decode(b"{\"statusCode\":200}\0\0\0\0\0\0\0\0hi", true).unwrap();
        assert_eq!((response.status, response.body.as_ref()), (200, &b"hi"[..]));
    }

    #[test]
    fn other_responses_are_not_http() {
        for body in [&b"null"[..], b"[]", b"{\"batchItemFailures\":[]}", b"{\"statusCode\":200,\"body\":{}}", b"x"] {
            assert_eq!(decode(body, false), None);
        }
        assert_eq!(decode(b"{\"statusCode\":200}", true), None);
    }
}
