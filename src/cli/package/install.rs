//! Requirements, installed for the target by pip or uv: wheels, and packages that can be built from source here.

use std::path::Path;

use clap::ValueEnum;

use super::order::{Installed, Order};
use super::pip::Pip;
use super::requirements::Source;
use super::steps::Steps;
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

/// An installer, and why it is that one.
pub(super) struct Installer {
    tool: Tool,
    pub(super) because: &'static str,
}

enum Tool {
    Pip(Pip),
    Uv(Uv),
}

impl Installer {
    /// Finds the chosen one, or the better one of those that are installed.
    pub(super) fn find(choice: Choice, python: Option<&Path>, source: &Source) -> Result<Self, Failure> {
        let locked = matches!(source, Source::UvLock(_));
        let missing = |text: &str| Failure::Failed(text.to_owned());
        let pip = |pip, because| Self { tool: Tool::Pip(pip), because };
        let uv = |uv, because| Self { tool: Tool::Uv(uv), because };
        match choice {
            Choice::Uv => Uv::find().map(|found| uv(found, CHOSEN)).ok_or_else(|| missing(NO_UV)),
            Choice::Auto if locked => Uv::find().map(|found| uv(found, LOCKED)).ok_or_else(|| missing(NO_UV_FOR_LOCK)),
            Choice::Pip => Pip::find(python).map(|found| pip(found, CHOSEN)).ok_or_else(|| missing(NO_PIP)),
            Choice::Auto => match (Uv::find(), Pip::find(python)) {
                // uv does not read pip's settings: it would look for a company's packages on PyPI.
                (Some(_), Some(found)) if found.has_an_index() => Ok(pip(found, PIP_KNOWS_THE_INDEX)),
                (Some(found), _) => Ok(uv(found, UV_IS_THERE)),
                (None, Some(found)) => Ok(pip(found, NO_UV_HERE)),
                (None, None) => Err(missing(NO_PIP)),
            },
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self.tool {
            Tool::Pip(_) => "pip",
            Tool::Uv(_) => "uv",
        }
    }

    /// Installs into the order's folder.
    pub(super) fn install(&self, order: &Order<'_>, steps: &mut Steps<'_>) -> Result<Installed, Failure> {
        let mut installed = match &self.tool {
            Tool::Uv(uv) => uv.install(order, steps)?,
            Tool::Pip(pip) => {
                let mut installed = pip.install(order, steps)?;
                installed.warnings.extend(foreign_conditions(&order.target));
                installed
            }
        };
        installed.because = self.because;
        Ok(installed)
    }
}

const CHOSEN: &str = "as --installer says";
const LOCKED: &str = "which reads its own lock file";
const UV_IS_THERE: &str = "which is on the PATH; --installer pip takes pip";
const NO_UV_HERE: &str = "as uv, which is faster, is not on the PATH";
const PIP_KNOWS_THE_INDEX: &str =
    "as pip's settings (`pip config list`) say where packages are, and uv does not read them";

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
