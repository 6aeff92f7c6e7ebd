//! Files that look like requirements, and are not where installers are pointed to: `requirements/prod.txt`, a `Pipfile`,
//! a `setup.py`, a file in the folder above.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::requirements::{FOREIGN_LOCKS, SOURCES, without_comment};

/// A file that looks like requirements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Elsewhere {
    pub(in crate::cli) path: PathBuf,
    pub(in crate::cli) form: Form,
}

/// What has to be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Form {
    /// Installers read it: it has to be named.
    Readable,
    /// Its own tool exports it, with this command.
    Exported(&'static str),
    /// Conda's. Its packages are no wheels.
    Conda,
}

/// Files that are exported, with the commands. Lock files come first: what they export is exact.
const EXPORTED: [(&str, &str); 3] = [
    ("Pipfile", "pipenv lock && pipenv requirements > requirements.txt"),
    ("setup.py", "uv pip compile setup.py -o requirements.txt"),
    ("setup.cfg", "uv pip compile setup.cfg -o requirements.txt"),
];
const CONDA: [&str; 2] = ["environment.yml", "environment.yaml"];
/// Folders whose text files are requirements, whatever they are called.
const FOLDERS: [&str; 4] = ["requirements", "reqs", "requires", "deps"];
/// Folders in which nobody keeps an application's requirements.
const NEVER: [&str; 6] = ["node_modules", "tests", "test", "docs", "dist", "build"];

/// The files that look like requirements of an application, the likeliest first.
pub(in crate::cli) fn find(app: &Path) -> Vec<Elsewhere> {
    let mut found = in_folder(app, false);
    for folder in entries(app).into_iter().filter(|path| path.is_dir() && may_have_some(path)) {
        found.extend(in_folder(&folder, is_folder_of_requirements(&folder)));
    }
    found.sort_by_key(|one| rank(&one.path));
    // `package src`, with everything else above it.
    if let Some(above) = app.parent().filter(|_| found.is_empty()) {
        found.extend(in_folder(above, false));
        found.extend(FOLDERS.iter().flat_map(|name| in_folder(&above.join(name), true)));
        found.sort_by_key(|one| rank(&one.path));
    }
    found
}

fn in_folder(folder: &Path, all_texts: bool) -> Vec<Elsewhere> {
    let files = entries(folder).into_iter().filter(|path| path.is_file());
    files.filter_map(|path| form(&path, all_texts).map(|form| Elsewhere { path, form })).collect()
}

/// What has to be done with a file that somebody named as one with requirements. `None`: its name says nothing.
pub(in crate::cli) fn form_of(path: &Path) -> Option<Form> {
    let name = name_of(path);
    let export = FOREIGN_LOCKS.iter().chain(&EXPORTED).find(|(file, _)| *file == name);
    export.map(|(_, export)| Form::Exported(export)).or_else(|| CONDA.contains(&name).then_some(Form::Conda))
}

fn form(path: &Path, all_texts: bool) -> Option<Form> {
    let name = name_of(path);
    if let Some((_, export)) = FOREIGN_LOCKS.iter().find(|(lock, _)| *lock == name) {
        return Some(Form::Exported(export));
    }
    if let Some((_, export)) = EXPORTED.iter().find(|(file, _)| *file == name) {
        // A setup.cfg often has settings of linters only. A Pipfile has nothing but requirements, and its lock is better.
        let says_some = if name == "Pipfile" {
            !path.with_extension("lock").is_file()
        } else {
            fs::read_to_string(path).is_ok_and(|text| text.contains("install_requires"))
        };
        return says_some.then_some(Form::Exported(export));
    }
    if CONDA.contains(&name) {
        return Some(Form::Conda);
    }
    let is_text = [".txt", ".in"].iter().any(|ending| name.ends_with(ending));
    let is_named = name.to_lowercase().contains("requirements") || all_texts;
    let says_some = || match name {
        "pyproject.toml" => fs::read_to_string(path).is_ok_and(|text| has_dependencies(&text)),
        _ => fs::read_to_string(path).is_ok_and(|text| text.lines().any(|line| !without_comment(line).is_empty())),
    };
    ((is_text && is_named || SOURCES.contains(&name)) && says_some()).then_some(Form::Readable)
}

