//! A part of a processor for the subjects, as Lambda gives to functions with less than 1,769 MB: a control group with a quota.
//!
//! A process belongs to its parent's group from its first instruction on. So the harness joins the group, starts the subject,
//! and leaves it again; it never measures from within.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// In microseconds, how often a subject's time is counted again. Longer ones let a short request pass unslowed.
const PERIOD: u64 = 20_000;

/// A control group with a quota. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Slice {
    group: PathBuf,
    /// The harness's own.
    home: PathBuf,
}

impl Slice {
    /// `part` of one processor.
    pub(crate) fn new(part: f64) -> Result<Self> {
        let (home, above) = groups()?;
        let group = above.join(format!("wsgi-lambda-bench-{}", std::process::id()));
        fs::create_dir_all(&group).with_context(|| format!("{} (root may)", group.display()))?;
        let slice = Self { group, home };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from a twentieth of the period to all of it"
        )]
        let quota = (part * PERIOD as f64) as u64;
        if slice.group.join("cpu.max").exists() {
            slice.write("cpu.max", &format!("{quota} {PERIOD}"))?;
        } else {
            slice.write("cpu.cfs_period_us", &PERIOD.to_string())?;
            slice.write("cpu.cfs_quota_us", &quota.to_string())?;
        }
        Ok(slice)
    }

    fn write(&self, file: &str, value: &str) -> Result<()> {
        let path = self.group.join(file);
        fs::write(&path, value).with_context(|| format!("{value:?} to {}", path.display()))
    }

    /// Calls `spawn`, whose processes are in the group.
    pub(crate) fn within<T>(&self, spawn: impl FnOnce() -> Result<T>) -> Result<T> {
        join(&self.group)?;
        let spawned = spawn();
        join(&self.home)?;
        spawned
    }
}

impl Drop for Slice {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.group);
    }
}

fn join(group: &Path) -> Result<()> {
    fs::write(group.join("cgroup.procs"), "0").with_context(|| group.display().to_string())
}

/// The harness's own group, and the one above the subjects' group.
fn groups() -> Result<(PathBuf, PathBuf)> {
    let root = Path::new("/sys/fs/cgroup");
    let own = fs::read_to_string("/proc/self/cgroup")?;
    let path = |hierarchy: &dyn Fn(&str) -> bool| {
        let mut lines = own.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
        lines.find(|(controllers, _)| hierarchy(controllers)).map(|(_, path)| path.trim_start_matches('/').to_owned())
    };
    // Version 1 has a hierarchy for processors.
    if let Some(path) = path(&|controllers| controllers.split(',').any(|name| name == "cpu")) {
        let home = root.join("cpu").join(path);
        return Ok((home.clone(), home));
    }
    let Some(path) = path(&str::is_empty) else { bail!("no control groups here: /proc/self/cgroup") };
    // In version 2 a group with processes cannot limit its children (cgroups(7), "no internal processes"): a neighbour can.
    let home = root.join(path);
    let above = home.parent().filter(|above| above.starts_with(root)).unwrap_or(&home).to_owned();
    Ok((home, above))
}
