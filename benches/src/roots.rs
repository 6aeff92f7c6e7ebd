//! The task root as Lambda sees it: without `.pyc`, read-only, and, of ours, as `wsgi-lambda package` makes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::ValueEnum as _;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::command::output;
use crate::peers::App;
use crate::setup::{APPS, Place, REQUIREMENTS, copy, mirror};

/// What AWS ships compiled: its interface client is part of the managed runtime, not of the function.
const COMPILED_BY_AWS: [&str; 3] = ["awslambdaric", "simplejson", "snapshot_restore_py.py"];
/// What the applications need; the rest of the pinned requirements is the peers'.
const FRAMEWORKS: [&str; 6] = ["Flask", "Werkzeug", "Django", "djangorestframework", "Flask-SQLAlchemy", "SQLAlchemy"];

/// The folders, and how they were made.
#[derive(Debug)]
pub(crate) struct Roots {
    /// As `pip install --target` and a zip leave it: sources.
    pub(crate) shipped: PathBuf,
    /// What `wsgi-lambda package` makes of the same application.
    pub(crate) packaged: PathBuf,
    /// Set for every subject where a folder could not be made read-only.
    pub(crate) env: Vec<(String, String)>,
    /// What has to be said about them.
    pub(crate) notes: Vec<String>,
}

/// Makes both folders, read-only for this process and those that it starts.
pub(crate) fn make(place: &Place) -> Result<Roots> {
    let mut notes = Vec::new();
    let folder = |name: &str| place.cache.join(format!("{name}-{}", place.version));
    let (shipped, packaged) = (folder("shipped"), folder("packaged"));
    if mirror(&place.task_root, &shipped)? > 0 {
        for name in COMPILED_BY_AWS {
            compile(place, &shipped.join(name))?;
        }
    }
    if let Err(error) = package(place, &packaged) {
        let error = format!("{error:#}");
        notes.push(format!(
            "`wsgi-lambda package` did not run ({}); its result was imitated: the same folder with unchecked .pyc",
            error.lines().next().unwrap_or_default()
        ));
        let _ = fs::remove_file(made_by(place, &packaged)); // what is there now is not a package
        fresh(&packaged)?;
        copy(&place.task_root, &packaged)?;
        compile(place, &packaged)?;
    }
    let mut env = Vec::new();
    if let Err(error) = [&shipped, &packaged].into_iter().try_for_each(|root| read_only(root)) {
        notes.push(format!("the task roots are not read-only here ({error:#}); Python was told to write no .pyc"));
        env.push(("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned()));
    }
    Ok(Roots { shipped, packaged, env, notes })
}

fn fresh(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    Ok(())
}

fn compile(place: &Place, path: &Path) -> Result<()> {
    let arguments = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"];
    output(Command::new(&place.python).args(arguments).arg(path)).map(drop)
}

/// The file beside a package that says how it was made.
fn made_by(place: &Place, package: &Path) -> PathBuf {
    package.with_file_name(format!("packaged-{}.made-by", place.version))
}

/// Packages the application, unless the same program has packaged the same files before.
fn package(place: &Place, to: &Path) -> Result<()> {
    let app = place.cache.join("app");
    let changed = copy(Path::new(APPS), &app)?;
    let pinned = REQUIREMENTS.lines();
    let wanted: Vec<&str> =
        pinned.filter(|line| FRAMEWORKS.iter().any(|name| line.starts_with(&format!("{name}==")))).collect();
    let requirements = wanted.join("\n") + "\n";
    fs::write(app.join("requirements.txt"), &requirements)?;
    let cli = fs::metadata(&place.cli).with_context(|| place.cli.display().to_string())?;
    let how = format!("{requirements}{} bytes, {:?}, with --read-ahead\n", cli.len(), cli.modified()?);
    let note = made_by(place, to);
    if changed == 0 && to.exists() && fs::read_to_string(&note).ok().as_ref() == Some(&how) {
        return Ok(());
    }
    fresh(to)?;
    let _ = fs::remove_file(&note);
    let mut command = Command::new(&place.cli);
    command.arg("package").arg(&app).arg("--output").arg(to);
    command.args(["--python", &place.version]).arg("--interpreter").arg(&place.python);
    command.arg("--bootstrap").arg(&place.bootstrap).env("BENCH_DATABASE", &place.database);
    for app in App::value_variants() {
        command.arg("--read-ahead").arg(format!("{}.application", app.module()));
    }
    output(&mut command)?;
    Ok(fs::write(&note, how)?)
}

/// Mounts a folder over itself, read-only. Only the mount namespace of [`enter_namespace`] sees it.
fn read_only(folder: &Path) -> Result<()> {
    let none = None::<&str>;
    mount(Some(folder), folder, none, MsFlags::MS_BIND, none)?;
    mount(none, folder, none, MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, none)?;
    Ok(())
}

/// Gives this thread mounts of its own, which end with it. Called before another thread exists; without the right to
/// do so nothing changes, and the mounts that follow fail.
pub(crate) fn enter_namespace() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    Ok(())
}

/// Empties the page cache, so that the next start reads from disk.
pub(crate) fn drop_caches() -> Result<()> {
    nix::unistd::sync();
    fs::write("/proc/sys/vm/drop_caches", "3").context("/proc/sys/vm/drop_caches (root may)")
}
