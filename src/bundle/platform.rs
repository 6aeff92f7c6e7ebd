//! What Lambda's machines are, and how much they accept.

use std::fmt;
use std::str::FromStr;

/// The most a function, its layers and a custom runtime may have unpacked, bytes ("Lambda quotas": 250 MB).
pub const MAX_UNZIPPED: u64 = 250 * 1024 * 1024;

/// The largest zip that can be sent with the request itself, bytes; a larger one goes through S3 ("Lambda quotas").
pub const MAX_UPLOAD: u64 = 50 * 1024 * 1024;

/// The C library of Amazon Linux 2023, on which `provided.al2023` and `python3.12` and later run.
pub const LAMBDA_GLIBC: Glibc = Glibc { major: 2, minor: 34 };

/// A version of the GNU C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glibc {
    /// 2 in every version so far.
    pub major: u32,
    /// 34 in Amazon Linux 2023.
    pub minor: u32,
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Glibc {
    type Err = String;

    /// Reads `2.34`; a third number, as in `GLIBC_2.2.5`, does not matter here.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = text.split('.').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Ok(Self { major, minor }),
            _ => Err(format!("{text:?} is not a version of glibc such as 2.34")),
        }
    }
}

/// An instruction set that Lambda offers, under Lambda's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// 64-bit Intel and AMD.
    X86_64,
    /// 64-bit ARM (Graviton).
    Arm64,
}

impl Architecture {
    /// The architecture of this machine, if Lambda has it.
    pub fn of_this_machine() -> Option<Self> {
        std::env::consts::ARCH.parse().ok()
    }

    /// `e_machine` in the header of an ELF file (`EM_X86_64`, `EM_AARCH64`).
    pub fn elf_machine(self) -> u16 {
        match self {
            Self::X86_64 => 62,
            Self::Arm64 => 183,
        }
    }

    /// The name in `uname -m` and in the tags of Python wheels.
    pub fn machine(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        })
    }
}

impl FromStr for Architecture {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "x86_64" | "amd64" => Ok(Self::X86_64),
            "arm64" | "aarch64" => Ok(Self::Arm64),
            _ => Err(format!("{text:?} is not an architecture of Lambda: x86_64 or arm64")),
        }
    }
}
