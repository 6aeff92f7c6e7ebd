//! Response headers that do not arrive under their own name.

use http::{HeaderMap, HeaderName};

use crate::gateway::values::Fault;

/// Names that API Gateway keeps for itself, and the new ones.
static REMAPPED: [(&str, HeaderName); 8] = [
    ("authorization", HeaderName::from_static("x-amzn-remapped-authorization")),
    ("connection", HeaderName::from_static("x-amzn-remapped-connection")),
    ("content-md5", HeaderName::from_static("x-amzn-remapped-content-md5")),
    ("date", HeaderName::from_static("x-amzn-remapped-date")),
    ("max-forwards", HeaderName::from_static("x-amzn-remapped-max-forwards")),
    ("server", HeaderName::from_static("x-amzn-remapped-server")),
    ("user-agent", HeaderName::from_static("x-amzn-remapped-user-agent")),
    ("www-authenticate", HeaderName::from_static("x-amzn-remapped-www-authenticate")),
];

/// Renames what API Gateway keeps for itself, and drops what concerns the connection (API Gateway guide, "Amazon API
/// Gateway important notes"; users of Function URLs report the same of `WWW-Authenticate`, `Date` and `Server`).
pub(in crate::gateway) fn remap(headers: HeaderMap) -> HeaderMap {
    const DROPPED: [&str; 2] = ["expect", "host"];
    let mut remapped = HeaderMap::with_capacity(headers.len());
    let mut last = None;
    for (name, value) in headers {
        // The iterator names only the first of several values.
        last = name.or(last);
        let Some(name) = &last else { continue };
        if DROPPED.contains(&name.as_str()) {
            continue;
        }
        let new = REMAPPED.iter().find(|(known, _)| known == name).map_or(name, |(_, new)| new);
        remapped.append(new, value);
    }
    remapped
}

/// Whether a field concerns the connection between client and front end alone (RFC 9110 §7.6.1).
pub(super) fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection" | "keep-alive" | "proxy-connection" | "te" | "trailer" | "transfer-encoding" | "upgrade"
    )
}

/// # Errors
/// Names and values together are more than the front end takes, in bytes.
pub(in crate::gateway) fn check_size(headers: &HeaderMap, limit: usize) -> Result<(), Fault> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > limit { Err(Fault::ResponseTooLarge) } else { Ok(()) }
}
