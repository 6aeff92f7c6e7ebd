//! `wsgi-lambda replay`: events in, responses out, through the real runtime.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use super::front_ends::FrontEndOptions;
use super::installed::{self, Runtime, own_venv};
use super::out::Out;
use super::{look, shared};
use crate::config;
use crate::emulator::{BOOTSTRAP_VARIABLE, Launch};

mod expect;
mod fail_on;
mod handler;
mod hints;
mod ignore;
mod input;
mod not_an_event;
mod outcome_json;
mod profile;
mod requests;
mod run;
mod show;
mod sources;
mod tally;
mod timing;

use hints::Surroundings;
use input::{Feed, Next};
use profile::{Profile, ProfiledRun};
use requests::{Arguments, Item, Session};
use run::{ReplayRun, RunOptions};

/// Send requests or Lambda events to an application and show its responses
///
/// Starts the real runtime, `bootstrap`, as a child process and plays Lambda's Runtime API to it. What you test is the
/// file that you deploy. Without PATH it sends its own sample events: one for each front end (API Gateway REST and HTTP,
/// function URLs, ALB, VPC Lattice) and scenario. Without --app a demo application answers and describes the request.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Replay {
    #[command(flatten)]
    arguments: Arguments,
    /// The WSGI application; the value of the function's handler
    #[arg(long, value_name = "MODULE:ATTR", alias = "handler")]
    app: Option<String>,
    /// The application's folder, LAMBDA_TASK_ROOT [default: the current one]
    #[arg(long, value_name = "APP_DIR", requires = "app")]
    dir: Option<PathBuf>,
    /// A virtual environment whose packages the application uses [default: the one that this program is installed in]
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
    /// The runtime [default: `bootstrap` next to this program, or the one that pip has installed with it]
    #[arg(long, value_name = "PATH", env = BOOTSTRAP_VARIABLE, hide_env_values = true)]
    bootstrap: Option<PathBuf>,
    #[command(flatten)]
    front_ends: FrontEndOptions,
    /// Keep the cookies of the responses in FILE, and begin with those in it. Along one command they are kept anyway
    #[arg(long, value_name = "FILE", help_heading = requests::HEADING)]
    cookie_jar: Option<PathBuf>,
    /// Send CSRF tokens with POST, PUT, PATCH and DELETE: that of the last page with one, or else of the same URL, which is
    /// asked for with GET before
    #[arg(long, help_heading = requests::HEADING)]
    csrf: bool,
}

const EXAMPLES: &str = "\
Examples:
  Every event, answered by a demo application:
    wsgi-lambda replay
  The same events, answered by `app` in ./hello.py:
    wsgi-lambda replay --app hello:app
  A route of your own, as a Function URL sends it, and as a REST API does:
    wsgi-lambda replay GET '/orders?page=2' --app hello:app
    wsgi-lambda replay GET '/orders?page=2' --app hello:app --front rest
  A form and JSON:
    wsgi-lambda replay POST /orders -d 'item=tea&count=2' --app hello:app
    wsgi-lambda replay PUT /orders/1 -H 'Content-Type: application/json' -d @order.json --app hello:app
  Log in to Django's admin, and open it:
    wsgi-lambda replay POST /admin/login/ -d 'username=me&password=…' GET /admin/ --csrf \
      --app mysite.wsgi:application
  One event, with the application's folder and a variable:
    wsgi-lambda replay event.json --app mysite.wsgi:application --dir src --env DEBUG=1
  Store the responses once, and compare with them from then on:
    wsgi-lambda replay --app hello:app --expect responses --update
    wsgi-lambda replay --app hello:app --expect responses
  How long does a response take:
    wsgi-lambda replay event.json --app hello:app --repeat 1000
  What makes the cold start slow, and what could be imported later:
    wsgi-lambda replay event.json --app hello:app --profile-init --quiet
  A check: fail for server errors, and do not compare what changes from run to run:
    wsgi-lambda replay --app hello:app --fail-on 5xx --expect responses \\
      --ignore header:date,cookie:session
  What on_shutdown and atexit do:
    wsgi-lambda replay event.json --app hello:app --env WSGI_LAMBDA_SHUTDOWN=true
  The package that is deployed, on the layer that is deployed:
    wsgi-lambda replay --app hello:app --dir build --bootstrap layer/bootstrap
  For other programs:
    jq -c '.[]' recorded.json | wsgi-lambda replay - --app hello:app --json

