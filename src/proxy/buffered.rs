//! The buffered envelope: status, headers in the front end's form, the body as text or base64.

use std::collections::TryReserveError;

use bytes::Bytes;

use super::body::Body;
use super::envelope::Envelope;
use super::headers;
use super::recipient::Recipient;
use super::warning::Warning;
use crate::json;
use crate::response::{Head, Sink};

/// Collects a response, up to the front end's limit. A body of one chunk is not copied before it is encoded.
#[derive(Debug)]
pub struct BufferedSink {
    recipient: Recipient,
    head: Option<Head>,
    chunks: Vec<Bytes>,
    /// The size of all chunks, also of those that were dropped because the limit was exceeded.
    bytes: usize,
}

/// Why a response cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsendable {
    /// The envelope exceeds the front end's limit.
    TooLarge {
        /// The size of the body as far as it was read. Reading stops after the limit.
        body_bytes: usize,
        /// The size of the whole envelope, if it was made.
        envelope_bytes: Option<usize>,
        /// The front end's limit for the envelope.
        limit: usize,
        /// Whether these are the bytes of a compressed body.
        compressed: bool,
    },
    /// There is no memory to join, compress or encode the body, which has this many bytes.
    NoMemory(usize),
}

impl Unsendable {
    /// The error type for the log.
    pub fn error_type(self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "Function.ResponseSizeTooLarge",
            Self::NoMemory(_) => "Runtime.OutOfMemory",
        }
    }
}

impl std::fmt::Display for Unsendable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::TooLarge { body_bytes, envelope_bytes, limit, compressed } => {
                let kind = if compressed { "compressed " } else { "" };
                f.write_str("the response is too large: ")?;
                if let Some(bytes) = envelope_bytes {
                    write!(f, "a {kind}body of {body_bytes} bytes makes a response of {bytes} bytes, and")?;
                } else {
                    write!(f, "the runtime stopped reading the body after {body_bytes} {kind}bytes, and")?;
                }
                let compress = if compressed { "" } else { "compress (WSGI_LAMBDA_COMPRESS=true), " };
                write!(
                    f,
                    " the limit is {limit}. Serve large files from S3 (a redirect to a presigned URL), {compress}or paginate"
                )
            }
            Self::NoMemory(bytes) => {
                write!(f, "there is no memory for a response whose body has {bytes} bytes: give the function more")
            }
        }
    }
}

impl BufferedSink {
    /// A sink for one response.
    pub fn new(recipient: Recipient) -> Self {
        Self { recipient, head: None, chunks: Vec::new(), bytes: 0 }
    }

    /// Whether the body alone exceeds the front end's limit.
    pub fn is_too_large(&self) -> bool {
        self.bytes > self.recipient.dialect.limit
    }

    /// How many bytes were collected.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Encodes what was collected; `None` if the application sent no status and headers.
    pub fn into_envelope(mut self) -> Option<Result<Envelope, Unsendable>> {
        let head = self.head.take()?;
        Some(self.encode(head))
    }

    fn encode(self, mut head: Head) -> Result<Envelope, Unsendable> {
        let (limit, body_bytes) = (self.recipient.dialect.limit, self.bytes);
        let compressed = head.header("content-encoding").is_some();
        if self.is_too_large() {
            return Err(Unsendable::TooLarge { body_bytes, envelope_bytes: None, limit, compressed });
        }
        let no_memory = |_| Unsendable::NoMemory(body_bytes);
        let body = concat(self.chunks, body_bytes).map_err(no_memory)?;
        if self.recipient.takes_body() {
            head.correct_content_length(body.len() as u64);
        }
        let mut envelope = encode(self.recipient, &head, body);
        let envelope_bytes = envelope.size();
        if envelope_bytes > limit {
            return Err(Unsendable::TooLarge { body_bytes, envelope_bytes: Some(envelope_bytes), limit, compressed });
        }
        if envelope_bytes > limit / 10 * 9 {
            envelope.warnings.push(Warning::ResponseBytes {
                bytes: envelope_bytes,
                limit,
                can_stream: self.recipient.can_stream(),
            });
        }
        envelope.reserve().map_err(no_memory)?;
        Ok(envelope)
    }
}

/// Joins the chunks. Each is freed as soon as it is copied.
fn concat(chunks: Vec<Bytes>, bytes: usize) -> Result<Bytes, TryReserveError> {
    let chunks = match <[Bytes; 1]>::try_from(chunks) {
        Ok([chunk]) => return Ok(chunk),
        Err(chunks) => chunks,
    };
    let mut all = Vec::new();
    all.try_reserve_exact(bytes)?;
    for chunk in chunks {
        all.extend_from_slice(&chunk);
    }
    Ok(Bytes::from(all))
}

impl Sink for BufferedSink {
    fn head(&mut self, head: Head, _whole_body: Option<usize>) -> std::io::Result<()> {
        self.head = Some(head);
        Ok(())
    }

    /// # Errors
    /// `FileTooLarge` when the body exceeds the front end's limit.
    fn data(&mut self, chunk: Bytes) -> std::io::Result<()> {
        self.bytes = self.bytes.saturating_add(chunk.len());
        if self.is_too_large() {
            self.chunks.clear();
            let limit = self.recipient.dialect.limit;
            let message = format!("the response is larger than the {limit} bytes that its front end takes");
            return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
        }
        self.chunks.push(chunk);
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Makes the envelope.
pub(super) fn encode(recipient: Recipient, head: &Head, body: Bytes) -> Envelope {
    let mut warnings = Vec::new();
    let header_bytes: usize = head.headers().iter().map(|(name, value)| name.len() + value.len()).sum();
    if recipient.dialect.header_limit.is_some_and(|limit| header_bytes > limit / 10 * 9) {
        warnings.push(Warning::HeaderBytes(header_bytes));
    }
    let mut begin = Vec::with_capacity(128);
    begin.extend_from_slice(b"{\"statusCode\":");
    begin.extend_from_slice(head.status().to_string().as_bytes());
    if recipient.dialect.status_description {
        begin.extend_from_slice(b",\"statusDescription\":");
        json::write_string(&mut begin, &status_description(head));
    }
    headers::write(&mut begin, recipient, head, &mut warnings);
    // The few bytes around the body are those of the members' names.
    let most = recipient.dialect.limit.saturating_sub(begin.len() + 40);
    Envelope::new(begin, Body::new(head, body, most), head.status(), warnings)
}

/// Such as `200 OK`. An ALB answers 502 to a malformed one, so there is always a reason, and it is always ASCII.
fn status_description(head: &Head) -> String {
    let reason = Some(head.reason()).filter(|reason| !reason.is_empty());
    format!("{} {}", head.status(), reason.unwrap_or("Unknown"))
}
