//! Request headers, merged: each name once, whatever its case, in order of appearance.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::LazyLock;

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use hashbrown::HashTable;
use memchr::memchr3;

use crate::event::fields::{Fields, values_of};
use crate::event::path::is_path_byte;
use crate::grammar::{elements, is_segment, is_token};
use crate::request::{Header, Scheme};

/// The headers of one request.
#[derive(Debug)]
pub(super) struct Headers<'e> {
    pub(super) list: Vec<Header<'e>>,
    /// The hash of each name, and its place in the list.
    places: HashTable<(u64, usize)>,
    pub(super) has_content_length: bool,
}

impl Default for Headers<'_> {
    fn default() -> Self {
        let list = Vec::with_capacity(FEW);
        Self { list, places: HashTable::with_capacity(FEW), has_content_length: false }
    }
}

impl<'e> Headers<'e> {
    /// Reads `multi` (`multiValueHeaders`), and then the names in `single` (`headers`) that it lacks.
    pub(super) fn read(single: Fields<'e>, multi: Fields<'e>) -> Self {
        let mut headers = Self::default();
        for (name, values) in multi.members() {
            headers.add(name, values_of(values));
        }
        let of_multi = headers.list.len();
        for (name, values) in single.members() {
            if of_multi == 0 || headers.position(&name, hash_of(&name)).is_none_or(|at| at >= of_multi) {
                headers.add(name, values_of(values));
            }
        }
        headers
    }

    /// Adds payload 2.0's list of cookies, unless there is a `cookie` header: a Function URL sends both.
    pub(super) fn add_cookies(&mut self, cookies: impl Iterator<Item = Cow<'e, [u8]>>) {
        if self.get("cookie").is_none() {
            self.add(Cow::Borrowed("cookie"), cookies);
        }
    }

    /// The value of a header, by name in any case.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.position(name, hash_of(name)).map(|at| self.list[at].1.as_ref())
    }

    /// Where a name is in the list.
    fn position(&self, name: &str, hash: u64) -> Option<usize> {
        let same = |&(known, at): &(u64, usize)| known == hash && self.list[at].0.eq_ignore_ascii_case(name);
        Some(self.places.find(hash, same)?.1)
    }

    /// The scheme that the first element of a header names.
    pub(super) fn scheme(&self, name: &str) -> Option<Scheme> {
        let first = elements(self.get(name)?).next()?;
        let schemes = [(&b"http"[..], Scheme::Http), (b"https", Scheme::Https)];
        schemes.into_iter().find(|(name, _)| first.eq_ignore_ascii_case(name)).map(|(_, scheme)| scheme)
    }

    /// The host that a trusted proxy wrote into this header: the last one in the list. `None` if it is not a host
    /// (RFC 3986 §3.2.2, without user information).
    pub(super) fn trusted_host(&self, name: &str) -> Option<Vec<u8>> {
        let last = elements(self.get(name)?).next_back()?;
        let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(byte);
        (!last.is_empty() && last.iter().all(is_host)).then(|| last.to_vec())
    }

    /// The path that a trusted proxy wrote into this header: the last one in the list, without a slash at its end. `None`
    /// if it is not a path of whole segments.
    pub(super) fn trusted_prefix(&self, name: &str) -> Option<Vec<u8>> {
        let last = elements(self.get(name)?).next_back()?;
        let path = last.strip_prefix(b"/")?;
        let path = path.strip_suffix(b"/").unwrap_or(path);
        let is_path = path.iter().all(|&byte| is_path_byte(byte)) && path.split(|&byte| byte == b'/').all(is_segment);
        is_path.then(|| [b"/", path].concat())
    }

    /// Sets `Host`, whether or not the client sent it.
    pub(super) fn set_host(&mut self, host: Vec<u8>) {
        match self.position("host", hash_of("host")) {
            Some(at) => self.list[at].1 = Cow::Owned(host),
            None => self.push(Cow::Borrowed("host"), hash_of("host"), Cow::Owned(host)),
        }
    }

    fn add(&mut self, name: Cow<'e, str>, values: impl Iterator<Item = Cow<'e, [u8]>>) {
        if name.eq_ignore_ascii_case("content-length") {
            // The true length is known. The header may have that of the encoded body, or a wrong one.
            self.has_content_length = true;
            return;
        }
        if !is_wanted(&name) {
            return;
        }
        let mut values = values.filter_map(clean);
        let hash = hash_of(&name);
        let known = self.position(&name, hash);
        let at = known.unwrap_or(self.list.len());
        if known.is_none() {
            let Some(first) = values.next() else { return };
            self.push(name, hash, first);
        }
        let (name, joined) = &mut self.list[at];
        for value in values {
            join(name, joined, value);
        }
    }

    fn push(&mut self, name: Cow<'e, str>, hash: u64, value: Cow<'e, [u8]>) {
        self.places.insert_unique(hash, (hash, self.list.len()), |known| known.0);
        self.list.push((name, value));
    }
}

/// As many names as most requests have, and more.
const FEW: usize = 28;

