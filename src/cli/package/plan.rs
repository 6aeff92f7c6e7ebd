//! What the options mean, all of them together.

use std::path::PathBuf;

use super::output::Output;
use super::requirements::Source;
use super::rules::Selection;
use crate::cli::packaging::interpreter::Interpreter;
use crate::cli::packaging::target::Target;

/// What is packed, from where, to where, and for what.
pub(super) struct Plan {
    pub(super) app: PathBuf,
    pub(super) output: Output,
    pub(super) target: Target,
    /// Why it is that Python.
    pub(super) because: String,
    /// One of the target's version. There is none only if nothing is compiled.
    pub(super) interpreter: Option<Interpreter>,
    pub(super) source: Option<Source>,
    pub(super) for_app: Selection,
    pub(super) for_installed: Selection,
    /// For what `--collectstatic` brings: the user's word alone.
    pub(super) for_collected: Selection,
}
