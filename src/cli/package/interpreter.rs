//! The Python that compiles: one of exactly the version that the package is for.

use std::path::Path;

use crate::cli::failure::Failure;
use crate::cli::packaging::interpreter::Interpreter;
use crate::cli::packaging::target::{OLDEST, PythonVersion};

/// Finds the interpreter: the given one, which must have the wanted version, or the first that has it.
/// `because` says why it is wanted.
pub(super) fn find(given: Option<&Path>, wanted: PythonVersion, because: &str) -> Result<Interpreter, Failure> {
    if let Some(path) = given {
        return exactly(path, wanted, because);
    }
    Interpreter::of_version(wanted).ok_or_else(|| {
        Failure::Failed(format!(
            "no Python {wanted} here to compile with ({because}). A .pyc file is of one version. Install it (`uv python install \
             {wanted}`, `pyenv install {wanted}`, or the distribution's python{wanted}), name one with --interpreter, \
             name another version with --python, or ship sources alone with --no-compile"
        ))
    })
}

fn exactly(path: &Path, wanted: PythonVersion, because: &str) -> Result<Interpreter, Failure> {
    let found = any(path)?;
    if found.version == wanted {
        return Ok(found);
    }
    Err(Failure::Usage(format!(
        "{} is Python {}, and the package is for Python {wanted} ({because}): correct --interpreter (or the variable PYTHON), or \
         --python",
        path.display(),
        found.version
    )))
}

/// A given interpreter, of whatever version.
pub(super) fn any(path: &Path) -> Result<Interpreter, Failure> {
    Interpreter::at(path).ok_or_else(|| {
        Failure::Usage(format!(
            "{} does not run as CPython {OLDEST} or later: correct --interpreter (or the variable PYTHON)",
            path.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_python_of_the_path_is_found_and_known() {
        let version = any(Path::new("python3")).unwrap().version;
        let found = find(None, version, "").unwrap();
        assert!(found.path.is_file());
        assert!(found.stdlib.contains("json") && !found.stdlib.contains("flask"));
    }

    #[test]
    fn a_wrong_or_missing_one_is_told_with_what_to_do() {
        let missing = PythonVersion { minor: 99 };
        assert!(find(None, missing, "why").err().unwrap().to_string().contains("uv python install 3.99"));
        let error = find(Some(Path::new("python3")), missing, "why").err().unwrap().to_string();
        assert!(
            error.contains("is Python 3.") && error.contains("(why)") && error.contains("--interpreter"),
            "{error}"
        );
        assert!(any(Path::new("/bin/false")).is_err());
    }
}
