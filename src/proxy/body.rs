//! The body: as text if it is text, else in base64, so that every byte an application sends arrives.

use bytes::Bytes;
use bytestring::ByteString;

use crate::grammar::{is_text_type, media_type};
use crate::json;
use crate::response::Head;

/// How much of a body is encoded at a time, in bytes: a multiple of three, for base64. With smaller parts a large body takes
/// longer, since each of them wakes the reader (docs/speed.md).
const PART: usize = 960 << 10;

/// How much text is escaped at a time, in bytes: room is made as if each byte became six.
const PIECE: usize = 64 << 10;

/// A body as members of a JSON document: `,"body":…,"isBase64Encoded":…`.
#[derive(Debug)]
pub(super) struct Body {
    content: Content,
    /// The size of the literal, without its quotes.
    encoded: usize,
}

#[derive(Debug)]
enum Content {
    Text(ByteString),
    Binary(Bytes),
}

const BEGIN: &[u8] = b",\"body\":\"";

impl Body {
    /// The body of a response. `most` is the size that the front end takes. Escapes can make text larger than its base64: if only
    /// base64 fits, it is used.
    pub(super) fn new(head: &Head, bytes: Bytes, most: usize) -> Self {
        let base64 = bytes.len().div_ceil(3) * 4;
        match as_text(head, bytes) {
            Ok(text) => match json::escaped_len(&text) {
                encoded if encoded <= base64.max(most) => Self { content: Content::Text(text), encoded },
                _ => Self { content: Content::Binary(text.into_bytes()), encoded: base64 },
            },
            Err(bytes) => Self { content: Content::Binary(bytes), encoded: base64 },
        }
    }

    /// The size before it is encoded.
    pub(super) fn bytes(&self) -> usize {
        match &self.content {
            Content::Text(text) => text.len(),
            Content::Binary(bytes) => bytes.len(),
        }
    }

    /// The size of the members.
    pub(super) fn size(&self) -> usize {
        BEGIN.len() + self.encoded + self.end().len()
    }

    fn end(&self) -> &'static [u8] {
        match self.content {
            Content::Text(_) => b"\",\"isBase64Encoded\":false",
            Content::Binary(_) => b"\",\"isBase64Encoded\":true",
        }
    }

    /// The most bytes that a buffer needs for a part. Until they are filled they take no memory.
    pub(super) fn room(&self) -> usize {
        let literal = match &self.content {
            Content::Text(text) => {
                let escapes = (self.encoded - text.len()).min(5 * PART); // all of them may be in one part
                text.len().min(PART) + escapes + json::escaped_room(text.len().min(PIECE))
            }
            Content::Binary(bytes) => bytes.len().min(PART).div_ceil(3) * 4,
        };
        BEGIN.len() + literal + self.end().len()
    }

    /// Appends the part from `position`, which counts bytes of the body. Returns false after the last part.
    pub(super) fn part(&self, position: &mut usize, out: &mut Vec<u8>) -> bool {
        if *position == 0 {
            out.extend_from_slice(BEGIN);
        }
        *position = match &self.content {
            Content::Text(text) => text_part(text, *position, out),
            Content::Binary(bytes) => base64_part(bytes, *position, out),
        };
        let more = *position < self.bytes();
        if !more {
            out.extend_from_slice(self.end());
        }
        more
    }
}

/// Appends text as the inside of a literal. Returns where the rest begins.
fn text_part(text: &str, position: usize, out: &mut Vec<u8>) -> usize {
    let limit = text.len().min(position + PART);
    let mut end = position;
    loop {
        let begin = end;
        end = (begin..=limit.min(begin + PIECE)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(begin);
        match text.get(begin..end) {
            Some(piece) if !piece.is_empty() => json::write_escaped(out, piece),
            _ => return end, // the limit may be in the middle of a character
        }
    }
}

/// Appends base64. Returns where the rest begins.
fn base64_part(bytes: &[u8], position: usize, out: &mut Vec<u8>) -> usize {
    let end = bytes.len().min(position + PART);
    base64_simd::STANDARD.encode_append(bytes.get(position..end).unwrap_or_default(), out);
    end
}

/// The body as text. As it is, if it has to be base64: a compressed body, a content type that is not text, or bytes that
/// are not UTF-8, whatever the content type says.
fn as_text(head: &Head, body: Bytes) -> Result<ByteString, Bytes> {
    let encoding = head.header("content-encoding").unwrap_or_default().trim_ascii();
    let is_plain = encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity");
    let is_text = || match head.header("content-type") {
        Some(content_type) => is_text_type(&media_type(content_type)),
        None => !body.contains(&0),
    };
    if body.is_empty() || (is_plain && is_text()) {
        return ByteString::try_from(body.clone()).map_err(|_| body);
    }
    Err(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(content_type: &str) -> Head {
        let mut head = Head::new("200 OK").unwrap();
        head.add("Content-Type", content_type).unwrap();
        head
    }

    /// The members, made part by part, and the number of parts.
    fn written(body: &Body) -> (String, usize) {
        let (mut out, mut position, mut parts) = (Vec::new(), 0, 0);
        let mut part = Vec::with_capacity(body.room());
        loop {
            let more = body.part(&mut position, &mut part);
            assert!(part.capacity() <= body.room(), "a part takes more room than it was said to");
            out.append(&mut part);
            parts += 1;
            if !more {
                break;
            }
        }
        assert_eq!(out.len(), body.size());
        (String::from_utf8(out).unwrap(), parts)
    }

    #[test]
    fn parts_make_the_whole() {
        for text in ["\"é\n".repeat(PART), "é".repeat(PART), "😀".repeat(PART), "x".repeat(3 * PART + 1), String::new()]
        {
            let expected = format!(r#","body":{},"isBase64Encoded":false"#, serde_json::to_string(&text).unwrap());
            let (members, parts) = written(&Body::new(&head("text/plain"), text.clone().into(), usize::MAX));
            assert!(members == expected);
            assert_eq!(parts > 1, text.len() > PART);
        }
        for length in [0, 1, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 2] {
            let bytes = vec![0xFF; length];
            let encoded = base64_simd::STANDARD.encode_to_string(&bytes);
            let expected = format!(r#","body":"{encoded}","isBase64Encoded":{}"#, length > 0);
            assert!(written(&Body::new(&head("image/png"), bytes.into(), usize::MAX)).0 == expected);
        }
    }

    #[test]
    fn text_with_few_escapes_has_no_room_for_many() {
        let body = Body::new(&head("text/plain"), "x\n".repeat(PART).into(), usize::MAX);
        assert!(body.room() < 3 * PART, "{}", body.room());
    }

    #[test]
    fn text_that_fits_as_base64_only_is_base64() {
        let text = "\u{1}".repeat(30);
        let form = |most| written(&Body::new(&head("text/plain"), text.clone().into(), most)).0;
        assert!(form(180).ends_with("false") && form(179).ends_with("true"));
    }

    proptest! {
        #[test]
        fn any_body_arrives(bytes in prop_oneof![any::<Vec<u8>>(), any::<String>().prop_map(String::into_bytes)]) {
            let (members, _) = written(&Body::new(&head("text/html"), bytes.clone().into(), usize::MAX));
            let json: serde_json::Value = serde_json::from_str(&format!("{{{}}}", &members[1..])).unwrap();
            let body = json["body"].as_str().unwrap();
            let arrived = if json["isBase64Encoded"] == true {
                base64_simd::STANDARD.decode_to_vec(body).unwrap()
            } else {
                body.as_bytes().to_vec()
            };
            prop_assert_eq!(arrived, bytes);
        }
    }
}
