//! Requirements, installed for the target by pip or uv: wheels, and packages that can be built from source here.

use std::path::Path;

use clap::ValueEnum;

use super::order::{Installed, Order};
use super::pip::Pip;
use super::requirements::Source;
use super::tool::Steps;
use super::uv::Uv;
use crate::bundle::Architecture;
use crate::cli::failure::Failure;
use crate::cli::packaging::target::Target;

/// Which program installs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Choice {
    /// uv if it is there, unless pip has been told of an index that uv would not ask
    Auto,
    /// uv, which evaluates conditions of requirements for the target
    Uv,
    /// pip, of the interpreter that compiles
    Pip,
}

pub(super) enum Installer {
    Pip(Pip),
    Uv(Uv),
}

impl Installer {
    /// Finds the chosen one, or the better one of those that are installed.
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
