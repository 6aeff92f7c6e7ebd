//! How many events came out well, how many did not, and the line that says so.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::expect::Verdict;
use super::fail_on::{self, FailOn};

use crate::cli::out::{BOLD, DIM, RED, printable};
use crate::cli::shown::{duration, style};
use crate::emulator::{HttpResponse, Outcome};

/// How many names of events a line holds.
const NAMES_MAX: usize = 20;

#[derive(Default)]
pub(super) struct Tally {
    pub(super) events: usize,
    pub(super) answered: usize,
    pub(super) failed: usize,
    pub(super) differ: usize,
    /// How many responses had each status; those that are no HTTP responses have none.
    statuses: BTreeMap<u16, usize>,
    /// The events that `--fail-on` names, with the status.
    flagged: Vec<String>,
}

impl Tally {
    /// Counts an outcome; `true` if nothing is wrong with it. A function's error can be the expected outcome; an error of
    /// the platform cannot.
    pub(super) fn count(
        &mut self,
        name: &str,
        outcome: &Outcome,
        verdict: Option<&Verdict>,
        fail_on: &[FailOn],
    ) -> bool {
        self.events += 1;
        let counter = match verdict {
            Some(verdict) if verdict.is_fine() => &mut self.answered,
            _ if outcome.is_failure() => &mut self.failed,
            Some(_) => &mut self.differ,
            None => &mut self.answered,
        };
        *counter += 1;
        if let Some(response) = HttpResponse::of(outcome).filter(|_| !outcome.is_failure()) {
            *self.statuses.entry(response.status).or_default() += 1;
        }
        let reason = fail_on::reason(outcome, fail_on);
        let flagged = reason.map(|reason| self.flagged.push(format!("{} ({reason})", printable(name)))).is_some();
        !flagged && verdict.map_or(!outcome.is_failure(), Verdict::is_fine)
    }

    /// How many responses had status 404.
    pub(super) fn not_found(&self) -> usize {
        self.statuses.get(&404).copied().unwrap_or_default()
    }

    /// Whether every invocation succeeded, every response is the expected one, and none is what `--fail-on` names.
    pub(super) fn is_fine(&self) -> bool {
        self.failed == 0 && self.differ == 0 && self.flagged.is_empty()
    }

    /// The events that `--fail-on` names.
    pub(super) fn flagged(&self) -> Option<String> {
        let more = self.flagged.len().saturating_sub(NAMES_MAX);
        let names = self.flagged[..self.flagged.len() - more].join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!self.flagged.is_empty()).then(|| format!("{RED}--fail-on{RED:#}: {names}{more}"))
    }

    /// The last line. `stored` is how many responses were stored, with `--update`.
    pub(super) fn summary(&self, compared: bool, stored: Option<usize>, elapsed: Duration) -> String {
        let plural = if self.events == 1 { "" } else { "s" };
        let word = if compared { "as expected" } else { "answered" };
        let mut text = format!("{BOLD}{} event{plural}{BOLD:#}: ", self.events);
        // Writing to a string cannot fail.
        let _ = match stored {
            Some(stored) => write!(text, "{stored} stored, {} unchanged", self.answered.saturating_sub(stored)),
            None => write!(text, "{} {word}", self.answered),
        };
        for (count, word) in [(self.differ, "not as expected"), (self.failed, "failed")] {
            if count > 0 {
                let _ = write!(text, ", {RED}{count} {word}{RED:#}");
            }
        }
        for (index, (status, count)) in self.statuses.iter().enumerate() {
            let (separator, style) = (if index == 0 { ";" } else { "," }, style(*status));
            let _ = write!(text, "{separator} {style}{count} × {status}{style:#}");
        }
        let _ = write!(text, "  {DIM}{}{DIM:#}", duration(elapsed));
        text
    }
}
