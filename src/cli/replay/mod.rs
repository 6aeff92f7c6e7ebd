//! `wsgi-lambda replay`: events in, answers out, through the real runtime.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;
use super::out::Out;
use crate::emulator::{Environment, Invocation, Launch, Outcome, StartError, locate};
use crate::handler_name::HandlerName;

mod answer;
mod expect;
mod profile;
mod show;
mod sources;
mod timing;

use expect::Expectations;
use profile::Profile;
use sources::Event;
use timing::Timing;

/// Send Lambda events to an application and show its answers
///
/// Starts the real runtime, `bootstrap`, as a child process and plays Lambda's Runtime API to it, so what
/// answers is the file that you deploy. Without PATH it sends the events that come with it: one for each
/// front end (API Gateway REST and HTTP, function URLs, ALB, VPC Lattice) and scenario. Without --app a demo
/// application answers, with a description of the request it got.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Replay {
    /// Event files, folders (all *.json in them), or - for standard input (one event, or one per line)
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The WSGI application, as the function's handler names it
    #[arg(long, value_name = "MODULE:ATTR", value_parser = handler)]
    app: Option<String>,
    /// The application's folder, LAMBDA_TASK_ROOT [default: the current one]
    #[arg(long, value_name = "APP_DIR", requires = "app")]
    dir: Option<PathBuf>,
    /// A virtual environment whose packages the application uses
    #[arg(long, env = "VIRTUAL_ENV", hide_env_values = true)]
    venv: Option<PathBuf>,
    /// A variable of the function; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = |text: &str| super::pair(text, "KEY=VALUE"))]
    env: Vec<(String, String)>,
    /// The region the function believes to be in
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1", hide_env_values = true)]
    region: String,
    /// The function's timeout in seconds; after it the process is killed, as Lambda does
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    timeout: Duration,
    /// Send each event this many times and show how long the answers took
    #[arg(long, value_name = "N", default_value = "1")]
    repeat: NonZeroU32,
    /// One line for each event: status, name, size, time, request
    #[arg(long, short = 'b', conflicts_with = "json")]
    brief: bool,
    /// Print what Lambda would receive, one JSON line for each event, and nothing else
    #[arg(long)]
    json: bool,
    /// Compare each answer with DIR/EVENT.json
    #[arg(long, value_name = "DIR")]
    expect: Option<PathBuf>,
    /// Store the answers in the folder of --expect instead
    #[arg(long, requires = "expect")]
    update: bool,
    /// Report what the cold start costs and what would make it shorter, and draw it as a flame graph, an SVG
    /// [default: init-profile.svg]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "init-profile.svg")]
    profile_init: Option<PathBuf>,
    /// The runtime [default: `bootstrap` next to this program]
    #[arg(long, value_name = "PATH", env = "WSGI_LAMBDA_BOOTSTRAP", hide_env_values = true)]
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
  Store the answers once, compare with them ever after:
    wsgi-lambda replay --app hello:app --expect answers --update
    wsgi-lambda replay --app hello:app --expect answers
  How long does an answer take:
    wsgi-lambda replay event.json --app hello:app --repeat 1000
  What makes the cold start slow, and what could be imported later:
    wsgi-lambda replay event.json --app hello:app --profile-init --quiet
  For other programs:
    jq -c '.[]' recorded.json | wsgi-lambda replay - --app hello:app --json

Exit status:
  0  every event was answered, and as expected
  1  an invocation or init failed, or an answer differs
  2  wrong usage";

/// A handler name, as it is written, if the runtime can read it.
fn handler(text: &str) -> Result<String, String> {
    HandlerName::parse(text).map(|_| text.to_owned()).map_err(|error| error.message().to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    // Lambda's own limit, 15 minutes, is no limit here: an application may stand in a debugger.
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|duration| !duration.is_zero()).ok_or_else(|| "give a number of seconds above 0".to_owned())
}

type Lines = Arc<Mutex<Vec<String>>>;

