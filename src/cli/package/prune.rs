//! Files that requirements install and a server never needs.
//!
//! A folder of tests is removed only if no remaining file names it: numpy.testing, for example, imports
//! `numpy._core.tests._natype`, and some packages load their tests by a string.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use memchr::memmem;

use super::files::{Staged, staged};
use super::rules::{Selection, TESTS_FOLDER};
use crate::cli::failure::Failure;

/// How many files and bytes were removed, by reason.
#[derive(Debug, Default)]
pub(super) struct Pruned(pub(super) BTreeMap<&'static str, (usize, u64)>);

impl Pruned {
    pub(super) fn files(&self) -> usize {
        self.0.values().map(|(files, _)| files).sum()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.values().map(|(_, bytes)| bytes).sum()
    }

    fn remove(&mut self, file: &Staged, why: &'static str) -> Result<(), Failure> {
        fs::remove_file(&file.path)
            .map_err(|error| Failure::Failed(format!("cannot remove {}: {error}", file.path.display())))?;
        let (files, bytes) = self.0.entry(why).or_default();
        *files += 1;
        *bytes += file.size;
        Ok(())
    }
}

/// Removes from the stage what the rules name. Nothing of the application is in it yet.
pub(super) fn installed(stage: &Path, selection: &Selection) -> Result<Pruned, Failure> {
    let mut pruned = Pruned::default();
    for file in staged(stage)? {
        let why = selection.left_out(&file.name).or_else(|| script(&file, selection));
        if let Some(why) = why {
            pruned.remove(&file, why)?;
        }
    }
    Ok(pruned)
}

/// Shell commands: they begin with the path of the build machine's Python.
fn script(file: &Staged, selection: &Selection) -> Option<&'static str> {
    let script = file.name.starts_with("bin/") && !selection.keeps(&file.name);
    let text = script.then(|| fs::read(&file.path).ok()).flatten()?;
    text.starts_with(b"#!").then_some("scripts with the build machine's paths")
}

/// The outermost folders called `tests` inside packages.
pub(super) fn test_folders(stage: &Path, selection: &Selection) -> Result<BTreeSet<String>, Failure> {
    let folder_of_tests = |file: &Staged| {
        let parts: Vec<&str> = file.name.split('/').collect();
        let at = parts[..parts.len() - 1].iter().skip(1).position(|part| *part == TESTS_FOLDER)?;
        Some(parts[..at + 2].join("/"))
    };
    let folders: BTreeSet<String> = staged(stage)?.iter().filter_map(folder_of_tests).collect();
    Ok(folders.into_iter().filter(|folder| !selection.keeps(folder)).collect())
}

/// Removes the folders that no remaining file names. `own` are files of the application: they stay.
pub(super) fn tests(
    stage: &Path,
    mut folders: BTreeSet<String>,
    own: &BTreeSet<String>,
    pruned: &mut Pruned,
) -> Result<(), Failure> {
    let files = staged(stage)?;
    let inside = |name: &str, folders: &BTreeSet<String>| folders.iter().any(|folder| is_below(name, folder));
    let mut read: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = folders.len();
        for file in files.iter().filter(|file| may_import(&file.name)) {
            if !inside(&file.name, &folders) && read.insert(&file.name) {
                let text = fs::read(&file.path).unwrap_or_default();
                folders.retain(|folder| !names(&file.name, &text, folder));
            }
        }
        // A folder that stays may name others.
        if folders.len() == before {
            break;
        }
    }
    for file in files.iter().filter(|file| inside(&file.name, &folders) && !own.contains(&file.name)) {
        pruned.remove(file, "tests inside packages")?;
    }
    Ok(())
}

