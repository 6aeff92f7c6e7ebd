//! One run of `replay`: each event through the runtime, then compared and shown.

use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::expect::Expectations;
use super::fail_on::FailOn;
use super::hints::Surroundings;
use super::ignore::Ignored;
use super::sources::Event;
use super::tally::Tally;
use super::timing::Timing;
use super::{not_an_event, outcome_json, show};
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::cli::shared;
use crate::emulator::{Launch, LogLine, Outcome, SHUTDOWN_LIMIT, Sandbox, StartError, Submission};
use crate::sync::lock;

#[derive(Debug, Args)]
pub(super) struct RunOptions {
    /// The function's timeout in seconds; after it the process is killed, as Lambda does
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = shared::seconds)]
    timeout: Duration,
    /// Send each event this many times and show how long the responses took
    #[arg(long, value_name = "N", default_value = "1")]
    repeat: NonZeroU32,
    /// One line for each event: status, name, size, time, request
    #[arg(long, short = 'b', conflicts_with = "json")]
    brief: bool,
    /// Print what Lambda would receive, one JSON line for each event, and nothing else
    #[arg(long)]
    pub(super) json: bool,
    /// Compare each response with DIR/EVENT.json
    #[arg(long, value_name = "DIR")]
    expect: Option<PathBuf>,
    /// Store the responses in the folder of --expect instead
    #[arg(long, requires = "expect")]
    update: bool,
    /// Do not compare this value, only whether it is there: header:NAME, or cookie:NAME for a cookie's value and Expires;
    /// several with commas, or repeated
    #[arg(long, value_name = "WHAT", requires = "expect", value_delimiter = ',')]
    ignore: Vec<Ignored>,
    /// Fail if a response has this status (500, or 5xx), or for `error` if an invocation has none; several with commas, or
    /// repeated
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    fail_on: Vec<FailOn>,
}

/// After this long, what the runtime has logged of its init is shown: it may never end.
const PATIENCE: Duration = Duration::from_secs(10);

type Lines = Arc<Mutex<Vec<String>>>;

pub(super) struct ReplayRun<'a> {
    options: &'a RunOptions,
    sandbox: Sandbox,
    lines: Lines,
    expectations: Option<Expectations>,
    tally: Tally,
    start: Instant,
}

impl<'a> ReplayRun<'a> {
    pub(super) fn new(options: &'a RunOptions, launch: Launch) -> Result<Self, Failure> {
        let lines = Lines::default();
        let into = Arc::clone(&lines);
        let sink = Arc::new(move |line: LogLine| {
            lock(&into).push(line.text);
        });
        let init_timeout = options.timeout + Duration::from_secs(10);
        let expectations = options.expect.as_ref();
        let expectations =
            expectations.map(|folder| Expectations::new(folder, options.update, &options.ignore)).transpose()?;
        Ok(Self {
            options,
            sandbox: Sandbox::new(launch, sink).init_timeout(init_timeout),
            lines,
            expectations,
            tally: Tally::default(),
            start: Instant::now(),
        })
    }

    /// How long the running process took to start.
    pub(super) fn init_duration(&self) -> Option<Duration> {
        self.sandbox.init_duration()
    }

    /// What came of the events so far.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Starts the runtime; shows why and returns `false` if init fails.
    pub(super) async fn begin(&mut self, around: &Surroundings, out: &mut Out) -> Result<bool, Failure> {
        let (started, mut lines) = self.start(out).await?;
        let error = match started {
            Ok(()) => None,
            Err(StartError::Spawn(error)) => return Err(cannot_start(&error)),
            Err(error) => Some(Outcome::from(error)),
        };
        let rest = self.take_lines();
        match &error {
            Some(outcome) if self.options.json => out.raw(&outcome_json::line(outcome))?,
            Some(outcome) => show::error_outcome(outcome, "", out)?,
            None => {}
        }
        if error.is_some() || !out.quiet() {
            show::logs(&rest, out)?;
        }
        lines.extend(rest);
        if let Some(outcome) = &error {
            show::hints(&around.init(outcome, &lines), out)?;
        }
        Ok(error.is_none())
    }

    /// Starts the runtime. If this takes long, what it has logged is shown at once; these lines are returned.
    async fn start(&mut self, out: &mut Out) -> Result<(Result<(), StartError>, Vec<String>), Failure> {
        let lines = Arc::clone(&self.lines);
        let start = self.sandbox.start();
        tokio::pin!(start);
        tokio::select! {
            started = &mut start => return Ok((started.map(|_| ()), Vec::new())),
            () = tokio::time::sleep(PATIENCE) => {}
        }
        let shown = std::mem::take(&mut *lock(&lines));
        out.note(format_args!("the application is not imported after {} s; its log so far:", PATIENCE.as_secs()))?;
        show::logs(&shown, out)?;
        Ok((start.await.map(|_| ()), shown))
    }

    /// Sends one event as often as asked, then compares and shows the outcome.
    pub(super) async fn event(&mut self, event: &Event, out: &mut Out) -> Result<Outcome, Failure> {
        let (outcome, timing, lines) = self.invoke(event).await;
        self.report(event, &outcome, &timing, &lines, out)?;
        Ok(outcome)
    }

