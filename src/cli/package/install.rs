//! Requirements, installed for the target by pip or uv: wheels, and what can be made of sources here.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::pip::Pip;
use super::requirements::Source;
use super::target::Target;
use super::tool::Steps;
use super::uv::Uv;
use crate::bundle::Architecture;
use crate::cli::Failure;

/// Who installs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Choice {
    /// uv if it is there, unless pip has been told of an index that uv would not ask
    Auto,
    /// uv, which evaluates conditions of requirements for the target
    Uv,
    /// pip, of the interpreter that compiles
    Pip,
}

/// What is to be installed, and where.
pub(super) struct Order<'a> {
    pub(super) target: Target,
    /// The interpreter of the target's version, if there is one.
    pub(super) python: Option<&'a Path>,
    pub(super) source: &'a Source,
    /// What goes behind `-r`.
    pub(super) file: PathBuf,
    /// What goes behind `-r` when one package alone is asked for: the same indexes, and no requirement.
    pub(super) indexes: PathBuf,
    pub(super) into: &'a Path,
    /// An empty folder for things on the way.
    pub(super) scratch: &'a Path,
    /// Whether what has no wheel may be built from its source.
    pub(super) build: bool,
}

/// What the summary tells.
#[derive(Debug, Default)]
pub(super) struct Installed {
    pub(super) installer: &'static str,
    /// What had no wheel and was built here.
    pub(super) built: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// A requirement that cannot be had for the target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// As its tool names it: `pyyaml==5.3.1`.
    pub(super) requirement: String,
    pub(super) why: String,
}

pub(super) enum Installer {
    Pip(Pip),
    Uv(Uv),
}

impl Installer {
    /// Finds the wanted one, or the better one of those that are there.
    pub(super) fn find(choice: Choice, python: Option<&Path>, source: &Source) -> Result<Self, Failure> {
        let locked = matches!(source, Source::UvLock(_));
        let missing = |text: &str| Failure::Failed(text.to_owned());
        match choice {
            Choice::Uv => Uv::find().map(Self::Uv).ok_or_else(|| missing(NO_UV)),
            Choice::Auto if locked => Uv::find().map(Self::Uv).ok_or_else(|| missing(NO_UV_FOR_LOCK)),
            Choice::Pip => Pip::find(python).map(Self::Pip).ok_or_else(|| missing(NO_PIP)),
            Choice::Auto => match (Uv::find(), Pip::find(python)) {
                // uv does not read pip's settings: it would look for a company's packages on PyPI.
                (Some(_), Some(pip)) if pip.has_an_index() => Ok(Self::Pip(pip)),
                (Some(uv), _) => Ok(Self::Uv(uv)),
                (None, Some(pip)) => Ok(Self::Pip(pip)),
                (None, None) => Err(missing(NO_PIP)),
            },
        }
    }

    /// Installs into the order's folder.
    pub(super) fn install(&self, order: &Order<'_>, steps: &mut Steps<'_>) -> Result<Installed, Failure> {
        match self {
            Self::Uv(uv) => uv.install(order, steps),
            Self::Pip(pip) => {
                let mut installed = pip.install(order, steps)?;
                installed.warnings.extend(foreign_conditions(&order.target));
                Ok(installed)
            }
        }
    }
}

const NO_UV: &str = "uv is not there: install it (https://docs.astral.sh/uv), or use --installer pip";
const NO_UV_FOR_LOCK: &str = "a uv.lock is read by uv, which is not there: install it (https://docs.astral.sh/uv), or name a requirements.txt \
     with --requirements";
const NO_PIP: &str = "neither uv nor pip is there to install the requirements: install uv (https://docs.astral.sh/uv), or pip for the \
     interpreter (apt-get install python3-pip or python3-venv, or `python3 -m ensurepip`)";

/// pip evaluates conditions in requirements for the machine that it runs on, whatever `--platform` says.
fn foreign_conditions(target: &Target) -> Option<String> {
    let here = Architecture::of_this_machine().is_some_and(|here| here == target.architecture);
    (!here || !cfg!(target_os = "linux")).then(|| {
        format!(
            "pip decides conditions of requirements, such as platform_machine == '{}', by this machine and not by \
             the target; uv decides them right (--installer uv)",
            target.architecture.machine()
        )
    })
}

/// The requirement's name alone.
pub(super) fn name_of(requirement: &str) -> &str {
    let end = requirement.find(|letter: char| !(letter.is_alphanumeric() || "-_.".contains(letter)));
    &requirement[..end.unwrap_or(requirement.len())]
}

/// The error that lists what cannot be had. `newest` has the newest version with a fitting wheel, for each.
pub(super) fn refused(order: &Order<'_>, refusals: &[(Refusal, Option<String>)]) -> Failure {
    let list: Vec<String> = refusals
        .iter()
        .map(|(refusal, newest)| {
            let other = match newest {
                Some(version) => format!("\n    the newest version with a wheel is {version}"),
                None => String::new(),
            };
            format!("  {}\n    {}{other}", refusal.requirement, refusal.why.replace('\n', "\n    "))
        })
        .collect();
    let noun = if refusals.len() == 1 { "requirement" } else { "requirements" };
    let Target { python, architecture, .. } = order.target;
    Failure::Failed(format!(
        "{} {noun} of {} cannot be had for {}:\n{}\n\n\
         What helps:\n\
         - another version, or another package that has wheels (psycopg2-binary for psycopg2)\n\
         - a wheel of your own, built where Lambda runs (`pip wheel NAME -w wheels` in the container image\n  \
           public.ecr.aws/sam/build-python{python}:latest-{architecture}), and a line `--find-links wheels` in the requirements",
        refusals.len(),
        order.source.path().display(),
        order.target,
        list.join("\n"),
    ))
}

/// The error for everything else that an installer says.
pub(super) fn failed(installer: &str, order: &Order<'_>, text: &str) -> Failure {
    Failure::Failed(format!(
        "{installer} could not install {} for {}:\n{}",
        order.source.path().display(),
        order.target,
        tail(text, 30)
    ))
}

/// The last lines of a text.
pub(super) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_begins_with_its_name() {
        for (requirement, name) in
            [("pyyaml==5.3.1", "pyyaml"), ("a.b-c_d[x]>=1", "a.b-c_d"), ("x @ file:///y", "x"), ("x", "x")]
        {
            assert_eq!(name_of(requirement), name);
        }
    }

    #[test]
    fn the_end_of_a_text_is_what_matters() {
        assert_eq!(tail("a\n\nb\nc\n", 2), "b\nc");
        assert_eq!(tail("", 2), "");
    }
}
