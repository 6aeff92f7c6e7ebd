//! A request of the user's own, from the words of the command line.

use std::io::Read as _;

use http::header::{CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::arguments::Draft;
use crate::cli::failure::Failure;

/// What curl sends with `-d` too.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// A request that was asked for.
#[derive(Clone, Debug)]
pub(in crate::cli::replay) struct Asked {
    pub(super) method: Method,
    /// `None` for the host that the front end has.
    pub(super) host: Option<Authority>,
    /// Whether the client speaks HTTPS: unless the URL says `http://`.
    pub(super) is_https: bool,
    /// Path and query as they go over the wire: visible ASCII.
    pub(super) target: String,
    /// Fields with the value that is sent; `None` for one that is left out.
    pub(super) headers: Vec<(HeaderName, Option<HeaderValue>)>,
    pub(super) body: Option<Vec<u8>>,
}

impl Asked {
    /// Checks what was written, and reads the files that it names.
    pub(in crate::cli::replay) fn new(draft: &Draft) -> Result<Self, Failure> {
        let (host, target) = split(&draft.target)?;
        let is_https = !draft.target.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("http://"));
        let mut headers = draft.headers.iter().map(|text| header(text)).collect::<Result<Vec<_>, _>>()?;
        let body = (!draft.data.is_empty()).then(|| body(&draft.data)).transpose()?;
        if body.is_some() && !headers.iter().any(|(name, _)| name == CONTENT_TYPE) {
            headers.push((CONTENT_TYPE, Some(HeaderValue::from_static(FORM))));
        }
        let method = match &draft.method {
            Some(word) => Method::from_bytes(word.as_bytes())
                .map_err(|_| Failure::Usage(format!("{word} is no method: write GET, POST or another")))?,
            None if body.is_some() => Method::POST,
            None => Method::GET,
        };
        Ok(Self { method, host, is_https, target, headers, body })
    }

    /// The name of the request's event, from method and path: `get-admin-login`. Also the name of a file, so it has
    /// nothing but letters, digits, `-`, `_` and `.` inside.
    pub(in crate::cli::replay) fn name(&self) -> String {
        let mut name = self.method.as_str().to_ascii_lowercase();
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        for word in [path, query].iter().flat_map(|text| text.split(|char| !is_plain(char))) {
            let word = word.trim_matches('.');
            if !word.is_empty() {
                name.push('-');
                name.push_str(word);
            }
        }
        name.truncate(100); // file systems take 255 bytes
        name
    }

    /// Whether the method asks for a change, so that frameworks check where the request comes from.
    pub(super) fn is_unsafe(&self) -> bool {
        !self.method.is_safe()
    }

    /// The value with which a field is sent; `None` if there is none, or it is left out.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.headers.iter().rev().find(|(known, _)| known == name).and_then(|(_, value)| value.as_ref())
    }

    /// Whether the user has said what becomes of a field.
    pub(super) fn decides(&self, name: &HeaderName) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }

    /// The same page, asked for with GET: what a browser does before it sends a form.
    pub(super) fn page(&self) -> Self {
        let kept = |(name, _): &&(HeaderName, Option<HeaderValue>)| !name.as_str().starts_with("content-");
        let headers = self.headers.iter().filter(kept).cloned().collect();
        Self { method: Method::GET, headers, body: None, ..self.clone() }
    }
}

fn is_plain(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '.')
}

/// Host, if the text is a URL, and the target.
fn split(text: &str) -> Result<(Option<Authority>, String), Failure> {
    let Some((_, rest)) = text.split_once("://").filter(|_| !text.starts_with('/')) else {
        return Ok((None, encoded(text)));
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, target) = rest.split_at(end);
    let wrong =
        |why: &str| Failure::Usage(format!("{}: {why}", text.replace(host, host.rsplit('@').next().unwrap_or(host))));
    if host.contains('@') {
        return Err(wrong("a name and password in a URL are not sent: write -H 'Authorization: Basic …'"));
    }
    let host = host.parse().map_err(|_| wrong("the URL has no valid host: write https://example.com/path"))?;
    Ok((Some(host), encoded(&if target.starts_with('/') { target.to_owned() } else { format!("/{target}") })))
}

/// What a client percent-encodes, beside all that is not ASCII.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ');

/// The target as a client sends it: without the fragment, in visible ASCII.
fn encoded(target: &str) -> String {
    utf8_percent_encode(target.split('#').next().unwrap_or_default(), ENCODED).to_string()
}

fn header(text: &str) -> Result<(HeaderName, Option<HeaderValue>), Failure> {
    // Nothing of the value is shown: it may be a secret.
    let wrong = |why: &str| Failure::Usage(format!("-H '{}…': {why}", text.split(':').next().unwrap_or_default()));
    let (name, value) = if let Some((name, value)) = text.split_once(':') {
        (name, Some(value.trim()).filter(|value| !value.is_empty()))
    } else if let Some(name) = text.strip_suffix(';') {
        (name, Some(""))
    } else {
        let start: String = text.chars().take(12).collect();
        return Err(Failure::Usage(format!("-H '{start}…' has no colon: write -H 'Name: value'")));
    };
    let name: HeaderName =
        name.trim().parse().map_err(|_| wrong("this is no name of a header field: write -H 'Name: value'"))?;
    let value = value.map(|value| HeaderValue::from_bytes(value.as_bytes())).transpose();
    let value = value.map_err(|_| wrong("the value has a line break or another control character: remove it"))?;
    if value.is_none() && name == HOST {
        return Err(wrong("a request without Host reaches no front end: leave this option out"));
    }
    Ok((name, value))
}

