//! Finds the Python to start: its standard library, or a virtual environment.

use std::path::{Path, PathBuf};

use crate::config::{Config, LAZY_IMPORTS, VENV};
use crate::error::{Error, Result};

/// `python3.N`: the version of the libpython that this binary is linked to.
pub(super) const PYTHON: &str = env!("WSGI_LAMBDA_PYTHON");
/// The prefix of the Python that this binary was built with; empty in a build for a layer.
const BUILD_HOME: &str = env!("WSGI_LAMBDA_BUILD_HOME");
/// The prefix of the managed runtimes' Python.
const MANAGED_HOME: &str = "/var/lang";

/// The place of the Python to start.
#[derive(Debug, Default)]
pub(super) struct Home {
    /// The prefix: `lib/python3.N` in it is the standard library. Without it Python searches itself.
    pub(super) prefix: Option<PathBuf>,
    /// The value of `sys.executable`.
    pub(super) executable: Option<PathBuf>,
    /// Whether it is a managed runtime's Python.
    pub(super) managed: bool,
}

/// Finds the standard library: next to the binary (a self-contained layer), in the managed runtime's place, or in the
/// Python that this binary was built with (development). For a virtual environment, its `pyvenv.cfg` names the place.
///
/// # Errors
/// `Config`, if there is none, or if the virtual environment does not fit.
pub(super) fn find(config: &Config) -> Result<Home> {
    if let Some(venv) = &config.venv {
        return venv_home(venv);
    }
    let home = candidates().into_iter().find(|home| has_library(home)).ok_or_else(|| {
        Error::config(format!(
            "no standard library of {PYTHON} next to the bootstrap, in {MANAGED_HOME} or where it was built: \
             use a layer built for this function's Python, or run `make build` again"
        ))
    })?;
    let executable = Some(home.join("bin").join(PYTHON)).filter(|path| path.exists());
    Ok(Home { managed: home == Path::new(MANAGED_HOME), prefix: Some(home), executable })
}

/// Whether the settings need a newer Python than this.
///
/// # Errors
/// `Config`, which names the setting.
pub(super) fn check(config: &Config) -> Result<()> {
    let minor: u32 = PYTHON.rsplit('.').next().and_then(|minor| minor.parse().ok()).unwrap_or_default();
    if config.lazy_imports && minor < 15 {
        let name = LAZY_IMPORTS.name;
        return Err(Error::config(format!(
            "{name}=true: this runtime embeds {PYTHON}, and lazy imports came with Python 3.15 (PEP 810). Remove the \
             variable, or use Python 3.15"
        )));
    }
    Ok(())
}

fn candidates() -> Vec<PathBuf> {
    let binary = std::env::current_exe().unwrap_or_default();
    // Not the root: `/opt/bootstrap` must not take the Python of an image's distribution in `/lib`.
    let near = binary.ancestors().skip(1).take(2).filter(|path| path.parent().is_some()).map(Path::to_owned);
    near.chain([MANAGED_HOME.into(), BUILD_HOME.into()]).collect()
}

fn has_library(home: &Path) -> bool {
    let library = home.join("lib").join(PYTHON);
    ["os.py", "os.pyc"].iter().any(|name| library.join(name).exists())
}

/// A virtual environment works only with the Python version that it was made for: its packages are in `lib/python3.N`.
fn venv_home(venv: &Path) -> Result<Home> {
    let wrong = |what: String| Error::config(format!("{}={}: {what}", VENV.name, venv.display()));
    let settings = std::fs::read_to_string(venv.join("pyvenv.cfg")).map_err(|error| {
        wrong(format!("not a virtual environment: pyvenv.cfg cannot be read ({error})")).with_source(error)
    })?;
    let found = settings.lines().filter_map(|line| line.split_once('=')).find_map(|(name, value)| {
        // `version` is written by venv, `version_info` by virtualenv and uv.
        matches!(name.trim(), "version" | "version_info").then(|| value.trim().to_owned())
    });
    let found = found.ok_or_else(|| wrong("pyvenv.cfg does not say its Python version".to_owned()))?;
    let minor: Vec<&str> = found.split('.').take(2).collect();
    if format!("python{}", minor.join(".")) != PYTHON {
        return Err(wrong(format!(
            "made for Python {found}, but this bootstrap embeds {PYTHON}. Make the environment with \
             `{PYTHON} -m venv`, or build the bootstrap with the other Python (`make build PYTHON=…`, 3.11 or later)"
        )));
    }
    Ok(Home { prefix: None, executable: Some(venv.join("bin").join("python3")), managed: false })
}
