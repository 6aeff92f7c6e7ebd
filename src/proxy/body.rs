//! The body: as text if it is text, else in base64, so that every byte an application sends arrives.

use std::collections::TryReserveError;

use crate::grammar::{is_text_type, media_type};
use crate::json;
use crate::response::Head;

/// Appends `,"body":…,"isBase64Encoded":…`.
///
/// # Errors
/// When there is no memory for it.
pub(super) fn write(out: &mut Vec<u8>, head: &Head, body: &[u8], limit: usize) -> Result<(), TryReserveError> {
    out.extend_from_slice(b",\"body\":");
    let start = out.len();
    if let Some(text) = as_text(head, body) {
        // Escapes can make text larger than its base64. If only base64 fits into the limit, it is used.
        let most = base64_len(body).max(limit.saturating_sub(start + 32)) + 1;
        if json::write_long_string(out, text, most)? {
            out.extend_from_slice(b",\"isBase64Encoded\":false");
            return Ok(());
        }
        out.truncate(start);
    }
    write_base64(out, body)?;
    out.extend_from_slice(b",\"isBase64Encoded\":true");
    Ok(())
}

fn write_base64(out: &mut Vec<u8>, body: &[u8]) -> Result<(), TryReserveError> {
    let encoded = base64_len(body);
    out.try_reserve_exact(encoded + 32)?;
    out.push(b'"');
    let start = out.len();
    out.resize(start + encoded - 2, 0);
    let written = base64_simd::STANDARD.encode(body, base64_simd::Out::from_slice(&mut out[start..]));
    debug_assert_eq!(written.len(), encoded - 2);
    out.push(b'"');
    Ok(())
}

/// The size of the base64 literal, quotes included.
fn base64_len(body: &[u8]) -> usize {
    body.len().div_ceil(3) * 4 + 2
}

/// The body as text; `None` if it has to be base64: a compressed body, a content type that is not text, or bytes that
/// are not UTF-8, whatever the content type says.
fn as_text<'b>(head: &Head, body: &'b [u8]) -> Option<&'b str> {
    let encoding = head.header("content-encoding").unwrap_or_default().trim_ascii();
    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity") {
        return body.is_empty().then_some("");
    }
    let is_text = match head.header("content-type") {
        Some(content_type) => is_text_type(&media_type(content_type)),
        None => !body.contains(&0),
    };
    std::str::from_utf8(body).ok().filter(|_| is_text || body.is_empty())
}
