//! What compression means for a response's headers.

use super::accept::Coding;
use crate::grammar::elements;
use crate::response::Head;

/// The head of a compressed response. `keeps_length` says that the sink corrects a Content-Length that the application sent.
pub(super) fn encoded(head: &mut Head, coding: Coding, keeps_length: bool) {
    depends(head);
    head.set("Content-Encoding", coding.name().as_bytes().to_vec());
    weaken(head);
    // A client could ask for the rest of what it has, and would get bytes of the uncompressed body.
    head.remove("accept-ranges");
    if !keeps_length {
        head.remove("content-length");
    }
}

/// The head of a response that is compressed for other clients: Vary names Accept-Encoding, once.
pub(super) fn depends(head: &mut Head) {
    const NAME: &[u8] = b"Accept-Encoding";
    let mut names: Vec<&[u8]> = head.values("vary").flat_map(elements).filter(|name| !name.is_empty()).collect();
    if !names.iter().any(|name| *name == b"*" || name.eq_ignore_ascii_case(NAME)) {
        names.push(NAME);
        let all = names.join(&b", "[..]);
        head.remove("vary");
        head.set("Vary", all);
    }
}

/// Makes a strong ETag weak: it is no longer that of these bytes (RFC 9110 §8.8.3.3).
pub(super) fn weaken(head: &mut Head) {
    if let Some(weak) = head.header("etag").filter(|tag| tag.starts_with(b"\"")).map(weak) {
        head.set("etag", weak);
    }
}

/// The head of a 304, which has to name the same tag as the 200 that it stands for. The client's If-None-Match says whether
/// that was compressed. Without a tag in it, it was if the client `accepts` that.
pub(super) fn unmodified(head: &mut Head, if_none_match: &[u8], accepts: bool) {
    let Some(strong) = head.header("etag").filter(|tag| tag.starts_with(b"\"")).map(<[u8]>::to_vec) else { return };
    let weak = weak(&strong);
    let sent = |tag: &[u8]| if_none_match.windows(tag.len()).any(|part| part == tag);
    if sent(&weak) || (accepts && !sent(&strong)) {
        head.set("etag", weak);
    }
}

fn weak(strong: &[u8]) -> Vec<u8> {
    [b"W/", strong].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(headers: &[(&str, &str)], change: impl FnOnce(&mut Head)) -> Vec<String> {
        let mut head = Head::new("200 OK").unwrap();
        for (name, value) in headers {
            head.add(name, value).unwrap();
        }
        change(&mut head);
        let lines = head.headers().iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)));
        lines.collect()
    }

    #[test]
    fn vary_names_it_once() {
        for (before, expected) in [
            (&[][..], "Vary: Accept-Encoding"),
            (&[("Vary", "Cookie")], "Vary: Cookie, Accept-Encoding"),
            (&[("Vary", "Cookie"), ("vary", "Origin,")], "Vary: Cookie, Origin, Accept-Encoding"),
            (&[("Vary", "cookie, accept-encoding")], "Vary: cookie, accept-encoding"),
            (&[("Vary", "*")], "Vary: *"),
            (&[("Vary", "")], "Vary: Accept-Encoding"),
        ] {
            assert_eq!(after(before, depends), [expected]);
        }
    }

    #[test]
    fn a_strong_tag_becomes_weak_and_others_stay() {
        for (before, expected) in
            [("\"a\"", "W/\"a\""), ("W/\"a\"", "W/\"a\""), ("unquoted", "unquoted"), ("\"\"", "W/\"\"")]
        {
            assert_eq!(after(&[("ETag", before)], weaken), [format!("ETag: {expected}")]);
        }
    }

    #[test]
    fn a_304_has_the_tag_that_the_client_has() {
        let (strong, weak) = ("\"a\"", "W/\"a\"");
        for (if_none_match, accepts, expected) in [
            ("W/\"a\"", true, weak),
            ("\"x\", W/\"a\"", false, weak),
            ("\"a\"", true, strong),
            ("*", true, weak),
            ("", true, weak),
            ("*", false, strong),
        ] {
            let after = after(&[("ETag", "\"a\"")], |head| unmodified(head, if_none_match.as_bytes(), accepts));
            assert_eq!(after, [format!("ETag: {expected}")], "{if_none_match}");
        }
    }

    #[test]
    fn a_compressed_response_takes_no_ranges() {
        let before = [("Content-Length", "5000"), ("Accept-Ranges", "bytes"), ("ETag", "\"a\"")];
        let expected = ["ETag: W/\"a\"", "Vary: Accept-Encoding", "Content-Encoding: gzip"];
        assert_eq!(after(&before, |head| encoded(head, Coding::Gzip, false)), expected);
        assert_eq!(after(&before, |head| encoded(head, Coding::Gzip, true))[0], "Content-Length: 5000");
    }
}
