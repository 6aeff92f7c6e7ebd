//! Room: `json`, documents read without a copy, and string literals as bytes.
//! In: JSON text; text to write.
//! Out: a [`Document`]'s values; bytes; literals.
//! May use: `json_escape_simd`, memchr, serde, `serde_json` (for the words of its errors).
//! Must not: know what the strings mean.

mod document;

use std::borrow::Cow;
use std::collections::TryReserveError;

pub use document::{Document, Kind, Value};

use memchr::memchr;

/// The bytes of U+FFFD, which stands for what is not Unicode (RFC 8259 §8.2: unpaired surrogates).
const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();

/// The inside of a string literal as UTF-8 bytes; borrowed when it holds no escape.
pub fn unescape(inside: &str) -> Cow<'_, [u8]> {
    if memchr(b'\\', inside.as_bytes()).is_none() {
        return Cow::Borrowed(inside.as_bytes());
    }
    let mut out = Vec::with_capacity(inside.len());
    for_each_piece(inside, |piece| out.extend_from_slice(piece));
    Cow::Owned(out)
}

/// How many bytes [`unescape_into`] writes.
pub fn unescaped_len(inside: &str) -> usize {
    let mut len = 0;
    for_each_piece(inside, |piece| len += piece.len());
    len
}

/// Writes the unescaped bytes into `out`, which has [`unescaped_len`] bytes.
pub fn unescape_into(inside: &str, out: &mut [u8]) {
    let mut at = 0;
    for_each_piece(inside, |piece| {
        out[at..at + piece.len()].copy_from_slice(piece);
        at += piece.len();
    });
}

/// Cuts a literal into runs without escapes and the bytes that each escape stands for.
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

/// Takes one escape, whose backslash has been read, and gives what comes after it.
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

/// Takes the hex digits of `\uXXXX`, and of the second half of a surrogate pair when there is one.
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

/// Appends short text as a string literal, quotes included.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    // Reserves what it could become at the most, six times its size.
    json_escape_simd::escape_into(text, out);
}

/// Appends text of any length, as long as the literal has no more bytes than `most`: returns false for one that has, of
/// which only a part was written.
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
        // Each piece comes with quotes: the first one replaces a byte that is put back, the last one goes.
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

/// How much of a long text is escaped at a time, bytes.
const PIECE: usize = 64 << 10;

/// How many bytes there are before one that cannot stand for itself inside a literal (RFC 8259 §7). Most strings are
/// short or full of escapes; a body may be long and plain, and the compiler makes vector instructions of its blocks.
fn plain_len(bytes: &[u8]) -> usize {
    let (near, far) = bytes.split_at(bytes.len().min(BLOCK));
    let len = words_len(near);
    if len < near.len() {
        return len;
    }
    let is_plain = |block: &&[u8]| !block.iter().fold(false, |any, &byte| any | is_special(byte));
    let plain = far.chunks_exact(BLOCK).take_while(is_plain).count() * BLOCK;
    len + plain + words_len(&far[plain..])
}

/// The same, eight bytes at a time.
fn words_len(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    // Sets the high bit of a byte that is zero, and perhaps of some behind it: the first is right.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut len = 0;
    while let Some(word) = bytes[len..].first_chunk() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = zeros(word ^ (ONES * u64::from(b'"')));
        let backslash = zeros(word ^ (ONES * u64::from(b'\\')));
        let found = (control | quote | backslash) & (ONES << 7);
        if found != 0 {
            return len + found.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    len + bytes[len..].iter().take_while(|&&byte| !is_special(byte)).count()
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

const BLOCK: usize = 32;

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
        fn the_first_special_byte_is_found_whatever_stands_around_it(bytes in prop::collection::vec(any::<u8>(), 0..120), plain in 0..90_usize) {
            let bytes = [vec![b'x'; plain], bytes].concat();
            let expected = bytes.iter().position(|&byte| is_special(byte)).unwrap_or(bytes.len());
            prop_assert_eq!(plain_len(&bytes), expected);
        }

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
