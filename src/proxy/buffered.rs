//! The buffered envelope: status, headers in the origin's form, the body as text or base64.

use bytes::Bytes;

use super::{Envelope, MAX_API_GATEWAY_HEADER_BYTES, Warning, body, headers, max_answer_bytes};
use crate::json;
use crate::request::Origin;
use crate::response::{Head, Sink};

/// Collects a response. Chunks are kept as they are: one chunk is never copied before it is encoded.
#[derive(Debug)]
pub struct BufferedSink {
    origin: Origin,
    head_request: bool,
    head: Option<Head>,
    chunks: Vec<Bytes>,
}

/// The envelope exceeds the origin's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The body as the application gave it.
    pub body_bytes: usize,
    /// The whole envelope.
    pub answer_bytes: usize,
    /// The origin's limit for the envelope.
    pub limit: usize,
}

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the response is too large: a body of {} bytes makes an answer of {} bytes, and the limit is {}. Serve \
             large files from S3 (a redirect to a presigned URL), compress, or paginate",
            self.body_bytes, self.answer_bytes, self.limit
        )
    }
}

impl BufferedSink {
    /// A sink for the answer to one request.
    pub fn new(origin: Origin, method: &str) -> Self {
        Self { origin, head_request: method == "HEAD", head: None, chunks: Vec::new() }
    }

    /// Encodes what was collected, and forgets it; `None` when no headers came.
    pub fn take_envelope(&mut self) -> Option<Result<Envelope, TooLarge>> {
        let mut head = self.head.take()?;
        let body = match <[Bytes; 1]>::try_from(std::mem::take(&mut self.chunks)) {
            Ok([chunk]) => chunk,
            Err(chunks) => Bytes::from(chunks.concat()),
        };
        if !self.head_request {
            head.correct_content_length(body.len() as u64);
        }
        let limit = max_answer_bytes(self.origin);
        let mut envelope = encode(self.origin, &head, &body);
        let answer_bytes = envelope.json.len();
        if answer_bytes > limit {
            return Some(Err(TooLarge { body_bytes: body.len(), answer_bytes, limit }));
        }
        if answer_bytes > limit / 10 * 9 {
            envelope.warnings.push(Warning::AnswerBytes(answer_bytes, limit));
        }
        Some(Ok(envelope))
    }
}

impl Sink for BufferedSink {
    fn head(&mut self, head: Head, _whole_body: Option<usize>) -> std::io::Result<()> {
        self.head = Some(head);
        Ok(())
    }

    fn data(&mut self, chunk: Bytes) -> std::io::Result<()> {
        self.chunks.push(chunk);
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes the envelope.
pub(super) fn encode(origin: Origin, head: &Head, body: &[u8]) -> Envelope {
    let mut warnings = Vec::new();
    let header_bytes: usize = head.headers().iter().map(|(name, value)| name.len() + value.len()).sum();
    if is_api_gateway(origin) && header_bytes > MAX_API_GATEWAY_HEADER_BYTES / 10 * 9 {
        warnings.push(Warning::HeaderBytes(header_bytes));
    }
    let mut json = Vec::with_capacity(128);
    json.extend_from_slice(b"{\"statusCode\":");
    json.extend_from_slice(head.status().to_string().as_bytes());
    if has_status_description(origin) {
        json.extend_from_slice(b",\"statusDescription\":");
        json::write_string(&mut json, &status_description(head));
    }
    headers::write(&mut json, origin, head, &mut warnings);
    body::write(&mut json, head, body, max_answer_bytes(origin));
    json.push(b'}');
    Envelope { json, status: head.status(), body_bytes: body.len(), warnings }
}

fn is_api_gateway(origin: Origin) -> bool {
    matches!(origin, Origin::Rest | Origin::HttpApiV1 | Origin::HttpApiV2)
}

fn has_status_description(origin: Origin) -> bool {
    matches!(origin, Origin::Alb | Origin::AlbMulti | Origin::LatticeV1 | Origin::LatticeV2)
}

/// `200 OK`. A malformed one makes an ALB answer 502, so there is always a reason, and always an ASCII one.
fn status_description(head: &Head) -> String {
    let reason = std::str::from_utf8(head.reason()).ok().filter(|reason| !reason.is_empty() && reason.is_ascii());
    format!("{} {}", head.status(), reason.unwrap_or("Unknown"))
}
