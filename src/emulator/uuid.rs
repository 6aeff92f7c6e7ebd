//! Version 4 UUIDs (RFC 9562 §5.4), the form of Lambda's request ids.

use std::hash::{BuildHasher as _, RandomState};

/// A random UUID. Its bits come from the keys that the standard library draws for its hash maps.
pub fn random() -> String {
    let state = RandomState::new();
    format(state.hash_one(0), state.hash_one(1))
}

/// This many random hexadecimal digits, at most 32.
pub fn random_hex(digits: usize) -> String {
    let state = RandomState::new();
    let mut hex = format!("{:016x}{:016x}", state.hash_one(0), state.hash_one(1));
    hex.truncate(digits);
    hex
}

/// A UUID that depends on the name alone.
pub(super) fn from_name(name: &str) -> String {
    // FNV-1a twice, with two offset bases: stable over Rust versions, which `DefaultHasher` is not.
    let hash =
        |basis: u64| name.bytes().fold(basis, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format(hash(0xcbf2_9ce4_8422_2325), hash(0x6c62_272e_07bb_0142))
}

fn format(high: u64, low: u64) -> String {
    let high = (high & !0xf000) | 0x4000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}
