//! The head of a streamed response: a JSON prelude, eight NUL bytes, then the body (docs, "Building a custom runtime for
//! AWS Lambda", Response streaming).

use bytes::{Buf, Bytes};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::limits::{FUNCTION_URL_PRELUDE, REST_PRELUDE};
use super::prelude::{DELIMITER, WITH_PRELUDE};
use super::responses::envelope::{Posted, malformed};
use super::responses::{finish, fixed, payload1, payload2};
use super::values::{ClientRequest, Fault, Head, Settings};
use crate::request::FrontEnd;

/// Reads the head of a streamed response from its first chunks.
#[derive(Debug)]
pub struct StreamedHead {
    content_type: Option<HeaderValue>,
    has_prelude: bool,
    pending: Vec<u8>,
}

impl StreamedHead {
    /// `content_type` is that of the function's POST: `application/vnd.awslambda.http-integration-response` says that a
    /// prelude comes first; with any other, a Function URL sends the bytes as they are, and a REST API refuses them.
    pub fn new(content_type: Option<&[u8]>) -> Self {
        let media_type = content_type.unwrap_or_default().split(|&byte| byte == b';').next().unwrap_or_default();
        Self {
            content_type: content_type.and_then(|value| HeaderValue::from_bytes(value).ok()),
            has_prelude: media_type.trim_ascii().eq_ignore_ascii_case(WITH_PRELUDE),
            pending: Vec::new(),
        }
    }

    /// Takes a chunk. Returns the head and the first bytes of the body as soon as the prelude is complete.
    ///
    /// The bytes are empty for a client that takes no body; the chunks that follow are not for it either.
    ///
    /// # Errors
    /// The prelude is malformed, or longer than the front end takes.
    pub fn push(
        &mut self,
        chunk: &Bytes,
        request: &ClientRequest,
        settings: &Settings,
    ) -> Result<Option<(Head, Bytes)>, Fault> {
        if !self.has_prelude {
            let head = self.without_prelude(request, settings)?;
            return Ok(Some(with_body(head, chunk.clone(), request)));
        }
        let limit = if settings.front_end == FrontEnd::Rest { REST_PRELUDE } else { FUNCTION_URL_PRELUDE };
        // The delimiter may have begun in the chunk before.
        let from = self.pending.len().saturating_sub(DELIMITER.len() - 1);
        let before = self.pending.len();
        let taken = chunk.len().min((limit + 1).saturating_sub(before));
        self.pending.extend_from_slice(&chunk[..taken]);
        let Some(at) = memchr::memmem::find(&self.pending[from..], &DELIMITER) else {
            if self.pending.len() > limit {
                return Err(malformed(format!("there is no end of the prelude within {limit} bytes")));
            }
            return Ok(None);
        };
        let end = from + at;
        let head = prelude(&self.pending[..end], request, settings)?;
        let mut body = chunk.clone();
        body.advance((end + DELIMITER.len()).saturating_sub(before).min(chunk.len()));
        self.pending = Vec::new();
        Ok(Some(with_body(head, body, request)))
    }

    /// The stream has ended before the prelude was complete.
    ///
    /// # Errors
    /// There was to be a prelude.
    pub fn end(&mut self, request: &ClientRequest, settings: &Settings) -> Result<(Head, Bytes), Fault> {
        if self.has_prelude {
            return Err(malformed("the response ended inside its prelude".to_owned()));
        }
        Ok((self.without_prelude(request, settings)?, Bytes::new()))
    }

    /// The head of bytes without a prelude. An envelope that was meant for a front end that does not stream is sent like
    /// this too.
    fn without_prelude(&self, request: &ClientRequest, settings: &Settings) -> Result<Head, Fault> {
        if settings.front_end != FrontEnd::FunctionUrl {
            return Err(malformed(
                "the response is not streamed with the content type \
                 application/vnd.awslambda.http-integration-response"
                    .to_owned(),
            ));
        }
        let mut headers = HeaderMap::new();
        if let Some(content_type) = &self.content_type {
            headers.insert(CONTENT_TYPE, content_type.clone());
        }
        Ok(finished(StatusCode::OK, headers, request, settings))
    }
}

fn prelude(json: &[u8], request: &ClientRequest, settings: &Settings) -> Result<Head, Fault> {
    let members = Posted::object(json)?;
    let headers = match settings.front_end {
        FrontEnd::Rest => payload1::streamed_headers(&members)?,
        _ => payload2::headers(&members, settings)?,
    };
    let status = members.status()?.unwrap_or(StatusCode::OK);
    Ok(finished(status, headers, request, settings))
}

/// A length that is no number would break the transfer.
fn finished(status: StatusCode, mut headers: HeaderMap, request: &ClientRequest, settings: &Settings) -> Head {
    let is_length = |value: &HeaderValue| finish::is_number(value);
    if headers.get_all(CONTENT_LENGTH).iter().count() > 1 || !headers.get(CONTENT_LENGTH).is_none_or(is_length) {
        headers.remove(CONTENT_LENGTH);
    }
    fixed::add_ids(&mut headers, request, settings);
    let content_type =
        if settings.front_end == FrontEnd::Rest { "application/json" } else { "application/octet-stream" };
    finish::head(status, headers, Some(content_type))
}

fn with_body(mut head: Head, body: Bytes, request: &ClientRequest) -> (Head, Bytes) {
    if finish::has_body(&request.method, head.status) {
        return (head, body);
    }
    if request.method != http::Method::HEAD {
        head.headers.remove(CONTENT_LENGTH);
    }
    (head, Bytes::new())
}
