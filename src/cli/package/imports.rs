//! What an application imports that neither it nor Python's standard library has.
//!
//! Only statements at the beginning of a line are read. Those in functions, conditions and `try` may never run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

/// Folders that are no part of a running application.
const NEVER: [&str; 5] = ["node_modules", "tests", "test", "docs", "__pycache__"];
/// Files that pip and pytest run.
const TOOLS: [&str; 3] = ["setup.py", "conftest.py", "noxfile.py"];
/// What the runtime brings.
const OURS: [&str; 2] = ["wsgi_lambda", "snapshot_restore_py"];
/// More files say nothing new, and take time.
const MAX_FILES: usize = 2000;

/// The modules that nothing brings, each with the first file that imports it.
pub(super) fn unmet(app: &Path, stdlib: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut unmet = BTreeMap::new();
    // Without an interpreter the standard library is not known, and everything would count.
    if stdlib.is_empty() {
        return unmet;
    }
    let walk = WalkDir::new(app).sort_by_file_name().into_iter().filter_entry(is_application);
    let files: Vec<DirEntry> = walk.filter_map(Result::ok).filter(is_python).take(MAX_FILES).collect();
    let own = own_modules(app, &files);
    for file in &files {
        let name = file.path().strip_prefix(app).unwrap_or(file.path()).display().to_string();
        let text = fs::read_to_string(file.path()).unwrap_or_default();
        for module in imported(&text) {
            if !stdlib.contains(module) && !own.contains(module) && !OURS.contains(&module) {
                unmet.entry(module.to_owned()).or_insert_with(|| name.clone());
            }
        }
    }
    unmet
}

/// Every name that some folder of the application may bring: `sys.path` is the application's own affair.
fn own_modules(app: &Path, files: &[DirEntry]) -> BTreeSet<String> {
    let mut own = BTreeSet::new();
    for file in files {
        let inside = file.path().strip_prefix(app).unwrap_or(file.path()).with_extension("");
        own.extend(inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned()));
    }
    let entries = fs::read_dir(app).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    // `x.so` and `x.cpython-313-x86_64-linux-gnu.so` at the top.
    let libraries = entries.filter(|path| path.extension().is_some_and(|ending| ending == "so"));
    own.extend(libraries.filter_map(|path| Some(path.file_name()?.to_str()?.split('.').next()?.to_owned())));
    own
}

fn is_application(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.depth() == 0
        || !(name.starts_with('.')
            || NEVER.contains(&name.as_ref())
            || TOOLS.contains(&name.as_ref())
            || entry.path().join("pyvenv.cfg").is_file())
}

fn is_python(entry: &DirEntry) -> bool {
    entry.path().extension().is_some_and(|ending| ending == "py") && entry.path().is_file()
}

/// The first parts of the names in `import a.b, c` and `from a.b import c`.
fn imported(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| {
        let names = if let Some(rest) = line.strip_prefix("import ") {
            rest
        } else {
            let from = line.strip_prefix("from ").and_then(|rest| rest.split_once(" import"));
            // A sentence that begins like this has more words.
            from.map(|(module, _)| module).filter(|module| !module.contains(' ')).unwrap_or_default()
        };
        let first = names.split(',').filter_map(|name| name.trim().split(['.', ' ', '#', ';']).next());
        first.filter(|name| !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_statements_that_always_run() {
        let text = "import os, flask.views as v, a  # why\nfrom django.core import x\nfrom . import y\nfrom .z import w\n\
                    try:\n    import never\nfrom here on it imports nothing\nimportant = 1\n";
        assert_eq!(imported(text).collect::<Vec<_>>(), ["os", "flask", "a", "django"]);
    }

    #[test]
    fn what_nothing_brings_is_named_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            fs::write(folder.path().join(name), text).unwrap();
        };
        write("app.py", "import json, flask, shop.views, util, native, wsgi_lambda\n");
        write("shop/views.py", "import flask\n");
        write("lib/util.py", "");
        write("native.abi3.so", "");
        write("tests/test_app.py", "import pytest\n");
        write("setup.py", "import setuptools\n");
        let unmet = unmet(folder.path(), &["json".to_owned()].into());
        assert_eq!(unmet.into_iter().collect::<Vec<_>>(), [("flask".to_owned(), "app.py".to_owned())]);
        assert!(super::unmet(folder.path(), &BTreeSet::new()).is_empty());
    }
}
