//! A request's body as an event has it: text, or base64.

use std::borrow::Cow;

use super::values::ClientRequest;

/// The body of an event.
#[derive(Debug)]
pub(super) struct Body<'r> {
    pub(super) text: Cow<'r, str>,
    pub(super) is_base64: bool,
}

/// The body, as base64 unless it `is_text`. Text that is not UTF-8 is damaged, as on AWS.
pub(super) fn body(request: &ClientRequest, is_text: bool) -> Body<'_> {
    if is_text || request.body.is_empty() {
        return Body { text: String::from_utf8_lossy(&request.body), is_base64: false };
    }
    Body { text: base64_simd::STANDARD.encode_to_string(&request.body).into(), is_base64: true }
}

/// Whether HTTP APIs, Function URLs, load balancers and Lattice pass a body on as text: `text/*` and three types of
/// `application`, without a content coding (docs, "Use Lambda functions as targets of an Application Load Balancer").
/// The others have no such page. They treat forms, JSON and binary uploads like a load balancer, as the sample events
/// show.
pub(super) fn is_text(request: &ClientRequest) -> bool {
    let media_type = media_type(request);
    let is_text = media_type.starts_with("text/")
        || matches!(&*media_type, "application/json" | "application/javascript" | "application/xml");
    is_text && !request.headers.contains_key(http::header::CONTENT_ENCODING)
}

/// The media type of the body, in lower case and without parameters; empty if the client does not say.
pub(super) fn media_type(request: &ClientRequest) -> String {
    let value = request.headers.get(http::header::CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
    let media_type = value.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    String::from_utf8_lossy(media_type).to_ascii_lowercase()
}
