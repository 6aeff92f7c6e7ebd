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
        _ if names::header(name) => MASK.to_owned(),
        // `Referer`, `Location`, `HX-Current-URL`: URLs, whose queries may hold what other pages were called with.
        _ => url(value),
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

/// A query or an urlencoded form: `a=1&token=2`. REST APIs take `;` for `&`; a secret still goes on to the next `&`.
pub(super) fn query(text: &str) -> String {
    let inner = |part: &str| parameter(part).unwrap_or_else(|| part.to_owned());
    let outer =
        |part: &str| parameter(part).unwrap_or_else(|| part.split(';').map(inner).collect::<Vec<_>>().join(";"));
    text.split('&').map(outer).collect::<Vec<_>>().join("&")
}

/// A parameter, masked; `None` if it is no secret.
fn parameter(part: &str) -> Option<String> {
    let (name, value) = part.split_once('=')?;
    let is_secret = !value.is_empty() && names::parameter(&percent_decode_str(name).decode_utf8_lossy());
    is_secret.then(|| format!("{name}={MASK}"))
}

/// A URL or a request's target. A fragment may be a query: OAuth sends back `#access_token=…`.
pub(super) fn url(text: &str) -> String {
    if let Some((before, fragment)) = text.split_once('#') {
        let fragment = if fragment.contains('?') { url(fragment) } else { query(fragment) };
        return format!("{}#{fragment}", url(before));
    }
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

/// JSON that cannot be read as a document: masks the texts and numbers after the names of secrets.
pub(super) fn members(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let name = &rest[start..start + string(&rest[start..])];
        let after = &rest[start + name.len()..];
        masked.push_str(&rest[..start + name.len()]);
        rest = after;
        let Some(value) = after.trim_start().strip_prefix(':').map(str::trim_start) else { continue };
        if !names::member(name.trim_matches('"')) || value.starts_with(['{', '[']) {
            continue;
        }
        let plain = || value.find([',', '}', ']']).unwrap_or(value.len());
        let length = if value.starts_with('"') { string(value) } else { plain() };
        masked.push_str(&after[..after.len() - value.len()]);
        masked.extend(["\"", MASK, "\""]);
        rest = &value[length..];
    }
    masked + rest
}

/// The length of the string that a text begins with, its quotes included.
fn string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
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
            ("location", "https://a/b#access_token=1&state=2", "https://a/b#access_token=••••••&state=2"),
            ("HX-Current-URL", "http://a/#/b?token=1", "http://a/#/b?token=••••••"),
            ("x-api-key", "abc", "••••••"),
            ("accept", "text/html", "text/html"),
        ] {
            assert_eq!(header(name, value), masked, "{name}");
        }
    }

    #[test]
    fn parameters_are_masked_by_their_decoded_names() {
        assert_eq!(query("a=1&pass%77ord=x&b&token="), "a=1&pass%77ord=••••••&b&token=");
        assert_eq!(query("a=1;token=2;b&password=x;y"), "a=1;token=••••••;b&password=••••••");
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
