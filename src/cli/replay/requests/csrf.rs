//! Tokens against cross-site request forgery, found where frameworks put them and sent where they look for them.
//!
//! Django puts one into a cookie and a hidden field, Flask-WTF and Pyramid into a hidden field, or a `<meta>` for scripts.
//! All of them take it from a field of the form or from a header, and some compare `Referer` with the host.

use html5gum::{Token, Tokenizer};

/// Cookies that hold a token: Django's, and the one that scripts of Angular and axios look for.
pub(super) const COOKIES: [&str; 2] = ["csrftoken", "XSRF-TOKEN"];
/// Headers that frameworks take a token from: Django and Flask-WTF the first, Pyramid and Flask-WTF the second, others the
/// third.
pub(super) const HEADERS: [&str; 3] = ["x-csrftoken", "x-csrf-token", "x-xsrf-token"];

/// A token that a page had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageToken {
    /// The name of the hidden field; `None` for one of a `<meta>`.
    field: Option<String>,
    pub(super) value: String,
}

impl PageToken {
    /// The token of a page: of its last form, because the forms before it may be the layout's, such as one to log out.
    pub(super) fn of(page: &[u8]) -> Option<Self> {
        let mut found: Option<Self> = None;
        for token in Tokenizer::new(page) {
            let Ok(Token::StartTag(tag)) = token else { continue };
            let attribute =
                |name: &[u8]| tag.attributes.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
            let (name, value) = match &tag.name[..] {
                b"input" => (attribute(b"name"), attribute(b"value")),
                b"meta" if found.is_none() => (attribute(b"name"), attribute(b"content")),
                _ => continue,
            };
            if let (Some(name), Some(value)) = (name, value)
                && name.to_ascii_lowercase().contains("csrf")
                && !value.is_empty()
            {
                found = Some(Self { field: (&tag.name[..] == b"input").then_some(name), value });
            }
        }
        found
    }

    /// Adds the field to a form that lacks it.
    pub(super) fn fill(&self, form: &mut Vec<u8>) {
        let Some(field) = &self.field else { return };
        if form_urlencoded::parse(form).any(|(name, _)| name == field.as_str()) {
            return;
        }
        let pair = form_urlencoded::Serializer::new(String::new()).append_pair(field, &self.value).finish();
        if !form.is_empty() {
            form.push(b'&');
        }
        form.extend_from_slice(pair.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(field: Option<&str>, value: &str) -> PageToken {
        PageToken { field: field.map(str::to_owned), value: value.to_owned() }
    }

    #[test]
    fn tokens_are_found_where_frameworks_put_them() {
        for (page, expected) in [
            (
                "<form method=post><input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"a&amp;b\"></form>",
                Some(token(Some("csrfmiddlewaretoken"), "a&b")),
            ),
            ("<INPUT NAME='csrf_token' VALUE='x' TYPE='hidden'/>", Some(token(Some("csrf_token"), "x"))),
            ("<meta name=csrf-token content=m>", Some(token(None, "m"))),
            ("<meta name=csrf-token content=m><input name=csrf_token value=f>", Some(token(Some("csrf_token"), "f"))),
            (
                "<input name=csrf_token value=out><input name=csrf_token value=in>",
                Some(token(Some("csrf_token"), "in")),
            ),
            ("<!-- <input name=csrf_token value=x> --><input name=q value=1><input name=csrf_token>", None),
            ("", None),
        ] {
            assert_eq!(PageToken::of(page.as_bytes()), expected, "{page}");
        }
    }

    #[test]
    fn a_form_gets_the_field_once() {
        for (form, filled) in [("", "t=a%26b"), ("x=1", "x=1&t=a%26b"), ("t=own&x=1", "t=own&x=1")] {
            let mut form = form.as_bytes().to_vec();
            token(Some("t"), "a&b").fill(&mut form);
            assert_eq!(form, filled.as_bytes());
        }
        let mut form = Vec::new();
        token(None, "m").fill(&mut form);
        assert!(form.is_empty());
    }
}