/// Nobody outside can know its seeds, and choose names that all have the same hash. They are the standard library's,
/// since foldhash's own are made of the clock and addresses.
static SEEDED: LazyLock<SeedableRandomState> = LazyLock::new(|| SeedableRandomState::with_seed(random(), &SHARED));
static SHARED: LazyLock<SharedSeed> = LazyLock::new(|| SharedSeed::from_u64(random()));

fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// A hash of a name that does not depend on its case.
fn hash_of(name: &str) -> u64 {
    let (words, rest) = name.as_bytes().as_chunks();
    let rest = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let mut hasher = SEEDED.build_hasher();
    for word in words {
        hasher.write_u64(lower(u64::from_le_bytes(*word)));
    }
    hasher.write_u64(lower(rest));
    hasher.finish()
}

/// Eight bytes with their capital letters made small. No other byte changes: names of signs that become the same would
/// have the same hash, whatever the seed.
fn lower(word: u64) -> u64 {
    const EACH: u64 = u64::MAX / 255;
    let seven = word & (EACH * 0x7F);
    let from_a = seven + EACH * u64::from(0x80 - b'A'); // the high bit of a byte that is `A` or more
    let past_z = seven + EACH * u64::from(0x7F - b'Z');
    word | (from_a & !past_z & !word & (EACH * 0x80)) >> 2
}

/// Whether a header may become an `HTTP_…` variable. With a `_` in its name it could overwrite the variable of the name
/// that has a `-` there. `Proxy` would become HTTP_PROXY, which HTTP libraries obey (httpoxy, CVE-2016-5385). A
/// transfer coding is gone: the event has the decoded body.
fn is_wanted(name: &str) -> bool {
    is_token(name)
        && !name.as_bytes().contains(&b'_')
        && !name.eq_ignore_ascii_case("proxy")
        && !name.eq_ignore_ascii_case("transfer-encoding")
}

/// The value without white space around it; `None` for a value that no HTTP message can carry (RFC 9110 §5.5).
fn clean(value: Cow<'_, [u8]>) -> Option<Cow<'_, [u8]>> {
    // Without escapes the value stands in the JSON as it is, and has no control characters (RFC 8259 §7).
    if matches!(&value, Cow::Owned(value) if memchr3(b'\r', b'\n', 0, value).is_some()) {
        return None;
    }
    let trimmed = value.trim_ascii();
    if trimmed.len() == value.len() { Some(value) } else { Some(Cow::Owned(trimmed.to_vec())) }
}

/// Joins the value of a repeated header to the ones before it. Repeated headers form one list (RFC 9110 §5.3), cookies
/// are joined by `; ` (RFC 9113 §8.2.3), and the last one counts of a header that can only be there once.
fn join<'e>(name: &str, old: &mut Cow<'e, [u8]>, value: Cow<'e, [u8]>) {
    if name.eq_ignore_ascii_case("content-type") || name.eq_ignore_ascii_case("host") {
        *old = value;
        return;
    }
    let separator: &[u8] = if name.eq_ignore_ascii_case("cookie") { b"; " } else { b"," };
    let old = old.to_mut();
    old.extend_from_slice(separator);
    old.extend_from_slice(&value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_found_as_few_are() {
        for count in [1, FEW, FEW + 1, 20 * FEW] {
            let mut headers = Headers::default();
            let value = |text: &str| std::iter::once(Cow::Owned(text.as_bytes().to_vec()));
            for number in 0..count {
                headers.add(Cow::Owned(format!("x-name-{number}")), value("a"));
            }
            for number in 0..count {
                headers.add(Cow::Owned(format!("X-Name-{number}")), value("b"));
            }
            assert_eq!(headers.list.len(), count);
            for number in 0..count {
                assert_eq!(headers.get(&format!("x-NAME-{number}")), Some(&b"a,b"[..]), "{number} of {count}");
            }
            assert_eq!(headers.get("x-name"), None);
        }
    }

    #[test]
    fn nobody_can_choose_names_of_the_same_hash() {
        let sign = |number: u32, bit: u32| if number >> bit & 1 > 0 { '^' } else { '~' };
        let signs = |number: u32| (0..12).map(|bit| sign(number, bit)).collect();
        let begins = |number: u32| format!("{number:03x}zzzz"); // the first letters of an unfinished word
        let names: [&dyn Fn(u32) -> String; 2] = [&signs, &begins];
        for name in names {
            let hashes: std::collections::HashSet<u64> =
                (0..1024).map(|number| hash_of(&name(number)) % 4096).collect();
            assert!(hashes.len() > 512, "{} and others have {} hashes", name(0), hashes.len());
        }
        assert_eq!(hash_of("X-AZ[@`{-09_AZ"), hash_of("x-az[@`{-09_az"));
    }

    #[test]
    fn names_of_the_same_hash_are_kept_apart() {
        let mut headers = Headers::default();
        for number in 0..=FEW {
            headers.push(Cow::Owned(format!("x-{number}")), 7, Cow::Borrowed(b"v"));
        }
        assert_eq!(headers.position("X-9", 7), Some(9));
        assert_eq!(headers.position("x-nowhere", 7), None);
    }
}
