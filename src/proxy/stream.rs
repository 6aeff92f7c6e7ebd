//! The streamed response: a prelude in JSON (status and headers), eight NUL bytes, then the body as it comes (docs,
//! "Building a custom runtime for AWS Lambda", Response streaming).

use std::io::{IoSlice, Write};

use bytes::Bytes;

use super::limits::MAX_PRELUDE_BYTES;
use super::recipient::Recipient;
use super::warning::Warning;
use super::{headers, plain};
use crate::response::{Head, Sink};

const DELIMITER: [u8; 8] = [0; 8];

/// Sends a response while the application makes it. Each write to `W` is sent at once. The prelude therefore waits for
/// the first chunk and is sent with it, or at the first flush.
///
/// Prelude, delimiter and chunk are separate slices, which `W` must send as separate HTTP chunks: cargo-lambda reads
/// the first HTTP chunk as the prelude and drops the second.
#[derive(Debug)]
pub struct StreamSink<W> {
    recipient: Recipient,
    writer: Option<W>,
    prelude: Vec<u8>,
    started: bool,
    sent: u64,
    warnings: Vec<Warning>,
}

impl<W: Write + Send> StreamSink<W> {
    /// A sink for one response.
    pub fn new(recipient: Recipient, writer: W) -> Self {
        Self { recipient, writer: Some(writer), prelude: Vec::new(), started: false, sent: 0, warnings: Vec::new() }
    }

    /// Whether status and headers have been sent: no others can be sent then.
    pub fn has_started(&self) -> bool {
        self.started
    }

    /// The bytes of the body that were sent.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// False once [`StreamSink::take_writer`] was called.
    pub fn is_open(&self) -> bool {
        self.writer.is_some()
    }

    /// Takes the writer out, so that the caller can end it. Everything sent after that fails.
    pub fn take_writer(&mut self) -> Option<W> {
        self.writer.take()
    }

    /// Takes the warnings for the function's owner.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    /// Sends a small response of the runtime's own instead of the application's, of which nothing was sent yet.
    ///
    /// # Errors
    /// When the receiver is gone.
    pub fn plain(&mut self, status: &str, text: &str) -> std::io::Result<()> {
        self.prelude.clear();
        self.head(plain::head(status), self.recipient.takes_body().then_some(text.len()))?;
        self.send(plain::body(self.recipient, text))
    }

    /// Sends a chunk, and before it the prelude if that is still waiting, in one write.
    fn send(&mut self, chunk: &[u8]) -> std::io::Result<()> {
        let prelude = std::mem::take(&mut self.prelude);
        let delimiter = if prelude.is_empty() { &[][..] } else { &DELIMITER };
        let writer = self.writer.as_mut().ok_or(std::io::ErrorKind::BrokenPipe)?;
        self.started = true;
        let written = writer.write_vectored(&[IoSlice::new(&prelude), IoSlice::new(delimiter), IoSlice::new(chunk)])?;
        self.sent += chunk.len() as u64;
        let length = prelude.len() + delimiter.len() + chunk.len();
        if written == length { Ok(()) } else { Err(std::io::ErrorKind::WriteZero.into()) }
    }
}

impl<W: Write + Send> Sink for StreamSink<W> {
    fn head(&mut self, mut head: Head, whole_body: Option<usize>) -> std::io::Result<()> {
        if let Some(length) = whole_body {
            head.announce_length(length); // without it API Gateway sends the body in chunks
        }
        self.prelude.extend_from_slice(b"{\"statusCode\":");
        self.prelude.extend_from_slice(head.status().to_string().as_bytes());
        headers::write(&mut self.prelude, self.recipient, &head, &mut self.warnings);
        self.prelude.push(b'}');
        let length = self.prelude.len() + DELIMITER.len();
        if length > MAX_PRELUDE_BYTES {
            self.warnings.push(Warning::PreludeBytes(length));
        }
        Ok(())
    }

    fn data(&mut self, chunk: Bytes) -> std::io::Result<()> {
        self.send(&chunk)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.prelude.is_empty() { Ok(()) } else { self.send(b"") }
    }
}
