//! When the memory that bodies needed is freed.

use std::cell::Cell;

/// How many bytes are enough to do something about them.
const MANY: u64 = 1 << 20;

/// How many requests without a large body pass before memory is returned. So at most every 65th request has to get it
/// again.
const PATIENCE: u32 = 64;

/// What bodies may have left in memory.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The bytes of all bodies since the last collection.
    bodies: Cell<u64>,
    /// Requests left until memory is returned; zero when there is none to return.
    left: Cell<u32>,
}

impl Memory {
    /// Notes the size of an event or a body.
    pub(super) fn saw(&self, bytes: u64) {
        self.bodies.set(self.bodies.get().saturating_add(bytes));
        if bytes >= MANY {
            self.left.set(PATIENCE + 1);
        }
    }

    /// Whether it is time for Python to collect garbage: once for each megabyte.
    pub(super) fn wants_collection(&self) -> bool {
        let wants = self.bodies.get() >= MANY;
        if wants {
            self.bodies.set(0);
        }
        wants
    }

    /// Counts a request. Returns true if large bodies come no more. malloc keeps their memory, with which the next one
    /// takes half the time (`python/ffi.rs`, `keep_memory`), but workers and extensions could use it.
    pub(super) fn wants_return(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_collected_once_for_each_megabyte() {
        let memory = Memory::default();
        let mut collections = Vec::new();
        for (request, bytes) in [MANY, MANY - 1, 1, 0, MANY / 2, MANY / 2, 3 * MANY, 0].into_iter().enumerate() {
            memory.saw(bytes);
            collections.extend(memory.wants_collection().then_some(request));
        }
        assert_eq!(collections, [0, 2, 5, 6]);
    }

    #[test]
    fn memory_is_returned_once_after_the_last_large_body() {
        let memory = Memory::default();
        let mut returns = Vec::new();
        for request in 0..300 {
            memory.saw(if request % 50 == 0 && request <= 100 { MANY } else { MANY - 1 });
            returns.extend(memory.wants_return().then_some(request));
        }
        assert_eq!(returns, [100 + PATIENCE]);
    }
}
