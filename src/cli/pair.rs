//! Options that are pairs.

/// Reads an option such as `KEY=VALUE`, which is the `form` that a message shows.
pub(super) fn pair(text: &str, form: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("write it as {form}")),
    }
}
