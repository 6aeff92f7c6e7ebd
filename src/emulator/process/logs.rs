//! The child's output, line by line, and a way to know that all of it was read.
//!
//! A pipe keeps its order. A mark that the parent writes into it comes out after everything that the child wrote
//! before. So it is known, without a pause, which lines belong to an invocation.

use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::super::uuid;

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
}

/// Receives the lines as they come, on tokio's thread.
pub type LogSink = Arc<dyn Fn(LogLine) + Send + Sync>;

/// A pipe for the child, and the task that reads it. The parent keeps a writing end too.
#[derive(Debug)]
pub(super) struct LogPipe {
    writer: Arc<io::PipeWriter>,
    mark: Arc<[u8]>,
    written: AtomicU64,
    seen: watch::Receiver<u64>,
    reader: JoinHandle<()>,
}

impl LogPipe {
    pub(super) fn new(source: LogSource, sink: LogSink) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let reader = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        let mark: Arc<[u8]> = format!("\0{}\0\n", uuid::random()).into_bytes().into();
        let (sender, seen) = watch::channel(0);
        let lines = Lines { source, sink, mark: Arc::clone(&mark), seen: sender, pending: Vec::new() };
        let reader = tokio::spawn(read(reader, lines));
        Ok(Self { writer: Arc::new(writer), mark, written: AtomicU64::new(0), seen, reader })
    }

    /// A writing end for the child.
    pub(super) fn writer(&self) -> io::Result<Stdio> {
        Ok(Stdio::from(self.writer.try_clone()?))
    }

    /// Waits until the sink has all that was written before: writes a mark and waits for it.
    pub(super) async fn flush(&self) {
        let (pipe, mark) = (Arc::clone(&self.writer), Arc::clone(&self.mark));
        // The write blocks if the pipe is full, so it runs on another thread. O_NONBLOCK would apply to the child too.
        let written = tokio::task::spawn_blocking(move || (&*pipe).write_all(&mark)).await;
        if matches!(written, Ok(Ok(()))) {
            let number = self.written.fetch_add(1, Ordering::Relaxed) + 1;
            // Fails only if the reader is gone, and then no more lines come.
            let _ = self.seen.clone().wait_for(|seen| *seen >= number).await;
        }
    }
}

impl Drop for LogPipe {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(mut pipe: Receiver, mut lines: Lines) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        lines.feed(&buffer[..count]);
    }
}

struct Lines {
    source: LogSource,
    sink: LogSink,
    mark: Arc<[u8]>,
    seen: watch::Sender<u64>,
    pending: Vec<u8>,
}

impl Lines {
    fn feed(&mut self, bytes: &[u8]) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            self.pending.extend_from_slice(&bytes[start..=end]);
            start = end + 1;
            self.line();
        }
        self.pending.extend_from_slice(&bytes[start..]);
    }

    /// Passes on the pending line, which ends in a newline. It may end in a mark, after text without a newline.
    fn line(&mut self) {
        let mut line = std::mem::take(&mut self.pending);
        let marked = line.ends_with(&self.mark);
        line.truncate(line.len() - if marked { self.mark.len() } else { 1 });
        if !marked || !line.is_empty() {
            (self.sink)(LogLine { source: self.source, text: String::from_utf8_lossy(&line).into_owned() });
        }
        if marked {
            self.seen.send_modify(|seen| *seen += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn lines_are_cut_at_ends_of_line_and_marks() {
        let got = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&got);
        let (seen, marks) = watch::channel(0);
        let mut lines = Lines {
            source: LogSource::Stdout,
            sink: Arc::new(move |line: LogLine| into.lock().unwrap().push(line.text)),
            mark: Arc::from(&b"\0mark\0\n"[..]),
            seen,
            pending: Vec::new(),
        };
        lines.feed(b"one\ntw");
        lines.feed(b"o\n\nopen\0mark\0\n");
        lines.feed(b"\0mark");
        assert_eq!(*marks.borrow(), 1);
        lines.feed(b"\0\nlast \xff\n");
        assert_eq!(*marks.borrow(), 2);
        assert_eq!(*got.lock().unwrap(), ["one", "two", "", "open", "last \u{fffd}"]);
    }
}
