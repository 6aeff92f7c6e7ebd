//! What pip and uv are asked to do, what they report, and the errors that both share.

use std::path::{Path, PathBuf};

use super::requirements::Source;
use super::tool::tail;
use crate::cli::failure::Failure;
use crate::cli::packaging::target::Target;

/// What is to be installed, and where.
pub(super) struct Order<'a> {
    pub(super) target: Target,
    /// The interpreter of the target's version, if there is one.
    pub(super) python: Option<&'a Path>,
    pub(super) source: &'a Source,
    /// The file for `-r`.
    pub(super) file: PathBuf,
    /// The file for `-r` when one package alone is asked for: the same indexes, and no requirement.
    pub(super) indexes: PathBuf,
    pub(super) into: &'a Path,
    /// An empty folder for intermediate files.
    pub(super) scratch: &'a Path,
    /// Whether a package without a wheel may be built from its source.
    pub(super) build: bool,
}

/// What the summary shows of an installation.
#[derive(Debug, Default)]
pub(super) struct Installed {
    pub(super) installer: &'static str,
    /// What had no wheel and was built here.
    pub(super) built: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// A requirement that cannot be installed for the target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unavailable {
    /// As its tool names it: `pyyaml==5.3.1`.
    pub(super) requirement: String,
    pub(super) why: String,
}

/// The error that lists what cannot be installed, each with the newest version that has a fitting wheel.
pub(super) fn unavailable(order: &Order<'_>, list: &[(Unavailable, Option<String>)]) -> Failure {
    let lines: Vec<String> = list
        .iter()
        .map(|(one, newest)| {
            let other = match newest {
                Some(version) => format!("\n    the newest version with a wheel is {version}"),
                None => String::new(),
            };
            format!("  {}\n    {}{other}", one.requirement, one.why.replace('\n', "\n    "))
        })
        .collect();
    let noun = if list.len() == 1 { "requirement" } else { "requirements" };
    let Target { python, architecture, .. } = order.target;
    Failure::Failed(format!(
        "{} {noun} of {} cannot be installed for {}:\n{}\n\n\
         What helps:\n\
         - another version, or another package that has wheels (psycopg2-binary for psycopg2)\n\
         - a wheel of your own, built where Lambda runs (`pip wheel NAME -w wheels` in the container image\n  \
           public.ecr.aws/sam/build-python{python}:latest-{architecture}), and a line `--find-links wheels` in the requirements",
        list.len(),
        order.source.path().display(),
        order.target,
        lines.join("\n"),
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
