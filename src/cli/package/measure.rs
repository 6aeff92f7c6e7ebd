//! What bytecode saves: the application is started as Lambda starts it, until it asks for its first event.

use std::path::Path;
use std::time::Duration;

use super::tool::tail;
use crate::bundle::Architecture;
use crate::cli::failure::Failure;
use crate::cli::installed::runtime;
use crate::cli::packaging::target::{Target, python_of_bootstrap};
use crate::cli::shared;
use crate::emulator::{Launch, Sandbox};
use crate::sync::lock;

/// How many starts there are. The fastest is shown: the first one also reads files from the disk.
const STARTS: usize = 3;

/// How long the runtime takes to its first event, with the application in this folder.
pub(super) fn cold_start(
    bootstrap: Option<&Path>,
    folder: &Path,
    handler: &str,
    target: &Target,
) -> Result<Duration, Failure> {
    let found = runtime(bootstrap, None).map_err(|error| Failure::Usage(format!("--measure: {error}")))?;
    let program = found.bootstrap;
    if python_of_bootstrap(&program) != Some(target.python)
        || Architecture::of_this_machine() != Some(target.architecture)
    {
        return Err(Failure::Usage(format!(
            "--measure starts the application here, and {} is not a runtime for Python {} on {}: name one with \
             --bootstrap",
            program.display(),
            target.python,
            target.architecture
        )));
    }
    let failed = |error: std::io::Error| Failure::Failed(format!("--measure: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let mut fastest = Duration::MAX;
    for _ in 0..STARTS {
        fastest = fastest.min(runtime.block_on(one_start(&program, folder, handler))?);
    }
    Ok(fastest)
}

async fn one_start(program: &Path, folder: &Path, handler: &str) -> Result<Duration, Failure> {
    // Bytecode that is written here would get into the package, and would speed up the next start.
    let launch = Launch::new(program, folder)
        .handler(handler)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .without(crate::config::APP.name)
        .without(crate::config::VENV.name);
    let (lines, sink) = shared::log_text();
    let mut sandbox = Sandbox::new(launch, sink);
    let started = sandbox.start().await.map(drop).map_err(|error| error.to_string());
    let took = sandbox.init_duration().unwrap_or_default();
    sandbox.stop().await;
    started.map(|()| took).map_err(|error| {
        let log = tail(&lock(&lines), 20);
        Failure::Failed(format!("--measure: the application does not start: {error}\n{log}"))
    })
}
