//! pip: the commands that it runs, and what its messages mean.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::order::{Cure, Installed, Order, Unavailable, failed, unavailable};
use super::progress::Progress;
use super::steps::Steps;
use super::tool::{Said, run, run_watched, tail};
use crate::cli::failure::Failure;
use crate::cli::packaging::requirements::name_of;
use crate::cli::packaging::tags;

/// A pip that runs in an interpreter of the target's version, so that it evaluates conditions on the version correctly.
pub(super) struct Pip {
    command: Vec<OsString>,
    /// The folder of a pip that was made for this run.
    _home: Option<TempDir>,
}

/// Settings of pip with which uv would install something else.
const INDEX_SETTINGS: [&str; 4] = ["index-url", "extra-index-url", "find-links", "no-index"];

const VERSIONS_SHOWN: usize = 6;

/// A requirement for which pip found nothing.
#[derive(Debug, PartialEq, Eq)]
struct Missing {
    requirement: String,
    /// The versions for which it found something.
    versions: String,
}

/// A wheel that pip made from a source.
enum Made {
    /// Built, or found for this machine.
    Wheel {
        file: String,
        tag: String,
        built: bool,
    },
    Nothing {
        why: String,
        cure: Cure,
    },
}

impl Pip {
    /// The interpreter's own pip, another one that can run in it (`pip --python`, since 22.3), or one in a virtual
    /// environment: distributions put pip into a package of its own, but into every virtual environment.
    pub(super) fn find(python: Option<&Path>) -> Option<Self> {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let own = python.map(|python| [vec![python.into()], words(&["-m", "pip"])].concat());
        let lent = match python {
            Some(python) => [words(&["python3", "-m", "pip", "--python"]), vec![python.into()]].concat(),
            None => words(&["python3", "-m", "pip"]),
        };
        let mut pips = own.into_iter().chain([lent]).map(|command| Self { command, _home: None });
        pips.find(Self::works).or_else(|| Self::make_one(python.unwrap_or(Path::new("python3"))))
    }

    fn make_one(python: &Path) -> Option<Self> {
        let home = tempfile::tempdir().ok()?;
        let made = Command::new(python).args(["-m", "venv"]).arg(home.path()).output();
        let command = vec![home.path().join("bin/python").into(), "-m".into(), "pip".into()];
        made.is_ok_and(|made| made.status.success()).then_some(Self { command, _home: Some(home) }).filter(Self::works)
    }

    fn works(&self) -> bool {
        self.command().arg("--version").output().is_ok_and(|output| output.status.success())
    }

    /// Whether pip's settings, in files or variables, say where packages come from.
    pub(super) fn has_an_index(&self) -> bool {
        let Ok(output) = self.command().args(["config", "list"]).output() else { return false };
        // The values may hold passwords: only the keys are read.
        let text = String::from_utf8_lossy(&output.stdout);
        let keys = text.lines().filter_map(|line| line.split_once('=')?.0.rsplit('.').next());
        keys.into_iter().any(|key| INDEX_SETTINGS.contains(&key))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        // pip installs into a folder: the settings that protect a machine's own packages do not apply.
        command.env("PIP_USER", "0").env("PIP_REQUIRE_VIRTUALENV", "0").env("PIP_NO_INPUT", "1");
        command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
        command
    }