    /// Sends an event once, without counting or showing it. Returns the log lines too.
    pub(super) async fn unseen(&mut self, event: &Event) -> (Outcome, Vec<String>) {
        self.once(event, &mut Timing::default()).await
    }

    /// Shows the outcome of a request that the front end does not make an event of.
    pub(super) fn not_invoked(&mut self, event: &Event, outcome: &Outcome, out: &mut Out) -> Result<(), Failure> {
        self.report(event, outcome, &Timing::default(), &[], out)
    }

    /// Compares and shows an outcome.
    fn report(
        &mut self,
        event: &Event,
        outcome: &Outcome,
        timing: &Timing,
        lines: &[String],
        out: &mut Out,
    ) -> Result<(), Failure> {
        let verdict = match &mut self.expectations {
            Some(expectations) => Some(expectations.check(&event.name, outcome)?),
            None => None,
        };
        let fine = self.tally.count(&event.name, outcome, verdict.as_ref(), &self.options.fail_on);
        let hints = hints(event, outcome);
        if self.options.json {
            out.raw(&outcome_json::line(outcome))?;
        }
        if fine && out.quiet() {
            return Ok(());
        }
        if self.options.json {
            show::next_to_json(event, verdict.as_ref().filter(|verdict| !verdict.is_fine()), lines, out)?;
            return show::hints(&hints, out);
        }
        if self.options.brief && verdict.is_none() {
            show::brief(event, outcome, timing, out)?;
            return show::hints(&hints, out);
        }
        show::heading(event, out)?;
        // If there is an expectation, the difference matters more than the response.
        if verdict.is_none() || !fine && outcome.is_failure() || out.verbose() {
            show::outcome(outcome, timing, out)?;
        }
        if let (Outcome::Response(_), None, Some(exit)) = (outcome, self.sandbox.api(), self.sandbox.last_exit()) {
            show::ended(exit, out)?;
        }
        if let (true, Some(api)) = (out.verbose(), self.sandbox.api()) {
            show::calls(&api.calls(), event.id(), out)?;
        }
        if let Some(verdict) = &verdict {
            out.line(show::verdict(verdict))?;
        }
        show::logs(lines, out)?;
        show::hints(&hints, out)?;
        out.line("")?;
        Ok(())
    }

    /// Sends an event `--repeat` times, or until it fails. The log lines belong to the returned outcome.
    async fn invoke(&mut self, event: &Event) -> (Outcome, Timing, Vec<String>) {
        let count = self.options.repeat.get();
        let bar = progress(u64::from(count), &event.name);
        let mut timing = Timing::default();
        let (mut outcome, mut lines) = self.once(event, &mut timing).await;
        for _ in 1..count {
            if outcome.is_failure() {
                break;
            }
            bar.inc(1);
            let (next, next_lines) = self.once(event, &mut timing).await;
            if next.is_failure() {
                (outcome, lines) = (next, next_lines);
            }
        }
        bar.finish_and_clear();
        (outcome, timing, lines)
    }

    async fn once(&mut self, event: &Event, timing: &mut Timing) -> (Outcome, Vec<String>) {
        let submission = Submission::new(event.bytes.clone()).request_id(event.id()).timeout(self.options.timeout);
        // If the last process was killed, a new one starts before the clock runs. If the start fails, the invocation
        // fails in the same way and reports it.
        let _ = self.sandbox.start().await;
        let start = Instant::now();
        let outcome = self.sandbox.invoke(submission).await;
        timing.add(start.elapsed());
        self.sandbox.settle().await;
        (outcome, self.take_lines())
    }

    fn take_lines(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.lines))
    }

    /// Ends the process as the platform does, and prints the summary.
    pub(super) async fn end(&mut self, out: &mut Out) -> Result<(), Failure> {
        if let Some(exit) = self.sandbox.shut_down().await {
            show::shutdown(exit, &self.take_lines(), SHUTDOWN_LIMIT, out)?;
        }
        let updated = self.expectations.as_ref().filter(|_| self.options.update).map(Expectations::stored);
        let summary = self.tally.summary(self.expectations.is_some(), updated, self.start.elapsed());
        for text in self.tally.flagged().into_iter().chain([summary]) {
            // With `--json`, standard output is for the responses alone.
            if self.options.json {
                out.note(text)?;
            } else {
                out.line(text)?;
            }
        }
        Ok(())
    }
}

/// Advice on an event that the runtime refused, or took for something that it may not be.
fn hints(event: &Event, outcome: &Outcome) -> Vec<String> {
    if let Some(sent) = event.sent() {
        return sent.hints(outcome);
    }
    let hint = match outcome {
        Outcome::Error(_) => not_an_event::wrapped(&event.bytes),
        _ => not_an_event::read_leniently(&event.bytes).map(str::to_owned),
    };
    hint.into_iter().collect()
}

fn cannot_start(error: &io::Error) -> Failure {
    // ENOEXEC, which has no kind of its own.
    const NO_PROGRAM: i32 = 8;
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => ": it is not executable, chmod +x makes it so",
        _ if error.raw_os_error() == Some(NO_PROGRAM) => ": it is no program for this machine's architecture",
        _ => "",
    };
    Failure::Failed(format!("cannot start the runtime: {error}{advice}"))
}

/// A progress bar. indicatif hides it if standard error is not a terminal.
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
