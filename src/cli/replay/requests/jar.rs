//! The cookies of the responses so far: along one command, and in a file between commands.

use std::cmp::Reverse;
use std::fs::OpenOptions;
use std::io::{BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use cookie_store::CookieStore;
use http::HeaderMap;
use http::header::SET_COOKIE;
use url::Url;

use crate::cli::failure::Failure;

/// Cookies by domain, path and name, as RFC 6265 keeps and sends them.
pub(in crate::cli::replay) struct Jar {
    store: CookieStore,
    file: Option<PathBuf>,
}

impl Jar {
    /// A jar that is kept in this file, which need not exist yet; with `None` in memory.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, Failure> {
        let store = file.filter(|file| file.exists()).map(read).transpose()?.unwrap_or_default();
        Ok(Self { store, file: file.map(Path::to_owned) })
    }

    /// The value of `Cookie` for a request; `None` if there is nothing to send.
    pub(super) fn header(&self, url: &Url) -> Option<String> {
        let mut cookies = self.store.matches(url);
        cookies.sort_by_key(|cookie| Reverse(cookie.path.len())); // RFC 6265, 5.4
        let pairs: Vec<String> = cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The value of the cookie with one of these names that is sent to this URL.
    pub(super) fn value(&self, url: &Url, names: &[&str]) -> Option<String> {
        let mut sent = self.store.get_request_values(url);
        sent.find(|(name, _)| names.contains(name)).map(|(_, value)| value.to_owned())
    }

    /// Takes the cookies of a response. Returns what is wrong with those that no browser would keep.
    pub(super) fn take(&mut self, headers: &HeaderMap, url: &Url) -> Result<Vec<String>, Failure> {
        let mut wrong = Vec::new();
        let mut taken = false;
        for value in headers.get_all(SET_COOKIE) {
            taken = true;
            let text = String::from_utf8_lossy(value.as_bytes());
            match self.store.parse(&text, url) {
                Ok(_) | Err(cookie_store::CookieError::Expired) => {} // how an application takes a cookie back
                Err(error) => {
                    let name = text.split('=').next().unwrap_or_default();
                    wrong.push(format!("no browser keeps the cookie {name}: {error}"));
                }
            }
        }
        if taken { self.save().map(|()| wrong) } else { Ok(wrong) }
    }

    fn save(&self) -> Result<(), Failure> {
        let Some(file) = &self.file else { return Ok(()) };
        let failed = |error: &dyn std::fmt::Display| {
            Failure::Failed(format!("--cookie-jar {}: cannot write it: {error}", file.display()))
        };
        let mut text = Vec::new();
        cookie_store::serde::json::save_incl_expired_and_nonpersistent(&self.store, &mut text)
            .map_err(|error| failed(&error))?;
        // A session is as good as a password.
        let mut options = OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(0o600).open(file);
        opened.and_then(|mut opened| opened.write_all(&text)).map_err(|error| failed(&error))
    }
}

fn read(file: &Path) -> Result<CookieStore, Failure> {
    let shown = file.display();
    let text = std::fs::read(file)
        .map_err(|error| Failure::Usage(format!("--cookie-jar {shown}: cannot read it: {error}; give another file")))?;
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(CookieStore::default());
    }
    cookie_store::serde::json::load(BufReader::new(&text[..])).map_err(|_| {
        let kind = if text.starts_with(b"# ") {
            "is a cookie jar of another program, such as curl"
        } else {
            "is no cookie jar"
        };
        Failure::Usage(format!("--cookie-jar {shown} {kind}: give a file of its own, which is made if it is not there"))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn take(jar: &mut Jar, from: &str, cookies: &[&str]) -> Vec<String> {
        let fields = cookies.iter().map(|text| (SET_COOKIE, HeaderValue::from_str(text).unwrap()));
        jar.take(&fields.collect(), &url(from)).unwrap()
    }

    #[test]
    fn cookies_are_sent_where_they_belong() {
        let mut jar = Jar::open(None).unwrap();
        let cookies = ["a=1; Path=/admin", "b=2; Secure", "c=3; Domain=example.com; Path=/", "d=4; Max-Age=0", "e=5"];
        assert!(take(&mut jar, "https://www.example.com/admin/login", &cookies).is_empty());
        for (to, sent) in [
            ("https://www.example.com/admin/", Some("a=1 b=2 c=3 e=5")),
            ("http://www.example.com/admin", Some("a=1 c=3 e=5")),
            ("https://www.example.com/", Some("c=3")),
            ("https://other.example.com/admin/", Some("c=3")),
            ("https://example.org/admin/", None),
        ] {
            let header = jar.header(&url(to)).map(|header| {
                let mut pairs: Vec<&str> = header.split("; ").collect();
                pairs.sort_unstable();
                pairs.join(" ")
            });
            // The default path of `b` and `e` is that of the page that set them.
            assert_eq!(header.as_deref(), sent, "{to}");
        }
        take(&mut jar, "https://www.example.com/admin/logout", &["a=; Path=/admin; Max-Age=0"]);
        assert_eq!(jar.value(&url("https://www.example.com/admin/"), &["a"]), None);
        let wrong = take(&mut jar, "https://www.example.com/", &["f=6; Domain=other.org"]);
        assert!(wrong[0].starts_with("no browser keeps the cookie f: "), "{wrong:?}");
    }

    #[test]
    fn a_file_keeps_sessions_and_is_for_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jar");
        let mut jar = Jar::open(Some(&file)).unwrap();
        take(&mut jar, "https://h.example/", &["session=s; HttpOnly; SameSite=Lax", "kept=1; Max-Age=1000"]);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Jar::open(Some(&file)).unwrap();
        assert_eq!(again.value(&url("https://h.example/x"), &["session"]).as_deref(), Some("s"));
        assert_eq!(again.value(&url("https://h.example/x"), &["kept"]).as_deref(), Some("1"));
    }

    #[test]
    fn files_of_others_are_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jar");
        for (text, expected) in [("# Netscape HTTP Cookie File\n", "such as curl"), ("{}", "is no cookie jar")] {
            std::fs::write(&file, text).unwrap();
            let said = Jar::open(Some(&file)).err().unwrap().to_string();
            assert!(said.contains(expected), "{said}");
        }
        std::fs::write(&file, "\n").unwrap();
        assert!(Jar::open(Some(&file)).is_ok());
    }
}
