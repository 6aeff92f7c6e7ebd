//! What is measured, brought into a cache: the peers from their registries, the applications beside them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use indicatif::ProgressBar;

use crate::command::output;
use crate::prefix;
use crate::slice::Slice;

pub(crate) const REQUIREMENTS: &str = include_str!("../requirements.txt");
/// In a folder of packages, what was installed there.
const DONE: &str = ".requirements.txt";
/// The Web Adapter's crate and version.
pub(crate) const WEB_ADAPTER: (&str, &str) = ("lambda_web_adapter", "1.0.0-rc1");
pub(crate) const APPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/apps");

/// Everything that subjects are started from.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) cache: PathBuf,
    /// The runtime, beside a Python that has nothing installed.
    pub(crate) bootstrap: PathBuf,
    /// The command line of the same build.
    pub(crate) cli: PathBuf,
    /// Of the same prefix.
    pub(crate) python: PathBuf,
    /// `3.11`
    pub(crate) version: String,
    /// The applications and every package, with `.pyc`.
    pub(crate) task_root: PathBuf,
    /// Of the shops.
    pub(crate) database: PathBuf,
    /// `None` when it could not be built.
    pub(crate) web_adapter: Option<PathBuf>,
    /// The part of a processor that subjects have, if not all of them.
    pub(crate) slice: Option<Arc<Slice>>,
}

/// The Web Adapter that is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Adapter<'a> {
    None,
    Given(&'a Path),
    /// From crates.io.
    Built,
}

/// Installs what is missing; a second run finds everything there. The Web Adapter takes minutes to build, so it can be left
/// out.
pub(crate) fn prepare(cache: &Path, bootstrap: &Path, python: &Path, adapter: Adapter<'_>) -> Result<Place> {
    let given = fs::canonicalize(bootstrap)
        .with_context(|| format!("no runtime at {}: `make build`, or --bootstrap", bootstrap.display()))?;
    fs::create_dir_all(cache.join("logs"))?;
    let cache = fs::canonicalize(cache)?;
    let version = version_of(&given, python)?;
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    let folder = |name: &str| cache.join(format!("{name}-{version}"));
    let packages = folder("packages");
    if fs::read_to_string(packages.join(DONE)).ok().as_deref() != Some(REQUIREMENTS) {
        bar.set_message("the peers and the frameworks, from PyPI");
        install(python, &folder("pip"), &packages)?;
    }
    bar.set_message("the applications");
    let (python, bootstrap) = prefix::make(python, &given, &version, &folder("prefix"))?;
    let task_root = folder("task");
    assemble(&python, &packages, &task_root)?;
    let database = cache.join("shop.db");
    output(Command::new(&python).arg(task_root.join("shop_database.py")).arg(&database))?;
    let web_adapter = match adapter {
        Adapter::None => None,
        Adapter::Given(file) => Some(fs::canonicalize(file).context("--web-adapter")?),
        Adapter::Built => {
            bar.set_message("the Lambda Web Adapter, from crates.io (some minutes, once)");
            web_adapter(&cache).inspect_err(|error| bar.println(format!("SKIPPED: {error:#}"))).ok()
        }
    };
    bar.finish_and_clear();
    let cli = given.with_file_name("wsgi-lambda");
    Ok(Place { cache, bootstrap, cli, python, version, task_root, database, web_adapter, slice: None })
}

/// The Python that the runtime embeds and that the peers run on must be the same.
fn version_of(bootstrap: &Path, python: &Path) -> Result<String> {
    let said = output(Command::new(bootstrap).arg("--version"))?;
    let Some((_, embedded)) = said.trim().trim_end_matches(')').rsplit_once("(python") else {
        bail!("{} --version says {said:?}, and not which Python it embeds", bootstrap.display());
    };
    let code = "import sys; print('%d.%d' % sys.version_info[:2])";
    let version = output(Command::new(python).args(["-c", code]))?;
    ensure!(
        version.trim() == embedded,
        "the runtime embeds Python {embedded}, and {} is Python {}: name the right one with --python",
        python.display(),
        version.trim()
    );
    Ok(embedded.to_owned())
}

/// Installs the packages into a folder, with the pip of a virtual environment of its own.
fn install(python: &Path, venv: &Path, packages: &Path) -> Result<()> {
    let requirements = packages.with_file_name("requirements.txt");
    let _ = fs::remove_dir_all(packages);
    fs::write(&requirements, REQUIREMENTS)?;
    let mut command = pip(python, venv)?;
    command.args(["install", "--no-compile", "--target"]).arg(packages).arg("--requirement").arg(&requirements);
    output(&mut command)?;
    Ok(fs::write(packages.join(DONE), REQUIREMENTS)?)
}

/// A pip that installs for this Python. One that `layer/python/build` made has no `ensurepip`: the pip of the `python3` on
/// PATH works for it (`--python`), in its newest version, since it runs in that Python.
fn pip(python: &Path, venv: &Path) -> Result<Command> {
    let has_pip = output(Command::new(python).args(["-c", "import ensurepip"])).is_ok();
    let base = if has_pip { python } else { Path::new("python3") };
    output(Command::new(base).args(["-m", "venv", "--clear"]).arg(venv))?;
    let pip = || {
        let mut command = Command::new(venv.join("bin/python"));
        command.args(["-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input"]);
        command
    };
    let mut command = pip();
    if !has_pip {
        output(pip().args(["install", "--upgrade", "pip"]))?;
        command.arg("--python").arg(python);
    }
    Ok(command)
}

/// A task root as deployment tools fill it: the application's files and its packages in one folder.
fn assemble(python: &Path, packages: &Path, task_root: &Path) -> Result<()> {
    if mirror(packages, task_root)? + copy(Path::new(APPS), task_root)? > 0 {
        output(Command::new(python).args(["-m", "compileall", "-q"]).arg(task_root))?;
    }
    Ok(())
}

/// Copies a folder, from the beginning if it holds other requirements; returns how many files changed.
pub(crate) fn mirror(from: &Path, to: &Path) -> Result<usize> {
    if fs::read(from.join(DONE))? != fs::read(to.join(DONE)).unwrap_or_default() {
        let _ = fs::remove_dir_all(to);
    }
    copy(from, to)
}

/// Copies what is new in a folder, without what Python has compiled; returns how many files that were.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<usize> {
    fs::create_dir_all(to)?;
    let mut copied = 0;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_name() == "__pycache__" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copied += copy(&entry.path(), &target)?;
        } else if changed(&entry.path(), &target) {
            fs::copy(entry.path(), &target).with_context(|| target.display().to_string())?;
            copied += 1;
        }
    }
    Ok(copied)
}

fn changed(from: &Path, to: &Path) -> bool {
    let size = |path: &Path| path.metadata().map(|metadata| metadata.len()).ok();
    size(from) != size(to) || fs::read(from).ok() != fs::read(to).ok()
}

fn web_adapter(cache: &Path) -> Result<PathBuf> {
    let root = cache.join("lwa");
    let (name, version) = WEB_ADAPTER;
    let mut command = Command::new("cargo");
    command.args(["install", "--quiet", "--locked", "--version", &format!("={version}"), name]);
    command.arg("--root").arg(&root).env_remove("CARGO_TARGET_DIR");
    let binary = || Some(fs::read_dir(root.join("bin")).ok()?.next()?.ok()?.path());
    if binary().is_none() {
        output(&mut command).with_context(|| format!("{name} {version} could not be installed"))?;
    }
    binary().with_context(|| format!("{name} installs no program"))
}
