//! Status and headers, checked by the rules of PEP 3333 and HTTP.

use std::fmt;

use crate::grammar::{is_hop_by_hop, is_token};

/// A status and headers that follow every rule. Names are ASCII tokens in the application's case, values are bytes (the
/// native string in Latin-1). The order is the application's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    status: u16,
    reason: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
}

/// The rule that a status or a header breaks. Values are never shown, since they may be secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// Not `"NNN Reason"`.
    Status(String),
    /// A character that PEP 3333's native strings cannot hold.
    StatusNotLatin1,
    /// Not a token of RFC 9110 §5.6.2.
    Name(String),
    /// Control characters, or not Latin-1.
    Value(String),
    /// Content-Length is not a number.
    ContentLength,
    /// A hop-by-hop header, in strict mode.
    HopByHop(String),
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status:?} is not three digits, a space and a reason"),
            Self::StatusNotLatin1 => f.write_str("the status has characters outside Latin-1"),
            Self::Name(name) => write!(f, "{name:?} is not a valid header name"),
            Self::Value(name) => {
                write!(f, "the value of header {name:?} has control characters or characters outside Latin-1")
            }
            Self::ContentLength => f.write_str("the value of header \"Content-Length\" is not one whole number"),
            Self::HopByHop(name) => write!(f, "{name:?} is a hop-by-hop header, which belongs to the server"),
        }
    }
}

impl Default for Head {
    /// A 500 without headers, for when no other head can be made.
    fn default() -> Self {
        Self { status: 500, reason: Vec::new(), headers: Vec::new() }
    }
}

impl Head {
    /// Checks a status such as `200 OK`. The reason may be missing, as with gunicorn and waitress: every front end
    /// except ALB drops it.
    ///
    /// # Errors
    /// `Status`, `StatusNotLatin1`.
    pub fn new(status: &str) -> Result<Self, HeadError> {
        let reason = latin1(status).ok_or(HeadError::StatusNotLatin1)?;
        let wrong = || HeadError::Status(status.chars().take(40).collect());
        let (code, rest) = status.split_at_checked(3).ok_or_else(wrong)?;
        let digits = code.bytes().all(|byte| byte.is_ascii_digit()) && !code.starts_with('0');
        let spaced = rest.is_empty() || rest.starts_with(' ');
        if !digits || !spaced || reason.iter().any(|&byte| is_control(byte)) {
            return Err(wrong());
        }
        let code = code.parse().map_err(|_| wrong())?;
        let reason = reason.get(4..).unwrap_or_default().trim_ascii().to_vec();
        Ok(Self { status: code, reason, headers: Vec::new() })
    }

    /// Checks and adds one header. A repeated Content-Type replaces the one before it.
    ///
    /// # Errors
    /// `Name`, `Value`, `ContentLength`.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), HeadError> {
        if !is_token(name) {
            return Err(HeadError::Name(name.chars().take(80).collect()));
        }
        let value = latin1(value).filter(|value| !value.iter().any(|&byte| is_control(byte)));
        let value = value.ok_or_else(|| HeadError::Value(name.to_owned()))?;
        if name.eq_ignore_ascii_case("content-length") && !is_length(value.trim_ascii()) {
            return Err(HeadError::ContentLength);
        }
        let value = value.trim_ascii().to_vec();
        if name.eq_ignore_ascii_case("content-length") {
            match self.header(name) {
                Some(known) if *known == value => return Ok(()), // the same value counts once (RFC 9110 §8.6)
                Some(_) => return Err(HeadError::ContentLength),
                None => {}
            }
        }
        if name.eq_ignore_ascii_case("content-type") {
            self.remove(name); // the last one counts, as in a request
        }
        self.headers.push((name.to_owned(), value));
        Ok(())
    }

    /// The status code, 100 to 999.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The application's reason phrase. If it is empty or not ASCII: the standard one (RFC 9110 §15), or nothing.
    pub fn reason(&self) -> &str {
        let own = std::str::from_utf8(&self.reason).ok().filter(|reason| !reason.is_empty() && reason.is_ascii());
        own.unwrap_or_else(|| standard_reason(self.status))
    }

    /// Names and values in the application's order.
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// The first value of a header, by name in any case.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// Every value of a header, by name in any case.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// Sets the first value of a header, or adds the header.
    pub fn set(&mut self, name: &str, value: Vec<u8>) {
        match self.headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, first)) => *first = value,
            None => self.headers.push((name.to_owned(), value)),
        }
    }

    /// Removes a header.
    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// The announced size of the body in bytes.
    pub fn content_length(&self) -> Option<u64> {
        std::str::from_utf8(self.header("content-length")?).ok()?.parse().ok()
    }

    /// Sets Content-Length to the true size of the body, if the application sent the header.
    pub fn correct_content_length(&mut self, length: u64) {
        for (name, value) in &mut self.headers {
            if name.eq_ignore_ascii_case("content-length") {
                *value = length.to_string().into_bytes();
            }
        }
    }

    /// Adds Content-Length, unless the application did. `length` is the size of the body in bytes.
    pub fn announce_length(&mut self, length: usize) {
        if self.header("content-length").is_none() {
            self.headers.push(("Content-Length".to_owned(), length.to_string().into_bytes()));
        }
    }

    /// Whether the status has no body: 1xx, 204, 205 and 304 (RFC 9110 §15.2, §15.3.5, §15.3.6, §15.4.5).
    pub fn forbids_body(&self) -> bool {
        matches!(self.status, 100..=199 | 204 | 205 | 304)
    }

    /// Removes Content-Length, for a status without a body.
    pub fn remove_framing(&mut self) {
        self.remove("content-length");
    }

    /// Removes the headers that belong to the server, and returns their names.
    pub fn remove_hop_by_hop(&mut self) -> Vec<String> {
        let mut removed = Vec::new();
        self.headers.retain(|(name, _)| {
            let hop_by_hop = is_hop_by_hop(name);
            if hop_by_hop {
                removed.push(name.clone());
            }
            !hop_by_hop
        });
        removed
    }
}

/// A native string as bytes in Latin-1; `None` if it has a character above U+00FF.
fn latin1(text: &str) -> Option<Vec<u8>> {
    if text.is_ascii() {
        return Some(text.as_bytes().to_vec());
    }
    text.chars().map(|char| u8::try_from(u32::from(char)).ok()).collect()
}

/// Whether a byte is a control character that no value may have: all but HTAB (RFC 9110 §5.5).
fn is_control(byte: u8) -> bool {
    byte != b'\t' && byte.is_ascii_control()
}

fn is_length(value: &[u8]) -> bool {
    !value.is_empty() && value.len() <= 19 && value.iter().all(u8::is_ascii_digit)
}

fn standard_reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("")
}
