//! The JSON document that a function posts, read member by member.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::gateway::values::Fault;

/// What was posted.
#[derive(Debug)]
pub(in crate::gateway) enum Posted<'p> {
    /// An object, which may be an envelope.
    Object(Members<'p>),
    /// Another JSON value.
    Other,
}

/// The members of an object, in order. Values are not decoded yet: a body of 6 MB is copied once.
#[derive(Debug)]
pub(in crate::gateway) struct Members<'p>(Vec<(String, &'p RawValue)>);

impl<'p> Posted<'p> {
    /// # Errors
    /// It is not JSON.
    pub(in crate::gateway) fn read(posted: &'p [u8]) -> Result<Self, Fault> {
        let value: &RawValue = serde_json::from_slice(posted).map_err(|error| {
            malformed(format!("the response is not JSON ({error})")) // serde_json's messages do not quote the document
        })?;
        match serde_json::from_str(value.get()) {
            Ok(members) => Ok(Self::Object(members)),
            Err(_) => Ok(Self::Other),
        }
    }

    /// # Errors
    /// It is not a JSON object.
    pub(in crate::gateway) fn object(posted: &'p [u8]) -> Result<Members<'p>, Fault> {
        match Self::read(posted)? {
            Self::Object(members) => Ok(members),
            Self::Other => Err(malformed("the response is not a JSON object".to_owned())),
        }
    }
}

impl<'p> Members<'p> {
    /// A member; the last one, if the name is repeated. `None` if it is `null`.
    pub(in crate::gateway) fn get(&self, name: &str) -> Option<&'p RawValue> {
        let member = self.0.iter().rev().find(|(known, _)| known == name);
        member.map(|(_, value)| *value).filter(|value| value.get() != "null")
    }

    /// Whether there is such a member, even if it is `null`.
    pub(in crate::gateway) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// # Errors
    /// There is a member that the front end does not know.
    pub(in crate::gateway) fn only(&self, known: &[&str]) -> Result<(), Fault> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(malformed(format!("`{name}` is not one of {}", known.join(", ")))),
            None => Ok(()),
        }
    }

    /// `statusCode`: a number, or a number in quotes. `None` if there is none.
    ///
    /// # Errors
    /// It is neither, or no status of a final response.
    pub(in crate::gateway) fn status(&self) -> Result<Option<StatusCode>, Fault> {
        let Some(raw) = self.get("statusCode") else { return Ok(None) };
        let number = match value(raw) {
            Value::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        // A client would go on waiting after a 1xx (RFC 9110 §15.2).
        let status = number.filter(|number| (200..=599).contains(number)).and_then(|it| StatusCode::from_u16(it).ok());
        status.map(Some).ok_or_else(|| malformed("`statusCode` is not a number from 200 to 599".to_owned()))
    }

    /// `body`, decoded from base64 unless it is to stay `as_base64`.
    ///
    /// # Errors
    /// It is not text, or not base64 although `isBase64Encoded` says so.
    pub(in crate::gateway) fn body(&self, as_base64: bool) -> Result<Bytes, Fault> {
        let Some(raw) = self.get("body") else { return Ok(Bytes::new()) };
        let Ok(Text(body)) = serde_json::from_str(raw.get()) else {
            return Err(malformed("`body` is not a string".to_owned()));
        };
        if !self.is_base64()? || as_base64 {
            return Ok(Bytes::from(body.into_owned()));
        }
        let decoded = base64_simd::STANDARD.decode_to_vec(body.as_bytes());
        decoded.map(Bytes::from).map_err(|_| malformed("`body` is not base64 (`isBase64Encoded` is true)".to_owned()))
    }

    fn is_base64(&self) -> Result<bool, Fault> {
        match self.get("isBase64Encoded").map(RawValue::get) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(malformed("`isBase64Encoded` is not true or false".to_owned())),
        }
    }

    /// Reads an object of headers with one value each. Names that differ in case are all taken. `null` counts as left
    /// out.
    ///
    /// # Errors
    /// It is not an object, or a value is not one of the `scalars` that the front end takes, or no header value.
    pub(in crate::gateway) fn headers(&self, member: &str, scalars: Scalars) -> Result<HeaderMap, Fault> {
        let mut headers = HeaderMap::new();
        for (name, raw) in self.object_of(member)? {
            if let Some(value) = scalars.text(&name, &value(raw))? {
                headers.append(header_name(&name)?, header_value(&name, &value)?);
            }
        }
        Ok(headers)
    }

    /// Reads an object of headers with a list of values each.
    ///
    /// # Errors
    /// It is not an object of arrays, or a value is not a scalar, or no header value.
    pub(in crate::gateway) fn multi_value_headers(&self) -> Result<HeaderMap, Fault> {
        let mut headers = HeaderMap::new();
        for (name, raw) in self.object_of("multiValueHeaders")? {
            let values = match value(raw) {
                Value::Array(values) => values,
                Value::Null => continue,
                _ => return Err(malformed(format!("`multiValueHeaders` has no array for `{name}`"))),
            };
            for value in &values {
                if let Some(value) = Scalars::All.text(&name, value)? {
                    headers.append(header_name(&name)?, header_value(&name, &value)?);
                }
            }
        }
        Ok(headers)
    }

    /// Adds `cookies` to the headers.
    ///
    /// # Errors
    /// It is not an array of strings.
    pub(in crate::gateway) fn add_cookies(&self, headers: &mut HeaderMap) -> Result<(), Fault> {
        let Some(raw) = self.get("cookies") else { return Ok(()) };
        let Value::Array(cookies) = value(raw) else { return Err(malformed("`cookies` is not an array".to_owned())) };
        for cookie in &cookies {
            let cookie =
                cookie.as_str().ok_or_else(|| malformed("`cookies` has something else than strings".to_owned()))?;
            headers.append(http::header::SET_COOKIE, header_value("cookies", cookie)?);
        }
        Ok(())
    }

    fn object_of(&self, member: &str) -> Result<Vec<(String, &'p RawValue)>, Fault> {
        let Some(raw) = self.get(member) else { return Ok(Vec::new()) };
        let object: Result<Members<'p>, _> = serde_json::from_str(raw.get());
        object.map(|members| members.0).map_err(|_| malformed(format!("`{member}` is not an object")))
    }
}

