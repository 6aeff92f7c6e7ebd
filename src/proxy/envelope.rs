//! A buffered response as the front end reads it.

use std::collections::TryReserveError;
use std::sync::Mutex;

use super::body::Body;
use super::warning::Warning;

/// A response ready to be posted. Its document is made part by part, since one as a whole can take more memory than the
/// application.
#[derive(Debug)]
pub struct Envelope {
    /// The JSON document up to the body.
    begin: Vec<u8>,
    body: Body,
    /// Memory for a part, if it was reserved.
    buffer: Mutex<Vec<u8>>,
    /// The HTTP status in it.
    pub status: u16,
    /// What the log has to tell the function's owner.
    pub warnings: Vec<Warning>,
}

impl Envelope {
    /// A response whose document is `begin`, the body, and its end.
    pub(super) fn new(begin: Vec<u8>, body: Body, status: u16, warnings: Vec<Warning>) -> Self {
        Self { begin, body, buffer: Mutex::default(), status, warnings }
    }

    /// Reserves memory for the parts, and for the head of the request before the first.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn reserve(&mut self) -> Result<(), TryReserveError> {
        const HEAD: usize = 1 << 10;
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(HEAD + self.room())?;
        self.buffer = Mutex::new(buffer);
        Ok(())
    }

    /// Takes the buffer for the parts.
    pub fn buffer(&self) -> Vec<u8> {
        self.buffer.lock().map(|mut buffer| std::mem::take(&mut *buffer)).unwrap_or_default()
    }

    /// The size of the JSON document, in bytes.
    pub fn size(&self) -> usize {
        self.begin.len() + self.body.size() + END.len()
    }

    /// The size of the body before it was encoded, in bytes.
    pub fn body_bytes(&self) -> usize {
        self.body.bytes()
    }

    /// The most bytes that a buffer needs for a part.
    fn room(&self) -> usize {
        self.begin.len() + self.body.room() + END.len()
    }

    /// Appends the next part of the document. `position`, which is 0 for the first part, counts the bytes of the body. Returns
    /// false after the last part.
    pub fn part(&self, position: &mut usize, out: &mut Vec<u8>) -> bool {
        if *position == 0 {
            out.reserve(self.room());
            out.extend_from_slice(&self.begin);
        }
        let more = self.body.part(position, out);
        if !more {
            out.extend_from_slice(END);
        }
        more
    }
}

/// The end of the document, after the body.
const END: &[u8] = b"}";
