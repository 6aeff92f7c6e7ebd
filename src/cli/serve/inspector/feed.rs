//! What has changed since a page asked last: a version for each request, counted up with every change.
//!
//! A page that reads slowly is told less often, and of each request only how it is now. Nothing waits for it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::super::journal::{Journal, KEPT};
use crate::sync::lock;

/// The versions of the requests.
#[derive(Debug)]
pub(super) struct Feed {
    versions: Mutex<BTreeMap<u64, u64>>,
    latest: watch::Sender<u64>,
}

impl Feed {
    pub(super) fn new() -> Self {
        Self { versions: Mutex::default(), latest: watch::Sender::new(0) }
    }

    /// Follows the journal for ever.
    pub(super) async fn follow(&self, journal: &Journal) {
        let mut changes = journal.changes();
        self.all(journal);
        loop {
            match changes.recv().await {
                Ok(number) => self.changed([number]),
                // Too many at once to be told each.
                Err(RecvError::Lagged(_)) => self.all(journal),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn all(&self, journal: &Journal) {
        self.changed(journal.all().iter().map(|exchange| exchange.number));
    }

    fn changed(&self, numbers: impl IntoIterator<Item = u64>) {
        let mut versions = lock(&self.versions);
        let mut latest = *self.latest.borrow();
        for number in numbers {
            latest += 1;
            versions.insert(number, latest);
        }
        while versions.len() > KEPT {
            versions.pop_first();
        }
        drop(versions);
        self.latest.send_replace(latest);
    }

    /// The requests that have changed after a version, the earliest change first, and the version that they make up to.
    pub(super) fn since(&self, version: u64) -> (Vec<u64>, u64) {
        let versions = lock(&self.versions);
        let mut changed: Vec<(u64, u64)> =
            versions.iter().filter(|(_, at)| **at > version).map(|(number, at)| (*at, *number)).collect();
        changed.sort_unstable();
        let latest = changed.last().map_or(version, |(at, _)| *at);
        (changed.into_iter().map(|(_, number)| number).collect(), latest)
    }

    /// The version so far, and how to wait for the next one.
    pub(super) fn latest(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_once_of_many_changes() {
        let feed = Feed::new();
        feed.changed([1, 2, 1, 1]);
        assert_eq!(feed.since(0), (vec![2, 1], 4));
        assert_eq!(feed.since(4), (vec![], 4));
        feed.changed([3]);
        assert_eq!(feed.since(2), (vec![1, 3], 5));
    }

    #[test]
    fn requests_that_are_forgotten_need_no_version() {
        let feed = Feed::new();
        feed.changed(1..=1_000);
        let (numbers, latest) = feed.since(0);
        assert_eq!((numbers.len(), numbers.first(), latest), (KEPT, Some(&801), 1_000));
    }
}
