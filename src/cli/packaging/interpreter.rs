//! An interpreter of a given version on this machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::target::PythonVersion;
use crate::cli::shared::layer_pythons;

/// A Python. Bytecode, environment markers and wheels are right only with the target's minor version.
pub(in crate::cli) struct Interpreter {
    pub(in crate::cli) path: PathBuf,
    pub(in crate::cli) version: PythonVersion,
    /// The top-level names of its standard library.
    pub(in crate::cli) stdlib: BTreeSet<String>,
}

const PROBE: &str = "\
import sys
print(sys.executable)
print(sys.implementation.name, '%d.%d' % sys.version_info[:2])
print(*sorted(getattr(sys, 'stdlib_module_names', ())))
";

impl Interpreter {
    /// The given program, if it runs as a CPython that the runtime can embed.
    pub(in crate::cli) fn at(path: &Path) -> Option<Self> {
        Self::probe(&mut Command::new(path))
    }

    /// The first one of this version: on PATH, the layer's, uv's.
    pub(in crate::cli) fn of_version(wanted: PythonVersion) -> Option<Self> {
        let name = format!("python{wanted}");
        let fits = |command: &mut Command| Self::probe(command).filter(|found| found.version == wanted);
        // A shim of pyenv starts only the chosen version. This variable chooses it, and has no effect on other programs.
        fits(Command::new(&name).env("PYENV_VERSION", wanted.to_string()))
            .or_else(|| fits(&mut Command::new("python3")))
            .or_else(|| {
                layer_pythons().iter().find_map(|prefix| fits(&mut Command::new(prefix.join("bin").join(&name))))
            })
            .or_else(|| fits(&mut Command::new(known_to_uv(wanted)?)))
    }

    fn probe(command: &mut Command) -> Option<Self> {
        let output = command.args(["-I", "-c", PROBE]).output().ok().filter(|output| output.status.success())?;
        let text = String::from_utf8(output.stdout).ok()?;
        let mut lines = text.lines();
        let path = PathBuf::from(lines.next()?);
        let version = lines.next()?.strip_prefix("cpython ")?.parse().ok()?;
        let stdlib = lines.next().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        Some(Self { path, version, stdlib })
    }
}

fn known_to_uv(wanted: PythonVersion) -> Option<PathBuf> {
    let version = wanted.to_string();
    let output =
        Command::new("uv").args(["python", "find", "--no-project", "--no-python-downloads", &version]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(PathBuf::from(path.trim()))
}
