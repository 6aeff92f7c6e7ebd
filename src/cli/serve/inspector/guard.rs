//! Who may ask: only this machine, only a page of ours.
//!
//! Three things are checked, each against another danger. `Host` names a loopback address: otherwise a web page could
//! have its own name lead here (DNS rebinding) and read everything as its own. The page's token is in a header: no other
//! origin can read the page, so none has the token. `Origin` and `Sec-Fetch-Site`, where a browser sends them, are those
//! of the page: a leaked token alone does not help another page.

use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, header};

/// The header with the page's token.
pub(super) const TOKEN: &str = "x-inspector-token";

/// The names of this machine for itself.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// What is known of the inspector's own address, and its token.
pub(super) struct Guard {
    pub(super) port: u16,
    pub(super) token: String,
}

/// Why a request is refused, as text for people.
pub(super) type Refusal = String;

impl Guard {
    /// Checks every request, the page's included.
    pub(super) fn host(&self, parts: &Parts) -> Result<(), Refusal> {
        let mut hosts = parts.headers.get_all(header::HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok());
        // A target in absolute form wins over `Host` (RFC 9112, 3.2.2).
        let target = parts.uri.authority().map(Authority::as_str);
        let is_ours = host.is_some_and(|host| self.is_ours(host))
            && hosts.next().is_none()
            && target.is_none_or(|target| self.is_ours(target));
        let port = self.port;
        is_ours.then_some(()).ok_or_else(|| {
            format!(
                "The inspector answers only to names of this machine: open http://127.0.0.1:{port} or \
                 http://localhost:{port}.\nThe request's Host is another one. A web page could otherwise read your \
                 requests by a name of its own that leads to this machine (DNS rebinding).\n"
            )
        })
    }

    fn is_ours(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let is_plain = !authority.as_str().contains('@');
        let is_loopback = LOOPBACK.iter().any(|name| authority.host().eq_ignore_ascii_case(name));
        is_plain && is_loopback && authority.port_u16().unwrap_or(80) == self.port
    }

    /// Checks a request for data, or for a change.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let is_own = |origin: &str| origin.strip_prefix("http://").is_some_and(|host| self.is_ours(host));
        if text("origin").is_some_and(|origin| !is_own(origin))
            || text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"))
        {
            return Err("The request comes from another page: only the inspector's own page may ask.\n".to_owned());
        }
        if !text(TOKEN).is_some_and(|token| self.is_token(token)) {
            return Err(format!(
                "The request has not the token of this run in its header {TOKEN}: load the page again. The token is in \
                 the page, and changes at each start of `wsgi-lambda serve`.\n"
            ));
        }
        Ok(())
    }

    /// Compares all bytes, wherever they differ, so that the time says nothing.
    fn is_token(&self, given: &str) -> bool {
        let pairs = self.token.bytes().zip(given.bytes());
        given.len() == self.token.len() && pairs.fold(0, |all, (ours, theirs)| all | (ours ^ theirs)) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn guard() -> Guard {
        Guard { port: 8001, token: "abc".to_owned() }
    }

    fn host(uri: &str, hosts: &[&str]) -> bool {
        let mut request = Request::get(uri);
        for host in hosts {
            request = request.header("host", *host);
        }
        guard().host(&request.body(()).unwrap().into_parts().0).is_ok()
    }

    #[test]
    fn only_loopback_names_with_the_port_are_answered() {
        for good in ["127.0.0.1:8001", "localhost:8001", "LOCALHOST:8001", "[::1]:8001"] {
            assert!(host("/", &[good]), "{good}");
        }
        for bad in [
            "127.0.0.1",
            "127.0.0.1:8000",
            "evil.test:8001",
            "localhost.evil.test:8001",
            "127.0.0.1.nip.io:8001",
            "",
            "evil@localhost:8001",
            "localhost:8001:8001",
            "0.0.0.0:8001",
        ] {
            assert!(!host("/", &[bad]), "{bad}");
        }
        assert!(!host("/", &[]));
        assert!(!host("/", &["localhost:8001", "evil.test:8001"]));
        assert!(!host("http://evil.test:8001/", &["localhost:8001"]));
    }

    #[test]
    fn data_needs_the_token_and_the_pages_own_origin() {
        let caller = |headers: &[(&str, &str)]| {
            let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            guard().caller(&headers.collect()).is_ok()
        };
        assert!(caller(&[(TOKEN, "abc")]));
        assert!(caller(&[(TOKEN, "abc"), ("origin", "http://127.0.0.1:8001"), ("sec-fetch-site", "same-origin")]));
        for bad in [&[][..], &[(TOKEN, "")], &[(TOKEN, "abd")], &[(TOKEN, "abcd")]] {
            assert!(!caller(bad), "{bad:?}");
        }
        for origin in ["null", "http://evil.test", "https://127.0.0.1:8001", "http://127.0.0.1:8000"] {
            assert!(!caller(&[(TOKEN, "abc"), ("origin", origin)]), "{origin}");
        }
        assert!(!caller(&[(TOKEN, "abc"), ("sec-fetch-site", "cross-site")]));
        assert!(!caller(&[(TOKEN, "abc"), ("sec-fetch-site", "same-site")]));
    }
}
