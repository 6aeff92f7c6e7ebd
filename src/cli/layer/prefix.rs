//! The layer's Python: a folder with `lib/libpython3.N.so.1.0` and `lib/python3.N`, which may have been moved.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::bootstrap::Bootstrap;
use crate::bundle::Architecture;
use crate::cli::failure::Failure;
use crate::cli::shared::LAYER_PYTHONS;

/// A Python of the version that the bootstrap embeds.
pub(super) struct Prefix {
    pub(super) root: PathBuf,
    /// `python3.13`.
    pub(super) name: String,
    pub(super) architecture: Architecture,
}

impl Prefix {
    /// The given folder, or the first that is found: in the cache, with uv, or after uv has installed one.
    pub(super) fn find(given: Option<&Path>, bootstrap: &Bootstrap) -> Result<Self, Failure> {
        let (python, architecture) = (bootstrap.python.as_str(), bootstrap.architecture);
        let new = |root: PathBuf| Self { root, name: format!("python{python}"), architecture };
        if let Some(root) = given {
            let prefix = new(root.to_owned());
            return prefix.check().map(|()| prefix);
        }
        let found = cached(python, architecture)
            .or_else(|| known_to_uv(python, architecture))
            .or_else(|| installed_by_uv(python, architecture).then(|| cached(python, architecture)).flatten());
        found.map(new).ok_or_else(|| Failure::Failed(none_found(python, architecture)))
    }

    /// Returns what is wrong with a folder that was given.
    fn check(&self) -> Result<(), Failure> {
        let wrong = |what: String| Err(Failure::Usage(format!("--python {}: {what}", self.root.display())));
        if self.root.is_file() {
            return wrong("is a file; name the folder above its `bin`".to_owned());
        }
        if !self.root.is_dir() {
            return wrong("there is no such folder".to_owned());
        }
        if self.root.join("pyvenv.cfg").exists() {
            return wrong(
                "is a virtual environment; name the Python that it was made with (`home` in pyvenv.cfg)".to_owned(),
            );
        }
        if !self.library().is_file() {
            return wrong(self.why_no_library());
        }
        if !["os.py", "os.pyc"].iter().any(|name| self.stdlib().join(name).is_file()) {
            return wrong(format!("lib/{} has no standard library in it", self.name));
        }
        Ok(())
    }

    fn why_no_library(&self) -> String {
        let mut others = library_names(&self.root);
        others.retain(|name| name.starts_with("libpython3.") && name.ends_with(".so.1.0"));
        if let Some(other) = others.first() {
            return format!("is another Python, lib/{other}, and the bootstrap embeds {}", self.name);
        }
        let missing = format!("has no lib/lib{}.so.1.0", self.name);
        if self.root.join("bin").join(&self.name).exists() {
            return format!(
                "{missing}: its libpython is not shared. Build Python with --enable-shared, or use uv's \
                 (`uv python install`)"
            );
        }
        format!("{missing}; name the folder that has `bin` and `lib` of a relocatable Python")
    }

    /// The shared library.
    pub(super) fn library(&self) -> PathBuf {
        self.root.join("lib").join(self.library_name())
    }

    pub(super) fn library_name(&self) -> String {
        format!("lib{}.so.1.0", self.name)
    }

    /// The folder of the standard library.
    pub(super) fn stdlib(&self) -> PathBuf {
        self.root.join("lib").join(&self.name)
    }

    /// `3.13.5`, from its header. Without the header, only `3.13`.
    pub(super) fn version(&self) -> String {
        let header = self.root.join("include").join(&self.name).join("patchlevel.h");
        let text = std::fs::read_to_string(header).unwrap_or_default();
        let version = text.lines().find_map(|line| line.strip_prefix("#define PY_VERSION")?.split('"').nth(1));
        version.unwrap_or(&self.name["python".len()..]).to_owned()
    }

    /// An interpreter of the same version that runs here: the folder's own or, if it is for another architecture, one on
    /// PATH. Bytecode is the same on every architecture.
    pub(super) fn compiler(&self) -> Result<PathBuf, Failure> {
        let own = self.root.join("bin").join(&self.name);
        if runs(&own, &self.name) {
            return Ok(own);
        }
        let other = PathBuf::from(&self.name);
        if Some(self.architecture) != Architecture::of_this_machine() && runs(&other, &self.name) {
            return Ok(other);
        }
        Err(Failure::Failed(format!(
            "{} does not run here, and the standard library has to be compiled with that version: {}",
            own.display(),
            if Some(self.architecture) == Architecture::of_this_machine() {
                "start it by hand to see why".to_owned()
            } else {
                format!("put a {} of this machine on PATH", self.name)
            }
        )))
    }
}

fn runs(python: &Path, name: &str) -> bool {
    let script = "import sys; print('python%d.%d' % sys.version_info[:2])";
    let output = Command::new(python).args(["-I", "-S", "-c", script]).output();
    output.is_ok_and(|output| output.status.success() && output.stdout.trim_ascii() == name.as_bytes())
}

