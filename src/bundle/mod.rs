//! Room: `bundle`, what a layer and a function package have in common: files with reproducible bytes, and the checks.
//! In: files and folders.
//! Out: a zip or a folder with its SHA-256 and sizes; what an ELF file asks of the system; Lambda's limits.
//! May use: globset, libdeflater, object, rawzip, sha2, zip, tempfile, std.
//! Must not: know Python packaging, print, start processes.

mod archive;
mod elf;
mod globs;
mod platform;
mod rpath;

pub use archive::{Archive, Contents, Written};
pub use elf::{Elf, GlibcSymbol};
pub use globs::Glob;
pub use platform::{Architecture, Glibc, LAMBDA_GLIBC, MAX_UNZIPPED, MAX_UPLOAD};
pub use rpath::{RpathError, remove_rpath, set_rpath};