Exit status:
  0  every event was answered, and every response is as expected
  1  an invocation or init failed, a response differs, or one has a status of --fail-on
  2  wrong usage";

impl Replay {
    /// Replays; `false` if an invocation failed or a response is not the expected one.
    pub(super) fn run(&self, out: &mut Out) -> Result<bool, Failure> {
        let items = self.arguments.items()?;
        if let Some(path) = items.iter().find_map(flame_graph) {
            let path = path.display();
            return Err(Failure::Usage(format!(
                "{path} is not an event; for the flame graph write --profile-init={path}"
            )));
        }
        let dir = self.dir.clone().unwrap_or_else(|| PathBuf::from("."));
        self.check(&dir)?;
        let mut session = self.session(&items)?;
        let mut feed = Feed::new(sources::collect(&items, &dir)?);
        let demo = self.app.is_none().then(demo_app).transpose()?;
        let profile = self.profile_init.as_deref().map(Profile::new).transpose()?;
        let demo_folder = demo.as_ref().map(|folder| folder.path().to_owned());
        let venv = self.app.as_ref().map_or(Ok(None), |_| self.venv())?;
        let found = runtime(self.bootstrap.as_deref(), venv.as_deref())?;
        if let Some(note) = &found.note {
            out.note(note)?;
        }
        let mut launch = self.launch(&found, venv.as_deref(), demo_folder.as_deref().unwrap_or(&dir))?;
        if let Some(profile) = &profile {
            launch = profile.of(launch);
        }
        if let Some(note) = demo.as_ref().and_then(|_| handler::demo_note(&dir)) {
            out.note(note)?;
        }
        let around = self.surroundings(dir, launch.program())?;
        if let Some(venv) = around.venv.as_ref().filter(|_| around.on_layer) {
            let venv = venv.display();
            out.note(format_args!("packages of {venv} are used too, which Lambda does not have: deactivate it"))?;
        }
        let runtime = shared::tokio_runtime()?;
        runtime.block_on(async {
            tokio::select! {
                result = self.replay(launch, (&mut feed, &mut session), &around, profile.as_ref(), out) => result,
                _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
            }
        })
    }

    /// The virtual environment that is given, else the one that this program is in.
    fn venv(&self) -> Result<Option<PathBuf>, Failure> {
        Ok(shared::venv(self.venv.as_deref())?.or_else(|| own_venv(self.bootstrap.as_deref())))
    }

    /// Refuses options that name something else than they mean.
    fn check(&self, dir: &Path) -> Result<(), Failure> {
        if dir.is_file() && dir.extension().is_some_and(|ending| ending == "zip") {
            let zip = dir.display();
            return Err(Failure::Usage(format!(
                "--dir {zip} is a zip: unzip -d build {zip}, or make a folder with wsgi-lambda package -o build; then write \
                 --dir build"
            )));
        }
        if dir.is_file() {
            let options = look::options_for(dir, dir.parent().unwrap_or(dir)).unwrap_or_default();
            let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let (dir, parent) = (dir.display(), parent.display());
            return Err(Failure::Usage(
                format!("--dir {dir} is a file: write --dir {parent} {options}").trim().to_owned(),
            ));
        }
        self.app.as_deref().map_or(Ok(()), |app| handler::check(app, dir))
    }

    fn launch(&self, found: &Runtime, venv: Option<&Path>, dir: &Path) -> Result<Launch, Failure> {
        let root = canonical(dir)?;
        let mut launch = Launch::new(&found.bootstrap, root)
            .one_pipe()
            .handler(self.app.as_deref().unwrap_or("demo_app:app"))
            .env("AWS_REGION", &self.region)
            .env("AWS_DEFAULT_REGION", &self.region);
        if self.front_ends.streams() {
            launch = launch.env(config::RESPONSE_MODE.name, "stream");
        }
        if self.app.is_none() {
            // The demo needs no packages, and has to run whatever variables the parent has.
            launch = launch.without(config::APP.name).without(config::VENV.name);
        } else if let Some(venv) = venv {
            launch = launch.env(config::VENV.name, found.venv.as_deref().unwrap_or(venv));
        }
        Ok(self.env.iter().fold(launch, |launch, (key, value)| launch.env(key, value)))
    }

