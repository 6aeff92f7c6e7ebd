//! A body for the page: as text or as a table of bytes, cut if it is long. Never as a document that a browser renders.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Value, json};

use super::secrets::Secrets;

/// How many bytes of a text are shown.
const TEXT_SHOWN: usize = 64 * 1024;

/// How many bytes are shown in hexadecimal digits: 128 lines.
const HEX_SHOWN: usize = 2 * 1024;

/// A body as it was kept.
pub(super) struct Body<'a> {
    pub(super) content_type: &'a str,
    /// `Content-Encoding`, such as `gzip`; empty for none.
    pub(super) encoding: &'a str,
    /// The bytes that were kept.
    pub(super) kept: &'a Bytes,
    /// How many there were.
    pub(super) total: u64,
}

impl Body<'_> {
    /// `{"kind": "empty" | "text" | "hex", "bytes": 1, "shown": 1, "text": "…", "pretty": "…", "type": "…"}`: `shown` are the
    /// bytes that `text` stands for, and `pretty` is there for whole JSON.
    pub(super) fn form(&self, secrets: Secrets) -> Value {
        let masked = secrets.body(self.content_type, self.kept).map(Bytes::from);
        let kept = masked.as_ref().unwrap_or(self.kept);
        let is_whole = self.kept.len() as u64 == self.total;
        let mut form = json!({ "bytes": self.total, "type": self.content_type, "encoding": self.encoding });
        if self.total == 0 {
            form["kind"] = "empty".into();
            return form;
        }
        let Some((text, shown)) = text(kept) else {
            let shown = kept.len().min(HEX_SHOWN);
            form["kind"] = "hex".into();
            form["text"] = hex(&kept[..shown]).into();
            form["shown"] = shown.into();
            return form;
        };
        let is_cut = shown < kept.len() || !is_whole;
        form["kind"] = "text".into();
        form["shown"] = if is_cut { shown as u64 } else { self.total }.into();
        if !is_cut && let Some(pretty) = pretty(text) {
            form["pretty"] = pretty.into();
        }
        form["text"] = text.into();
        form
    }
}

/// The beginning of a body that is text, and its length in bytes. `None` if it is not text.
fn text(bytes: &[u8]) -> Option<(&str, usize)> {
    let start = &bytes[..bytes.len().min(TEXT_SHOWN)];
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // Cut within a character.
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => {
            std::str::from_utf8(&start[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let is_control = |char: char| char.is_control() && !matches!(char, '\n' | '\r' | '\t' | '\x1b');
    (!text.contains(is_control)).then_some((text, text.len()))
}

/// JSON on lines of its own; `None` if it is none, or already is.
fn pretty(text: &str) -> Option<String> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let value: Value = serde_json::from_str(text).ok()?;
    let pretty = serde_json::to_string_pretty(&value).ok()?;
    (pretty.trim() != text.trim()).then_some(pretty)
}

/// Sixteen bytes a line: where they are, their digits, and those that are letters.
fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 5);
    for (number, line) in bytes.chunks(16).enumerate() {
        // Writing to a String does not fail.
        let _ = write!(out, "{:08x} ", number * 16);
        for at in 0..16 {
            let gap = if at % 8 == 0 { " " } else { "" };
            let _ = match line.get(at) {
                Some(byte) => write!(out, "{gap}{byte:02x} "),
                None => write!(out, "{gap}   "),
            };
        }
        let letters = line.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' });
        out.push(' ');
        out.extend(letters);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(content_type: &str, body: &[u8], total: usize) -> Value {
        let kept = Bytes::copy_from_slice(body);
        Body { content_type, encoding: "", kept: &kept, total: total as u64 }.form(Secrets::Masked)
    }

    #[test]
    fn text_is_cut_between_characters() {
        let body = "é".repeat(40 * 1024);
        let form = form("text/plain", &[b"x", body.as_bytes()].concat(), 81_921);
        assert_eq!((form["kind"].as_str(), form["bytes"].as_u64()), (Some("text"), Some(81_921)));
        assert_eq!(form["shown"].as_u64(), Some(65_535));
    }

    #[test]
    fn bytes_are_a_table() {
        let form = form("image/png", b"\x89PNG\r\n\x1a\n<script>", 16);
        assert_eq!(form["kind"], "hex");
        let line = "00000000  89 50 4e 47 0d 0a 1a 0a  3c 73 63 72 69 70 74 3e  .PNG....<script>\n";
        assert_eq!(form["text"], line);
    }

    #[test]
    fn json_has_a_pretty_form_unless_it_was_cut() {
        let whole = form("application/json", br#"{"a":1,"password":"x"}"#, 22);
        assert_eq!(whole["pretty"], "{\n  \"a\": 1,\n  \"password\": \"••••••\"\n}");
        assert_eq!(whole["shown"], 22);
        assert_eq!(form("application/json", br#"{"a":1}"#, 70)["pretty"], Value::Null);
        assert_eq!(form("text/plain", b"", 0)["kind"], "empty");
    }
}
