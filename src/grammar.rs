//! Room: `grammar`, the rules of HTTP's own grammar that several rooms apply (RFC 9110, RFC 3986).
//! In: the name or the value of a header, a segment of a path.
//! Out: what it is, or its parts.
//! May use: nothing.
//! Must not: know where the text comes from.

/// Whether a name is a token (RFC 9110 §5.6.2).
pub fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| IS_TOKEN[usize::from(byte)])
}

/// A table, because it is fast: a request may have a thousand names of a dozen characters.
const IS_TOKEN: [bool; 256] = {
    let marks = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let (mut table, mut at) = ([false; 256], 0);
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

/// The elements of a header that is a list (RFC 9110 §5.6.1), without the white space around each. At least one, which
/// may be empty.
pub fn elements(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}

/// Whether a segment of a path (RFC 3986 §3.3) names something: it is not empty, `.` or `..`.
pub fn is_segment(segment: &[u8]) -> bool {
    !matches!(segment, b"" | b"." | b"..")
}

/// Whether a response header belongs to the server and not to the application (RFC 9110 §7.6.1 and
/// `wsgiref.util.is_hop_by_hop`). `Proxy-Authenticate` is the application's: a 407 carries it end to end. `Status` is
/// the server's: it is a header of CGI, and views that act as a proxy pass it on.
pub fn is_hop_by_hop(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "connection",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "status",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The media type of a Content-Type, without parameters and in lower case.
pub fn media_type(content_type: &[u8]) -> String {
    let media_type = content_type.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    String::from_utf8_lossy(media_type).to_ascii_lowercase()
}

/// Whether the content of a [`media_type`] is text by definition (RFC 2046 §4.1, RFC 6839 for `+json` and `+xml`).
pub fn is_text_type(media_type: &str) -> bool {
    const APPLICATION: [&str; 12] = [
        "application/json",
        "application/javascript",
        "application/ecmascript",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/graphql",
        "application/x-javascript",
        "application/yaml",
        "application/x-ndjson",
        "application/manifest+json",
        "application/sql",
        "application/toml",
    ];
    media_type.starts_with("text/")
        || media_type.ends_with("+json")
        || media_type.ends_with("+xml")
        || APPLICATION.contains(&media_type)
}