fn library_names(prefix: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(prefix.join("lib")) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    names
}

/// Whether a folder is a Python of this version and architecture.
fn fits(prefix: &Path, python: &str, architecture: Architecture) -> bool {
    let library = std::fs::read(prefix.join(format!("lib/libpython{python}.so.1.0"))).unwrap_or_default();
    let elf = crate::bundle::Elf::read(&library).ok().flatten();
    elf.is_some_and(|elf| elf.architecture == Some(architecture)) && prefix.join(format!("lib/python{python}")).is_dir()
}

/// A Python in the cache of the current folder or of a folder above this program, which may be in the repository that it
/// was built from. It is the first by name; a build with optimisations sorts before a quick one.
fn cached(python: &str, architecture: Architecture) -> Option<PathBuf> {
    let program = std::env::current_exe().unwrap_or_default();
    let mut caches =
        [Path::new("")].into_iter().chain(program.ancestors().skip(1)).map(|folder| folder.join(LAYER_PYTHONS));
    let first = |cache: PathBuf| {
        let folders = std::fs::read_dir(cache).ok()?.filter_map(Result::ok).map(|entry| entry.path());
        folders.filter(|folder| fits(folder, python, architecture)).min()
    };
    caches.find_map(first)
}

/// uv's name for a Python, such as `cpython-3.13-linux-x86_64-gnu`.
fn uv_name(python: &str, architecture: Architecture) -> String {
    format!("cpython-{python}-linux-{}-gnu", architecture.machine())
}

/// uv starts what it finds, so this finds no Python for another architecture.
fn known_to_uv(python: &str, architecture: Architecture) -> Option<PathBuf> {
    let mut uv = Command::new("uv");
    uv.args([
        "python",
        "find",
        "--managed-python",
        "--no-python-downloads",
        "--no-project",
        &uv_name(python, architecture),
    ]);
    let output = uv.output().ok().filter(|output| output.status.success())?;
    let interpreter = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let prefix = interpreter.canonicalize().ok()?.ancestors().nth(2)?.to_owned();
    fits(&prefix, python, architecture).then_some(prefix)
}

/// uv itself reports what it does, and why it fails.
fn installed_by_uv(python: &str, architecture: Architecture) -> bool {
    let mut uv = Command::new("uv");
    uv.args(["python", "install", "--install-dir", LAYER_PYTHONS, &uv_name(python, architecture)]);
    uv.env("UV_PYTHON_INSTALL_BIN", "0"); // does not put `python3.13` on PATH
    uv.stdout(std::process::Stdio::null()).status().is_ok_and(|status| status.success())
}

fn none_found(python: &str, architecture: Architecture) -> String {
    format!(
        "no Python {python} for {architecture} to put into the layer. Get one in one of these ways:\n  \
         uv: with uv on PATH and a network, this command gets one itself (https://docs.astral.sh/uv)\n  \
         layer/python/build: builds one from Debian's sources into {LAYER_PYTHONS}\n  \
         --python PREFIX: any relocatable Python with a shared libpython"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn error(make: impl FnOnce(&Path)) -> String {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path());
        let prefix =
            Prefix { root: folder.path().join("p"), name: "python3.13".to_owned(), architecture: Architecture::X86_64 };
        prefix.check().unwrap_err().to_string()
    }

    fn touch(root: &Path, name: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_the_layers_python_is_an_error_that_says_why() {
        assert!(error(|_| {}).contains("no such folder"));
        assert!(error(|root| touch(root, "p")).contains("the folder above its `bin`"));
        assert!(error(|root| touch(root, "p/pyvenv.cfg")).contains("virtual environment"));
        assert!(error(|root| touch(root, "p/lib/libpython3.12.so.1.0")).contains("lib/libpython3.12.so.1.0, and the"));
        assert!(error(|root| touch(root, "p/bin/python3.13")).contains("--enable-shared"));
        assert!(error(|root| touch(root, "p/README")).contains("has no lib/libpython3.13.so.1.0; name the folder"));
        assert!(error(|root| touch(root, "p/lib/libpython3.13.so.1.0")).contains("no standard library"));
    }

    #[test]
    fn the_version_is_in_the_headers() {
        let folder = tempfile::tempdir().unwrap();
        let prefix = |name: &str| Prefix {
            root: folder.path().to_owned(),
            name: name.to_owned(),
            architecture: Architecture::Arm64,
        };
        touch(folder.path(), "include/python3.13/patchlevel.h");
        let header = "#define PY_MINOR_VERSION\t13\n/* text */\n#define PY_VERSION      \t\"3.13.5\"\n";
        fs::write(folder.path().join("include/python3.13/patchlevel.h"), header).unwrap();
        assert_eq!(prefix("python3.13").version(), "3.13.5");
        assert_eq!(prefix("python3.12").version(), "3.12");
    }
}