/// Whether a pyproject.toml may have a list of dependencies that is not empty. Only a reader of TOML knows it exactly.
fn has_dependencies(text: &str) -> bool {
    let list =
        text.split_once("\ndependencies").map(|(_, rest)| rest.trim_start().trim_start_matches('=').trim_start());
    list.and_then(|list| list.strip_prefix('[')).is_some_and(|list| !list.trim_start().starts_with(']'))
}

/// What is deployed comes before what is developed with, and the application's own folders before deeper ones.
fn rank(path: &Path) -> (usize, PathBuf) {
    let name = name_of(path).to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let rank = if has(&["prod", "deploy", "live", "lambda"]) {
        0
    } else if has(&["dev", "test", "lint", "doc", "local", "ci."]) {
        3
    } else if has(&["base", "common", "main", "requirements", "lock"]) {
        1
    } else {
        2
    };
    (rank, path.to_owned())
}

fn is_folder_of_requirements(folder: &Path) -> bool {
    FOLDERS.contains(&name_of(folder))
}

fn may_have_some(folder: &Path) -> bool {
    let name = name_of(folder);
    !name.starts_with('.') && !NEVER.contains(&name) && !folder.join("pyvenv.cfg").is_file()
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)], app: &str) -> Vec<(String, Form)> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let shown = |path: &Path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_owned();
        find(&folder.path().join(app)).into_iter().map(|one| (shown(&one.path), one.form)).collect()
    }

    #[test]
    fn what_is_deployed_comes_first() {
        let list = found(
            &[
                ("app/requirements/dev.txt", "pytest"),
                ("app/requirements/base.txt", "flask"),
                ("app/requirements/prod.txt", "-r base.txt"),
                ("app/requirements/empty.txt", "# nothing"),
                ("app/notes.txt", "flask"),
                ("app/venv/pyvenv.cfg", ""),
                ("app/venv/requirements.txt", "x"),
                ("app/tests/requirements.txt", "x"),
                ("requirements.txt", "above"),
            ],
            "app",
        );
        let names: Vec<_> = list.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["app/requirements/prod.txt", "app/requirements/base.txt", "app/requirements/dev.txt"]);
        assert!(list.iter().all(|(_, form)| *form == Form::Readable));
    }

    #[test]
    fn other_tools_files_come_with_their_export() {
        for (file, text, export) in [
            ("Pipfile", "[packages]", "pipenv lock"),
            ("Pipfile.lock", "{}", "pipenv requirements"),
            ("setup.py", "setup(install_requires=['flask'])", "setup.py"),
            ("setup.cfg", "[options]\ninstall_requires = flask", "setup.cfg"),
            ("pdm.lock", "", "pdm export"),
        ] {
            let list = found(&[(file, text)], "");
            let (name, Form::Exported(command)) = &list[0] else { panic!("{file}: {list:?}") };
            assert!(name == file && command.contains(export), "{list:?}");
        }
        assert_eq!(found(&[("environment.yml", "")], "")[0].1, Form::Conda);
        assert_eq!(found(&[("setup.cfg", "[flake8]"), ("setup.py", "setup(name='x')")], ""), []);
        assert_eq!(found(&[("Pipfile", ""), ("Pipfile.lock", "")], "").len(), 1, "the lock is better");
    }

    #[test]
    fn the_folder_above_is_searched_last() {
        let project = "[project]\nname = 'x'\ndependencies = ['flask']";
        let above = [("pyproject.toml", project), ("src/app.py", ""), ("requirements/prod.txt", "flask")];
        let names: Vec<_> = found(&above, "src").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["requirements/prod.txt", "pyproject.toml"]);
        assert_eq!(found(&[("pyproject.toml", "[project]\ndependencies = []"), ("src/app.py", "")], "src"), []);
    }
}
