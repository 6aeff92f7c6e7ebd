//! `wsgi-lambda replay`: events in, responses out, through the real runtime.

use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::out::Out;
use super::shared;
use crate::config;
use crate::emulator::{BOOTSTRAP_VARIABLE, Launch, locate};
use crate::handler_name::HandlerName;

mod expect;
mod outcome_json;
mod profile;
mod run;
mod show;
mod sources;
mod tally;
mod timing;

use profile::{Profile, ProfiledRun};
use run::{ReplayRun, RunOptions};
use sources::Event;

/// Send Lambda events to an application and show its responses
///
/// Starts the real runtime, `bootstrap`, as a child process and plays Lambda's Runtime API to it. What you test is the
/// file that you deploy. Without PATH it sends its own sample events: one for each front end (API Gateway REST and HTTP,
/// function URLs, ALB, VPC Lattice) and scenario. Without --app a demo application answers and describes the request.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Replay {
    /// Event files, folders (all *.json in them), or - for standard input (one event, or one per line)
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The WSGI application; the value of the function's handler
    #[arg(long, value_name = "MODULE:ATTR", value_parser = handler)]
    app: Option<String>,
    /// The application's folder, LAMBDA_TASK_ROOT [default: the current one]
    #[arg(long, value_name = "APP_DIR", requires = "app")]
    dir: Option<PathBuf>,
    /// A virtual environment whose packages the application uses
    #[arg(long, env = "VIRTUAL_ENV", hide_env_values = true)]
    venv: Option<PathBuf>,
    /// A variable of the function; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = |text: &str| shared::pair(text, "KEY=VALUE"))]
    env: Vec<(String, String)>,
    /// The AWS region that the function sees
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1", hide_env_values = true)]
    region: String,
    #[command(flatten)]
    options: RunOptions,
    /// Report what the cold start costs and what would shorten it, and draw it as a flame graph, an SVG file
    /// [default: init-profile.svg]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "init-profile.svg")]
    profile_init: Option<PathBuf>,
    /// The runtime [default: `bootstrap` next to this program]
    #[arg(long, value_name = "PATH", env = BOOTSTRAP_VARIABLE, hide_env_values = true)]
    bootstrap: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  Every event, answered by a demo application:
    wsgi-lambda replay
  The same events, answered by `app` in ./hello.py:
    wsgi-lambda replay --app hello:app
  One event, with the application's folder and a variable:
    wsgi-lambda replay event.json --app mysite.wsgi:application --dir src --env DEBUG=1
  Store the responses once, and compare with them from then on:
    wsgi-lambda replay --app hello:app --expect responses --update
    wsgi-lambda replay --app hello:app --expect responses
  How long does a response take:
    wsgi-lambda replay event.json --app hello:app --repeat 1000
  What makes the cold start slow, and what could be imported later:
    wsgi-lambda replay event.json --app hello:app --profile-init --quiet
  For other programs:
    jq -c '.[]' recorded.json | wsgi-lambda replay - --app hello:app --json

Exit status:
  0  every event was answered, and every response is as expected
  1  an invocation or init failed, or a response differs
  2  wrong usage";

/// A handler name, as it is written, if the runtime can read it.
fn handler(text: &str) -> Result<String, String> {
    HandlerName::parse(text).map(|_| text.to_owned()).map_err(|error| error.message().to_owned())
}

impl Replay {
    /// Replays; `false` if an invocation failed or a response is not the expected one.
    pub(super) fn run(&self, out: &mut Out) -> Result<bool, Failure> {
        if let Some(path) = self.paths.iter().find(|path| path.extension().is_some_and(|ending| ending == "svg")) {
            let path = path.display();
            return Err(Failure::Usage(format!(
                "{path} is not an event; for the flame graph write --profile-init={path}"
            )));
        }
        let events = sources::collect(&self.paths)?;
        let demo = self.app.is_none().then(demo_app).transpose()?;
        let profile = self.profile_init.as_deref().map(Profile::new).transpose()?;
        let mut launch = self.launch(demo.as_ref().map(|folder| folder.path().to_owned()))?;
        if let Some(profile) = &profile {
            launch = profile.of(launch);
        }
        let runtime = shared::tokio_runtime()?;
        runtime.block_on(async {
            tokio::select! {
                result = self.replay(launch, &events, profile.as_ref(), out) => result,
                _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
            }
        })
    }

    fn launch(&self, demo: Option<PathBuf>) -> Result<Launch, Failure> {
        let program = locate(self.bootstrap.as_deref()).map_err(|error| Failure::Usage(error.to_string()))?;
        let is_demo = demo.is_some();
        let dir = demo.or_else(|| self.dir.clone()).unwrap_or_else(|| PathBuf::from("."));
        let root = dir.canonicalize().map_err(|error| {
            Failure::Usage(format!("no application folder {}: {error}; correct --dir", dir.display()))
        })?;
        let mut launch = Launch::new(program, root)
            .one_pipe()
            .handler(self.app.as_deref().unwrap_or("demo_app:app"))
            .env("AWS_REGION", &self.region)
            .env("AWS_DEFAULT_REGION", &self.region);
        if is_demo {
            // The demo needs no packages, and has to run whatever variables the parent has.
            launch = launch.without(config::APP.name).without(config::VENV.name);
        } else if let Some(venv) = shared::venv(self.venv.as_deref())? {
            launch = launch.env(config::VENV.name, venv);
        }
        Ok(self.env.iter().fold(launch, |launch, (key, value)| launch.env(key, value)))
    }

    async fn replay(
        &self,
        launch: Launch,
        events: &[Event],
        profile: Option<&Profile>,
        out: &mut Out,
    ) -> Result<bool, Failure> {
        let mut run = ReplayRun::new(&self.options, launch);
        let begun = run.begin(out).await?;
        let init = run.init_duration(); // of the first start, which is the one that is profiled
        if begun {
            for event in events {
                run.event(event, out).await?;
            }
            run.end(events.len(), out).await?;
        }
        if let Some(profile) = profile {
            let profiled = ProfiledRun { init, events: events.len(), not_found: run.not_found() };
            profile.show(&profiled, self.options.json, out)?;
        }
        Ok(begun && run.is_fine())
    }
}

/// Writes the demo application into a temporary folder.
fn demo_app() -> Result<tempfile::TempDir, Failure> {
    let write = || {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("demo_app.py"), include_str!("../demo_app.py"))?;
        Ok(folder)
    };
    write().map_err(|error: std::io::Error| {
        Failure::Failed(format!("cannot write the demo application to a temporary folder: {error}"))
    })
}
