//! Paths: decoded once or not at all, split into SCRIPT_NAME and PATH_INFO, and encoded for REQUEST_URI.

use std::borrow::Cow;

use crate::config::RequestConfig;
use crate::event::percent;

/// The form in which the front end delivers the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Percent-encoded: it is decoded here, once.
    Encoded,
    /// Already decoded: a second decoding would turn `%2525` into `%` and open paths that a proxy had refused.
    Decoded,
}

/// A path that has been split.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) script_name: Vec<u8>,
    pub(super) path_info: Vec<u8>,
    /// The whole path, mount point included, percent-encoded.
    pub(super) raw: Vec<u8>,
}

/// Splits a path.
///
/// `stage` is what the client's URL has before `path`, and `path` has not. `mount` is the beginning of `path` that is
/// the mount point, as far as the event shows. Both are in the same form as `path`. The configured base path wins over
/// `mount`.
pub(super) fn split(path: &[u8], form: Form, stage: &[u8], mount: &[u8], config: &RequestConfig) -> Split {
    // A base path that is set to the root turns every derivation off.
    let stage = if config.base_path.as_deref() == Some(b"") { b"" } else { stage };
    // The client sent a mount point alone without a slash, and REQUEST_URI shows what was sent.
    let sent = if stage.is_empty() || !path.is_empty() { with_slash(path) } else { Cow::Borrowed(path) };
    let raw = [stage, &sent].concat();
    // No front end sends what a URL cannot hold, but events written by hand may, and the path is logged.
    let raw = match form {
        Form::Encoded => percent::encode(&raw, |byte| byte.is_ascii_graphic()).into_owned(),
        Form::Decoded => encode(&raw).into_owned(),
    };
    let path = with_slash(path);
    let decoded = form.decode(&path);
    let base = match &config.base_path {
        Some(base) if has_prefix(&decoded, base) => base.len(),
        Some(_) => 0,
        None => form.decode(mount).len(),
    };
    let mut script_name = form.decode(stage).into_owned();
    script_name.extend_from_slice(&decoded[..base]);
    // A client would read two slashes as the beginning of a host name.
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
    /// Replaces the mount point by the path under which the client reached a trusted proxy, as that proxy says. The
    /// mount point that the event shows is only the one between the proxy and the front end.
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
            Self::Encoded => percent::decode(path),
            Self::Decoded => Cow::Borrowed(path),
        }
    }
}

/// Whether a path begins with a prefix that ends where a segment ends.
pub(super) fn has_prefix(path: &[u8], prefix: &[u8]) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Encodes a decoded path again, as the client probably sent it.
fn encode(path: &[u8]) -> Cow<'_, [u8]> {
    percent::encode(path, is_path_byte)
}

/// Whether a byte may stand in a path without an escape (RFC 3986 §3.3, `pchar` and `/`).
pub(super) fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte)
}

fn with_slash(path: &[u8]) -> Cow<'_, [u8]> {
    if path.starts_with(b"/") { Cow::Borrowed(path) } else { Cow::Owned([b"/", path].concat()) }
}
