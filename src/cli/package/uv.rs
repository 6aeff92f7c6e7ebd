//! uv: the commands that it runs, and what its messages mean.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use super::order::{Cure, Installed, Order, Unavailable, failed, unavailable};
use super::progress::Progress;
use super::steps::Steps;
use super::tool::{Said, run, run_watched, tail};
use crate::cli::failure::Failure;
use crate::cli::packaging::tags::uv_platform;

/// A uv on the PATH.
pub(super) struct Uv(());

impl Uv {
    pub(super) fn find() -> Option<Self> {
        let output = Command::new("uv").arg("--version").output().ok()?;
        output.status.success().then_some(Self(()))
    }

    /// Installs wheels. A package without one may be built: uv itself refuses a built wheel that does not fit the target.
    pub(super) fn install(&self, order: &Order<'_>, steps: &mut Steps<'_>) -> Result<Installed, Failure> {
        let mut without = BTreeSet::new();
        loop {
            let mut progress = Progress::of_uv(order.into);
            let mut command = all(order, &without, order.into);
            let said = run_watched(&mut command, steps, &mut |line, steps| progress.see(line, steps))?;
            if said.ok {
                progress.end(steps)?;
                let versions = installed(&said.text);
                let built = without.iter().map(|name| requirement(name, &versions)).collect();
                return Ok(Installed { installer: "uv", built, ..Installed::default() });
            }
            let name = no_wheel(&said.text);
            match name.filter(|name| !without.contains(*name)) {
                Some(name) if order.build => without.insert(name.to_owned()),
                Some(name) => {
                    let why = "no wheel, and --no-build forbids to build it".to_owned();
                    let newest = self.newest(name, order, steps)?;
                    let requirement = name.to_owned();
                    return Err(unavailable(order, &[(Unavailable { requirement, why, cure: Cure::Wheel }, newest)]));
                }
                None => return Err(self.explain(order, &without, &said, steps)?),
            };
        }
    }

    /// Finds which of the packages without a wheel cannot be built for the target. uv stops at the first, so each is tried
    /// alone.
    fn explain(
        &self,
        order: &Order<'_>,
        without: &BTreeSet<String>,
        said: &Said,
        steps: &mut Steps<'_>,
    ) -> Result<Failure, Failure> {
        let resolved = run(all(order, without, order.into).arg("--dry-run"), steps)?;
        let versions = installed(&resolved.text);
        let mut unmet = Vec::new();
        for name in without {
            let requirement = requirement(name, &versions);
            steps.begin(format!("trying the source of {requirement}, which has no wheel"))?;
            let mut command = one(order, &requirement, &order.scratch.join("alone"));
            let alone = run(command.args(["--no-binary", name]), steps)?;
            if !alone.ok {
                let newest = self.newest(name, order, steps)?;
                let why = why_not(&alone.text);
                unmet.push((Unavailable { requirement, why, cure: Cure::Wheel }, newest));
            }
        }
        Ok(if unmet.is_empty() { failed("uv", order, &said.text) } else { unavailable(order, &unmet) })
    }

    /// The newest version that has a wheel for the target.
    fn newest(&self, name: &str, order: &Order<'_>, steps: &mut Steps<'_>) -> Result<Option<String>, Failure> {
        let Self(()) = self;
        let said = run(one(order, name, &order.scratch.join("newest")).arg("--dry-run"), steps)?;
        Ok(installed(&said.text).into_values().next())
    }
}

/// A command that installs wheels only, for the target.
fn base(order: &Order<'_>, into: &Path) -> Command {
    let mut command = Command::new("uv");
    command.args(["pip", "install", "--color", "never", "--no-progress", "--only-binary", ":all:"]);
    // Links into uv's cache would let a change in the package change the cache.
    command.args(["--link-mode", "copy", "--python-platform", &uv_platform(&order.target)]);
    match order.python {
        Some(python) => command.arg("--python").arg(python),
        None => command.arg("--python-version").arg(order.target.python.to_string()),
    };
    command.arg("--target").arg(into).current_dir(order.source.folder());
    command
}

/// One package, from the indexes of the requirements.
fn one(order: &Order<'_>, requirement: &str, into: &Path) -> Command {
    let mut command = base(order, into);
    command.args(["--no-deps", requirement, "--requirements"]).arg(&order.indexes);
    command
}

fn all(order: &Order<'_>, without: &BTreeSet<String>, into: &Path) -> Command {
    let mut command = base(order, into);
    // These are the exceptions from `--only-binary :all:`.
    command.args(without.iter().flat_map(|name| ["--no-binary", name]));
    command.arg("--requirements").arg(&order.file);
    command
}

/// `Wheels are required for `name` because building from source is disabled …`
fn no_wheel(text: &str) -> Option<&str> {
    text.split_once("Wheels are required for `")?.1.split('`').next()
}

/// The names and versions of lines like ` + flask==3.1.2`.
fn installed(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.trim().strip_prefix("+ ")?.split_once("=="));
    pairs.map(|(name, version)| (name.to_owned(), version.trim().to_owned())).collect()
}

fn requirement(name: &str, versions: &BTreeMap<String, String>) -> String {
    versions.get(name).map_or_else(|| name.to_owned(), |version| format!("{name}=={version}"))
}

fn why_not(text: &str) -> String {
    let wheel = text.split_once("The built wheel `").and_then(|(_, rest)| rest.split('`').next());
    match wheel {
        Some(wheel) => format!("no wheel; built from source here, it is {wheel}"),
        None => format!("no wheel; building it from source failed:\n{}", tail(text, 8)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uv_says_what_it_has_no_wheel_for() {
        let text = "error: No solution found when resolving dependencies\n\
                    hint: Wheels are required for `pyyaml` because building from source is disabled for all packages";
        assert_eq!(no_wheel(text), Some("pyyaml"));
        assert_eq!(no_wheel("error: no version of flask==99"), None);
    }

    #[test]
    fn uv_says_what_it_did() {
        let versions = installed("Resolved 2 packages in 1ms\n      Built a==1\n + a==1\n + b-c==2.0\n");
        assert_eq!(versions.len(), 2);
        assert_eq!(requirement("b-c", &versions), "b-c==2.0");
        assert_eq!(requirement("d", &versions), "d");
    }

    #[test]
    fn a_built_wheel_that_does_not_fit_is_named() {
        let text = "cause: The built wheel `x-2-cp313-cp313-linux_x86_64.whl` is not compatible with the target";
        assert!(why_not(text).ends_with("x-2-cp313-cp313-linux_x86_64.whl"));
        assert!(why_not("error: no compiler").contains("no compiler"));
    }
}