    /// Installs wheels. A package without one is built once, and is taken if its wheel fits.
    pub(super) fn install(&self, order: &Order<'_>, steps: &mut Steps<'_>) -> Result<Installed, Failure> {
        let wheels = order.scratch.join("wheels");
        let mut installed = Installed { installer: "pip", ..Installed::default() };
        let (mut tried, mut unmet) = (Vec::new(), Vec::new());
        loop {
            let mut progress = Progress::of_pip(order.scratch);
            let mut command = self.wheels_only(order, &wheels, !unmet.is_empty());
            // Where the progress is seen. It is removed with the rest if this program is interrupted.
            command.env("TMPDIR", order.scratch);
            let said = run_watched(&mut command, steps, &mut |line, steps| progress.see(line, steps))?;
            if said.ok {
                progress.end(steps)?;
                break;
            }
            // After a failed connection it is not known that a package is missing.
            let Some(missing) = missing(&said.text).filter(|_| !said.text.contains("WARNING: Retrying (")) else {
                return Err(unexpected(order, &said, &installed));
            };
            if !order.build || tried.contains(&missing.requirement) {
                unmet.push(missing.unavailable());
                break;
            }
            steps.begin(format!("trying the source of {}, which has no wheel", missing.requirement))?;
            match self.make(&missing, order, &wheels, steps)? {
                Made::Wheel { file, tag, .. } if tags::mismatch(&tag, &order.target.into()).is_none() => {
                    installed.built.push(file.splitn(3, '-').take(2).collect::<Vec<_>>().join("=="));
                }
                Made::Wheel { file, tag, built } => {
                    let how = if built { "built from source here, it is" } else { "the wheel for this machine is" };
                    unmet.push(missing.because(format!("no wheel; {how} for {tag}"), Cure::Wheel));
                    disguise(&wheels, &file, &tag)?;
                }
                Made::Nothing { why, cure } => {
                    unmet.push(missing.because(why, cure));
                    break;
                }
            }
            tried.push(missing.requirement);
        }
        if unmet.is_empty() {
            return Ok(installed);
        }
        let with_newest = unmet.into_iter().map(|one| {
            let newest = self.newest(name_of(&one.requirement), order, steps)?;
            Ok((one, newest))
        });
        Err(unavailable(order, &with_newest.collect::<Result<Vec<_>, Failure>>()?))
    }

    fn for_target(&self, order: &Order<'_>, into: &Path) -> Command {
        let mut command = self.command();
        command.args(["install", "--only-binary=:all:", "--implementation", "cp"]);
        command.arg("--python-version").arg(order.target.python.to_string());
        command.arg("--abi").arg(tags::abi(&order.target));
        command.args(tags::pip_platforms(&order.target).iter().flat_map(|platform| ["--platform", platform]));
        command.arg("--target").arg(into).current_dir(order.source.folder());
        command
    }

    fn wheels_only(&self, order: &Order<'_>, wheels: &Path, dry: bool) -> Command {
        let mut command = self.for_target(order, order.into);
        command.args(["--no-compile", "--no-warn-script-location", "--progress-bar", "off"]);
        command.args(dry.then_some("--dry-run"));
        if wheels.is_dir() {
            command.arg("--find-links").arg(wheels);
        }
        command.arg("--requirement").arg(&order.file);
        command
    }

    /// Builds one requirement's wheel here.
    fn make(
        &self,
        missing: &Missing,
        order: &Order<'_>,
        wheels: &Path,
        steps: &mut Steps<'_>,
    ) -> Result<Made, Failure> {
        let before = wheel_files(wheels);
        let mut command = self.command();
        command.args(["wheel", "--no-deps", "--progress-bar", "off", "--wheel-dir"]).arg(wheels);
        command.arg(&missing.requirement).arg("--requirement").arg(&order.indexes);
        let said = run(command.current_dir(order.source.folder()), steps)?;
        let made = wheel_files(wheels).into_iter().find(|file| !before.contains(file));
        Ok(match made.and_then(|file| Some((tags::tag_of(&file)?, file))).filter(|_| said.ok) {
            Some((tag, file)) => Made::Wheel { file, tag, built: said.text.contains("Building wheel") },
            None => nothing_made(&said.text),
        })
    }

    /// The newest version that has a wheel for the target.
    fn newest(&self, name: &str, order: &Order<'_>, steps: &mut Steps<'_>) -> Result<Option<String>, Failure> {
        let mut command = self.for_target(order, &order.scratch.join("newest"));
        command.args(["--dry-run", "--no-deps", "--progress-bar", "off", name, "--requirement"]).arg(&order.indexes);
        let said = run(&mut command, steps)?;
        let line = said.text.lines().find_map(|line| line.strip_prefix("Would install "));
        Ok(line.and_then(|line| line.trim().rsplit_once('-')).map(|(_, version)| version.to_owned()))
    }
}

impl Missing {
    fn unavailable(self) -> Unavailable {
        match self.versions.as_str() {
            "" => self.because("no wheel of any version, or no such package".to_owned(), Cure::NameOrWheel),
            versions => self.because(format!("no wheel; versions that have one: {}", last(versions)), Cure::Wheel),
        }
    }

