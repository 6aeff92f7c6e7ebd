//! Where a shared library looks for others, changed in place.
//!
//! Only two things are done, and neither moves a byte that anything else refers to: an entry of the dynamic table is
//! removed, or the path that it names is overwritten with one that is not longer. Linkers that make a prefix
//! (`-Wl,-rpath,/home/me/…/lib`) leave more room than `$ORIGIN/../..` takes.
//!
//! patchelf does this too, and does more: it makes room where there is none. Neither can go. With patchelf alone,
//! `wsgi-lambda layer` would need a program that few machines have, for Pythons that need none today (`tests/layer.rs`
//! runs it without). With this file alone, libraries without a path of their own, as distributions build them, could
//! not be used. So `cli/layer` tries this first, and asks for patchelf only if there is no room.

use std::fmt;

use object::elf::{DT_RPATH, DT_RUNPATH, Dyn64, SHT_DYNAMIC};
use object::read::SectionIndex;
use object::read::elf::{ElfFile64, SectionHeader as _, Sym as _};
use object::{Endianness, LittleEndian};

/// Size of an entry of the dynamic table.
const ENTRY: usize = size_of::<Dyn64<LittleEndian>>();

type File<'data> = ElfFile64<'data, Endianness>;

/// Why a file was left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RpathError {
    /// It names no path, or a shorter one, or a symbol's name is a part of it.
    NoRoom,
    /// It is not an ELF file that can be read.
    Broken(String),
}

impl fmt::Display for RpathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom => f.write_str("no room for a path"),
            Self::Broken(error) => f.write_str(error),
        }
    }
}

