//! A client's request as a command line of curl, for any POSIX shell. Header values with bytes that are not UTF-8 need
//! `$'…'`, which bash, zsh and ksh read.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{Method, header};

use super::secrets::Secrets;
use crate::gateway::ClientRequest;

/// The longest body that stands in the command itself: Linux takes 128 KiB an argument.
const INLINE: usize = 32 * 1024;

/// Headers that curl makes itself, or that belong to the connection.
const LEFT_OUT: [&str; 6] = ["host", "content-length", "connection", "transfer-encoding", "expect", "keep-alive"];

/// Headers that curl sends unless it is told not to.
const CURLS_OWN: [&str; 2] = ["user-agent", "accept"];

/// The command, without an end of line.
pub(super) fn command(request: &ClientRequest, secrets: Secrets) -> String {
    let mut parts = vec![start(request, secrets)];
    for (name, value) in &request.headers {
        if !LEFT_OUT.contains(&name.as_str()) {
            parts.push(format!("-H {}", field(name.as_str(), value.as_bytes(), secrets)));
        }
    }
    let missing = CURLS_OWN.iter().filter(|name| !request.headers.contains_key(**name));
    parts.extend(missing.map(|name| format!("-H '{name}:'")));
    if request.body.is_empty() || request.method == Method::HEAD {
        return parts.join(" \\\n  ");
    }
    if !request.headers.contains_key(header::CONTENT_TYPE) {
        parts.push("-H 'content-type:'".to_owned()); // curl would call it a form
    }
    let content_type = request.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let masked = secrets.body(content_type.unwrap_or_default(), &request.body);
    let body = masked.as_deref().unwrap_or(&request.body);
    match std::str::from_utf8(body) {
        Ok(text) if text.len() <= INLINE && !text.contains('\0') => {
            // Not --data-binary, to which a body that begins with @ is the name of a file.
            parts.push(format!("--data-raw {}", quoted(text.as_bytes())));
            parts.join(" \\\n  ")
        }
        _ => {
            parts.push("--data-binary @-".to_owned());
            format!("base64 --decode <<'END' | {}\n{}END", parts.join(" \\\n  "), lines(body))
        }
    }
}

/// `curl -i -X POST 'http://127.0.0.1:8000/path?query'`
fn start(request: &ClientRequest, secrets: Secrets) -> String {
    let mut start = "curl -i".to_owned();
    if request.method == Method::HEAD {
        start.push_str(" --head");
    } else if request.method != Method::GET || !request.body.is_empty() {
        let _ = write!(start, " -X {}", quoted(request.method.as_str().as_bytes())); // cannot fail
    }
    let host = request
        .headers
        .get(header::HOST)
        .map_or(Cow::Borrowed("localhost"), |host| String::from_utf8_lossy(host.as_bytes()));
    let target = secrets.url(&request.target);
    if target.contains(['[', ']', '{', '}']) {
        start.push_str(" --globoff");
    }
    if target.contains("/.") {
        start.push_str(" --path-as-is");
    }
    if let Some(path) = target.strip_prefix('/') {
        let _ = write!(start, " {}", quoted(format!("http://{host}/{path}").as_bytes()));
    } else {
        let url = quoted(format!("http://{host}/").as_bytes());
        let _ = write!(start, " --request-target {} {url}", quoted(target.as_bytes()));
    }
    start
}

fn field(name: &str, value: &[u8], secrets: Secrets) -> String {
    let value = match std::str::from_utf8(value) {
        Ok(text) => Cow::Owned(secrets.header(name, text).into_bytes()),
        Err(_) if secrets.header(name, "?") != "?" => Cow::Borrowed(super::secrets::MASK.as_bytes()),
        Err(_) => Cow::Borrowed(value),
    };
    // `name:` alone would take the header away.
    let separator = if value.is_empty() { ";" } else { ": " };
    quoted(&[name.as_bytes(), separator.as_bytes(), &value].concat())
}

/// A word for the shell. Only what is not text needs more than single quotes.
fn quoted(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if is_plain(text) => text.to_owned(),
        Ok(text) if !text.contains(|char: char| char.is_control() && !matches!(char, '\n' | '\r' | '\t')) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => {
            let escape = |byte: &u8| match byte {
                b'\'' | b'\\' => format!("\\{}", char::from(*byte)),
                0x20..0x7f => char::from(*byte).to_string(),
                _ => format!("\\x{byte:02x}"),
            };
            format!("$'{}'", bytes.iter().map(escape).collect::<String>())
        }
    }
}

/// A word that no shell reads as anything else.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}

fn lines(body: &[u8]) -> String {
    let text = BASE64.encode(body);
    let mut out = String::with_capacity(text.len() + text.len() / 64);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(76));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_shell() {
        for (bytes, word) in [
            (&b"GET"[..], "GET"),
            (b"it's $HOME", r"'it'\''s $HOME'"),
            (b"", "''"),
            ("é".as_bytes(), "'é'"),
            (b"\xff'\\a", r"$'\xff\'\\a'"),
            (b"a\x00b", r"$'a\x00b'"),
        ] {
            assert_eq!(quoted(bytes), word);
        }
    }
}
