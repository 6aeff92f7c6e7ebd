//! String literals: decoded to bytes, and written.

use std::borrow::Cow;

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

/// Appends the inside of a literal, without its quotes.
pub fn write_escaped(out: &mut Vec<u8>, text: &str) {
    // The library writes the quotes, too. The first overwrites the last byte written so far, which is put back.
    let last = out.pop();
    let at = out.len();
    json_escape_simd::escape_into(text, out);
    out.pop();
    match last {
        Some(last) => out[at] = last,
        None => {
            out.remove(at);
        }
    }
}

/// The number of bytes that [`write_escaped`] reserves for text of this length: as if each byte were a control character.
pub fn escaped_room(len: usize) -> usize {
    6 * len + 64
}

/// The number of bytes that [`write_escaped`] writes.
pub fn escaped_len(text: &str) -> usize {
    // In blocks whose sum fits into a byte, so that the compiler counts with vector instructions.
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
    let sum = |block: &[u8]| usize::from(block.iter().map(|&byte| further(byte)).sum::<u8>());
    text.len() + blocks.iter().map(|block| sum(block)).sum::<usize>() + sum(rest)
}

/// By how much an escape is longer than the byte that it stands for: `\n` by one, `\u0001` by five.
fn further(byte: u8) -> u8 {
    let has_letter = matches!(byte, b'"' | b'\\' | 8 | 9 | 10 | 12 | 13);
    let is_number = byte < 0x20 && !has_letter;
    5 * u8::from(is_number) + u8::from(has_letter)
}

/// Fifty-one bytes could have a sum of 255.
const BLOCK: usize = 48;

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
    fn text_without_escapes_is_borrowed() {
        assert!(matches!(unescape("héllo"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn unescaping_undoes_writing(text in prop_oneof!["[ -~é]{0,100}", any::<String>(), "[\\x00-\\x7f]{0,200}"]) {
            let mut literal = Vec::new();
            write_string(&mut literal, &text);
            prop_assert_eq!(&literal, &serde_json::to_vec(&text).unwrap());
            for before in ["", "x"] {
                let mut escaped = before.as_bytes().to_vec();
                write_escaped(&mut escaped, &text);
                prop_assert_eq!(&escaped[before.len()..], &literal[1..literal.len() - 1]);
                prop_assert_eq!(escaped.len() - before.len(), escaped_len(&text));
            }
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
