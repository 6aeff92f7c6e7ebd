//! What an application says it needs, and what a virtual environment has of it.

use std::collections::BTreeSet;
use std::path::Path;

use super::contents::Contents;

/// What is known of an application's requirements.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Requirements {
    /// No file says any.
    None,
    /// All of them are installed.
    Installed,
    /// These are not.
    Missing(Vec<String>),
    /// A file says some, in a form that only its tool reads.
    Unknown,
}

/// Files of other tools that say requirements.
const OTHER_FILES: &[&str] =
    &["pyproject.toml", "Pipfile", "poetry.lock", "uv.lock", "setup.py", "setup.cfg", "environment.yml"];

impl Requirements {
    /// Compares `requirements.txt` with what the virtual environment has; without one nothing counts as installed.
    pub(super) fn of(code: &Contents, venv: Option<&Path>) -> Self {
        let Some(text) = code.text("requirements.txt") else {
            let says_some = OTHER_FILES.iter().any(|name| code.has(name));
            return if says_some { Self::Unknown } else { Self::None };
        };
        let installed = venv.map(installed).unwrap_or_default();
        let missing: Vec<_> = text.lines().filter_map(name).filter(|name| !installed.contains(&normal(name))).collect();
        match missing.as_slice() {
            [] if text.lines().any(|line| line.trim_start().starts_with('-')) => Self::Unknown,
            [] => Self::Installed,
            _ => Self::Missing(missing.into_iter().map(str::to_owned).collect()),
        }
    }
}

/// The name in a line of `requirements.txt`. One with a condition may rightly not be there.
fn name(line: &str) -> Option<&str> {
    let line = line.split('#').next()?.trim();
    if line.is_empty() || line.starts_with('-') || line.contains(';') {
        return None;
    }
    let end = line.find(|char: char| !(char.is_ascii_alphanumeric() || "-_.".contains(char))).unwrap_or(line.len());
    (end > 0 && !line[end..].trim_start().starts_with("://")).then_some(&line[..end])
}

/// The distributions of a virtual environment.
fn installed(venv: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for version in folders(&venv.join("lib")) {
        for entry in folders(&version.join("site-packages")) {
            let folder = entry.file_name().unwrap_or_default().to_string_lossy();
            if let Some(name) = folder.strip_suffix(".dist-info") {
                names.insert(normal(name.split('-').next().unwrap_or(name)));
            }
        }
    }
    names
}

fn folders(path: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Names are compared without case, `-`, `_` and `.` being the same (PEP 503).
fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_lines() {
        for (line, expected) in [
            ("Flask>=3", Some("Flask")),
            ("a2wsgi[x]==1  # why", Some("a2wsgi")),
            ("zope.interface", Some("zope.interface")),
            ("pkg @ https://host/pkg.whl", Some("pkg")),
            ("-r more.txt", None),
            ("tomli; python_version < '3.11'", None),
            ("https://host/pkg.whl", None),
            ("", None),
        ] {
            assert_eq!(name(line), expected, "{line}");
        }
        assert_eq!(normal("Zope.Interface_x"), "zope-interface-x");
    }

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
