//! `--collectstatic`: Django's command, run in the stage before anything is written.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::files::{self, AppFiles};
use super::plan::Plan;
use super::steps::Steps;
use super::tool::{run, tail};
use crate::bundle::Architecture;
use crate::cli::failure::Failure;
use crate::cli::packaging::target::Target;

const SCRIPT: &str = include_str!("collectstatic.py");
/// How many lines of a command that fails are shown: a traceback of Django's is long.
const SHOWN: usize = 30;

/// What was collected.
pub(super) struct Collected {
    /// `STATIC_ROOT`, in the package.
    pub(super) root: String,
    pub(super) files: usize,
    pub(super) bytes: u64,
}

/// Runs the command. What it collects is in the stage afterwards; what else the run has written is not.
pub(super) fn collect(
    plan: &Plan,
    stage: &Path,
    folder: &Path,
    app: &mut AppFiles,
    steps: &mut Steps<'_>,
) -> Result<Collected, Failure> {
    steps.begin("collecting static files")?;
    let before: BTreeSet<String> = files::staged(stage)?.into_iter().map(|file| file.name).collect();
    let root = run_command(plan, stage, &folder.join("static-root"), steps)?;
    let inside = format!("{root}/");
    // The application's own copy of an earlier run is not in the package any more.
    app.paths.retain(|path| !path.starts_with(&inside));
    app.bytes = app.paths.iter().filter_map(|path| stage.join(path).metadata().ok()).map(|file| file.len()).sum();
    let mut collected = Collected { root, files: 0, bytes: 0 };
    for file in files::staged(stage)? {
        let is_static = file.name.starts_with(&inside);
        if is_static && plan.for_collected.left_out(&file.name).is_none() {
            collected.files += 1;
            collected.bytes += file.size;
        } else if is_static || !before.contains(&file.name) {
            steps.verbose(&format!("left out: {}", file.name))?;
            let failed = |error| Failure::Failed(format!("--collectstatic: cannot remove {}: {error}", file.name));
            fs::remove_file(&file.path).map_err(failed)?;
        }
    }
    Ok(collected)
}

/// Returns `STATIC_ROOT`, in the package.
fn run_command(plan: &Plan, stage: &Path, report: &Path, steps: &mut Steps<'_>) -> Result<String, Failure> {
    let Some(interpreter) = &plan.interpreter else {
        return Err(Failure::Usage("--collectstatic needs a Python: name one with --interpreter".to_owned()));
    };
    let foreign = !runs_here(&plan.target);
    let mut command = Command::new(&interpreter.path);
    // -I: without this user's modules and PYTHON… variables. -B: `pyc` writes the bytecode, so that it is always the same.
    command.args(["-I", "-B", "-X", "utf8"]);
    if !foreign && plan.source.is_some() {
        // What the requirements lack must be missed here. Otherwise a layer, or the interpreter's environment, has packages.
        command.arg("-S");
    }
    command.args(["-c", SCRIPT]).arg(stage).arg(if foreign { "last" } else { "first" }).arg(report).current_dir(stage);
    let said = run(&mut command, steps)?;
    if !said.ok {
        let why = tail(&said.text, SHOWN);
        return Err(Failure::Failed(format!(
            "--collectstatic: {why}{}",
            if foreign { hint(plan) } else { String::new() }
        )));
    }
    fs::read_to_string(report).map_err(|error| Failure::Failed(format!("--collectstatic: no STATIC_ROOT: {error}")))
}

fn runs_here(target: &Target) -> bool {
    cfg!(target_os = "linux") && Architecture::of_this_machine() == Some(target.architecture)
}

fn hint(plan: &Plan) -> String {
    format!(
        "\nThe package is for {}, and its libraries do not run here. Name a Python whose environment has the requirements \
         (--interpreter .venv/bin/python), or run `manage.py collectstatic` yourself before, without this option",
        plan.target
    )
}
