//! Small text responses that the runtime makes itself, such as a 500 for an exception.

use bytes::Bytes;

use super::buffered::encode;
use super::envelope::Envelope;
use super::recipient::Recipient;
use crate::response::Head;

/// A whole response with a status such as `504 Gateway Timeout` and a text body.
pub fn plain(recipient: Recipient, status: &str, text: &str) -> Envelope {
    encode(recipient, &head(status), Bytes::copy_from_slice(body(recipient, text)))
}

/// The text, or nothing for a client that takes no body.
pub(super) fn body(recipient: Recipient, text: &str) -> &[u8] {
    if recipient.takes_body() { text.as_bytes() } else { b"" }
}

/// Status and headers of such a response.
pub(super) fn head(status: &str) -> Head {
    let head = Head::new(status).and_then(|mut head| {
        head.add("Content-Type", "text/plain; charset=utf-8")?;
        Ok(head)
    });
    head.unwrap_or_default() // never: the callers' statuses are valid constants
}
