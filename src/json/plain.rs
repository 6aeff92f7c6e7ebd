//! The search for the end of the plain part of a string literal.

/// The number of bytes before the first one that cannot stand for itself inside a literal (RFC 8259 §7).
///
/// Most strings are short or full of escapes: eight bytes are looked at together. A body may be long and plain: it is
/// read in blocks, for which the compiler makes vector instructions.
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    let (near, far) = bytes.split_at(bytes.len().min(BLOCK));
    let len = words_len(near);
    if len < near.len() {
        return len;
    }
    let is_plain = |block: &&[u8]| !block.iter().fold(false, |any, &byte| any | is_special(byte));
    let plain = far.chunks_exact(BLOCK).take_while(is_plain).count() * BLOCK;
    len + plain + words_len(&far[plain..])
}

/// The same as [`plain_len`], eight bytes at a time.
fn words_len(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    // Sets the high bit of each zero byte. It may also set it for bytes after that, so only the first bit counts.
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

    proptest! {
        #[test]
        fn the_first_special_byte_is_found_whatever_stands_around_it(bytes in prop::collection::vec(any::<u8>(), 0..120), plain in 0..90_usize) {
            let bytes = [vec![b'x'; plain], bytes].concat();
            let expected = bytes.iter().position(|&byte| is_special(byte)).unwrap_or(bytes.len());
            prop_assert_eq!(plain_len(&bytes), expected);
        }
    }
}
