//! How the function is started: its variables, its packages, its terminal.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use super::env_file;
use super::find::Application;
use super::options::Options;
use super::pool::Plan;
use crate::cli::failure::Failure;
use crate::cli::installed::runtime;
use crate::cli::shared;
use crate::config;
use crate::emulator::Launch;

/// The function's timeout, if nobody says.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// How sandboxes are started. Reads the files of variables, so it is called again for each reload.
pub(super) fn plan(options: &Options, application: &Application) -> Result<Plan, Failure> {
    let root = application.dir.canonicalize();
    let root = root.map_err(|error| Failure::Usage(format!("no folder {}: {error}", application.dir.display())))?;
    let venv = venv(options.venv.as_deref(), &root)?;
    let found = runtime(options.bootstrap.as_deref(), venv.as_deref())?;
    let mut launch = Launch::new(found.bootstrap, &root)
        .one_pipe()
        .handler(&application.handler)
        .env("AWS_REGION", &options.region)
        .env("AWS_DEFAULT_REGION", &options.region);
    launch = if std::io::stdin().is_terminal() { launch.terminal() } else { launch.own_group() };
    if let Some(memory) = options.memory {
        launch = launch.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory.to_string());
    }
    if options.stream {
        launch = launch.env(config::RESPONSE_MODE.name, "stream");
    }
    if let Some(venv) = found.venv.or(venv) {
        launch = launch.env(config::VENV.name, venv);
    }
    for (key, value) in &application.variables {
        launch = launch.env(key, value);
    }
    for file in &options.env_file {
        for (key, value) in env_file::read(file)? {
            launch = launch.env(key, value);
        }
    }
    launch = options.env.iter().fold(launch, |launch, (key, value)| launch.env(key, value));
    let timeout = options.timeout.or(application.timeout).unwrap_or(TIMEOUT);
    Ok(Plan { launch, timeout, note: found.note })
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