    /// The clients that send requests, if there are any to send.
    fn session(&self, items: &[Item]) -> Result<Session, Failure> {
        let has_requests = items.iter().any(|item| matches!(item, Item::Request(_)));
        if !has_requests && (self.front_ends.is_given() || self.cookie_jar.is_some() || self.csrf) {
            return Err(Failure::Usage(
                "--front, --stage, --base-path, --stream, --cookie-jar and --csrf are for requests, not for events: write a \
                 request, such as GET /path"
                    .to_owned(),
            ));
        }
        Session::new(self.front_ends.settings()?, self.cookie_jar.as_deref(), self.csrf, &self.region)
    }

    fn surroundings(&self, dir: PathBuf, program: &Path) -> Result<Surroundings, Failure> {
        let Some(app) = self.app.clone() else { return Ok(Surroundings::of_demo(dir)) };
        let venv = self.venv()?;
        Ok(Surroundings { root: canonical(&dir)?, dir, app: Some(app), venv, on_layer: hints::is_of_layer(program) })
    }

    async fn replay(
        &self,
        launch: Launch,
        (feed, session): (&mut Feed, &mut Session),
        around: &Surroundings,
        profile: Option<&Profile>,
        out: &mut Out,
    ) -> Result<bool, Failure> {
        let mut next = feed.next(out).await?; // before the start, so that wrong input starts nothing
        let mut run = ReplayRun::new(&self.options, launch)?;
        let begun = run.begin(around, out).await?;
        let init = run.init_duration(); // of the first start, which is the one that is profiled
        let mut broken = None;
        while let Some(one) = next.take_if(|_| begun) {
            match one {
                Next::Event(event) => drop(run.event(&event, out).await?),
                Next::Request(name, asked) => session.send(&name, &asked, &mut run, out).await?,
            }
            out.flush()?;
            next = feed.next(out).await.unwrap_or_else(|failure| {
                broken = Some(failure);
                None
            });
        }
        if begun {
            run.end(out).await?;
        }
        if let Some(profile) = profile {
            let tally = run.tally();
            let profiled = ProfiledRun { init, events: tally.events, not_found: tally.not_found() };
            profile.show(&profiled, self.options.json, out)?;
        }
        broken.map_or(Ok(begun && run.tally().is_fine()), Err)
    }
}

fn flame_graph(item: &Item) -> Option<&Path> {
    match item {
        Item::Events(path) if path.extension().is_some_and(|ending| ending == "svg") => Some(path),
        Item::Events(_) | Item::Request(_) => None,
    }
}

fn canonical(dir: &Path) -> Result<PathBuf, Failure> {
    let missing = |error| Failure::Usage(format!("no application folder {}: {error}; correct --dir", dir.display()));
    dir.canonicalize().map_err(missing)
}

/// The runtime to start. A layer's folder or zip is not it, but has it inside.
fn runtime(given: Option<&Path>, venv: Option<&Path>) -> Result<Runtime, Failure> {
    let shown = |path: &Path| path.display().to_string();
    match given {
        Some(folder) if folder.join("bootstrap").is_file() => {
            let inside = shown(&folder.join("bootstrap"));
            Err(Failure::Usage(format!("--bootstrap {} is a folder: write --bootstrap {inside}", shown(folder))))
        }
        Some(zip) if zip.is_file() && zip.extension().is_some_and(|ending| ending == "zip") => {
            let zip = shown(zip);
            Err(Failure::Usage(format!(
                "--bootstrap {zip} is a zip: unzip -d layer {zip}, then write --bootstrap layer/bootstrap"
            )))
        }
        _ => installed::runtime(given, venv),
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
