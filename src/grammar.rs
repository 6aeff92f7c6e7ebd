//! Room: `grammar`, names of HTTP header fields (RFC 9110), as requests and responses have them.
//! In: a name.
//! Out: what kind of name it is.
//! May use: nothing.
//! Must not: know where the name comes from.

/// Whether a name is a token (RFC 9110 §5.6.2).
pub fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| IS_TOKEN[usize::from(byte)])
}

/// A table: a name has a dozen characters, and a request may have a thousand names.
const IS_TOKEN: [bool; 256] = {
    let marks = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let (mut table, mut at) = ([false; 256], 0);
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

/// Whether a header belongs to the server (RFC 9110 §7.6.1 and `wsgiref.util.is_hop_by_hop`). `Proxy-Authenticate` does not:
/// a 407 carries it end to end. `Status` does: it is CGI's, and comes with responses that proxying views pass on.
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
