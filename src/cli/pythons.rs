//! The Pythons of this machine, as far as their files show them: nothing is started.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::shared::LAYER_PYTHONS;
use crate::bundle::Architecture;

/// The Python that applications are run with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Python {
    /// `3.13`.
    pub(super) version: String,
    /// `sys.base_prefix`: the folder above its `bin`.
    pub(super) prefix: PathBuf,
}

/// A Python with a shared libpython.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The folder above `lib/python3.N`.
    pub(super) prefix: PathBuf,
    /// `libpython3.N.so.1.0`.
    pub(super) library: PathBuf,
}

impl Python {
    /// The Python of a virtual environment. Without one: that of the environment which this program is in, the `python3`
    /// beside it, the one on PATH.
    pub(super) fn at_hand(venv: Option<&Path>) -> Option<Self> {
        if let Some(venv) = venv {
            return Self::of_venv(venv);
        }
        let program = std::env::current_exe().unwrap_or_default();
        let bin = program.parent().unwrap_or(Path::new("/usr/bin")).to_owned();
        let own = bin.parent().and_then(Self::of_venv);
        own.or_else(|| Self::of_interpreter(&bin.join("python3"))).or_else(|| {
            let found = which("python3")?;
            found.parent().and_then(Path::parent).and_then(Self::of_venv).or_else(|| Self::of_interpreter(&found))
        })
    }

    fn of_venv(venv: &Path) -> Option<Self> {
        let settings = fs::read_to_string(venv.join("pyvenv.cfg")).ok()?;
        let value = |wanted: &str| {
            let pairs = settings.lines().filter_map(|line| line.split_once('='));
            pairs.into_iter().find(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim().to_owned())
        };
        let full = value("version").or_else(|| value("version_info"))?;
        let version = full.split('.').take(2).collect::<Vec<_>>().join(".");
        // `home` is the folder of the interpreter, which may be a link to where it is.
        let home = PathBuf::from(value("home")?);
        let named = home.join(format!("python{version}"));
        let prefix =
            prefix_of(&named).or_else(|| prefix_of(&home.join("python3"))).unwrap_or(home.parent()?.to_owned());
        Some(Self { version, prefix })
    }

    /// Of an interpreter such as `/usr/bin/python3`, whose link leads to `python3.11`.
    fn of_interpreter(file: &Path) -> Option<Self> {
        let real = file.canonicalize().ok()?;
        let version = real.file_name()?.to_str()?.strip_prefix("python")?.to_owned();
        version.contains('.').then_some(())?;
        Some(Self { version, prefix: prefix_of(&real)? })
    }
}

/// The folder above the `bin` in which an interpreter really is.
fn prefix_of(interpreter: &Path) -> Option<PathBuf> {
    Some(interpreter.canonicalize().ok()?.parent()?.parent()?.to_owned())
}

fn which(program: &str) -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods)] // PATH is no setting of ours
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The Pythons of this version that have a shared libpython for the processor: the given one first, if it has, then those
/// of the distribution, of uv, of pyenv, and what `layer/python/build` made.
pub(super) fn places(python: &Python, architecture: Architecture) -> Vec<Place> {
    let mut prefixes = vec![python.prefix.clone(), "/usr".into(), "/usr/local".into()];
    let version = &python.version;
    if let Some(data) = dirs::data_dir() {
        prefixes.extend(folders(&data.join("uv/python"), &format!("cpython-{version}.")));
    }
    if let Some(home) = dirs::home_dir() {
        prefixes.extend(folders(&home.join(".pyenv/versions"), &format!("{version}.")));
    }
    prefixes.extend(folders(Path::new(LAYER_PYTHONS), ""));
    let mut found: Vec<Place> = Vec::new();
    for prefix in prefixes {
        let place = library(&prefix, version, architecture);
        found.extend(place.filter(|place| !found.contains(place)));
    }
    found
}

fn folders(parent: &Path, beginning: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let begins = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.starts_with(beginning));
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| begins(&entry.file_name()))
        .filter_map(|entry| entry.path().canonicalize().ok())
        .collect();
    found.sort();
    found.dedup();
    found.reverse(); // 3.13.5 before 3.13.0
    found
}

/// The shared libpython of a prefix, where distributions and relocatable Pythons keep it.
fn library(prefix: &Path, version: &str, architecture: Architecture) -> Option<Place> {
    let name = format!("libpython{version}.so.1.0");
    let multiarch = format!("lib/{}-linux-gnu", architecture.machine());
    let stdlib = prefix.join("lib").join(format!("python{version}"));
    stdlib.join("os.py").is_file().then_some(())?;
    let library = ["lib", "lib64", &multiarch]
        .iter()
        .map(|folder| prefix.join(folder).join(&name))
        .find(|file| machine(file) == Some(architecture.elf_machine()))?;
    Some(Place { prefix: prefix.to_owned(), library })
}

/// `e_machine` of an ELF file. The whole library need not be read for it.
fn machine(file: &Path) -> Option<u16> {
    let mut head = [0; 20];
    fs::File::open(file).ok()?.read_exact(&mut head).ok()?;
    head.starts_with(b"\x7fELF").then(|| u16::from_le_bytes([head[18], head[19]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_python_of_an_environment_is_where_its_home_leads() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for folder in ["real/bin", "links", "venv"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("real/bin/python3.13"), "").unwrap();
        std::os::unix::fs::symlink(root.join("real/bin/python3.13"), root.join("links/python3.13")).unwrap();
        let cfg = format!("home = {}\nversion = 3.13.5\n", root.join("links").display());
        fs::write(root.join("venv/pyvenv.cfg"), cfg).unwrap();
        let python = Python { version: "3.13".to_owned(), prefix: root.join("real") };
        assert_eq!(Python::of_venv(&root.join("venv")), Some(python.clone()));
        assert_eq!(Python::of_interpreter(&root.join("links/python3.13")), Some(python));
        assert_eq!(Python::of_venv(&root), None);
    }

    #[test]
    fn a_python_without_a_standard_library_or_a_shared_library_is_no_place() {
        let folder = tempfile::tempdir().unwrap();
        let lib = folder.path().join("lib");
        fs::create_dir_all(lib.join("python3.13")).unwrap();
        fs::write(lib.join("libpython3.13.so.1.0"), "not ELF").unwrap();
        fs::write(lib.join("python3.13/os.py"), "").unwrap();
        assert_eq!(library(folder.path(), "3.13", Architecture::X86_64), None);
    }
}
