//! The Python that compiles: one of exactly the version that the package is for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::failure::Failure;
use crate::cli::packaging::target::{OLDEST, PythonVersion};
use crate::cli::shared::LAYER_PYTHONS;

/// A Python. Bytecode, environment markers and wheels are right only with the target's minor version.
pub(super) struct Interpreter {
    pub(super) path: PathBuf,
    pub(super) version: PythonVersion,
    /// The top-level names of its standard library.
    pub(super) stdlib: BTreeSet<String>,
}

const PROBE: &str = "\
import sys
print(sys.executable)
print(sys.implementation.name, '%d.%d' % sys.version_info[:2])
print(*sorted(getattr(sys, 'stdlib_module_names', ())))
";

/// Finds the interpreter: the given one, which must have the wanted version, or the first that has it.
/// `because` says why it is wanted.
pub(super) fn find(given: Option<&Path>, wanted: PythonVersion, because: &str) -> Result<Interpreter, Failure> {
    if let Some(path) = given {
        return exactly(path, wanted, because);
    }
    candidates(wanted).into_iter().find(|found| found.version == wanted).ok_or_else(|| {
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
    probe(&mut Command::new(path)).ok_or_else(|| {
        Failure::Usage(format!(
            "{} does not run as CPython {OLDEST} or later: correct --interpreter (or the variable PYTHON)",
            path.display()
        ))
    })
}

fn candidates(wanted: PythonVersion) -> Vec<Interpreter> {
    let name = format!("python{wanted}");
    // A shim of pyenv starts only the chosen version. This variable chooses it, and has no effect on other programs.
    let on_path = probe(Command::new(&name).env("PYENV_VERSION", wanted.to_string()));
    on_path
        .or_else(|| probe(&mut Command::new("python3")).filter(|found| found.version == wanted))
        .or_else(|| probe(&mut Command::new(layer_python(&name)?)))
        .or_else(|| probe(&mut Command::new(known_to_uv(wanted)?)))
        .into_iter()
        .collect()
}

/// The layer's Python, if this program is still in the repository that made both.
fn layer_python(name: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.ancestors().map(|folder| folder.join(LAYER_PYTHONS)).find(|folder| folder.is_dir())?;
    let prefixes = std::fs::read_dir(folder).ok()?.filter_map(Result::ok);
    // In order of their names a quick build comes after the one with optimisations.
    prefixes.map(|prefix| prefix.path().join("bin").join(name)).filter(|python| python.is_file()).min()
}

fn known_to_uv(wanted: PythonVersion) -> Option<PathBuf> {
    let version = wanted.to_string();
    let output =
        Command::new("uv").args(["python", "find", "--no-project", "--no-python-downloads", &version]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(PathBuf::from(path.trim()))
}

fn probe(command: &mut Command) -> Option<Interpreter> {
    let output = command.args(["-I", "-c", PROBE]).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut lines = text.lines();
    let path = PathBuf::from(lines.next()?);
    let version = lines.next()?.strip_prefix("cpython ")?.parse().ok()?;
    let stdlib = lines.next().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    Some(Interpreter { path, version, stdlib })
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
