//! Modules that Python reads from disk before it can do anything else, a twentieth of its start: frozen, as its own build
//! freezes `os`, `io` and `codecs`. Only for the very Python that the runtime was built with: another release's may differ.

use std::ffi::CStr;

/// A module's name, its code as `marshal` writes it, and whether it is a package. `compile_glue.py` makes them.
pub(super) type Frozen = (&'static CStr, &'static [u8], bool);

static MODULES: [Frozen; 3] = [
    (c"encodings", include_bytes!(concat!(env!("OUT_DIR"), "/encodings.frozen")), true),
    (c"encodings.aliases", include_bytes!(concat!(env!("OUT_DIR"), "/encodings.aliases.frozen")), false),
    (c"encodings.utf_8", include_bytes!(concat!(env!("OUT_DIR"), "/encodings.utf_8.frozen")), false),
];

const VERSION: &str = include_str!(concat!(env!("OUT_DIR"), "/version"));

/// Those that are for the Python with this version.
pub(super) fn modules(version: &CStr) -> &'static [Frozen] {
    if version.to_bytes() == VERSION.as_bytes() { &MODULES } else { &[] }
}