/// Which values of headers a front end takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Scalars {
    /// Strings, numbers and booleans; `null` is left out.
    All,
    /// Strings.
    Strings,
}

impl Scalars {
    fn text<'v>(self, name: &str, value: &'v Value) -> Result<Option<Cow<'v, str>>, Fault> {
        match value {
            Value::String(text) => Ok(Some(text.into())),
            Value::Number(number) if self == Self::All => Ok(Some(number.to_string().into())),
            Value::Bool(truth) if self == Self::All => Ok(Some(truth.to_string().into())),
            Value::Null if self == Self::All => Ok(None),
            _ => Err(malformed(format!("the value of header `{name}` is not a string"))),
        }
    }
}

/// A fault that names the member.
pub(in crate::gateway) fn malformed(text: String) -> Fault {
    Fault::Malformed(text)
}

fn value(raw: &RawValue) -> Value {
    // What RawValue holds has been parsed before. Only a number too large for a float fails.
    serde_json::from_str(raw.get()).unwrap_or(Value::Null)
}

fn header_name(name: &str) -> Result<HeaderName, Fault> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| malformed("a header's name is not a token (RFC 9110 §5.1)".to_owned()))
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, Fault> {
    let value = HeaderValue::from_bytes(value.trim_ascii().as_bytes());
    value.map_err(|_| malformed(format!("the value of `{name}` has characters that no header may have")))
}

/// A string, borrowed if it has no escapes.
struct Text<'p>(Cow<'p, str>);

impl<'p> Deserialize<'p> for Text<'p> {
    fn deserialize<D: Deserializer<'p>>(deserializer: D) -> Result<Self, D::Error> {
        struct Strings;
        impl<'p> Visitor<'p> for Strings {
            type Value = Text<'p>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'p str) -> Result<Text<'p>, E> {
                Ok(Text(text.into()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'p>, E> {
                Ok(Text(text.to_owned().into()))
            }
        }
        deserializer.deserialize_str(Strings)
    }
}

impl<'p> Deserialize<'p> for Members<'p> {
    fn deserialize<D: Deserializer<'p>>(deserializer: D) -> Result<Self, D::Error> {
        struct Objects;
        impl<'p> Visitor<'p> for Objects {
            type Value = Members<'p>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'p>>(self, mut map: A) -> Result<Members<'p>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Objects)
    }
}
