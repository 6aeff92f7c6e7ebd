//! What an ELF file needs from the system that loads it.

use object::Endianness;
use object::elf::{
    DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME, EM_AARCH64, EM_X86_64, FileHeader64, VER_FLG_WEAK, VersionIndex,
};
use object::read::elf::{ElfFile64, ElfSection64, Sym as _, VersionTable};
use object::read::{Object as _, ObjectSection as _, SymbolIndex};

use super::platform::{Architecture, Glibc};

/// One program, shared library or extension module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elf {
    /// The processor that it runs on; `None` if Lambda does not have it.
    pub architecture: Option<Architecture>,
    /// The libraries that it loads, by name.
    pub needed: Vec<String>,
    /// Its own name as a library.
    pub soname: Option<String>,
    /// Where it looks for them, parts separated by colons (`DT_RUNPATH`, or the old `DT_RPATH`).
    pub runpath: Option<String>,
    /// Whether that is a `DT_RPATH`: searched before `LD_LIBRARY_PATH`, and inherited by the libraries that it finds.
    pub old_rpath: bool,
    /// How many bytes only a debugger reads.
    pub debug: u64,
    /// The newest version of the C library that it needs, if it needs one.
    pub glibc: Option<GlibcSymbol>,
}

/// A version of the C library, and the symbol for which a file needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlibcSymbol {
    /// Such as `hypot`.
    pub name: String,
    /// Such as 2.35.
    pub version: Glibc,
}

type File<'data> = ElfFile64<'data, Endianness>;
type Result<T> = object::read::Result<T>;

impl Elf {
    /// Reads a file's headers. `Ok(None)`: not an ELF file. An error is text that says what is broken.
    pub fn read(bytes: &[u8]) -> std::result::Result<Option<Self>, String> {
        if !bytes.starts_with(b"\x7fELF") {
            return Ok(None);
        }
        if bytes.get(4) != Some(&2) {
            return Ok(Some(Self::default())); // 32-bit: nothing on Lambda runs it, and no more is worth reading
        }
        parse(bytes).map(Some).map_err(|error| error.to_string())
    }
}

fn parse(bytes: &[u8]) -> Result<Elf> {
    let file = File::parse(bytes)?;
    let architecture = match file.elf_header().e_machine.get(file.endian()) {
        EM_X86_64 => Some(Architecture::X86_64),
        EM_AARCH64 => Some(Architecture::Arm64),
        _ => None,
    };
    let mut elf = Elf { architecture, glibc: newest_glibc(&file)?, debug: debug_size(&file), ..Elf::default() };
    let dynamic = file.elf_dynamic_table()?;
    for entry in &dynamic {
        let value = || dynamic.string(entry).map(|text| String::from_utf8_lossy(text).into_owned());
        match entry.tag {
            DT_NEEDED => elf.needed.push(value()?),
            DT_SONAME => elf.soname = Some(value()?),
            DT_RUNPATH | DT_RPATH => {
                elf.runpath = Some(value()?);
                elf.old_rpath = entry.tag == DT_RPATH;
            }
            _ => {}
        }
    }
    Ok(elf)
}

fn debug_size(file: &File<'_>) -> u64 {
    let is_debug =
        |section: &ElfSection64<'_, '_, Endianness>| section.name().is_ok_and(|name| name.starts_with(".debug_"));
    file.sections().filter(is_debug).map(|section| section.size()).sum()
}

