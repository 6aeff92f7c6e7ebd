//! Percent-encoding (RFC 3986 §2.1).

use std::borrow::Cow;

/// Percent-decodes. A `%` without two hex digits after it stays as it is.
pub(super) fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        match (byte, after) {
            (b'%', [high, low, tail @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex(*high) << 4 | hex(*low));
                rest = tail;
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
    Cow::Owned(out)
}

fn hex(digit: u8) -> u8 {
    // Never 0 for want of a hex digit: the caller has checked it.
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or(0)
}

/// Escapes every byte that is not plain. Borrowed if all of them are.
pub(super) fn encode(text: &[u8], is_plain: impl Fn(u8) -> bool) -> Cow<'_, [u8]> {
    if text.iter().all(|&byte| is_plain(byte)) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + 16);
    for &byte in text {
        push(&mut out, byte, is_plain(byte));
    }
    Cow::Owned(out)
}

/// Appends one byte, as `%XX` if it is not plain.
pub(super) fn push(out: &mut Vec<u8>, byte: u8, is_plain: bool) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if is_plain {
        out.push(byte);
    } else {
        out.extend_from_slice(&[b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}
