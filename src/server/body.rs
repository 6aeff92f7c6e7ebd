//! The body of a response on its way to the platform.

use bytes::Bytes;

use crate::proxy::{BufferedSink, Envelope, StreamSink};
use crate::response::{Head, Sink};
use crate::runtime::{Payload, Streamed};

/// How the body is sent.
#[derive(Debug)]
pub(super) enum Body {
    /// In one document, when it is complete.
    Whole(BufferedSink),
    /// Chunk by chunk, as the application makes it.
    Stream(StreamSink<Streamed>),
}

impl Body {
    fn sink(&mut self) -> std::io::Result<&mut dyn Sink> {
        match self {
            Self::Whole(sink) => Ok(sink),
            Self::Stream(sink) if sink.is_open() => Ok(sink),
            Self::Stream(_) => Err(std::io::Error::other("the request was given up")),
        }
    }
}

impl Sink for Body {
    fn head(&mut self, head: Head, whole_body: Option<usize>) -> std::io::Result<()> {
        self.sink()?.head(head, whole_body)
    }

    fn data(&mut self, chunk: Bytes) -> std::io::Result<()> {
        self.sink()?.data(chunk)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.sink()?.flush()
    }
}

impl Payload for Envelope {
    fn size(&self) -> usize {
        self.size()
    }

    fn buffer(&self) -> Vec<u8> {
        self.buffer()
    }

    fn part(&self, position: &mut usize, out: &mut Vec<u8>) -> bool {
        self.part(position, out)
    }
}
