//! The runtimes that `pip install wsgi-lambda` brings: the one for the Python at hand, with that Python's library.
//!
//! A wheel has a `bootstrap` for each Python and processor that Lambda has. To run one here it needs libpython, which a
//! wheel cannot bring. `$ORIGIN/lib` is the first place where it looks (`build.rs`), so it is put into a folder of the
//! user's cache, with a `lib` that leads to the libpython of this machine. No variable is set for it, which the
//! application would see.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::failure::Failure;
use super::packaging::dists::name_of_info;
use super::pythons::{Place, Python, places};
use crate::bundle::Architecture;
use crate::emulator::locate;

/// Where wheels put data, seen from the folder of the program. `wheel/build` has the same.
const DATA: &str = "../share/wsgi-lambda/bootstraps";

/// What runs the runtime on other systems.
const LINUX_ALONE: &str = "the runtime runs on Linux alone: start wsgi-lambda in a container, such as\n  \
    docker run --rm -it -p 127.0.0.1:8000:8000 -v \"$PWD:/app\" -w /app python:3.13 sh -c \\\n    \
    'pip install wsgi-lambda -r requirements.txt && wsgi-lambda serve --host 0.0.0.0'";

/// A runtime that can be started here.
pub(super) struct Runtime {
    /// The file.
    pub(super) bootstrap: PathBuf,
    /// The virtual environment to use in place of the one that was given.
    pub(super) venv: Option<PathBuf>,
    /// What the user should know.
    pub(super) note: Option<String>,
}

/// The runtime to start here: the given one, the one next to this program (as `make build` leaves it), or the wheel's for
/// the Python of `venv`. Without `venv` it is for the environment that this program is installed in.
///
/// # Errors
/// There is none, with what to do.
pub(super) fn runtime(given: Option<&Path>, venv: Option<&Path>) -> Result<Runtime, Failure> {
    if cfg!(not(target_os = "linux")) {
        return Err(Failure::Failed(LINUX_ALONE.into()));
    }
    let located = locate(given);
    let bootstraps = folder().filter(|_| is_none(given));
    match (located, bootstraps) {
        (Ok(bootstrap), _) => Ok(Runtime { bootstrap, venv: None, note: None }),
        (Err(error), None) => Err(Failure::Usage(error.to_string())),
        (Err(_), Some(bootstraps)) => of_wheel(&bootstraps, venv),
    }
}

/// The virtual environment that this program is installed in, if applications may have their packages there. One that has
/// nothing but this program, as uvx and pipx make, is none of an application. A given runtime, such as a layer's, need not
/// fit it.
pub(super) fn own_venv(given: Option<&Path>) -> Option<PathBuf> {
    is_none(given).then_some(())?;
    let program = std::env::current_exe().ok()?;
    let venv = program.parent()?.parent().filter(|venv| venv.join("pyvenv.cfg").is_file())?;
    let has_packages = |lib: fs::DirEntry| {
        let names = entries(&lib.path().join("site-packages"));
        names.iter().filter_map(|name| name_of_info(name)).any(|name| !OF_TOOLS.contains(&name))
    };
    fs::read_dir(venv.join("lib")).ok()?.flatten().any(has_packages).then(|| venv.to_owned())
}

/// What an environment for a program alone may have.
const OF_TOOLS: [&str; 4] = ["pip", "setuptools", "wheel", "wsgi_lambda"];

/// The wheel's runtime for a Python such as `3.13` and a processor, as a file for layers.
pub(super) fn for_lambda(python: &str, architecture: Architecture) -> Option<PathBuf> {
    Some(folder()?.join(name(python, architecture)).join("bootstrap")).filter(|file| file.is_file())
}

/// The Pythons, such as `3.13`, for which the wheel has a runtime for this processor. The oldest comes first.
pub(super) fn versions(architecture: Architecture) -> Vec<String> {
    folder().map(|folder| versions_in(&folder, architecture)).unwrap_or_default()
}

/// A variable that is set to nothing names no runtime.
fn is_none(given: Option<&Path>) -> bool {
    given.is_none_or(|path| path.as_os_str().is_empty())
}

fn folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.parent()?.join(DATA).canonicalize().ok().filter(|folder| folder.is_dir())
}

fn name(python: &str, architecture: Architecture) -> String {
    format!("python{python}-{architecture}")
}