impl Replay {
    /// Replays; `false` if an invocation failed or an answer is not the expected one.
    pub(super) fn run(&self, out: &mut Out) -> Result<bool, Failure> {
        if let Some(path) = self.paths.iter().find(|path| path.extension().is_some_and(|ending| ending == "svg")) {
            let path = path.display();
            return Err(Failure::Usage(format!("{path} is no event; for the flame graph write --profile-init={path}")));
        }
        let events = sources::collect(&self.paths)?;
        let demo = self.app.is_none().then(demo_app).transpose()?;
        let profile = self.profile_init.as_deref().map(Profile::new).transpose()?;
        let mut launch = self.launch(demo.as_ref().map(|folder| folder.path().to_owned()))?;
        if let Some(profile) = &profile {
            launch = profile.of(launch);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Failed(format!("cannot start: {error}")))?;
        runtime.block_on(async {
            tokio::select! {
                result = self.replay(launch, &events, profile.as_ref(), out) => result,
                _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
            }
        })
    }

    fn launch(&self, demo: Option<PathBuf>) -> Result<Launch, Failure> {
        // A variable that is set to nothing is meant as unset.
        let set = |path: &&PathBuf| !path.as_os_str().is_empty();
        let program = locate(self.bootstrap.as_ref().filter(set).map(PathBuf::as_path))
            .map_err(|error| Failure::Usage(error.to_string()))?;
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
            // The demo needs no packages, and must answer whatever the parent is set to.
            launch = launch.without(crate::config::APP.name).without(crate::config::VENV.name);
        } else if let Some(venv) = self.venv.as_ref().filter(set) {
            let venv = venv.canonicalize().map_err(|error| {
                Failure::Usage(format!("no virtual environment {}: {error}; correct --venv", venv.display()))
            })?;
            launch = launch.env(crate::config::VENV.name, venv);
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
        let lines = Lines::default();
        let into = Arc::clone(&lines);
        let sink = Arc::new(move |line: crate::emulator::LogLine| {
            into.lock().unwrap_or_else(PoisonError::into_inner).push(line.text);
        });
        let init_timeout = self.timeout + Duration::from_secs(10);
        let mut session = Session {
            replay: self,
            environment: Environment::new(launch, sink).init_timeout(init_timeout),
            lines,
            expectations: self.expect.as_ref().map(|folder| Expectations::new(folder, self.update)),
            tally: Tally::default(),
        };
        let start = Instant::now();
        let begun = session.begin(out).await?;
        let init = session.environment.init_duration(); // of the first start, which is the one that is profiled
        if begun {
            for event in events {
                session.event(event, out).await?;
            }
            session.environment.stop().await;
            session.summary(events.len(), start.elapsed(), out)?;
        }
        if let Some(profile) = profile {
            let run = profile::Run { init, events: events.len(), not_found: session.tally.not_found };
            profile.show(&run, self.json, out)?;
        }
        Ok(begun && session.tally.failed == 0 && session.tally.differ == 0)
    }
}

/// The demo application in a folder of its own.
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

#[derive(Default)]
struct Tally {
    answered: usize,
    failed: usize,
    differ: usize,
    /// Of those answered, how many with a status of 500 or above.
    server_errors: usize,
    /// And how many with 404.
    not_found: usize,
}

impl Tally {
    /// Counts an outcome; `true` if all is well with it. An error that is expected is an answer as good as
    /// another; what the platform says in place of an answer is never expected.
    fn count(&mut self, outcome: &Outcome, verdict: Option<&expect::Verdict>) -> bool {
        let counter = match verdict {
            Some(verdict) if verdict.is_fine() => &mut self.answered,
            _ if answer::failed(outcome) => &mut self.failed,
            Some(_) => &mut self.differ,
            None => &mut self.answered,
        };
        *counter += 1;
        verdict.map_or(!answer::failed(outcome), expect::Verdict::is_fine)
    }
}

struct Session<'a> {
    replay: &'a Replay,
    environment: Environment,
    lines: Lines,
    expectations: Option<Expectations>,
    tally: Tally,
}

