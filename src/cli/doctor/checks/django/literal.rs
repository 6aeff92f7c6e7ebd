//! Settings that are written as plain values. Only Python knows computed ones.

use crate::cli::doctor::contents::{Contents, extension};
use crate::cli::doctor::node::Place;

/// The value of a name, as text, if exactly one settings file sets it. Of several nobody knows which is used.
pub(super) fn assigned(code: &Contents, name: &str) -> Option<(Place, String)> {
    let is_settings =
        |file: &&str| extension(file) == "py" && file.contains("settings") && !file.contains("site-packages");
    let mut found = code.names().filter(is_settings).filter_map(|file| {
        let text = code.text(file)?;
        let (line, value) = assignment(&text, name)?;
        Some((Place { file: code.path.join(file).into(), line }, value))
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The line and value of the only assignment to a name at the beginning of a line.
fn assignment(text: &str, name: &str) -> Option<(usize, String)> {
    let value = |line: &str| Some(line.strip_prefix(name)?.trim_start().strip_prefix('=')?.trim().to_owned());
    let lines: Vec<&str> = text.lines().collect();
    let mut found = lines.iter().enumerate().filter_map(|(index, line)| Some((index, value(line)?)));
    let (index, mut value) = found.next()?;
    // A second one, or `ALLOWED_HOSTS += …`, may change it.
    if found.next().is_some() || text.contains(&format!("{name} +=")) || text.contains(&format!("{name}.")) {
        return Some((index + 1, String::new()));
    }
    let mut rest = lines.iter().skip(index + 1);
    while value.starts_with('[') && !value.contains(']') {
        value.push_str(rest.next()?.split('#').next()?.trim());
    }
    let value = value.split('#').next()?.trim();
    Some((index + 1, value.to_owned()))
}

/// A list of texts: `["a", 'b']`.
pub(super) fn texts(value: &str) -> Option<Vec<String>> {
    let items = value.strip_prefix('[')?.strip_suffix(']')?.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| {
            let quote = item.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
            let text = item.strip_prefix(quote)?.strip_suffix(quote)?;
            (!text.contains(quote)).then(|| text.to_owned())
        })
        .collect()
}

/// Django's rule (`django.http.request.validate_host`).
pub(super) fn allows(allowed: &[String], host: &str) -> bool {
    allowed.iter().any(|pattern| {
        let domain = pattern.strip_prefix('.');
        pattern == "*"
            || pattern == host
            || domain.is_some_and(|domain| host == domain || host.ends_with(pattern.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_are_read_and_others_are_not() {
        let value = |text: &str| assignment(text, "ALLOWED_HOSTS").map(|(_, value)| texts(&value));
        assert_eq!(value("ALLOWED_HOSTS = []"), Some(Some(vec![])));
        assert_eq!(
            value("X = 1\nALLOWED_HOSTS = ['a', \"b\"]  # why\n"),
            Some(Some(vec!["a".to_owned(), "b".to_owned()]))
        );
        assert_eq!(value("ALLOWED_HOSTS = [\n  'a',  # one\n]\n"), Some(Some(vec!["a".to_owned()])));
        for computed in [
            "ALLOWED_HOSTS = env.list('HOSTS')",
            "ALLOWED_HOSTS = [env('HOST')]",
            "ALLOWED_HOSTS = ['a']\nALLOWED_HOSTS += ['b']\n",
        ] {
            assert_eq!(value(computed), Some(None), "{computed}");
        }
        assert_eq!(value("HOSTS = []"), None);
    }

    #[test]
    fn hosts_are_matched_as_django_does() {
        let allows = |pattern: &str| allows(&[pattern.to_owned()], "x.example.com");
        assert!(allows("*") && allows("x.example.com") && allows(".example.com"));
        assert!(!allows("example.com") && !allows("y.example.com") && !allows(".y.example.com"));
    }
}
