//! When the memory that large bodies needed is given back to the kernel.
//!
//! malloc keeps it for the next large body, which takes half the time with it (`python/ffi.rs`, `keep_memory`). When none
//! comes, other processes of the sandbox can use it: workers and extensions.

use std::cell::Cell;

/// The size in bytes from which a body is large.
const LARGE: u64 = 1 << 20;

/// How many requests without a large body pass before memory is given back. So at most every 65th request has to get it
/// again.
const PATIENCE: u32 = 64;

/// Counts requests since the last large body.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Requests left until memory is given back; zero when there is none to give.
    left: Cell<u32>,
}

impl Memory {
    /// Notes the size of an event or a body.
    pub(super) fn saw(&self, bytes: u64) {
        if bytes >= LARGE {
            self.left.set(PATIENCE + 1);
        }
    }

    /// Counts a request. Returns true if memory should be given back after it.
    pub(super) fn is_due(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_once_after_the_last_large_body() {
        let memory = Memory::default();
        let mut due = Vec::new();
        for request in 0..300 {
            memory.saw(if request % 50 == 0 && request <= 100 { LARGE } else { LARGE - 1 });
            if memory.is_due() {
                due.push(request);
            }
        }
        assert_eq!(due, [100 + PATIENCE]);
    }
}
