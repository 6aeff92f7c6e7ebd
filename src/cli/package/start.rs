//! Starts of the application, as Lambda starts it, until it asks for its first event.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::files;
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

    /// How long the runtime takes to its first event, with the application of this package.
    pub(super) fn fastest(&self, package: &Path, handler: &str) -> Result<Duration, Failure> {
        let copy = self.copy(package)?;
        let mut fastest = Duration::MAX;
        for _ in 0..STARTS {
            fastest = fastest.min(self.start(copy.path(), handler, &[])?);
        }
        Ok(fastest)
    }

    /// A copy of a package to start in: an application may write files when it is imported, and they are not the package's.
    pub(super) fn copy(&self, package: &Path) -> Result<TempDir, Failure> {
        let failed =
            |error: std::io::Error| Failure::Failed(format!("{}: cannot copy the package: {error}", self.option));
        let copy = tempfile::tempdir().map_err(failed)?;
        for file in files::staged(package)? {
            let to = copy.path().join(&file.name);
            fs::create_dir_all(to.parent().unwrap_or(copy.path())).map_err(failed)?;
            fs::copy(&file.path, &to).map_err(failed)?;
        }
        Ok(copy)
    }

    /// One start in a copy, with these variables.
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
