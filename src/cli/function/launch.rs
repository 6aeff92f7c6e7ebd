//! How the function is started: its variables, its packages, its terminal.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::find::Application;
use super::{FunctionOptions, env_file};
use crate::cli::failure::Failure;
use crate::cli::installed::{own_venv, runtime};
use crate::cli::shared;
use crate::config;
use crate::emulator::Launch;

/// The function's timeout, if nobody says.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The region, if nobody says.
const REGION: &str = "us-east-1";

/// How sandboxes are started.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Plan {
    pub(in crate::cli) launch: Launch,
    /// The function's timeout.
    pub(in crate::cli) timeout: Duration,
    /// What the user should know of the runtime, and of the variables.
    pub(in crate::cli) note: Option<String>,
}

/// How sandboxes are started. Reads the files of variables, so it is called again for each reload.
pub(in crate::cli) fn plan(options: &FunctionOptions, application: &Application) -> Result<Plan, Failure> {
    let root = application.dir.canonicalize();
    let root = root.map_err(|error| Failure::Usage(format!("no folder {}: {error}", application.dir.display())))?;
    let venv = venv(options.venv.as_deref(), &root)?.or_else(|| own_venv(options.bootstrap.as_deref()));
    let found = runtime(options.bootstrap.as_deref(), venv.as_deref())?;
    let region = options.region.as_deref().unwrap_or(REGION);
    let mut launch = Launch::new(found.bootstrap, &root)
        .one_pipe()
        .handler(&application.handler)
        .env("AWS_REGION", region)
        .env("AWS_DEFAULT_REGION", region);
    launch = if std::io::stdin().is_terminal() { launch.terminal() } else { launch.own_group() };
    if let Some(memory) = options.memory {
        launch = launch.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory.to_string());
    }
    if let Some(venv) = found.venv.or(venv) {
        launch = launch.env(config::VENV.name, venv);
    }
    let mut variables = application.variables.clone();
    for file in &options.env_file {
        variables.extend(env_file::read(file)?);
    }
    variables.extend_from_slice(&options.env);
    launch = variables.iter().fold(launch, |launch, (key, value)| launch.env(key, value));
    let is_set = |name: &str| variables.iter().any(|(known, _)| known == name) || is_inherited(name);
    let missing: Vec<&str> = application.unknown.iter().map(String::as_str).filter(|name| !is_set(name)).collect();
    let notes = [found.note, (!missing.is_empty()).then(|| unknown(&missing))];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    let timeout = options.timeout.or(application.timeout).unwrap_or(TIMEOUT);
    Ok(Plan { launch, timeout, note: (!notes.is_empty()).then(|| notes.join("\n")) })
}

/// Whether the function gets the variable from the shell, with all others.
#[allow(clippy::disallowed_methods, reason = "the application's variables, not this program's")]
fn is_inherited(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

fn unknown(names: &[&str]) -> String {
    format!(
        "not set, because only the deployment knows their values: {}; set them with --env or --env-file",
        names.join(", ")
    )
}

/// The virtual environment that is given, else the one beside the application.
fn venv(given: Option<&Path>, root: &Path) -> Result<Option<PathBuf>, Failure> {
    let is_venv = |path: &PathBuf| path.join("pyvenv.cfg").is_file();
    if let Some(venv) = shared::venv(given)? {
        return Ok(Some(venv));
    }
    let beside =
        [root.to_owned()].into_iter().chain(root.parent().map(Path::to_owned)).map(|folder| folder.join(".venv"));
    Ok(beside.into_iter().find(is_venv))
}
