//! A buffered response as the front end reads it.

use super::warning::Warning;

/// A response ready to be posted.
#[derive(Debug)]
pub struct Envelope {
    /// The JSON document.
    pub json: Vec<u8>,
    /// The HTTP status in it.
    pub status: u16,
    /// The size of the body before it was encoded, in bytes.
    pub body_bytes: usize,
    /// What the log has to tell the function's owner.
    pub warnings: Vec<Warning>,
}
