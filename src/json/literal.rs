//! String literals: decoded to bytes, and written.

use std::borrow::Cow;
use std::collections::TryReserveError;

use memchr::memchr;

/// The bytes of U+FFFD, which replaces what is not Unicode: unpaired surrogates (RFC 8259 §8.2).
const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();

/// Decodes the inside of a string literal (without its quotes) to UTF-8 bytes. Borrowed if it has no escapes.
pub fn unescape(inside: &str) -> Cow<'_, [u8]> {
    if memchr(b'\\', inside.as_bytes()).is_none() {
        return Cow::Borrowed(inside.as_bytes());
    }
    let mut out = Vec::with_capacity(inside.len());
    for_each_piece(inside, |piece| out.extend_from_slice(piece));
    Cow::Owned(out)
}

/// The number of bytes that [`unescape_into`] writes.
pub fn unescaped_len(inside: &str) -> usize {
    let mut len = 0;
    for_each_piece(inside, |piece| len += piece.len());
    len
}

/// Writes the decoded bytes into `out`, whose length must be [`unescaped_len`].
pub fn unescape_into(inside: &str, out: &mut [u8]) {
    let mut at = 0;
    for_each_piece(inside, |piece| {
        out[at..at + piece.len()].copy_from_slice(piece);
        at += piece.len();
    });
}

/// Calls `take` with each run that has no escapes, and with the bytes that each escape stands for, in order.
fn for_each_piece(inside: &str, mut take: impl FnMut(&[u8])) {
    let mut rest = inside.as_bytes();
    while let Some(at) = memchr(b'\\', rest) {
        if at > 0 {
            take(&rest[..at]);
        }
        rest = take_escape(&rest[at + 1..], &mut take);
    }
    if !rest.is_empty() {
        take(rest);
    }
}

/// Takes one escape, whose backslash has been read, and returns the text after it.
fn take_escape<'a>(rest: &'a [u8], take: &mut impl FnMut(&[u8])) -> &'a [u8] {
    let Some((&letter, rest)) = rest.split_first() else { return rest };
    let plain: &[u8] = match letter {
        b'b' => b"\x08",
        b'f' => b"\x0c",
        b'n' => b"\n",
        b'r' => b"\r",
        b't' => b"\t",
        b'u' => return take_unicode(rest, take),
        _ => &[letter], // `"`, `\` and `/` stand for themselves
    };
    take(plain);
    rest
}

/// Takes the hex digits of `\uXXXX`, and the second half of a surrogate pair if there is one. Returns the text after
/// them.
fn take_unicode<'a>(rest: &'a [u8], take: &mut impl FnMut(&[u8])) -> &'a [u8] {
    let (Some(unit), Some(after)) = (hex4(rest), rest.get(4..)) else {
        take(REPLACEMENT);
        return &[];
    };
    let (code, after) = match (unit, after.strip_prefix(b"\\u")) {
        (0xD800..=0xDBFF, Some(second)) => match hex4(second) {
            Some(low @ 0xDC00..=0xDFFF) => (0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00), &second[4..]),
            _ => (unit, after),
        },
        _ => (unit, after),
    };
    match char::from_u32(code) {
        Some(char) => take(char.encode_utf8(&mut [0; 4]).as_bytes()),
        None => take(REPLACEMENT),
    }
    after
}

fn hex4(digits: &[u8]) -> Option<u32> {
    let digits = digits.get(..4)?;
    digits.iter().try_fold(0, |code, &digit| Some(code << 4 | char::from(digit).to_digit(16)?))
}

/// Appends short text as a string literal with its quotes.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    // Reserves the largest size that the literal could have: six times the text's.
    json_escape_simd::escape_into(text, out);
}

/// Appends text of any length as a string literal with its quotes. Stops and returns false if the literal would have
/// more than `most` bytes: only a part of it is written then.
///
/// # Errors
/// When there is no memory for it.
pub fn write_long_string(out: &mut Vec<u8>, text: &str, most: usize) -> Result<bool, TryReserveError> {
    let start = out.len();
    out.try_reserve_exact(text.len().min(most) + text.len() / 64 + 6 * PIECE)?;
    out.push(b'"');
    let mut rest = text;
    while !rest.is_empty() {
        let end = (0..=PIECE.min(rest.len())).rev().find(|&at| rest.is_char_boundary(at)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        out.try_reserve(6 * piece.len() + 2)?;
        // The library writes quotes around each piece: the first overwrites the last byte written so far, which is put
        // back, and the last is removed.
        let last = out.pop().unwrap_or_default();
        let at = out.len();
        json_escape_simd::escape_into(piece, out);
        out[at] = last;
        out.pop();
        if out.len() - start >= most {
            return Ok(false);
        }
        rest = after;
    }
    out.push(b'"');
    Ok(true)
}

/// How much of a long text is escaped at a time, in bytes.
const PIECE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn unpaired_surrogates_become_the_replacement_character() {
        assert_eq!(unescape(r"a\ud800b"), "a\u{FFFD}b".as_bytes());
        assert_eq!(unescape(r"\udc00\ud83d\ude00"), "\u{FFFD}😀".as_bytes());
        assert_eq!(unescape(r"\ud800A"), "\u{FFFD}A".as_bytes());
    }

    #[test]
    fn long_text_is_written_like_short_and_takes_no_more_memory_than_it_has_to() {
        for text in ["\"é\n".repeat(PIECE), "é".repeat(PIECE), "x".repeat(3 * PIECE + 1), String::new(), "é".to_owned()]
        {
            let expected = serde_json::to_vec(&text).unwrap();
            let mut literal = b"before".to_vec();
            assert!(write_long_string(&mut literal, &text, expected.len() + 1).unwrap());
            assert!(literal[6..] == expected);
            assert!(literal.capacity() < 3 * expected.len() + 7 * PIECE, "{}", literal.capacity());
        }
        let mut literal = Vec::new();
        assert!(!write_long_string(&mut literal, &"\u{1}".repeat(50 * PIECE), 60 * PIECE).unwrap());
        assert!(literal.capacity() < 200 * PIECE, "{}", literal.capacity());
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        assert!(matches!(unescape("héllo"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn unescaping_undoes_writing(text in prop_oneof!["[ -~é]{0,100}", any::<String>(), "[\\x00-\\x7f]{0,200}"]) {
            let mut literal = Vec::new();
            write_string(&mut literal, &text);
            prop_assert_eq!(&literal, &serde_json::to_vec(&text).unwrap());
            let literal = String::from_utf8(literal).unwrap();
            let inside = &literal[1..literal.len() - 1];
            let unescaped = unescape(inside);
            prop_assert_eq!(unescaped.as_ref(), text.as_bytes());
            let mut out = vec![0; unescaped_len(inside)];
            unescape_into(inside, &mut out);
            prop_assert_eq!(out.as_slice(), text.as_bytes());
        }

        #[test]
        fn any_literal_that_serde_accepts_reads_the_same(inside in r#"([a-zé ]|\\[bfnrt/"\\]|\\u[0-9a-f]{4}){0,20}"#) {
            if let Ok(text) = serde_json::from_str::<String>(&format!("\"{inside}\"")) {
                let unescaped = unescape(&inside);
                prop_assert_eq!(unescaped.as_ref(), text.as_bytes());
            } else {
                unescape(&inside); // lone surrogates: no panic
            }
        }
    }
}