/// The parts of `-d`, joined with `&` as curl does, but with the line breaks of files.
fn body(data: &[String]) -> Result<Vec<u8>, Failure> {
    let parts = data.iter().map(|text| part(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(parts.join(&b'&'))
}

fn part(text: &str) -> Result<Vec<u8>, Failure> {
    match text.strip_prefix('@') {
        None => Ok(text.as_bytes().to_vec()),
        Some("") => Err(Failure::Usage("-d @: write the file's name after the @, such as -d @body.json".to_owned())),
        Some("-") => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            read.map_err(|error| Failure::Usage(format!("-d @-: cannot read standard input: {error}")))?;
            Ok(bytes)
        }
        Some(file) => std::fs::read(file).map_err(|error| {
            Failure::Usage(format!(
                "-d @{file}: cannot read the file: {error}; correct its name, or write -d '…' without @ for a text"
            ))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: Option<&str>, target: &str, headers: &[&str], data: &[&str]) -> Result<Asked, String> {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let method = method.map(str::to_owned);
        let draft = Draft { method, target: target.to_owned(), headers: owned(headers), data: owned(data) };
        Asked::new(&draft).map_err(|failure| failure.to_string())
    }

    #[test]
    fn data_makes_a_form_and_a_post() {
        let form = asked(None, "/login?next=/", &[], &["a=1", "b=2"]).unwrap();
        assert_eq!((form.method.as_str(), form.body.as_deref()), ("POST", Some(&b"a=1&b=2"[..])));
        assert_eq!(form.header(&CONTENT_TYPE).unwrap(), FORM);
        let json = asked(Some("PUT"), "/a", &["Content-Type: application/json"], &["{}"]).unwrap();
        assert_eq!((json.method.as_str(), json.headers.len()), ("PUT", 1));
        assert_eq!(asked(None, "http://h", &[], &[]).unwrap().method, Method::GET);
    }

    #[test]
    fn targets_go_over_the_wire_as_they_are() {
        for (text, host, target) in [
            ("/a//b/../%2f?q=a+b#top", None, "/a//b/../%2f?q=a+b"),
            ("/Grüße 1", None, "/Gr%C3%BC%C3%9Fe%201"),
            ("https://example.com:8443/a", Some("example.com:8443"), "/a"),
            ("http://[::1]?x", Some("[::1]"), "/?x"),
            ("/go?to=http://other/", None, "/go?to=http://other/"),
        ] {
            let asked = asked(Some("GET"), text, &[], &[]).unwrap();
            assert_eq!((asked.host.as_ref().map(Authority::as_str), asked.target.as_str()), (host, target), "{text}");
        }
    }

    #[test]
    fn names_are_names_of_files() {
        for (method, target, name) in [
            ("GET", "/", "get"),
            ("POST", "/admin/login/?next=/admin/", "post-admin-login-next-admin"),
            ("GET", "/../../etc/passwd", "get-etc-passwd"),
            ("GET", "/v1.2/robots.txt", "get-v1.2-robots.txt"),
            ("GET", "/é", "get-C3-A9"),
        ] {
            assert_eq!(asked(Some(method), target, &[], &[]).unwrap().name(), name);
        }
        assert_eq!(asked(Some("GET"), &"/x".repeat(200), &[], &[]).unwrap().name().len(), 100);
    }

    #[test]
    fn fields_are_sent_left_out_or_empty() {
        let asked = asked(Some("GET"), "/", &["Accept:", "X-Empty;", "X-A:  b c "], &[]).unwrap();
        let name = |text: &'static str| HeaderName::from_static(text);
        assert!(asked.decides(&name("accept")) && asked.header(&name("accept")).is_none());
        assert_eq!(asked.header(&name("x-empty")).unwrap(), "");
        assert_eq!(asked.header(&name("x-a")).unwrap(), "b c");
    }

    #[test]
    fn mistakes_name_the_fix_and_no_secret() {
        for (headers, data, expected) in [
            (&["Authorization"][..], &[][..], "-H 'Authorizatio…' has no colon: write -H 'Name: value'"),
            (&["A b: secret"], &[], "-H 'A b…': this is no name of a header field: write -H 'Name: value'"),
            (&["A: secret\nB: c"], &[], "-H 'A…': the value has a line break or another control character: remove it"),
            (&[], &["@/no/such/file"], "-d @/no/such/file: cannot read the file"),
            (&[], &["@"], "write the file's name after the @"),
        ] {
            let said = asked(Some("POST"), "/", headers, data).unwrap_err();
            assert!(said.contains(expected) && !said.contains("secret"), "{said}");
        }
        let said = asked(Some("GET"), "https://me:secret@example.com/", &[], &[]).unwrap_err();
        assert!(said.contains("-H 'Authorization: Basic …'") && !said.contains("secret"), "{said}");
    }
}
