//! A JSON document for the page: on lines of its own, with masked secrets, long texts cut.

use serde_json::{Value, json};

use super::secrets::Secrets;

/// How many bytes of a text in a document are shown.
const TEXT_SHOWN: usize = 64 * 1024;

/// Reads JSON and masks its secrets. `None` if the bytes are not a JSON object or array.
pub(super) fn read(bytes: &[u8], secrets: Secrets) -> Option<Value> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    if !value.is_object() && !value.is_array() {
        return None;
    }
    secrets.document(&mut value);
    Some(value)
}

/// `{"text": "{…}", "bytes": 100, "cut": "body: first 64 kB of 5 MB"}`; `bytes` is the size of the original.
pub(super) fn form(mut value: Value, bytes: usize) -> Value {
    let mut notes = Vec::new();
    cut(&mut value, "", &mut notes);
    let cut = (!notes.is_empty()).then(|| notes.join("; "));
    json!({ "text": lines(&value), "bytes": bytes, "cut": cut })
}

/// The document as the files in `events/` are written.
pub(super) fn lines(value: &Value) -> String {
    // Fails only for maps whose names are no texts.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Cuts texts, and notes which.
fn cut(value: &mut Value, name: &str, notes: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() > TEXT_SHOWN => {
            let total = text.len();
            let boundary = (0..=TEXT_SHOWN).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(boundary.unwrap_or_default());
            text.push('…');
            notes.push(format!("{name}: first 64 kB of {}", size(total)));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| cut(item, name, notes)),
        Value::Object(object) => object.iter_mut().for_each(|(name, value)| cut(value, name, notes)),
        _ => {}
    }
}

/// `12 kB`, `5.2 MB`
fn size(bytes: usize) -> String {
    let kilobytes = bytes / 1024;
    if kilobytes < 1024 {
        format!("{kilobytes} kB")
    } else {
        format!("{}.{} MB", kilobytes / 1024, kilobytes % 1024 * 10 / 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_with_a_note() {
        let event = json!({ "a": 1, "body": "é".repeat(100 * 1024) });
        let form = form(event, 7);
        assert_eq!(form["cut"], "body: first 64 kB of 200 kB");
        assert!(form["text"].as_str().unwrap().len() < 70 * 1024);
        assert_eq!(form["bytes"], 7);
    }

    #[test]
    fn what_is_no_document_is_none() {
        for bytes in [&b"12"[..], b"\"text\"", b"{", b"\xff"] {
            assert_eq!(read(bytes, Secrets::Masked), None);
        }
    }
}
