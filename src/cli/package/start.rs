//! Starts of the application, as Lambda starts it, until it asks for its first event.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::tool::tail;
use crate::bundle::Architecture;
use crate::cli::failure::Failure;
use crate::cli::installed::runtime;
use crate::cli::packaging::target::{Target, python_of_bootstrap};
use crate::cli::shared;
use crate::emulator::{Launch, Sandbox};
use crate::sync::lock;

/// How many starts are measured. The fastest is shown: the first one also reads files from the disk.
const STARTS: usize = 3;

/// Starts the application with a runtime, for an option of the command.
pub(super) struct Starter {
    program: PathBuf,
    option: &'static str,
}

impl Starter {
    /// Finds the runtime, which has to be for the package's Python, and for this machine.
    pub(super) fn new(bootstrap: Option<&Path>, target: &Target, option: &'static str) -> Result<Self, Failure> {
        let found = runtime(bootstrap, None).map_err(|error| Failure::Usage(format!("{option}: {error}")))?;
        let program = found.bootstrap;
        if python_of_bootstrap(&program) != Some(target.python)
            || Architecture::of_this_machine() != Some(target.architecture)
        {
            return Err(Failure::Usage(format!(
                "{option} starts the application here, and {} is not a runtime for Python {} on {}: name one with \
                 --bootstrap",
                program.display(),
                target.python,
                target.architecture
            )));
        }
        Ok(Self { program, option })
    }

    /// How long the runtime takes to its first event, with the application in this folder.
    pub(super) fn fastest(&self, folder: &Path, handler: &str) -> Result<Duration, Failure> {
        let mut fastest = Duration::MAX;
        for _ in 0..STARTS {
            fastest = fastest.min(self.start(folder, handler, &[])?);
        }
        Ok(fastest)
    }

    /// One start, with these variables.
    pub(super) fn start(&self, folder: &Path, handler: &str, variables: &[(&str, &Path)]) -> Result<Duration, Failure> {
        // Bytecode that is written here would get into the package, and would speed up the next start.
        let mut launch = Launch::new(&self.program, folder)
            .handler(handler)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .without(crate::config::APP.name)
            .without(crate::config::VENV.name);
        for (name, value) in variables {
            launch = launch.env(name, value);
        }
        let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", self.option));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        runtime.block_on(self.run(launch))
    }

    async fn run(&self, launch: Launch) -> Result<Duration, Failure> {
        let (lines, sink) = shared::log_text();
        let mut sandbox = Sandbox::new(launch, sink);
        let started = sandbox.start().await.map(drop).map_err(|error| error.to_string());
        let took = sandbox.init_duration().unwrap_or_default();
        sandbox.stop().await;
        started.map(|()| took).map_err(|error| {
            let log = tail(&lock(&lines), 20);
            Failure::Failed(format!("{}: the application does not start: {error}\n{log}", self.option))
        })
    }
}
