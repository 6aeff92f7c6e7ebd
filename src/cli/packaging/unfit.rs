//! Why a file or a wheel cannot be used on a target.

use crate::bundle::{Architecture, GlibcSymbol};

/// In which respect something does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Mismatch {
    /// It is for another operating system, or for another C library than glibc.
    Platform,
    Architecture,
    /// It needs a newer glibc.
    Glibc,
    /// It is for another Python, or for another build of it.
    Python,
}

/// Why a shared library does not fit, with what a message names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Unfit {
    /// The system that it is for: `macOS`, `Windows`, `Alpine (musl)`.
    System(&'static str),
    /// It needs this library of musl, the C library of Alpine.
    Musl(String),
    /// What it is for; `None` for a processor that Lambda does not have.
    Architecture(Option<Architecture>),
    /// The symbol that a newer glibc has.
    Glibc(GlibcSymbol),
    /// The Python that it is for: `3.11`, or `3.13t` for the free-threaded build.
    Python(String),
}

impl Unfit {
    pub(in crate::cli) fn mismatch(&self) -> Mismatch {
        match self {
            Self::System(_) | Self::Musl(_) => Mismatch::Platform,
            Self::Architecture(_) => Mismatch::Architecture,
            Self::Glibc(_) => Mismatch::Glibc,
            Self::Python(_) => Mismatch::Python,
        }
    }
}