impl From<object::read::Error> for RpathError {
    fn from(error: object::read::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Makes a library look in `path` before anywhere else. It becomes a `DT_RPATH`: the loader looks there before it looks
/// in `LD_LIBRARY_PATH`, and a library without a path of its own inherits it from the one that loads it. A `DT_RUNPATH`
/// comes after `LD_LIBRARY_PATH` and is not inherited (ld.so(8)).
pub fn set_rpath(file: &mut [u8], path: &str) -> Result<(), RpathError> {
    let table = Table::read(file)?;
    let [first, others @ ..] = table.paths.as_slice() else { return Err(RpathError::NoRoom) };
    let room = file.get(first.text..).and_then(|rest| rest.iter().position(|byte| *byte == 0)).unwrap_or(0);
    let shared = |offset: &usize| (first.text + 1..first.text + room).contains(offset);
    if room < path.len() || table.texts.iter().any(shared) {
        return Err(RpathError::NoRoom);
    }
    let text = &mut file[first.text..first.text + room];
    text.fill(0);
    text[..path.len()].copy_from_slice(path.as_bytes());
    file[first.entry..first.entry + 8].copy_from_slice(&DT_RPATH.0.to_le_bytes());
    remove(file, table.end, others);
    Ok(())
}

/// Removes what a library says about where to look.
pub fn remove_rpath(file: &mut [u8]) -> Result<(), RpathError> {
    let table = Table::read(file)?;
    remove(file, table.end, &table.paths);
    Ok(())
}

/// Closes the gap that each entry leaves; the last one first, so that the offsets of the others stay right.
fn remove(file: &mut [u8], end: usize, paths: &[Path]) {
    for path in paths.iter().rev() {
        file.copy_within(path.entry + ENTRY..end, path.entry);
        file[end - ENTRY..end].fill(0);
    }
}

/// An entry that says where to look. Both are offsets in the file.
struct Path {
    entry: usize,
    text: usize,
}

struct Table {
    paths: Vec<Path>,
    /// Where the strings begin that other parts of the file use.
    texts: Vec<usize>,
    /// Where the last entry ends.
    end: usize,
}

impl Table {
    fn read(bytes: &[u8]) -> Result<Self, RpathError> {
        let file = File::parse(bytes)?;
        let (endian, sections) = (file.endian(), file.elf_section_table());
        let broken = || RpathError::Broken("its dynamic table cannot be read".to_owned());
        let dynamic = sections.iter().find(|section| section.sh_type(endian) == SHT_DYNAMIC).ok_or_else(broken)?;
        let strings = sections.section(SectionIndex(dynamic.sh_link(endian) as usize))?;
        let offset = |value: u64| usize::try_from(value).ok().filter(|value| *value < bytes.len()).ok_or_else(broken);
        let (start, strings) = (offset(dynamic.sh_offset(endian))?, offset(strings.sh_offset(endian))?);
        let mut table = Self { paths: Vec::new(), texts: other_texts(&file)?, end: start };
        for (number, entry) in file.elf_dynamic_table()?.iter().enumerate() {
            let at = start + number * ENTRY;
            table.end = at + ENTRY;
            if entry.tag == DT_RPATH || entry.tag == DT_RUNPATH {
                table.paths.push(Path { entry: at, text: offset(strings as u64 + entry.val)? });
            } else if entry.is_string() {
                table.texts.push(offset(entry.val)?);
            }
        }
        for text in &mut table.texts {
            *text += strings;
        }
        Ok(table)
    }
}

/// Where in the table of strings the names of symbols and versions begin. Linkers let a string that another one ends
/// with share its bytes.
fn other_texts(file: &File<'_>) -> Result<Vec<usize>, RpathError> {
    let (endian, sections) = (file.endian(), file.elf_section_table());
    let mut texts: Vec<usize> =
        file.elf_dynamic_symbol_table().iter().map(|symbol| symbol.st_name(endian) as usize).collect();
    if let Some((mut libraries, _)) = sections.gnu_verneed(endian, file.data())? {
        while let Some((library, mut versions)) = libraries.next()? {
            texts.push(library.vn_file.get(endian) as usize);
            while let Some(version) = versions.next()? {
                texts.push(version.vna_name.get(endian) as usize);
            }
        }
    }
    if let Some((mut versions, _)) = sections.gnu_verdef(endian, file.data())? {
        while let Some((_, mut names)) = versions.next()? {
            while let Some(name) = names.next()? {
                texts.push(name.vda_name.get(endian) as usize);
            }
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use super::super::Elf;
    use super::*;

    /// A program that loads `outer.so`, which loads `inner/libinner.so` for the number that the program ends with.
    /// `decoy/libinner.so` has another number.
    struct Made(tempfile::TempDir);

    impl Made {
        fn new(function: &str, outer_arguments: &[&str]) -> Self {
            let made = Self(tempfile::tempdir().unwrap());
            for (folder, number) in [("inner", 42), ("decoy", 7)] {
                let inner = format!("int inner(void) {{ return {number}; }}");
                made.cc(&format!("{folder}/libinner.so"), &inner, &["-shared", "-Wl,-soname,libinner.so"]);
            }
            let outer = format!("int inner(void); int {function}(void) {{ return inner(); }}");
            let arguments = [&["-shared", "-Wl,-soname,outer.so", "-Linner", "-linner"], outer_arguments].concat();
            made.cc("outer.so", &outer, &arguments);
            let main = format!("int {function}(void); int main(void) {{ return {function}(); }}");
            made.cc("main", &main, &["outer.so", "-Wl,-rpath,$ORIGIN", "-Wl,--allow-shlib-undefined"]);
            made
        }

        fn cc(&self, name: &str, text: &str, arguments: &[&str]) {
            let output = self.path(name);
            fs::create_dir_all(output.parent().unwrap()).unwrap();
            fs::write(output.with_extension("c"), text).unwrap();
            let mut cc = Command::new("cc");
            cc.args(["-fPIC", "-o", name]).arg(output.with_extension("c")).args(arguments).current_dir(self.0.path());
            assert!(cc.status().unwrap().success(), "{cc:?}");
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn change(&self, change: impl FnOnce(&mut [u8]) -> Result<(), RpathError>) -> Result<Elf, RpathError> {
            let mut bytes = fs::read(self.path("outer.so")).unwrap();
            change(&mut bytes)?;
            fs::write(self.path("outer.so"), &bytes).unwrap();
            Ok(Elf::read(&bytes).unwrap().unwrap())
        }

        fn run(&self, library_path: Option<&Path>) -> Option<i32> {
            let mut main = Command::new(self.path("main"));
            main.env_remove("LD_LIBRARY_PATH").envs(library_path.map(|path| ("LD_LIBRARY_PATH", path)));
            main.output().unwrap().status.code()
        }
    }

    const MADE_FOR: &str = "-Wl,--enable-new-dtags,-rpath,/home/somebody/python/lib";

    #[test]
    fn a_path_that_is_set_is_followed_before_the_environment_is() {
        let made = Made::new("outer", &[MADE_FOR]);
        assert_eq!(made.run(None), Some(127), "the library is not where it was");
        let elf = made.change(|bytes| set_rpath(bytes, "$ORIGIN/inner")).unwrap();
        assert_eq!((elf.runpath.as_deref(), elf.old_rpath), (Some("$ORIGIN/inner"), true));
        assert_eq!(elf.needed[0], "libinner.so");
        assert_eq!(made.run(None), Some(42));
        assert_eq!(made.run(Some(&made.path("decoy"))), Some(42));

        let linked = Made::new("outer", &["-Wl,--enable-new-dtags,-rpath,$ORIGIN/inner"]);
        assert_eq!(linked.run(Some(&linked.path("decoy"))), Some(7), "which is why it is a DT_RPATH");
    }

    #[test]
    fn a_path_is_taken_out_and_nothing_else() {
        let made = Made::new("outer", &[MADE_FOR]);
        let before = Elf::read(&fs::read(made.path("outer.so")).unwrap()).unwrap().unwrap();
        let after = made.change(remove_rpath).unwrap();
        assert_eq!(after, Elf { runpath: None, ..before });
        assert_eq!(made.run(Some(&made.path("inner"))), Some(42));
        assert_eq!(made.change(remove_rpath).unwrap(), after, "there is nothing left to take out");
    }

    #[test]
    fn without_room_a_file_is_left_alone() {
        let nothing = Made::new("outer", &[]);
        assert_eq!(nothing.change(|bytes| set_rpath(bytes, "$ORIGIN")), Err(RpathError::NoRoom));
        let short = Made::new("outer", &["-Wl,-rpath,/opt/py/lib"]);
        assert_eq!(short.change(|bytes| set_rpath(bytes, "$ORIGIN/inner")), Err(RpathError::NoRoom));
        // The linker stores `lib`, the function's name, as the end of the path.
        let shared = Made::new("lib", &[MADE_FOR]);
        assert_eq!(shared.change(|bytes| set_rpath(bytes, "$ORIGIN/inner")), Err(RpathError::NoRoom));
    }

    #[test]
    fn any_cut_of_a_real_file_is_an_error_but_no_panic() {
        assert!(matches!(remove_rpath(&mut []), Err(RpathError::Broken(_))));
        let whole = fs::read(Made::new("outer", &[MADE_FOR]).path("outer.so")).unwrap();
        for end in (0..whole.len()).step_by(13) {
            let _ = set_rpath(&mut whole[..end].to_owned(), "$ORIGIN/inner");
        }
    }
}
