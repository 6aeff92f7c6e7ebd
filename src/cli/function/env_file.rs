//! Files of variables: one `KEY=VALUE` a line.

use std::path::Path;

use crate::cli::failure::Failure;

/// Reads a file of variables.
pub(super) fn read(path: &Path) -> Result<Vec<(String, String)>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("cannot read --env-file {}: {error}", path.display())))?;
    parse(&text).map_err(|(line, what)| Failure::Usage(format!("{}:{line}: {what}", path.display())))
}

/// Lines are `KEY=VALUE`, with `export ` before it or not; empty ones and those that begin with `#` are comments. A value in
/// single quotes is taken as it is; in double quotes `\n`, `\t`, `\"` and `\\` are escapes; without quotes it ends before
/// ` #`. The error is the number of the line, and what is wrong there, without the value.
fn parse(text: &str) -> Result<Vec<(String, String)>, (usize, String)> {
    let mut variables = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let refuse = |what: &str| Err((index + 1, what.to_owned()));
        let Some((key, value)) = line.strip_prefix("export ").unwrap_or(line).split_once('=') else {
            return refuse("write it as KEY=VALUE");
        };
        let key = key.trim();
        let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
        if key.is_empty() || !key.chars().all(is_name) || key.starts_with(|char: char| char.is_ascii_digit()) {
            return refuse("a variable's name is letters, digits and _, and no digit first");
        }
        match self::value(value.trim()) {
            Some(value) if !value.contains('\0') => variables.push((key.to_owned(), value)),
            Some(_) => return refuse(&format!("the value of {key} has a NUL in it")),
            None => {
                return refuse(&format!("the value of {key} is not closed: a quote is missing, or text follows it"));
            }
        }
    }
    Ok(variables)
}

/// A value without its quotes.
fn value(text: &str) -> Option<String> {
    let closed = |rest: &str| rest.trim_start().is_empty() || rest.trim_start().starts_with('#');
    if let Some(rest) = text.strip_prefix('\'') {
        let (value, rest) = rest.split_once('\'')?;
        return closed(rest).then(|| value.to_owned());
    }
    let Some(rest) = text.strip_prefix('"') else {
        let end = text.find(" #").unwrap_or(text.len());
        return Some(text[..end].trim_end().to_owned());
    };
    let mut value = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return closed(chars.as_str()).then_some(value),
            '\\' => match chars.next()? {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                char @ ('"' | '\\' | '$') => value.push(char),
                char => value.extend(['\\', char]),
            },
            char => value.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_comments_and_escapes() {
        let text = "\u{feff}# a comment\n\nA=1\nexport B = two words # not this\nC='# \\n \"'\nD=\"a\\n\\\"b\\\" #\" # no\nE=\nF=a#b\nG=x=y\n";
        let read = parse(text).unwrap();
        let read: Vec<_> = read.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "# \\n \""),
            ("D", "a\n\"b\" #"),
            ("E", ""),
            ("F", "a#b"),
            ("G", "x=y"),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_bad_line_is_named_and_its_value_is_not_shown() {
        for (text, line) in
            [("A=1\nno\n", 2), ("1A=secret", 1), ("\n\nA='secret", 3), ("A=\"secret\" more", 1), ("=secret", 1)]
        {
            let (at, what) = parse(text).unwrap_err();
            assert_eq!(at, line, "{text}");
            assert!(!what.contains("secret"), "{what}");
        }
    }
}