    fn because(&self, why: String, cure: Cure) -> Unavailable {
        Unavailable { requirement: self.requirement.clone(), why, cure }
    }
}

/// pip names the first requirement for which it finds nothing that is allowed.
fn missing(text: &str) -> Option<Missing> {
    let of = |mark: &str| text.lines().find_map(|line| line.split_once(mark)).map(|(_, rest)| rest.trim());
    let requirement = of("No matching distribution found for ")?;
    let versions = of("(from versions: ").unwrap_or_default().trim_end_matches(')');
    let versions = if versions == "none" { "" } else { versions };
    // What requires it may follow: `x>=1 (from y)`.
    let requirement = requirement.split(" (from ").next().unwrap_or(requirement);
    Some(Missing { requirement: requirement.to_owned(), versions: versions.to_owned() })
}

fn unexpected(order: &Order<'_>, said: &Said, installed: &Installed) -> Failure {
    if said.text.contains("DO NOT MATCH THE HASHES") && !installed.built.is_empty() {
        return Failure::Failed(format!(
            "{} has no wheel for {}, and with hashes in the requirements pip takes no wheel that is built here: use \
             --installer uv, which checks the source's hash, or add the hash of a wheel of your own",
            installed.built.join(", "),
            order.target
        ));
    }
    failed("pip", order, &said.text)
}

/// Renames a wheel that is not for the target, so that it fits everywhere: pip then goes on and finds what else is
/// missing. From here on the runs install nothing.
fn disguise(wheels: &Path, file: &str, tag: &str) -> Result<(), Failure> {
    let to = file.replace(tag, "py3-none-any");
    fs::rename(wheels.join(file), wheels.join(to))
        .map_err(|error| Failure::Failed(format!("cannot rename {file} in {}: {error}", wheels.display())))
}

fn nothing_made(text: &str) -> Made {
    let (why, cure) = match missing(text) {
        Some(missing) if missing.versions.is_empty() => {
            ("no such package where pip looks for packages".to_owned(), Cure::Name)
        }
        Some(missing) => (format!("no such version: there are {}", last(&missing.versions)), Cure::Version),
        None => (format!("no wheel; building it from source failed:\n{}", tail(text, 8)), Cure::Wheel),
    };
    Made::Nothing { why, cure }
}

/// The newest few of a list of versions.
fn last(versions: &str) -> String {
    let all: Vec<&str> = versions.split(", ").collect();
    let more = if all.len() > VERSIONS_SHOWN { "… " } else { "" };
    format!("{more}{}", all[all.len().saturating_sub(VERSIONS_SHOWN)..].join(", "))
}

fn wheel_files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut wheels: Vec<String> =
        names.filter(|name| PathBuf::from(name).extension().is_some_and(|end| end == "whl")).collect();
    wheels.sort();
    wheels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_says_what_it_has_no_wheel_for() {
        let text = "Looking in links: x\n\
                    ERROR: Could not find a version that satisfies the requirement pyyaml==5.3.1 (from app) (from versions: 6.0.1, 6.0.2)\n\
                    ERROR: No matching distribution found for pyyaml==5.3.1 (from app)\n";
        let expected = Missing { requirement: "pyyaml==5.3.1".to_owned(), versions: "6.0.1, 6.0.2".to_owned() };
        assert_eq!(missing(text), Some(expected));
        let text = text.replace("6.0.1, 6.0.2", "none");
        assert_eq!(missing(&text).unwrap().versions, "");
        assert!(missing(&text).unwrap().unavailable().why.contains("no such package"));
        assert_eq!(last("1, 2, 3, 4, 5, 6, 7"), "… 2, 3, 4, 5, 6, 7");
        assert_eq!(missing("ERROR: Cannot install a and b"), None);
    }

    #[test]
    fn a_build_that_failed_says_why() {
        let Made::Nothing { why, cure } = nothing_made("a\nerror: no compiler\n") else { panic!() };
        assert!(why.ends_with("a\nerror: no compiler") && cure == Cure::Wheel, "{why}");
        let Made::Nothing { why, cure } = nothing_made("No matching distribution found for x") else { panic!() };
        assert!(why.contains("no such package") && cure == Cure::Name, "{why}");
    }
}
