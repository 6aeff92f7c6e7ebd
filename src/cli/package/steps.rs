//! The steps of a run, as they are shown: a line for each, and on a terminal what happens within it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::failure::Failure;
use crate::cli::out::{DIM, Out};

/// Whether Ctrl-C was pressed. It is asked between steps, so that temporary folders are removed. A second Ctrl-C ends the
/// program at once.
#[derive(Clone, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Begins to watch. Without it Ctrl-C ends the program at once, and temporary folders stay.
    pub(super) fn watch() -> Self {
        let interrupt = Self::default();
        let raised = Arc::clone(&interrupt.0);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            while runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
                if raised.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
            }
        });
        interrupt
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.0.load(Ordering::Relaxed) { Err(Failure::Interrupted) } else { Ok(()) }
    }
}

/// How long a log, as that of a CI job, is without a line while a step takes long.
const SILENCE: Duration = Duration::from_secs(10);
/// How often a log counts.
const COUNTS: Duration = Duration::from_secs(2);

/// The steps of a run: what standard error shows of each, where notes go, and whether Ctrl-C was pressed.
pub(super) struct Steps<'a> {
    pub(super) out: &'a mut Out,
    // indicatif hides it when standard error is no terminal.
    bar: ProgressBar,
    interrupt: Interrupt,
    /// The step, and when it began.
    step: Option<(String, Instant)>,
    /// When a log got its last line.
    last_line: Instant,
}

impl<'a> Steps<'a> {
    pub(super) fn new(out: &'a mut Out, interrupt: Interrupt) -> Self {
        let bar = if out.quiet() { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        let bar = match ProgressStyle::with_template("{spinner} {prefix} {wide_msg:.dim}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { out, bar, interrupt, step: None, last_line: Instant::now() }
    }

    /// Begins a step. A terminal shows the line of the last one, with how long it took; a log the line of this one.
    pub(super) fn begin(&mut self, what: impl Into<String>) -> Result<(), Failure> {
        let what = what.into();
        self.end()?;
        if self.is_log() {
            self.log(&what)?;
        }
        self.bar.set_prefix(what.clone());
        self.bar.set_message("");
        self.step = Some((what, Instant::now()));
        self.interrupt.check()
    }

    /// Ends the step, if there is one.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        let Some((step, began)) = self.step.take().filter(|_| !self.bar.is_hidden()) else { return Ok(()) };
        let took = began.elapsed().as_secs_f32();
        let Self { bar, out, .. } = self;
        Ok(bar.suspend(|| out.note(format_args!("{step}  {DIM}{took:.1} s{DIM:#}")))?)
    }

    /// Shows one detail of the step.
    pub(super) fn show(&mut self, detail: &str) -> Result<(), Failure> {
        self.bar.set_message(detail.to_owned());
        if self.is_log()
            && self.last_line.elapsed() >= SILENCE
            && let Some((step, _)) = &self.step
        {
            let line = format!("still {step}: {detail}");
            self.log(&line)?;
        }
        self.interrupt.check()
    }

    /// Shows how far a step is: `installing 12 of 40`.
    pub(super) fn count(&mut self, what: &str, done: usize, total: usize) -> Result<(), Failure> {
        let line = format!("{what} {done} of {total}");
        match &mut self.step {
            Some((step, _)) if *step == line => return Ok(()),
            // The same step goes on.
            Some((step, _)) if step.starts_with(what) => step.clone_from(&line),
            _ => {
                self.end()?;
                self.step = Some((line.clone(), Instant::now()));
            }
        }
        self.bar.set_prefix(line.clone());
        if self.is_log() && (done == total || self.last_line.elapsed() >= COUNTS) {
            self.log(&line)?;
        }
        self.interrupt.check()
    }

    /// Writes a note that only `--verbose` shows.
    pub(super) fn verbose(&mut self, text: &str) -> Result<(), Failure> {
        if self.out.verbose() {
            let Self { bar, out, .. } = self;
            bar.suspend(|| out.note(format_args!("{DIM}{text}{DIM:#}")))?;
        }
        Ok(())
    }

    pub(super) fn interrupted(&self) -> Result<(), Failure> {
        self.interrupt.check()
    }

    fn is_log(&self) -> bool {
        self.bar.is_hidden() && !self.out.quiet()
    }

    fn log(&mut self, line: &str) -> Result<(), Failure> {
        self.last_line = Instant::now();
        Ok(self.out.note(line)?)
    }
}

impl Drop for Steps<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
