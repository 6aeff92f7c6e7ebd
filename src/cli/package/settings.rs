//! Secrets in the text of settings, whatever the file's name. Only what has the form of a secret counts: a sentence that
//! names a variable, or a value that is read from somewhere else, has not.

/// Names to which files of settings assign a secret, and the shortest one. Letters count as small.
const NAMES: [(&str, usize); 4] =
    [("aws_secret_access_key", 40), ("_authtoken", 16), ("secret_key", 16), ("aws_session_token", 40)];

/// Length of the key's id after its prefix (IAM's documentation, "Unique identifiers").
const KEY_ID: usize = 16;

/// Whether a text assigns a secret. In code, a name such as `SECRET_KEY` is Django's for a value of development.
pub(super) fn hold_secrets(text: &str, is_code: bool) -> bool {
    has_key_id(text) || {
        let small = text.to_ascii_lowercase();
        NAMES.iter().filter(|(name, _)| !is_code || name.starts_with("aws_")).any(|(name, shortest)| {
            small.match_indices(name).any(|(at, _)| is_assigned(&text[at + name.len()..], *shortest))
        })
    }
}

/// `AKIA…`, and none of those in AWS's documentation.
fn has_key_id(text: &str) -> bool {
    text.match_indices("AKIA").any(|(at, prefix)| {
        let word = |char: &char| char.is_ascii_uppercase() || char.is_ascii_digit();
        let id: String = text[at + prefix.len()..].chars().take_while(word).collect();
        let starts = !text[..at].ends_with(|char: char| char.is_ascii_alphanumeric());
        starts && id.len() == KEY_ID && !id.ends_with("EXAMPLE")
    })
}

/// Whether what follows a name is `=` or `:` and a literal of at least this length.
fn is_assigned(rest: &str, shortest: usize) -> bool {
    let rest = rest.trim_start_matches(['"', '\'']).trim_start_matches([' ', '\t']);
    let Some(value) = rest.strip_prefix(['=', ':']) else { return false };
    let value = value.trim_start_matches([' ', '\t']).trim_start_matches(['"', '\'']);
    let length =
        value.find(|char: char| char.is_whitespace() || "\"'`,;()[]{}<>$".contains(char)).unwrap_or(value.len());
    length >= shortest && !value[..length].ends_with("EXAMPLEKEY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_a_form() {
        let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz";
        for text in [
            "id = AKIAQ2W3E4R5T6Y7U8I9\n",
            &format!("[default]\nAWS_SECRET_ACCESS_KEY={key}"),
            &format!("{{\"aws_secret_access_key\": \"{key}\"}}"),
            "{\"dev\": {\"SECRET_KEY\": \"django-insecure-0123456789\"}}",
            "//registry.npmjs.org/:_authToken=npm_0123456789abcdef\n",
        ] {
            assert!(hold_secrets(text, false), "{text}");
        }
        assert!(hold_secrets(&format!("client(aws_secret_access_key='{key}')"), true));
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            "set AWS_SECRET_ACCESS_KEY: your key",
            "aws_secret_access_key=os.environ['A']",
            "SECRET_KEY=${SECRET_KEY_OF_PRODUCTION}",
            "_authToken=${NPM_TOKEN_OF_THE_BUILD}",
            "é AKIA",
        ] {
            assert!(!hold_secrets(text, false), "{text}");
        }
        assert!(!hold_secrets("SECRET_KEY = 'django-insecure-0123456789'", true));
    }
}
