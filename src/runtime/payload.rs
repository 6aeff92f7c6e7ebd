//! What is posted.

/// The body of a request. Its length is known before it is sent, and its bytes can be made while they are sent: what is large
/// is never in memory as a whole then, and the platform reads one part while the next is made.
pub trait Payload {
    /// The size in bytes.
    fn size(&self) -> usize;

    /// A buffer for the parts. Once anything is sent, a lack of memory would end the process.
    fn buffer(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Appends the part that begins at `position`, and moves `position` to its end. Returns false after the last part. A
    /// payload decides itself how it counts; the first part is at 0.
    fn part(&self, position: &mut usize, out: &mut Vec<u8>) -> bool;
}

/// A part of what is in memory anyway, in bytes.
const PART: usize = 1 << 20;

impl Payload for Vec<u8> {
    fn size(&self) -> usize {
        self.len()
    }

    fn part(&self, position: &mut usize, out: &mut Vec<u8>) -> bool {
        let rest = self.get(*position..).unwrap_or_default();
        let part = &rest[..rest.len().min(PART)];
        out.extend_from_slice(part);
        *position += part.len();
        *position < self.len()
    }
}