/// The newest version in the file's list of needed versions. The loader checks that list, not the symbols, when it
/// loads a file; it does not insist on weak entries.
fn newest_glibc(file: &File<'_>) -> Result<Option<GlibcSymbol>> {
    let (endian, sections) = (file.endian(), file.elf_section_table());
    let Some((mut libraries, link)) = sections.gnu_verneed(endian, file.data())? else { return Ok(None) };
    let strings = sections.strings(endian, file.data(), link)?;
    let mut newest: Option<(Glibc, VersionIndex, String)> = None;
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(entry) = versions.next()? {
            if entry.vna_flags.get(endian).contains(VER_FLG_WEAK) {
                continue;
            }
            let name = String::from_utf8_lossy(entry.name(endian, strings)?).into_owned();
            let Some(version) = glibc_version(&name) else { continue };
            if newest.as_ref().is_none_or(|(best, ..)| version > *best) {
                newest = Some((version, entry.vna_other.get(endian), name));
            }
        }
    }
    let Some((version, index, version_name)) = newest else { return Ok(None) };
    let table = sections.versions(endian, file.data())?.unwrap_or_default();
    let name = symbol_with(file, &table, index).unwrap_or(version_name);
    Ok(Some(GlibcSymbol { name, version }))
}

/// `GLIBC_2.34` as numbers. `GLIBC_ABI_DT_RELR` marks packed relocations, which only glibc 2.36 and later understand
/// (its release notes); other names are no version of glibc (`GLIBC_PRIVATE`, `CXXABI_1.3`).
fn glibc_version(name: &str) -> Option<Glibc> {
    match name.strip_prefix("GLIBC_")? {
        "ABI_DT_RELR" => Some(Glibc { major: 2, minor: 36 }),
        version => version.parse().ok(),
    }
}

fn symbol_with(
    file: &File<'_>,
    versions: &VersionTable<'_, FileHeader64<Endianness>>,
    wanted: VersionIndex,
) -> Option<String> {
    let symbols = file.elf_dynamic_symbol_table();
    let endian = file.endian();
    let index = (0..symbols.len())
        .map(SymbolIndex)
        .find(|index| VersionIndex::from(versions.version_index(endian, *index)) == wanted)?;
    let name = symbols.symbol(index).ok()?.name(endian, symbols.strings()).ok()?;
    Some(String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Elf {
        Elf::read(&std::fs::read(path).unwrap()).unwrap().unwrap()
    }

    #[test]
    fn a_program_says_what_it_loads_and_which_c_library_it_wants() {
        let elf = read("/proc/self/exe");
        assert_eq!(elf.architecture, Architecture::of_this_machine());
        assert!(elf.needed.iter().any(|name| name == "libc.so.6"), "{:?}", elf.needed);
        let glibc = elf.glibc.unwrap();
        assert!(glibc.version >= Glibc { major: 2, minor: 17 }, "{glibc:?}");
        assert!(!glibc.name.starts_with("GLIBC_"), "the symbol is named: {glibc:?}");
    }

    #[test]
    fn versions_of_glibc_are_compared_as_numbers() {
        assert_eq!(glibc_version("GLIBC_2.2.5"), Some(Glibc { major: 2, minor: 2 }));
        assert!(glibc_version("GLIBC_2.34") > glibc_version("GLIBC_2.4"));
        assert_eq!(glibc_version("GLIBC_ABI_DT_RELR").unwrap().to_string(), "2.36");
        assert_eq!(glibc_version("GLIBC_PRIVATE"), None);
        assert_eq!(glibc_version("CXXABI_1.3"), None);
    }

    #[test]
    fn other_files_and_broken_ones_are_told_apart() {
        assert_eq!(Elf::read(b"#!/bin/sh\n"), Ok(None));
        assert_eq!(Elf::read(b""), Ok(None));
        assert!(Elf::read(b"\x7fELF\x02\x01\x01").is_err());
        assert_eq!(Elf::read(b"\x7fELF\x01").unwrap().unwrap().architecture, None);
    }

    #[test]
    fn any_cut_of_a_real_file_is_an_error_or_a_value_but_no_panic() {
        let whole = std::fs::read("/proc/self/exe").unwrap();
        for end in (0..whole.len().min(4096)).chain((4096..whole.len()).step_by(whole.len() / 50)) {
            let _ = Elf::read(&whole[..end]);
        }
    }
}