fn versions_in(folder: &Path, architecture: Architecture) -> Vec<String> {
    let ending = format!("-{architecture}");
    let version = |name: &String| Some(name.strip_prefix("python")?.strip_suffix(&ending)?.to_owned());
    let mut versions: Vec<String> = entries(folder).iter().filter_map(version).collect();
    versions.sort_by_key(|version| version.split_once('.').and_then(|(_, minor)| minor.parse::<u32>().ok()));
    versions
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn of_wheel(bootstraps: &Path, venv: Option<&Path>) -> Result<Runtime, Failure> {
    let unknown = || Failure::Failed(format!("no runtime for {} processors in the wheel", std::env::consts::ARCH));
    let architecture = Architecture::of_this_machine().ok_or_else(unknown)?;
    let versions = versions_in(bootstraps, architecture);
    let python = Python::at_hand(venv).ok_or_else(|| {
        Failure::Failed(
            "no python3 on PATH or beside this program: install Python, or name an environment with --venv".into(),
        )
    })?;
    if !versions.contains(&python.version) {
        return Err(Failure::Failed(format!(
            "no runtime for Python {} ({}) in this installation, which has {}: use another Python (--venv), or build one \
             with `make build`, and name it with --bootstrap",
            python.version,
            python.prefix.display(),
            list(&versions)
        )));
    }
    let found = places(&python, architecture);
    let place = found.first().ok_or_else(|| Failure::Failed(no_library(&python)))?;
    let bootstrap = bootstraps.join(name(&python.version, architecture)).join("bootstrap");
    let folder = prepare(&bootstrap, place, &python, venv)?;
    let own = place.prefix == python.prefix;
    let note = (!own).then(|| {
        format!(
            "Python {} of {} has no shared libpython: the one of {} is used, with its standard library",
            python.version,
            python.prefix.display(),
            place.prefix.display()
        )
    });
    Ok(Runtime { bootstrap: folder.join("bootstrap"), venv: venv.filter(|_| !own).map(|_| folder), note })
}

fn list(versions: &[String]) -> String {
    if versions.is_empty() { "none".to_owned() } else { versions.join(", ") }
}

fn no_library(python: &Python) -> String {
    let version = &python.version;
    format!(
        "Python {version} of {} has no shared libpython, which the runtime embeds, and no other Python {version} here has \
         one. Get one in one of these ways:\n  \
         apt-get install libpython{version}, or dnf install python{version}-libs;\n  \
         uv python install {version};\n  \
         a layer's: unzip -d layer wsgi-lambda-python{version}-….zip, then --bootstrap layer/bootstrap",
        python.prefix.display()
    )
}

/// Makes the folder with the runtime and links to its Python, once for each pair of them.
fn prepare(bootstrap: &Path, place: &Place, python: &Python, venv: Option<&Path>) -> Result<PathBuf, Failure> {
    let failed = |path: &Path, error: io::Error| Failure::Failed(format!("cannot write {}: {error}", path.display()));
    let cache =
        dirs::cache_dir().ok_or_else(|| Failure::Failed("no place for a cache: set HOME or XDG_CACHE_HOME".into()))?;
    let cache = cache.join("wsgi-lambda");
    let read = |error| Failure::Failed(format!("cannot read {}: {error}", bootstrap.display()));
    let key = key(bootstrap, place, venv).map_err(read)?;
    let folder = cache.join(format!("python{}-{key}", python.version));
    if folder.join("bootstrap").is_file() {
        return Ok(folder);
    }
    fs::create_dir_all(&cache).map_err(|error| failed(&cache, error))?;
    let new = tempfile::Builder::new().prefix(".new-").tempdir_in(&cache).map_err(|error| failed(&cache, error))?;
    fill(new.path(), bootstrap, place, python, venv).map_err(|error| failed(new.path(), error))?;
    match fs::rename(new.path(), &folder) {
        // The second: another process was faster, with the same files.
        Ok(()) => drop(new.keep()),
        Err(_) if folder.join("bootstrap").is_file() => {}
        Err(error) => return Err(failed(&folder, error)),
    }
    Ok(folder)
}

/// What the folder's content depends on, as a name.
fn key(bootstrap: &Path, place: &Place, venv: Option<&Path>) -> io::Result<String> {
    let seen = fs::metadata(bootstrap)?;
    let mut hash = Sha256::new();
    hash.update(seen.len().to_le_bytes());
    hash.update(seen.mtime_nsec().to_le_bytes());
    hash.update(seen.mtime().to_le_bytes());
    for path in [Some(bootstrap), Some(place.library.as_path()), Some(&place.prefix), venv].into_iter().flatten() {
        hash.update(path.as_os_str().as_encoded_bytes());
        hash.update([0]);
    }
    let short = hash.finalize().iter().take(6).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Ok(format!("{short:012x}"))
}

fn fill(folder: &Path, program: &Path, place: &Place, python: &Python, venv: Option<&Path>) -> io::Result<()> {
    let bootstrap = folder.join("bootstrap");
    fs::copy(program, &bootstrap)?;
    fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755))?;
    let name = format!("python{}", python.version);
    let lib = folder.join("lib");
    fs::create_dir(&lib)?;
    symlink(&place.library, lib.join(format!("lib{name}.so.1.0")))?;
    let own = place.prefix == python.prefix;
    match venv {
        // The runtime reads the environment's own pyvenv.cfg.
        Some(_) if own => Ok(()),
        None => symlink(place.prefix.join("lib").join(&name), lib.join(&name)),
        // An environment with the same packages, and the Python whose library is used.
        Some(venv) => {
            let bin = place.prefix.join("bin");
            fs::write(folder.join("pyvenv.cfg"), format!("home = {}\nversion = {}\n", bin.display(), python.version))?;
            fs::create_dir(folder.join("bin"))?;
            symlink(bin.join(&name), folder.join("bin/python3"))?;
            fs::create_dir(lib.join(&name))?;
            symlink(venv.join("lib").join(&name).join("site-packages"), lib.join(&name).join("site-packages"))
        }
    }
}
