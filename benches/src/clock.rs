//! The one clock of all figures: the monotonic one, which Python's `time.monotonic_ns` reads, too.

use nix::time::{ClockId, clock_gettime};

/// A moment, in nanoseconds.
pub(crate) type Nanos = u64;

/// The present moment.
pub(crate) fn now() -> Nanos {
    clock(ClockId::CLOCK_MONOTONIC)
}

/// What this clock shows; 0 for a clock that has gone, such as that of a process that has ended.
pub(crate) fn clock(id: ClockId) -> Nanos {
    clock_gettime(id).map_or(0, |time| time.tv_sec().cast_unsigned() * 1_000_000_000 + time.tv_nsec().cast_unsigned())
}
