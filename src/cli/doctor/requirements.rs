//! Whether a virtual environment has what an application requires.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::find::tidy;
use crate::cli::packaging::dists::name_of_info;
use crate::cli::packaging::requirements::{normal, other_files, unconditional_name};

/// What is known of an application's requirements.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Requirements {
    /// No file names any.
    None,
    /// All of them are installed.
    Installed,
    /// These are not.
    Missing(Vec<String>),
    /// A file names some, in a form that only its tool reads.
    Unknown,
}

impl Requirements {
    /// Compares `requirements.txt` with what the virtual environment has; without one nothing counts as installed.
    pub(super) fn of(code: &Contents, venv: Option<&Path>) -> Self {
        let Some(text) = code.text("requirements.txt") else {
            let names_some = other_files().any(|name| code.has(name));
            return if names_some { Self::Unknown } else { Self::None };
        };
        let installed = venv.map(installed).unwrap_or_default();
        let names = text.lines().filter_map(unconditional_name);
        let missing: Vec<_> = names.filter(|name| !installed.contains(&normal(name))).collect();
        match missing.as_slice() {
            [] if text.lines().any(|line| line.trim_start().starts_with('-')) => Self::Unknown,
            [] => Self::Installed,
            _ => Self::Missing(missing.into_iter().map(str::to_owned).collect()),
        }
    }
}

/// The file other than `requirements.txt` that requires a distribution of this name: `requirements.in`, or one for
/// deployment in a folder.
pub(super) fn named_in<'a>(code: &'a Contents, module: &str) -> Option<&'a str> {
    let is_list = |name: &&str| {
        let is_named = name.starts_with("requirements/") || name.starts_with("requirements") && !name.contains('/');
        is_named && [".txt", ".in"].iter().any(|ending| name.ends_with(ending)) && *name != "requirements.txt"
    };
    let wanted = normal(module);
    let names_it = |text: String| text.lines().filter_map(unconditional_name).any(|name| normal(name) == wanted);
    code.names().filter(is_list).find(|file| code.text(file).is_some_and(names_it))
}

/// A virtual environment next to the code, or next to its folder, that has this module.
pub(super) fn environment_with(code: &Contents, module: &str) -> Option<PathBuf> {
    let places = [code.path.clone(), code.path.join("..")];
    let all = places.iter().flat_map(|place| [".venv", "venv"].map(|name| tidy(&place.join(name))));
    all.filter(|path| path.join("pyvenv.cfg").is_file()).find(|path| has_module(path, module))
}

fn has_module(venv: &Path, module: &str) -> bool {
    folders(&venv.join("lib")).iter().any(|version| {
        let site = version.join("site-packages");
        site.join(module).is_dir() || site.join(format!("{module}.py")).is_file()
    })
}

/// The distributions of a virtual environment.
fn installed(venv: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for version in folders(&venv.join("lib")) {
        for entry in folders(&version.join("site-packages")) {
            names.extend(name_of_info(&entry.file_name().unwrap_or_default().to_string_lossy()).map(normal));
        }
    }
    names
}

fn folders(path: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_environment_is_compared() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("venv/lib/python3.11/site-packages");
        std::fs::create_dir_all(site.join("flask_cors-4.0.dist-info")).unwrap();
        let app = folder.path().join("app");
        std::fs::create_dir(&app).unwrap();
        let of = |text: &str| {
            std::fs::write(app.join("requirements.txt"), text).unwrap();
            Requirements::of(&Contents::open(&app).unwrap(), Some(&folder.path().join("venv")))
        };
        assert_eq!(of("Flask-Cors\n"), Requirements::Installed);
        assert_eq!(of("Flask-Cors\nflask\n"), Requirements::Missing(vec!["flask".to_owned()]));
        assert_eq!(of("flask-cors\n-r more.txt\n"), Requirements::Unknown);
    }
}
