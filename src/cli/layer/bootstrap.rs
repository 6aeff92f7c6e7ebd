//! The layer's runtime: which Python it embeds, and whether it finds that Python on Lambda.

use std::path::{Path, PathBuf};

use super::object::{Object, Problems};
use crate::bundle::Architecture;
use crate::cli::failure::Failure;
use crate::cli::installed::{for_lambda, versions};
use crate::cli::packaging::target::{LAYER_PYTHON, PythonVersion};
use crate::emulator::locate;

/// A checked `bootstrap`.
pub(super) struct Bootstrap {
    pub(super) object: Object,
    pub(super) architecture: Architecture,
    pub(super) python: PythonVersion,
}

const PORTABLE: &str = "build the bootstrap for a layer: \
    WSGI_LAMBDA_PORTABLE=1 cargo build --profile bootstrap --no-default-features --features python --bin bootstrap";

impl Bootstrap {
    /// Finds and reads the given file, or the one next to this program, or the installed one for this Python and this
    /// processor.
    pub(super) fn find(
        given: Option<&Path>,
        python: Option<PythonVersion>,
        architecture: Option<Architecture>,
    ) -> Result<Self, Failure> {
        let path = match locate(given) {
            Ok(path) => path,
            Err(error) if given.is_some() => return Err(Failure::Usage(error.to_string())),
            Err(error) => installed(python, architecture).unwrap_or_else(|| Err(Failure::Usage(error.to_string())))?,
        };
        let wrong = |what: &str| Failure::Usage(format!("{} {what}: correct --bootstrap", path.display()));
        let object = Object::read("bootstrap", &path)?.ok_or_else(|| wrong("is not a program"))?;
        let architecture =
            object.elf.architecture.ok_or_else(|| wrong("is for a machine that Lambda does not have"))?;
        let python = object.elf.needed.iter().find_map(|name| python_version(name));
        let python = python.ok_or_else(|| wrong("is not wsgi-lambda's bootstrap: it embeds no Python"))?;
        Ok(Self { object, architecture, python })
    }

    /// Checks where it looks for libpython. Each of the places in `needs` has to be one of them.
    pub(super) fn check_runpath(&self, needs: &[&str], problems: &mut Problems) {
        let runpath = self.object.elf.runpath.as_deref().unwrap_or_default();
        let places: Vec<&str> = runpath.split(':').filter(|place| !place.is_empty()).collect();
        for missing in needs.iter().filter(|place| !places.contains(place)) {
            problems.add(format!("bootstrap does not look for libpython in {missing}"), PORTABLE);
        }
        for place in places.iter().filter(|place| !place.starts_with("$ORIGIN") && **place != "/var/lang/lib") {
            problems.add(
                format!("bootstrap looks for libpython in {place}, a folder of the machine that built it"),
                PORTABLE,
            );
        }
    }
}

/// The installed runtime; `None` if there are none at all, since this program was built in the repository.
fn installed(python: Option<PythonVersion>, architecture: Option<Architecture>) -> Option<Result<PathBuf, Failure>> {
    let architecture = architecture.unwrap_or(Architecture::X86_64); // Lambda's default
    let versions = versions(architecture);
    versions.first()?;
    let python = python.unwrap_or(LAYER_PYTHON).to_string();
    let found = for_lambda(&python, architecture).ok_or_else(|| {
        Failure::Usage(format!(
            "no runtime for Python {python} and {architecture} in this installation, which has {}: choose one of them \
             with --python, or build one and name it with --bootstrap",
            versions.join(", ")
        ))
    });
    Some(found)
}

/// 3.13 of `libpython3.13.so.1.0`.
fn python_version(library: &str) -> Option<PythonVersion> {
    library.strip_prefix("libpython")?.strip_suffix(".so.1.0")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Elf;

    fn problems_of(runpath: &str, needs: &[&str]) -> Option<String> {
        let elf = Elf { runpath: Some(runpath.to_owned()), ..Elf::default() };
        let object = Object { name: "bootstrap".to_owned(), source: "b".into(), elf, changed: None };
        let bootstrap = Bootstrap { object, architecture: Architecture::X86_64, python: LAYER_PYTHON };
        let mut problems = Problems::default();
        bootstrap.check_runpath(needs, &mut problems);
        problems.check().err().map(|error| error.to_string())
    }

    #[test]
    fn a_bootstrap_looks_next_to_itself_and_in_no_folder_of_its_builder() {
        let needs = ["$ORIGIN/lib"];
        assert_eq!(problems_of("$ORIGIN/lib:$ORIGIN/../lib:/var/lang/lib", &needs), None);
        let text = problems_of("$ORIGIN/lib:/var/lang/lib:/home/me/python/lib", &needs).unwrap();
        assert!(text.contains("/home/me/python/lib") && text.contains("WSGI_LAMBDA_PORTABLE=1"), "{text}");
        let text = problems_of("", &needs).unwrap();
        assert!(text.contains("does not look for libpython in $ORIGIN/lib"), "{text}");
    }

    #[test]
    fn the_version_is_in_the_librarys_name() {
        assert_eq!(python_version("libpython3.13.so.1.0"), Some(PythonVersion { minor: 13 }));
        assert_eq!(python_version("libpython3.so"), None);
        assert_eq!(python_version("libc.so.6"), None);
    }
}
