//! How long invocations took.

use std::fmt;
use std::time::Duration;

use crate::cli::shown::duration;

/// The times of one event's invocations, from the submission to the last byte of the response.
#[derive(Debug, Default)]
pub(super) struct Timing {
    sorted: Vec<Duration>,
}

impl Timing {
    pub(super) fn add(&mut self, time: Duration) {
        let index = self.sorted.partition_point(|other| *other <= time);
        self.sorted.insert(index, time);
    }

    /// The percentile by nearest rank: the smallest time such that this share of all times is not longer.
    fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.sorted.len() * percent).div_ceil(100).max(1);
        self.sorted.get(rank - 1).copied().unwrap_or_default()
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [min, median, p99] = [0, 50, 99].map(|percent| duration(self.percentile(percent)));
        match self.sorted.len() {
            0 => Ok(()), // nothing was invoked
            1 => f.write_str(&min),
            count => write!(f, "{count} runs: min {min}, median {median}, p99 {p99}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut timing = Timing::default();
        for millis in (1..=200).rev() {
            timing.add(Duration::from_millis(millis));
        }
        assert_eq!(timing.to_string(), "200 runs: min 1.00 ms, median 100 ms, p99 198 ms");
        let mut timing = Timing::default();
        timing.add(Duration::from_micros(1234));
        assert_eq!(timing.to_string(), "1.23 ms");
    }
}
