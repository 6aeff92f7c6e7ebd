//! A place for a response that is made once and used for all: nothing is allocated while the clock runs.

use crate::clock::{Nanos, now};

/// Longer responses than Lambda takes are kept as far as this and counted to their end.
const KEPT: usize = 8 << 20;

/// What a subject posted.
#[derive(Debug)]
pub(crate) struct Posted {
    store: Vec<u8>,
    kept: usize,
    /// All bytes of the body, chunk heads not counted.
    pub(crate) total: usize,
    /// When the last byte was read.
    pub(crate) at: Nanos,
    /// Whether it came in chunks, as streamed responses do.
    pub(crate) chunked: bool,
    /// Of a chunked body: when a read brought data, and how much there was then.
    pub(crate) marks: Vec<(Nanos, usize)>,
}

impl Default for Posted {
    fn default() -> Self {
        // Written to, so that the pages are there before the clock runs.
        let store = vec![1; KEPT];
        Self { store, kept: 0, total: 0, at: 0, chunked: false, marks: Vec::with_capacity(1 << 12) }
    }
}

impl Posted {
    pub(crate) fn body(&self) -> &[u8] {
        &self.store[..self.kept]
    }

    /// The beginning, for messages.
    pub(crate) fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body()[..self.kept.min(2000)]).into_owned();
        if self.total > 2000 { text + "…" } else { text }
    }

    /// A response that was not read from a socket.
    #[cfg(test)]
    pub(crate) fn of(body: &[u8], chunked: bool) -> Self {
        let mut posted = Self::default();
        posted.begin(chunked);
        posted.add(body);
        posted.mark();
        posted
    }

    pub(super) fn begin(&mut self, chunked: bool) {
        (self.kept, self.total, self.chunked) = (0, 0, chunked);
        self.marks.clear();
    }

    pub(super) fn add(&mut self, data: &[u8]) {
        self.total += data.len();
        let data = &data[..data.len().min(KEPT - self.kept)];
        self.store[self.kept..self.kept + data.len()].copy_from_slice(data);
        self.kept += data.len();
    }

    /// The place for `length` bytes that follow; `None` if they are too many to be kept.
    pub(super) fn space(&mut self, length: usize) -> Option<&mut [u8]> {
        let from = self.kept;
        let space = self.store.get_mut(from..from + length)?;
        (self.kept, self.total) = (from + length, self.total + length);
        Some(space)
    }

    pub(super) fn mark(&mut self) {
        let total = self.total;
        // A long stream needs no mark for each of its reads.
        if self.marks.len() < 4096 && self.marks.last().is_none_or(|(_, last)| *last < total) {
            self.marks.push((now(), total));
        }
    }

    pub(super) fn end(&mut self) {
        self.at = now();
    }
}
