//! The list of the files that a start reads (`crate::read_ahead`), from the profile of a start here.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::start::Starter;
use crate::cli::failure::Failure;
use crate::cli::packaging::target::PythonVersion;
use crate::config::PROFILE_INIT;
use crate::read_ahead::{Entry, FILE, Place, list};

/// Of larger libraries a start reads parts. In bytes.
const LARGEST: u64 = 4 << 20;

/// What this needs of the profile, whose format `src/python/glue/init_profile.py` describes.
#[derive(Deserialize)]
struct Profile {
    imports: Vec<Import>,
}

#[derive(Deserialize)]
struct Import {
    name: String,
    how: String,
    file: Option<String>,
    event: bool,
}

/// Starts the application with each handler, and writes the list into the package. Returns how many files it names.
pub(super) fn write(
    starter: &Starter,
    package: &Path,
    python: PythonVersion,
    handlers: &[String],
) -> Result<usize, Failure> {
    let copy = starter.copy(package)?;
    let mut of_handlers = Vec::new();
    for handler in handlers {
        of_handlers.push((handler.clone(), files(starter, copy.path(), python, handler)?));
    }
    let count = of_handlers.iter().map(|(_, files)| files.len()).sum();
    fs::write(package.join(FILE), list(&format!("python{python}"), &of_handlers)).map_err(|error| failed(&error))?;
    Ok(count)
}

fn files(starter: &Starter, copy: &Path, python: PythonVersion, handler: &str) -> Result<Vec<Entry>, Failure> {
    let folder = tempfile::tempdir().map_err(|error| failed(&error))?;
    let file = folder.path().join("init.json");
    // Sets have one order, so that one input makes one list.
    starter.start(copy, handler, &[(PROFILE_INIT.name, &file), ("PYTHONHASHSEED", Path::new("0"))])?;
    let profile = fs::read(&file).map_err(|error| failed(&error))?;
    let profile: Profile = serde_json::from_slice(&profile).map_err(|error| failed(&error))?;
    let root = copy.canonicalize().map_err(|error| failed(&error))?;
    let in_init = profile.imports.iter().filter(|import| !import.event && ["pyc", "extension"].contains(&&*import.how));
    Ok(in_order(in_init.filter_map(|import| {
        let file = import.file.as_deref()?;
        let small = fs::metadata(file).is_ok_and(|metadata| metadata.len() <= LARGEST);
        Some((import.name.as_str(), entry(file, &root, python).filter(|_| small)?))
    })))
}

/// In the order in which Python reads them: the profile has `a.b` before `a`, whose import is a part of it.
fn in_order<'a>(imports: impl Iterator<Item = (&'a str, Entry)>) -> Vec<Entry> {
    let imports: Vec<_> = imports.collect();
    let named: HashMap<&str, &Entry> = imports.iter().map(|(name, entry)| (*name, entry)).collect();
    let (mut entries, mut seen) = (Vec::new(), HashSet::new());
    for (name, _) in &imports {
        let packages = name.match_indices('.').map(|(dot, _)| &name[..dot]);
        for entry in packages.chain([*name]).filter_map(|name| named.get(name).copied()) {
            if seen.insert(entry) {
                entries.push(entry.clone());
            }
        }
    }
    entries
}

/// `None` for what will be elsewhere on Lambda, such as `site-packages` of this machine.
fn entry(file: &str, root: &Path, python: PythonVersion) -> Option<Entry> {
    if let Ok(path) = Path::new(file).strip_prefix(root) {
        return Some((Place::Package, path.to_str()?.to_owned()));
    }
    let (_, path) = file.rsplit_once(&format!("/lib/python{python}/"))?;
    // Modules in C have other names there, or are a part of libpython.
    let elsewhere = ["site-packages/", "dist-packages/", "lib-dynload/"].iter().any(|folder| path.starts_with(folder));
    (!elsewhere).then(|| (Place::Library, path.to_owned()))
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!("--read-ahead: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_a_place_on_lambda_or_none() {
        let place = |file: &str| entry(file, Path::new("/tmp/stage"), "3.13".parse().unwrap());
        let found = |place, path: &str| Some((place, path.to_owned()));
        assert_eq!(place("/tmp/stage/django/apps.py"), found(Place::Package, "django/apps.py"));
        assert_eq!(place("/usr/lib/python3.13/json/decoder.py"), found(Place::Library, "json/decoder.py"));
        assert_eq!(place("/usr/lib/python3.13/site-packages/six.py"), None);
        assert_eq!(place("/usr/lib/python3.13/lib-dynload/zlib.cpython-313-x86_64-linux-gnu.so"), None);
        assert_eq!(place("/usr/lib/python3.12/json/decoder.py"), None);
        assert_eq!(place("/home/me/tool.py"), None);
    }
}
