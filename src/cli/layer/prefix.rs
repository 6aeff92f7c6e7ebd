//! The layer's Python: a folder with `lib/libpython3.N.so.1.0` and `lib/python3.N`, which may have been moved.

use std::path::{Path, PathBuf};

use super::bootstrap::Bootstrap;
use super::uv;
use crate::bundle::Architecture;
use crate::cli::failure::Failure;
use crate::cli::packaging::interpreter::Interpreter;
use crate::cli::packaging::target::PythonVersion;
use crate::cli::shared::{LAYER_PYTHONS, layer_pythons};

/// A Python of the version that the bootstrap embeds.
pub(super) struct Prefix {
    pub(super) root: PathBuf,
    pub(super) python: PythonVersion,
    /// `python3.13`.
    pub(super) name: String,
    pub(super) architecture: Architecture,
}

impl Prefix {
    /// The given folder, or the first that is found: in the cache, with uv, or after uv has installed one.
    pub(super) fn find(given: Option<&Path>, bootstrap: &Bootstrap) -> Result<Self, Failure> {
        let (python, architecture) = (bootstrap.python, bootstrap.architecture);
        let new = |root: PathBuf| Self { root, python, name: format!("python{python}"), architecture };
        if let Some(root) = given {
            let prefix = new(root.to_owned());
            return prefix.check().map(|()| prefix);
        }
        let fits = |prefix: &PathBuf| fits(prefix, python, architecture);
        let found =
            layer_pythons().into_iter().find(fits).or_else(|| uv::known(python, architecture).filter(fits)).or_else(
                || uv::install(python, architecture).then(|| layer_pythons().into_iter().find(fits)).flatten(),
            );
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

    /// Whether it was built without profile-guided optimisation, as configure's arguments tell. Without them, and of a
    /// distribution's own, whose builds optimise in ways that these do not show, nothing is known.
    pub(super) fn is_quick(&self) -> bool {
        let entries = std::fs::read_dir(self.stdlib()).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_data = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("_sysconfigdata_") && name.ends_with(".py")
        };
        let text = entries.into_iter().find(is_data).and_then(|path| std::fs::read_to_string(path).ok());
        text.is_some_and(|text| {
            text.contains("CONFIG_ARGS") && !text.contains("--enable-optimizations") && !text.contains("--prefix=/usr'")
        })
    }

    /// An interpreter of the same version that runs here: the folder's own or, if it is for another machine, any that is
    /// here, or that uv brings. Bytecode is the same on every processor.
    pub(super) fn compiler(&self) -> Result<PathBuf, Failure> {
        let own = self.root.join("bin").join(&self.name);
        if Interpreter::at(&own).is_some_and(|found| found.version == self.python) {
            return Ok(own);
        }
        if Some(self.architecture) == Architecture::of_this_machine() && cfg!(target_os = "linux") {
            return Err(Failure::Failed(format!(
                "{} does not run here, and the standard library has to be compiled with that version: start it by hand to \
                 see why",
                own.display()
            )));
        }
        let here = Interpreter::of_version(self.python).map(|found| found.path);
        here.or_else(|| uv::install_for_this_machine(self.python)).ok_or_else(|| {
            Failure::Failed(format!(
                "{} is for another machine, and the standard library has to be compiled with a Python {} of this one \
                 (bytecode is the same on every processor): put uv or a {} on PATH",
                own.display(),
                self.python,
                self.name
            ))
        })
    }
}

fn library_names(prefix: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(prefix.join("lib")) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    names
}

/// Whether a folder is a Python of this version and architecture.
fn fits(prefix: &Path, python: PythonVersion, architecture: Architecture) -> bool {
    let library = std::fs::read(prefix.join(format!("lib/libpython{python}.so.1.0"))).unwrap_or_default();
    let elf = crate::bundle::Elf::read(&library).ok().flatten();
    elf.is_some_and(|elf| elf.architecture == Some(architecture)) && prefix.join(format!("lib/python{python}")).is_dir()
}

fn none_found(python: PythonVersion, architecture: Architecture) -> String {
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
        prefix(&folder.path().join("p")).check().unwrap_err().to_string()
    }

    fn prefix(root: &Path) -> Prefix {
        let python = PythonVersion { minor: 13 };
        Prefix { root: root.to_owned(), python, name: "python3.13".to_owned(), architecture: Architecture::X86_64 }
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
        assert_eq!(prefix(folder.path()).version(), "3.13");
        touch(folder.path(), "include/python3.13/patchlevel.h");
        let header = "#define PY_MINOR_VERSION\t13\n/* text */\n#define PY_VERSION      \t\"3.13.5\"\n";
        fs::write(folder.path().join("include/python3.13/patchlevel.h"), header).unwrap();
        assert_eq!(prefix(folder.path()).version(), "3.13.5");
    }

    #[test]
    fn configures_arguments_tell_whether_a_build_was_quick() {
        let is_quick = |text: &str| {
            let folder = tempfile::tempdir().unwrap();
            touch(folder.path(), "lib/python3.13/_sysconfigdata__linux_x86_64-linux-gnu.py");
            fs::write(folder.path().join("lib/python3.13/_sysconfigdata__linux_x86_64-linux-gnu.py"), text).unwrap();
            prefix(folder.path()).is_quick()
        };
        assert!(is_quick("build_time_vars = {'CONFIG_ARGS': \"'--prefix=/opt' '--enable-shared'\"}"));
        // As pprint and as uv write it.
        assert!(!is_quick("build_time_vars = {'CONFIG_ARGS': \"'--prefix=/opt' \"\n  \"'--enable-optimizations'\"}"));
        assert!(!is_quick("build_time_vars = {\n    \"CONFIG_ARGS\": \"'--enable-optimizations' '--with-lto'\",\n}"));
        // Debian's own builds optimise with targets of make.
        assert!(!is_quick("build_time_vars = {'CONFIG_ARGS': \"'--enable-shared' '--prefix=/usr' '--with-dtrace'\"}"));
        assert!(!is_quick("build_time_vars = {}"));
        assert!(!prefix(Path::new("/no/such/folder")).is_quick());
    }
}