impl Session<'_> {
    /// Starts the runtime; `false` if init fails, which then is shown.
    async fn begin(&mut self, out: &mut Out) -> Result<bool, Failure> {
        let error = match self.environment.start().await {
            Ok(_) => None,
            Err(StartError::Init(report)) => Some(Outcome::InitError(report)),
            Err(StartError::Platform(error)) => Some(Outcome::Platform(error)),
            Err(StartError::Spawn(error)) => {
                return Err(Failure::Failed(format!("cannot start the runtime: {error}")));
            }
        };
        let lines = self.take_lines();
        let failed = error.is_some();
        if let Some(outcome) = &error {
            if self.replay.json {
                out.raw(&answer::json_line(outcome))?;
            } else {
                show::outcome(outcome, out)?;
            }
        }
        if failed || !out.quiet() {
            show::logs(&lines, out)?;
        }
        Ok(!failed)
    }

    /// One event: as often as asked, then compared and shown.
    async fn event(&mut self, event: &Event, out: &mut Out) -> Result<(), Failure> {
        let (outcome, timing, lines) = self.invoke(event).await;
        let verdict = match &mut self.expectations {
            Some(expectations) => Some(expectations.check(&event.name, &outcome)?),
            None => None,
        };
        let fine = self.tally.count(&outcome, verdict.as_ref());
        let status = answer::status(&outcome);
        self.tally.server_errors += usize::from(status.is_some_and(|status| status >= 500));
        self.tally.not_found += usize::from(status == Some(404));
        if self.replay.json {
            out.raw(&answer::json_line(&outcome))?;
        }
        if fine && out.quiet() {
            return Ok(());
        }
        if self.replay.json {
            return show::beside_json(event, verdict.as_ref().filter(|verdict| !verdict.is_fine()), &lines, out);
        }
        if self.replay.brief && verdict.is_none() {
            return show::brief(event, &outcome, &timing, out);
        }
        show::heading(event, out)?;
        // With expectations it is the difference that matters.
        if verdict.is_none() || !fine && answer::failed(&outcome) || out.verbose() {
            show::answer(&outcome, &timing, out)?;
        }
        if let (Outcome::Response(_), None, Some(exit)) =
            (&outcome, self.environment.api(), self.environment.last_exit())
        {
            show::ended(exit, out)?;
        }
        if let (true, Some(api)) = (out.verbose(), self.environment.api()) {
            show::calls(&api.calls(), event.id(), out)?;
        }
        if let Some(verdict) = &verdict {
            out.line(show::verdict(verdict))?;
        }
        show::logs(&lines, out)?;
        out.line("")?;
        Ok(())
    }

    /// Invokes with an event, `--repeat` times or until one fails. The log lines are those of the outcome.
    async fn invoke(&mut self, event: &Event) -> (Outcome, Timing, Vec<String>) {
        let count = self.replay.repeat.get();
        let bar = progress(u64::from(count), &event.name);
        let mut timing = Timing::default();
        let (mut outcome, mut lines) = self.once(event, &mut timing).await;
        for _ in 1..count {
            if answer::failed(&outcome) {
                break;
            }
            bar.inc(1);
            let (next, next_lines) = self.once(event, &mut timing).await;
            if answer::failed(&next) {
                (outcome, lines) = (next, next_lines);
            }
        }
        bar.finish_and_clear();
        (outcome, timing, lines)
    }

    async fn once(&mut self, event: &Event, timing: &mut Timing) -> (Outcome, Vec<String>) {
        let invocation = Invocation::new(event.bytes.clone()).request_id(event.id()).timeout(self.replay.timeout);
        // A process that had to be killed is started again before the clock runs. If that fails, the
        // invocation fails in the same way and tells of it.
        let _ = self.environment.start().await;
        let start = Instant::now();
        let outcome = self.environment.invoke(invocation).await;
        timing.add(start.elapsed());
        self.environment.settle().await;
        (outcome, self.take_lines())
    }

    fn take_lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn summary(&self, events: usize, elapsed: Duration, out: &mut Out) -> Result<(), Failure> {
        let updated = self.expectations.as_ref().filter(|_| self.replay.update).map(Expectations::stored);
        let text = show::summary(events, &self.tally, self.expectations.is_some(), updated, elapsed);
        // `--json` keeps standard output for the answers.
        if self.replay.json {
            out.note(text)?;
        } else {
            out.line(text)?;
        }
        Ok(())
    }
}

/// A progress bar, which indicatif hides when standard error is no terminal.
fn progress(count: u64, name: &str) -> ProgressBar {
    if count == 1 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count).with_message(name.to_owned());
    match ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
