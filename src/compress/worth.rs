//! Which responses may be compressed, and which are worth it.

use crate::grammar::{elements, is_text_type, media_type};
use crate::response::Head;

/// Smaller bodies are not compressed: the headers about it, and base64 on the way to the front end, take what is saved.
pub(super) const LEAST: u64 = 1024;

/// Headers that make a response one that stays as it is: it is compressed already or is a part of something, or they state
/// a digest or a signature of what the client gets (RFC 9530, RFC 9421).
const FINAL: [&str; 8] = [
    "content-encoding",
    "content-range",
    "content-md5",
    "content-digest",
    "repr-digest",
    "digest",
    "signature",
    "signature-input",
];

/// Types that shrink, besides text and what a suffix names.
const TYPES: [&str; 15] = [
    "application/json-seq",
    "application/jsonl",
    "application/ndjson",
    "application/rtf",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-font-opentype",
    "application/x-font-ttf",
    "application/x-yaml",
    "font/collection",
    "font/otf",
    "font/sfnt",
    "font/ttf",
    "image/bmp",
    "image/x-icon",
];

/// Whether a response may be compressed and is of a type that shrinks, whatever its size.
pub(super) fn is_compressible(head: &Head) -> bool {
    head.status() != 206
        && !head.forbids_body()
        && !FINAL.iter().any(|name| head.header(name).is_some())
        && !forbids_changes(head)
        && shrinks(head.header("content-type").unwrap_or_default())
}

/// Cache-Control with `no-transform` (RFC 9111 §5.2.2.6).
pub(super) fn forbids_changes(head: &Head) -> bool {
    let mut directives = head.values("cache-control").flat_map(elements);
    directives.any(|directive| directive.eq_ignore_ascii_case(b"no-transform"))
}

/// Whether bodies of a content type are known to shrink.
pub(super) fn shrinks(content_type: &[u8]) -> bool {
    let media_type = media_type(content_type);
    let suffix = media_type.rsplit_once('+').map_or("", |(_, suffix)| suffix);
    is_text_type(&media_type) || matches!(suffix, "json-seq" | "text" | "yaml") || TYPES.contains(&media_type.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_shrink() {
        for yes in [
            "text/html; charset=utf-8",
            "TEXT/CSS",
            "text/event-stream",
            "application/json",
            "application/problem+json",
            "application/rss+xml",
            "image/svg+xml",
            "application/wasm",
            "font/ttf",
            " application/javascript ;x=y",
        ] {
            assert!(shrinks(yes.as_bytes()), "{yes}");
        }
        for no in [
            "",
            "image/png",
            "font/woff2",
            "application/zip",
            "application/octet-stream",
            "video/mp4",
            "application/pdf",
        ] {
            assert!(!shrinks(no.as_bytes()), "{no}");
        }
    }

    fn html(status: &str, headers: &[(&str, &str)]) -> Head {
        let mut head = Head::new(status).unwrap();
        for (name, value) in [("Content-Type", "text/html")].iter().chain(headers) {
            head.add(name, value).unwrap();
        }
        head
    }

    #[test]
    fn what_stays_as_it_is() {
        for status in ["200 OK", "404 Not Found", "500 Oops", "299 X"] {
            assert!(is_compressible(&html(status, &[("Cache-Control", "no-cache, max-age=0")])), "{status}");
        }
        for status in ["204 No Content", "205 Reset Content", "206 Partial Content", "304 Not Modified"] {
            assert!(!is_compressible(&html(status, &[])), "{status}");
        }
        for (name, value) in [
            ("content-encoding", "gzip"),
            ("Content-Encoding", "identity"),
            ("Content-Range", "bytes */100"),
            ("Content-MD5", "Q2hlY2sgSW50ZWdyaXR5IQ=="),
            ("Repr-Digest", "sha-256=:AAAA:"),
            ("Cache-Control", "private, No-Transform"),
        ] {
            assert!(!is_compressible(&html("200 OK", &[(name, value)])), "{name}: {value}");
        }
        assert!(!is_compressible(&html("200 OK", &[("Cache-Control", "public"), ("Cache-Control", "no-transform")])));
    }
}
