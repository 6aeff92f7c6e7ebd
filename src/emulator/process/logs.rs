//! The child's output, line by line, and a way to know that all of it was read.
//!
//! A pipe keeps its order, and what a process has written is in it when the write returns. So whoever reads the pipe until
//! it is empty has all that was written before, and knows which lines belong to an invocation.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use rustix::io::{Errno, ioctl_fionread};
use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinHandle;

use crate::sync::lock;

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogSource {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line of the child, without its end of line; bytes that are not UTF-8 are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Where it was written.
    pub source: LogSource,
    /// The text.
    pub text: String,
    /// Whether its end of line had not been written when it was passed on, as of a prompt.
    pub open: bool,
}

/// Receives the lines as they come, on the thread that reads them.
pub type LogSink = Arc<dyn Fn(LogLine) + Send + Sync>;

/// A pipe for the child, and the task that reads it. The parent keeps a writing end too, so that it never ends.
#[derive(Debug)]
pub(super) struct LogPipe {
    writer: io::PipeWriter,
    pipe: Arc<Receiver>,
    lines: Arc<Mutex<Lines>>,
    reader: JoinHandle<()>,
}

impl LogPipe {
    pub(super) fn new(source: LogSource, sink: LogSink) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let pipe = Arc::new(Receiver::from_owned_fd(OwnedFd::from(reader))?);
        let lines = Arc::new(Mutex::new(Lines { source, sink, pending: Vec::new() }));
        let reader = tokio::spawn(read(Arc::clone(&pipe), Arc::clone(&lines)));
        Ok(Self { writer, pipe, lines, reader })
    }

    /// A writing end for the child.
    pub(super) fn writer(&self) -> io::Result<Stdio> {
        Ok(Stdio::from(self.writer.try_clone()?))
    }

    /// Passes on all that was written before, and a line that has no end yet.
    pub(super) fn flush(&self) {
        let mut lines = lock(&self.lines);
        let mut buffer = [0; 4096];
        // Only as much as is there now: a process that writes without a pause would never let this end. Not through
        // tokio, which knows of new bytes only after its next look.
        let mut left = ioctl_fionread(self.pipe.as_fd()).unwrap_or(0);
        while left > 0 {
            match rustix::io::read(self.pipe.as_fd(), &mut buffer) {
                Ok(count @ 1..) => {
                    lines.feed(&buffer[..count]);
                    left = left.saturating_sub(count as u64);
                }
                Err(Errno::INTR) => {}
                Ok(_) | Err(_) => break,
            }
        }
        lines.pass_on_open();
    }
}

impl Drop for LogPipe {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(pipe: Arc<Receiver>, lines: Arc<Mutex<Lines>>) {
    let mut buffer = vec![0; 16 * 1024];
    while pipe.readable().await.is_ok() {
        let mut lines = lock(&lines);
        match pipe.try_read(&mut buffer) {
            Ok(count @ 1..) => lines.feed(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => return,
        }
    }
}

struct Lines {
    source: LogSource,
    sink: LogSink,
    pending: Vec<u8>,
}

impl Lines {
    fn feed(&mut self, bytes: &[u8]) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            self.pending.extend_from_slice(&bytes[start..end]);
            start = end + 1;
            self.pass_on(false);
        }
        self.pending.extend_from_slice(&bytes[start..]);
    }

    fn pass_on_open(&mut self) {
        if !self.pending.is_empty() {
            self.pass_on(true);
        }
    }

    fn pass_on(&mut self, open: bool) {
        let text = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        (self.sink)(LogLine { source: self.source, text, open });
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("source", &self.source).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// The lines so far, and whether they are open.
    type Got = Arc<Mutex<Vec<(String, bool)>>>;

    fn pipe() -> (LogPipe, Got) {
        let got = Got::default();
        let into = Arc::clone(&got);
        let sink = Arc::new(move |line: LogLine| lock(&into).push((line.text, line.open)));
        (LogPipe::new(LogSource::Stdout, sink).unwrap(), got)
    }

    #[tokio::test]
    async fn lines_are_cut_at_ends_of_line() {
        let (mut pipe, got) = pipe();
        let got = || std::mem::take(&mut *lock(&got));
        pipe.flush();
        assert!(got().is_empty());
        pipe.writer.write_all(b"one\ntwo\n\nopen").unwrap();
        pipe.flush();
        let line = |text: &str, open| (text.to_owned(), open);
        assert_eq!(got(), [line("one", false), line("two", false), line("", false), line("open", true)]);
        pipe.writer.write_all(b"last \xff\n").unwrap();
        pipe.flush();
        assert_eq!(got(), [line("last \u{fffd}", false)]);
    }

    #[tokio::test]
    async fn lines_come_without_a_flush() {
        let (mut pipe, got) = pipe();
        for number in 0..3 {
            pipe.writer.write_all(format!("{number}\n").as_bytes()).unwrap();
            while lock(&got).len() <= number {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(lock(&got)[2], ("2".to_owned(), false));
    }
}
