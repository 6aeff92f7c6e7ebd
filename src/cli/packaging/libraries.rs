//! Shared libraries, by their contents: the processor, the C library and its version.

use super::target::PartialTarget;
use super::unfit::Unfit;
use crate::bundle::Elf;

/// The C library of Amazon Linux 2023, with libgcc. Every image has it, the minimal one of `provided.al2023` too.
pub(in crate::cli) const C_LIBRARY: [&str; 11] = [
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libanl.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libutil.so.1",
];

/// The other libraries of that image on which wheels may rely: those that the manylinux policies allow (PEP 600),
/// without X11 and OpenGL, and OpenSSL.
const FOR_WHEELS: [&str; 8] = [
    "libcrypt.so.2",
    "libcrypto.so.3",
    "libglib-2.0.so.0",
    "libgobject-2.0.so.0",
    "libgthread-2.0.so.0",
    "libssl.so.3",
    "libstdc++.so.6",
    "libz.so.1",
];

/// Whether Lambda has a library by this name.
pub(in crate::cli) fn is_on_lambda(library: &str) -> bool {
    C_LIBRARY.contains(&library) || FOR_WHEELS.contains(&library)
}

/// Why an ELF file cannot be loaded on the target.
pub(in crate::cli) fn unfit(elf: &Elf, target: &PartialTarget) -> Option<Unfit> {
    if target.architecture.is_some() && elf.architecture != target.architecture {
        return Some(Unfit::Architecture(elf.architecture));
    }
    if let Some(library) = elf.needed.iter().find(|library| is_musl(library)) {
        return Some(Unfit::Musl(library.clone()));
    }
    elf.glibc.clone().filter(|symbol| symbol.version > target.glibc).map(Unfit::Glibc)
}

/// `libc.musl-x86_64.so.1`, and the loader's own name, under which some programs ask for the same file.
fn is_musl(library: &str) -> bool {
    library.starts_with("libc.musl-") || library.starts_with("ld-musl-")
}

/// Whether a file begins as one of macOS: Mach-O for 64 bits, or for several processors in one file.
pub(in crate::cli) fn is_mach_o(start: &[u8]) -> bool {
    [[0xcf, 0xfa, 0xed, 0xfe], [0xca, 0xfe, 0xba, 0xbe]].iter().any(|magic| start.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Architecture, Glibc, GlibcSymbol, LAMBDA_GLIBC};

    #[test]
    fn a_library_is_judged_by_processor_then_c_library_then_version() {
        let target = PartialTarget { python: None, architecture: Some(Architecture::X86_64), glibc: LAMBDA_GLIBC };
        let new = GlibcSymbol { name: "hypot".to_owned(), version: Glibc { major: 2, minor: 35 } };
        let mut elf = Elf { architecture: Some(Architecture::Arm64), glibc: Some(new.clone()), ..Elf::default() };
        elf.needed = vec!["libm.so.6".to_owned(), "libc.musl-x86_64.so.1".to_owned()];
        assert_eq!(unfit(&elf, &target), Some(Unfit::Architecture(Some(Architecture::Arm64))));
        elf.architecture = target.architecture;
        assert_eq!(unfit(&elf, &target), Some(Unfit::Musl("libc.musl-x86_64.so.1".to_owned())));
        elf.needed = vec!["libmuslin.so.1".to_owned()];
        assert_eq!(unfit(&elf, &target), Some(Unfit::Glibc(new)));
        elf.glibc = Some(GlibcSymbol { name: "stat".to_owned(), version: LAMBDA_GLIBC });
        assert_eq!(unfit(&elf, &target), None);
        assert!(is_mach_o(b"\xcf\xfa\xed\xfe\x07") && !is_mach_o(b"\x7fELF"));
    }
}
