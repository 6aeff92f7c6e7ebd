//! What pip and uv are asked to do, what they report, and the errors that both share.

use std::path::{Path, PathBuf};

use super::instead;
use super::requirements::Source;
use super::tool::tail;
use crate::cli::failure::Failure;
use crate::cli::packaging::requirements::name_of;
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
    /// Why that one.
    pub(super) because: &'static str,
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
    pub(super) cure: Cure,
}

/// What can help at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cure {
    /// The package is not there under this name.
    Name,
    /// The package is there, this version is not.
    Version,
    /// It is there, and not for the target.
    Wheel,
    /// One of the two: only a source could tell, and none may be read.
    NameOrWheel,
}

impl Cure {
    fn may_be(self, other: Self) -> bool {
        self == other || self == Self::NameOrWheel && other != Self::Version
    }
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
    Failure::Failed(format!(
        "{} {noun} of {} cannot be installed for {}:\n{}\n\nWhat helps:\n{}",
        list.len(),
        order.source.path().display(),
        order.target,
        lines.join("\n"),
        advice(&order.target, list).join("\n"),
    ))
}

/// Only what can fix one of these failures.
fn advice(target: &Target, list: &[(Unavailable, Option<String>)]) -> Vec<String> {
    let has = |cure| list.iter().any(|(one, _)| one.cure.may_be(cure));
    let mut lines = Vec::new();
    if has(Cure::Name) {
        lines.push(
            "- another spelling of the name, or the index that has the package: a line `--extra-index-url URL` in the \
             requirements"
                .to_owned(),
        );
    }
    if has(Cure::Version) || list.iter().any(|(one, newest)| one.cure.may_be(Cure::Wheel) && newest.is_some()) {
        lines.push("- another version".to_owned());
    }
    for (one, _) in list.iter().filter(|(one, _)| one.cure.may_be(Cure::Wheel)) {
        if let Some(other) = instead::of(&one.requirement) {
            lines.push(format!("- {other} in place of {}: it has wheels", name_of(&one.requirement)));
        }
    }
    if has(Cure::Wheel) {
        let Target { python, architecture, .. } = target;
        lines.push(format!(
            "- a wheel of your own, built where Lambda runs (`pip wheel NAME -w wheels` in the container image\n  \
             public.ecr.aws/sam/build-python{python}:latest-{architecture}), and a line `--find-links wheels` in the \
             requirements"
        ));
    }
    lines
}

/// The error for everything else that an installer says.
pub(super) fn failed(installer: &str, order: &Order<'_>, text: &str) -> Failure {
    // Afterwards pip also says that there is no such package, which nobody knows.
    let hint = if text.contains("WARNING: Retrying (") || text.contains("error sending request for url") {
        "\nThe connection to an index failed: this says nothing about the packages themselves. Try again, or correct the \
         address of the index."
    } else {
        ""
    };
    Failure::Failed(format!(
        "{installer} could not install {} for {}:\n{}{hint}",
        order.source.path().display(),
        order.target,
        tail(text, 30)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Architecture, LAMBDA_GLIBC};
    use crate::cli::packaging::target::LAYER_PYTHON;

    #[test]
    fn advice_is_only_given_for_what_it_fixes() {
        let target = Target { python: LAYER_PYTHON, architecture: Architecture::X86_64, glibc: LAMBDA_GLIBC };
        let one = |requirement: &str, cure, newest: Option<&str>| {
            let one = Unavailable { requirement: requirement.to_owned(), why: String::new(), cure };
            advice(&target, &[(one, newest.map(str::to_owned))]).join("\n")
        };
        let name = one("flaks==3", Cure::Name, None);
        assert!(name.contains("spelling") && !name.contains("wheel") && !name.contains("psycopg2"), "{name}");
        let version = one("flask==99", Cure::Version, Some("3.1"));
        assert_eq!(version, "- another version");
        let wheel = one("psycopg2==2.9", Cure::Wheel, None);
        assert!(wheel.contains("psycopg2-binary in place of psycopg2") && wheel.contains("find-links"), "{wheel}");
        assert!(!wheel.contains("another version"), "there is none: {wheel}");
        let either = one("x", Cure::NameOrWheel, None);
        assert!(either.contains("spelling") && either.contains("find-links"), "{either}");
        assert!(!one("uwsgi", Cure::Wheel, Some("2")).contains("psycopg2"));
    }
}
