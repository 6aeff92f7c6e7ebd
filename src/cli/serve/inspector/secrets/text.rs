//! Secrets in texts that have parts: cookies, queries, URLs, forms.

use percent_encoding::percent_decode_str;

use super::names;

/// What stands in the place of a secret, whatever its length.
pub(in crate::cli::serve::inspector) const MASK: &str = "••••••";

/// The value of a header. Of cookies the names stay, of credentials the scheme.
pub(super) fn header(name: &str, value: &str) -> String {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "cookie" => cookies(value),
        "set-cookie" => set_cookie(value),
        "authorization" | "proxy-authorization" => credentials(value),
        // URLs, whose queries may hold what other pages were called with.
        "referer" | "location" | "content-location" => url(value),
        _ if names::header(name) => MASK.to_owned(),
        _ => value.to_owned(),
    }
}

/// `Bearer abc` keeps its scheme; a scheme without credentials is none.
fn credentials(value: &str) -> String {
    match value.trim().split_once(' ') {
        Some((scheme, _)) => format!("{scheme} {MASK}"),
        None => MASK.to_owned(),
    }
}

/// `a=1; b=2`
fn cookies(value: &str) -> String {
    value.split(';').map(pair).collect::<Vec<_>>().join(";")
}

/// `a=1; Path=/; HttpOnly`
fn set_cookie(value: &str) -> String {
    match value.split_once(';') {
        Some((first, attributes)) => format!("{};{attributes}", pair(first)),
        None => pair(value),
    }
}

/// A cookie, with or without attributes: an item of an event's or an envelope's list `cookies`.
pub(super) fn cookie(value: &str) -> String {
    set_cookie(value)
}

fn pair(text: &str) -> String {
    match text.split_once('=') {
        Some((name, _)) => format!("{name}={MASK}"),
        None if text.trim().is_empty() => text.to_owned(),
        None => MASK.to_owned(),
    }
}

/// A query or an urlencoded form: `a=1&token=2`.
pub(super) fn query(text: &str) -> String {
    let parameter = |part: &str| match part.split_once('=') {
        Some((name, value)) if !value.is_empty() && names::parameter(&percent_decode_str(name).decode_utf8_lossy()) => {
            format!("{name}={MASK}")
        }
        _ => part.to_owned(),
    };
    text.split('&').map(parameter).collect::<Vec<_>>().join("&")
}

/// A URL or a request's target.
pub(super) fn url(text: &str) -> String {
    match text.split_once('?') {
        Some((path, rest)) => format!("{path}?{}", query(rest)),
        None => text.to_owned(),
    }
}

/// The parts of a `multipart/form-data` body whose names are secrets.
pub(super) fn multipart(text: &str, boundary: &str) -> String {
    let mark = format!("--{boundary}");
    let part = |part: &str| match part.split_once("\r\n\r\n") {
        Some((head, content)) if part_name(head).is_some_and(|name| names::parameter(&name)) && !content.is_empty() => {
            format!("{head}\r\n\r\n{MASK}\r\n")
        }
        _ => part.to_owned(),
    };
    text.split(&mark).map(part).collect::<Vec<_>>().join(&mark)
}

/// The name of a part, from `Content-Disposition: form-data; name="a"`.
fn part_name(head: &str) -> Option<String> {
    let at = head.to_ascii_lowercase().find("name=")?;
    let rest = &head[at + "name=".len()..];
    let name = rest.strip_prefix('"').map_or_else(|| rest.split([';', '\r']).next(), |rest| rest.split('"').next());
    name.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_keep_what_is_no_secret() {
        for (name, value, masked) in [
            ("Authorization", "Bearer abc.def", "Bearer ••••••"),
            ("authorization", "abc", "••••••"),
            ("cookie", "theme=dark; sid=123", "theme=••••••; sid=••••••"),
            ("Set-Cookie", "sid=123; Path=/; HttpOnly", "sid=••••••; Path=/; HttpOnly"),
            ("referer", "http://a/b?token=1&page=2", "http://a/b?token=••••••&page=2"),
            ("x-api-key", "abc", "••••••"),
            ("accept", "text/html", "text/html"),
        ] {
            assert_eq!(header(name, value), masked, "{name}");
        }
    }

    #[test]
    fn parameters_are_masked_by_their_decoded_names() {
        assert_eq!(query("a=1&pass%77ord=x&b&token="), "a=1&pass%77ord=••••••&b&token=");
        assert_eq!(query("%zz=1&%=2&X-Amz-Signature=3"), "%zz=1&%=2&X-Amz-Signature=••••••");
        assert_eq!(url("/a?b=1?token=2"), "/a?b=1?token=2");
    }

    #[test]
    fn parts_of_a_form_are_masked_by_their_names() {
        let form = "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--b\r\n\
                    Content-Disposition: form-data; name=\"user\"\r\n\r\nann\r\n--b--\r\n";
        let masked = multipart(form, "b");
        assert!(!masked.contains("hunter2") && masked.contains("ann") && masked.ends_with("--b--\r\n"), "{masked}");
    }
}
