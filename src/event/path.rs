//! Paths: decoded once or not at all, split into SCRIPT_NAME and PATH_INFO, and told again as REQUEST_URI.

use std::borrow::Cow;

use crate::config::RequestConfig;

/// How the front end delivers the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Percent-encoded: decoded here, once.
    Encoded,
    /// Already decoded: a second decoding would turn `%2525` into `%` and open paths that a proxy had refused.
    Decoded,
}

/// A path that has been split. `raw` is the encoded path, mount point included.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) script_name: Vec<u8>,
    pub(super) path_info: Vec<u8>,
    pub(super) raw: Vec<u8>,
}

/// Splits a path.
///
/// `stage` is what the client's URL has before `path` and the event does not show in it; `mount` is the beginning of
/// `path` itself that is derived to be the mount point. Both are in the form of `path`. The configured base path wins
/// over `mount`.
pub(super) fn split(path: &[u8], form: Form, stage: &[u8], mount: &[u8], config: &RequestConfig) -> Split {
    // The bare mount point was sent without a slash; REQUEST_URI tells what was sent.
    let stage = if config.base_path.as_deref() == Some(b"") { b"" } else { stage }; // nothing is derived
    let sent = if stage.is_empty() || !path.is_empty() { with_slash(path) } else { Cow::Borrowed(path) };
    let raw = [stage, &sent].concat();
    let raw = if form == Form::Encoded { printable(&raw).into_owned() } else { encode(&raw) };
    let path = with_slash(path);
    let decoded = form.decode(&path);
    let base = match &config.base_path {
        Some(base) if has_prefix(&decoded, base) => base.len(),
        Some(_) => 0,
        None => form.decode(mount).len(),
    };
    let mut script_name = form.decode(stage).into_owned();
    script_name.extend_from_slice(&decoded[..base]);
    // A client would take two slashes for the beginning of a host's name.
    let slashes = script_name.iter().take_while(|&&byte| byte == b'/').count();
    script_name.drain(..slashes.saturating_sub(1));
    if script_name == b"/" {
        script_name.clear();
    }
    let mut path_info = decoded[base..].to_vec();
    if script_name.is_empty() && path_info.is_empty() {
        path_info.push(b'/');
    }
    Split { script_name, path_info, raw }
}

impl Split {
    /// The same where a trusted proxy says under which path the client has reached the application. What was derived from the
    /// event is the front end's, and not the client's.
    pub(super) fn under(self, prefix: &[u8]) -> Self {
        let own = encode(&self.script_name);
        let sent = if has_prefix(&self.raw, &own) { &self.raw[own.len()..] } else { &self.raw[..] };
        let raw = if has_prefix(sent, prefix) { sent.to_vec() } else { [prefix, sent].concat() };
        let taken = if has_prefix(&self.path_info, prefix) { prefix.len() } else { 0 };
        Self { script_name: prefix.to_vec(), path_info: self.path_info[taken..].to_vec(), raw }
    }
}

impl Form {
    fn decode(self, path: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Encoded => decode(path),
            Self::Decoded => Cow::Borrowed(path),
        }
    }
}

/// Whether a path begins with a prefix and a segment ends there.
pub(super) fn has_prefix(path: &[u8], prefix: &[u8]) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Percent-decodes; what is not an escape stays as it is.
pub(super) fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        match (byte, after) {
            (b'%', [high, low, tail @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex(*high) << 4 | hex(*low));
                rest = tail;
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
    Cow::Owned(out)
}

fn hex(digit: u8) -> u8 {
    // Both callers have checked that it is a hex digit.
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or(0)
}

/// Encodes a decoded path again (RFC 3986 §3.3, `pchar` and `/`): a reconstruction of what the client sent.
pub(super) fn encode(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + 8);
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte) {
            out.push(byte);
        } else {
            push_escaped(&mut out, byte);
        }
    }
    out
}

/// What a URL cannot hold, escaped: no front end sends it, but tests by hand may, and it goes into logs.
pub(super) fn printable(target: &[u8]) -> Cow<'_, [u8]> {
    if target.iter().all(u8::is_ascii_graphic) {
        return Cow::Borrowed(target);
    }
    let mut out = Vec::with_capacity(target.len() + 8);
    for &byte in target {
        if byte.is_ascii_graphic() { out.push(byte) } else { push_escaped(&mut out, byte) }
    }
    Cow::Owned(out)
}

/// Appends `%XX`.
pub(super) fn push_escaped(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.extend_from_slice(&[b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
}

fn with_slash(path: &[u8]) -> Cow<'_, [u8]> {
    if path.starts_with(b"/") { Cow::Borrowed(path) } else { Cow::Owned([b"/", path].concat()) }
}
