//! Which names belong to a secret: of headers, of query parameters and form fields, of members of JSON.

/// Headers that are secrets though their names do not say so.
const HEADERS: [&str; 4] = ["cookie", "set-cookie", "x-amzn-oidc-data", "x-amzn-oidc-identity"];

/// Parts of names that are secrets, without signs and in lower case: `access_token`, `X-Api-Key`, `newPassword`.
const PARTS: [&str; 14] = [
    "token",
    "secret",
    "passw",
    "passphrase",
    "pwd",
    "apikey",
    "accesskey",
    "privatekey",
    "signature",
    "credential",
    "csrf",
    "xsrf",
    "sessionid",
    "authorization",
];

/// Whole names that are secrets.
const WHOLE: [&str; 6] = ["auth", "jwt", "session", "sessid", "sid", "oidc"];

/// Whole names that are secrets in a query and in a form. In JSON they mostly mean something else: `"code": 404`.
const PARAMETERS: [&str; 7] = ["code", "key", "sig", "pin", "otp", "samlresponse", "hmac"];

/// Names with such a part that say how, not what.
const HARMLESS: [&str; 5] = ["tokentype", "tokenurl", "tokenuse", "tokenendpoint", "credentials"];

/// Whether the value of a header is a secret. Any case.
pub(super) fn header(name: &str) -> bool {
    let is_listed = HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name));
    // `Access-Control-Allow-Credentials: true`
    let is_policy = name.get(..15).is_some_and(|start| start.eq_ignore_ascii_case("access-control-"));
    is_listed || !is_policy && member(name)
}

/// Whether the value of a query parameter or of a form field is a secret.
pub(super) fn parameter(name: &str) -> bool {
    PARAMETERS.contains(&plain(name).as_str()) || member(name)
}

/// Whether the value of a member of a JSON object is a secret.
pub(super) fn member(name: &str) -> bool {
    let plain = plain(name);
    let is_secret = PARTS.iter().any(|part| plain.contains(part)) || WHOLE.contains(&plain.as_str());
    // `max_tokens` counts the words of a language model.
    is_secret && !HARMLESS.contains(&plain.as_str()) && !plain.ends_with("tokens")
}

/// `X-Api-Key`, `x_api_key` and `xApiKey` are one name.
fn plain(name: &str) -> String {
    name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_every_spelling() {
        for name in
            ["Authorization", "proxy-authorization", "COOKIE", "Set-Cookie", "X-Api-Key", "X-Amz-Security-Token"]
        {
            assert!(header(name), "{name}");
        }
        for name in ["access_token", "newPassword", "client-secret", "csrfmiddlewaretoken", "X-Amz-Signature", "code"] {
            assert!(parameter(name), "{name}");
        }
        assert!(member("apiKey") && member("refreshToken"));
    }

    #[test]
    fn other_names_are_left_alone() {
        for name in ["accept", "access-control-allow-credentials", "content-length", "x-forwarded-for", "authority"] {
            assert!(!header(name), "{name}");
        }
        assert!(!parameter("page") && !parameter("keyboard") && !parameter("author"));
        assert!(!member("code") && !member("token_type") && !member("max_tokens"));
    }
}
