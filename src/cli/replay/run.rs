//! One run of `replay`: each event through the runtime, then compared and shown.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::expect::Expectations;
use super::sources::Event;
use super::tally::Tally;
use super::timing::Timing;
use super::{outcome_json, show};
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::emulator::{Launch, LogLine, Outcome, Sandbox, StartError, Submission};
use crate::sync::lock;

#[derive(Debug, Args)]
pub(super) struct RunOptions {
    /// The function's timeout in seconds; after it the process is killed, as Lambda does
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
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
}

fn seconds(text: &str) -> Result<Duration, String> {
    // Lambda's own limit of 15 minutes does not apply here: the application may wait in a debugger.
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|duration| !duration.is_zero()).ok_or_else(|| "give a number of seconds above 0".to_owned())
}

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
    pub(super) fn new(options: &'a RunOptions, launch: Launch) -> Self {
        let lines = Lines::default();
        let into = Arc::clone(&lines);
        let sink = Arc::new(move |line: LogLine| {
            lock(&into).push(line.text);
        });
        let init_timeout = options.timeout + Duration::from_secs(10);
        Self {
            options,
            sandbox: Sandbox::new(launch, sink).init_timeout(init_timeout),
            lines,
            expectations: options.expect.as_ref().map(|folder| Expectations::new(folder, options.update)),
            tally: Tally::default(),
            start: Instant::now(),
        }
    }

    /// How long the running process took to start.
    pub(super) fn init_duration(&self) -> Option<Duration> {
        self.sandbox.init_duration()
    }

    /// How many events were answered with status 404.
    pub(super) fn not_found(&self) -> usize {
        self.tally.not_found
    }

    /// Whether every invocation succeeded, and every response is the expected one.
    pub(super) fn is_fine(&self) -> bool {
        self.tally.failed == 0 && self.tally.differ == 0
    }

    /// Starts the runtime; shows why and returns `false` if init fails.
    pub(super) async fn begin(&mut self, out: &mut Out) -> Result<bool, Failure> {
        let error = match self.sandbox.start().await {
            Ok(_) => None,
            Err(StartError::Spawn(error)) => {
                return Err(Failure::Failed(format!("cannot start the runtime: {error}")));
            }
            Err(error) => Some(Outcome::from(error)),
        };
        let lines = self.take_lines();
        match &error {
            Some(outcome) if self.options.json => out.raw(&outcome_json::line(outcome))?,
            Some(outcome) => show::error_outcome(outcome, "", out)?,
            None => {}
        }
        if error.is_some() || !out.quiet() {
            show::logs(&lines, out)?;
        }
        Ok(error.is_none())
    }

    /// Sends one event as often as asked, then compares and shows the outcome.
    pub(super) async fn event(&mut self, event: &Event, out: &mut Out) -> Result<(), Failure> {
        let (outcome, timing, lines) = self.invoke(event).await;
        let verdict = match &mut self.expectations {
            Some(expectations) => Some(expectations.check(&event.name, &outcome)?),
            None => None,
        };
        let fine = self.tally.count(&outcome, verdict.as_ref());
        if self.options.json {
            out.raw(&outcome_json::line(&outcome))?;
        }
        if fine && out.quiet() {
            return Ok(());
        }
        if self.options.json {
            return show::next_to_json(event, verdict.as_ref().filter(|verdict| !verdict.is_fine()), &lines, out);
        }
        if self.options.brief && verdict.is_none() {
            return show::brief(event, &outcome, &timing, out);
        }
        show::heading(event, out)?;
        // If there is an expectation, the difference matters more than the response.
        if verdict.is_none() || !fine && outcome.is_failure() || out.verbose() {
            show::outcome(&outcome, &timing, out)?;
        }
        if let (Outcome::Response(_), None, Some(exit)) = (&outcome, self.sandbox.api(), self.sandbox.last_exit()) {
            show::ended(exit, out)?;
        }
        if let (true, Some(api)) = (out.verbose(), self.sandbox.api()) {
            show::calls(&api.calls(), event.id(), out)?;
        }
        if let Some(verdict) = &verdict {
            out.line(show::verdict(verdict))?;
        }
        show::logs(&lines, out)?;
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

    /// Ends the process and prints the summary.
    pub(super) async fn end(&mut self, events: usize, out: &mut Out) -> Result<(), Failure> {
        self.sandbox.stop().await;
        let updated = self.expectations.as_ref().filter(|_| self.options.update).map(Expectations::stored);
        let text = show::summary(events, &self.tally, self.expectations.is_some(), updated, self.start.elapsed());
        // With `--json`, standard output is for the responses alone.
        if self.options.json {
            out.note(text)?;
        } else {
            out.line(text)?;
        }
        Ok(())
    }
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