fn is_below(name: &str, folder: &str) -> bool {
    name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn may_import(name: &str) -> bool {
    [".py", "/entry_points.txt"].iter().any(|ending| name.ends_with(ending))
}

/// Whether a file's text names a folder as a module: by its dotted name anywhere, or by an import relative to the file.
fn names(file: &str, text: &[u8], folder: &str) -> bool {
    if memmem::find(text, TESTS_FOLDER.as_bytes()).is_none() {
        return false;
    }
    if memmem::find(text, folder.replace('/', ".").as_bytes()).is_some() {
        return true;
    }
    let text = String::from_utf8_lossy(text);
    from_imports(&text).any(|(from, what)| {
        let module = resolved(file, from.trim());
        let code = what.lines().filter_map(|line| line.split('#').next());
        let words = code.flat_map(|line| line.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')));
        let mut modules = words.map(|word| format!("{module}/{word}")).chain([module.clone()]);
        modules.any(|module| module == folder || is_below(&module, folder))
    })
}

const IMPORT: &str = " import";

/// The text on both sides of `import` in lines that begin with `from`. Names in parentheses can take several lines.
fn from_imports(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices("from ").filter_map(|(at, word)| {
        let before = text[..at].rsplit('\n').next().unwrap_or_default();
        let rest = &text[at + word.len()..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let (from, what) = line.split_once(IMPORT).filter(|_| before.trim().is_empty())?;
        let start = from.len() + IMPORT.len();
        let more = what.trim_start().starts_with('(').then(|| rest[start..].find(')')).flatten();
        let end = more.map_or(line.len(), |length| start + length);
        Some((from, &rest[start..end]))
    })
}

/// The path of the module that `from …` in a file names.
fn resolved(file: &str, from: &str) -> String {
    let module = from.trim_start_matches('.');
    let up = from.len() - module.len();
    let mut parts: Vec<&str> = if up == 0 { Vec::new() } else { file.split('/').collect() };
    parts.truncate(parts.len().saturating_sub(up));
    parts.extend(module.split('.').filter(|part| !part.is_empty()));
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::super::rules::{Globs, INSTALLED};
    use super::*;

    fn stage(files: &[(&str, &str)]) -> tempfile::TempDir {
        let stage = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = stage.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        stage
    }

    fn left(stage: &Path) -> Vec<String> {
        staged(stage).unwrap().into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn notes_scripts_and_bytecode_go_programs_stay() {
        let none = Globs::default();
        let stage = stage(&[
            ("bin/flask", "#!/home/me/python\n"),
            ("bin/tool", "\x7fELF"),
            ("x/__init__.py", ""),
            ("x/__pycache__/__init__.cpython-313.pyc", "12345"),
            ("x-1.dist-info/RECORD", ""),
            ("x-1.dist-info/METADATA", ""),
        ]);
        let pruned = installed(stage.path(), &Selection::new(&INSTALLED, &none, &none)).unwrap();
        assert_eq!(left(stage.path()), ["bin/tool", "x/__init__.py", "x-1.dist-info/METADATA"]);
        assert_eq!((pruned.files(), pruned.bytes()), (3, 18 + 5));
    }

    #[test]
    fn tests_go_unless_something_that_stays_imports_them() {
        let stage = stage(&[
            ("a/__init__.py", ""),
            ("a/tests/test_a.py", "from b.tests import helper"),
            ("b/tests/__init__.py", ""),
            ("c/testing.py", "from c._core.tests._natype import NA"),
            ("c/_core/tests/_natype.py", ""),
            ("d/x.py", "from .tests import data"),
            ("d/tests/data.py", "import e.tests"),
            ("e/tests/data.py", ""),
            ("f/x.py", "from . import (\n    y,\n    tests,\n)"),
            ("f/tests/__init__.py", ""),
            ("g/sub/x.py", "from ..tests import z"),
            ("g/tests/z.py", ""),
            ("h/x.py", "from h import (\n  b,\n)\n# there are tests\nfrom h import b # tests"),
            ("h/tests/deep/tests/z.py", ""),
            ("i/x.py", "from i import tests"),
            ("i/tests/__init__.py", ""),
            ("app/tests/mine.py", ""),
            ("a/tests/mine.py", ""),
        ]);
        let none = Globs::default();
        let keep = Globs::parse(&["app"], "--keep").unwrap();
        let folders = test_folders(stage.path(), &Selection::new(&INSTALLED, &none, &keep)).unwrap();
        assert!(folders.contains("h/tests") && !folders.contains("h/tests/deep/tests"), "{folders:?}");
        let mut pruned = Pruned::default();
        tests(stage.path(), folders, &["a/tests/mine.py".to_owned()].into(), &mut pruned).unwrap();
        let left = left(stage.path());
        for gone in ["a/tests/test_a.py", "b/tests/__init__.py", "h/tests/deep/tests/z.py"] {
            assert!(!left.iter().any(|name| name == gone), "{gone} in {left:?}");
        }
        assert_eq!(pruned.files(), 3, "{left:?}");
    }
}
