//! When the memory that large bodies needed is freed.

use std::cell::Cell;

/// The size in bytes from which a body is large.
const LARGE: u64 = 1 << 20;

/// How many requests without a large body pass before memory is returned. So at most every 65th request has to get it
/// again.
const PATIENCE: u32 = 64;

/// Counts requests since the last large body.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Requests left until memory is returned; zero when there is none to return.
    left: Cell<u32>,
}

impl Memory {
    /// Notes the size of an event or a body.
    pub(super) fn saw(&self, bytes: u64) {
        if bytes >= LARGE {
            self.left.set(PATIENCE + 1);
        }
    }

    /// Whether the request has a large body. Python frees one in a reference cycle, such as a Django request, when so
    /// many objects were made that its collector runs: it counts objects, not bytes, and fifty bodies can be in memory
    /// by then.
    pub(super) fn has_large_body(&self) -> bool {
        self.left.get() > PATIENCE
    }

    /// Counts a request. Returns true if large bodies come no more. malloc keeps their memory, with which the next one
    /// takes half the time (`python/ffi.rs`, `keep_memory`), but workers and extensions could use it.
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
    fn memory_is_returned_once_after_the_last_large_body() {
        let memory = Memory::default();
        let (mut large, mut due) = (Vec::new(), Vec::new());
        for request in 0..300 {
            memory.saw(if request % 50 == 0 && request <= 100 { LARGE } else { LARGE - 1 });
            large.extend(memory.has_large_body().then_some(request));
            due.extend(memory.is_due().then_some(request));
        }
        assert_eq!((large, due), (vec![0, 50, 100], vec![100 + PATIENCE]));
    }
}
