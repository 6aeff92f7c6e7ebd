//! How many events came out well, and how many did not.

use super::expect::Verdict;
use crate::emulator::{HttpResponse, Outcome};

#[derive(Default)]
pub(super) struct Tally {
    pub(super) answered: usize,
    pub(super) failed: usize,
    pub(super) differ: usize,
    /// How many responses had a status of 500 or above.
    pub(super) server_errors: usize,
    /// How many responses had status 404.
    pub(super) not_found: usize,
}

impl Tally {
    /// Counts an outcome; `true` if nothing is wrong with it. A function's error can be the expected outcome; an error of
    /// the platform cannot.
    pub(super) fn count(&mut self, outcome: &Outcome, verdict: Option<&Verdict>) -> bool {
        let counter = match verdict {
            Some(verdict) if verdict.is_fine() => &mut self.answered,
            _ if outcome.is_failure() => &mut self.failed,
            Some(_) => &mut self.differ,
            None => &mut self.answered,
        };
        *counter += 1;
        let status = HttpResponse::of(outcome).map(|response| response.status);
        self.server_errors += usize::from(status.is_some_and(|status| status >= 500));
        self.not_found += usize::from(status == Some(404));
        verdict.map_or(!outcome.is_failure(), Verdict::is_fine)
    }
}
