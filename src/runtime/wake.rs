//! Waiting for the next event and for signals at the same time.

use std::io::{ErrorKind, Read as _};
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::connection::ours;
use crate::descriptor::{OwnedFile, Socket};
use crate::error::{Error, Result};

/// The reading end of the pipe into which Python's signal handler writes.
#[derive(Debug)]
pub struct Wake(OwnedFile);

impl Wake {
    /// Takes a file that becomes readable when a signal has arrived.
    pub fn new(file: std::fs::File) -> Self {
        Self(OwnedFile::new(file))
    }

    /// Whether a signal has arrived.
    fn has_rung(&self) -> bool {
        self.0.get().is_some_and(|file| is_ready(PollFd::new(file, PollFlags::IN), Duration::ZERO))
    }

    /// Waits until a signal arrives, one of the others is readable, or `patience` is over. Empties the pipe.
    pub fn wait_beside(&self, others: &[BorrowedFd<'_>], patience: Option<Duration>) {
        let bell = self.0.get().map(|file| PollFd::new(file, PollFlags::IN));
        let others = others.iter().map(|other| PollFd::from_borrowed_fd(*other, PollFlags::IN));
        let mut watched: Vec<PollFd<'_>> = bell.into_iter().chain(others).collect();
        let _ = poll(&mut watched, patience.map(timespec).as_ref()); // an interruption means that a signal has arrived
        if self.has_rung() {
            self.drain();
        }
    }

    /// Empties the pipe. Returns false if nothing can arrive any more.
    fn drain(&self) -> bool {
        let Some(mut file) = self.0.get() else { return false };
        match file.read(&mut [0; 64]) {
            Ok(read) => read > 0, // what the bytes are does not matter
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }
}

/// How long to wait for an event that the platform may have sent at the same moment as the signal that ends this
/// process. It must be short: a platform that ends a sandbox sends it no more events, and leaves it half a second.
const LAST_LOOK: Duration = Duration::from_millis(20);

/// Waits until `socket` has something to read. Returns the error of `on_wake` if an event has arrived all the same: the
/// process ends after it.
///
/// # Errors
/// The error of `on_wake` if no event has arrived; `RuntimeApi` if the wait fails.
pub(super) fn wait(socket: &Socket, wake: &Wake, on_wake: impl Fn() -> Result<()>) -> Result<Option<Error>> {
    let failed = |error: &dyn std::fmt::Display| Error::runtime_api(format!("the wait for an event failed: {error}"));
    let mut signals = true;
    loop {
        let stream = ours(socket).map_err(|error| failed(&error))?;
        let event = PollFd::new(stream, PollFlags::IN);
        let signal = wake.0.get().filter(|_| signals).map(|file| PollFd::new(file, PollFlags::IN));
        let mut watched: Vec<PollFd<'_>> = [event].into_iter().chain(signal).collect();
        let interrupted = match poll(&mut watched, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(failed(&error)),
            polled => polled.is_err(),
        };
        if !interrupted && !watched[0].revents().is_empty() {
            return Ok(None); // the event goes first: the platform will not send it again
        }
        let rung = !interrupted && watched.get(1).is_some_and(|signal| !signal.revents().is_empty());
        if rung {
            signals = wake.drain(); // false if the pipe is gone: events are still served
        }
        if (rung || interrupted)
            && let Err(ended) = on_wake()
        {
            let comes = is_ready(PollFd::new(stream, PollFlags::IN), LAST_LOOK);
            return if comes { Ok(Some(ended)) } else { Err(ended) };
        }
    }
}

/// Whether something can be read, at once or within `patience`.
pub(super) fn is_ready(watched: PollFd<'_>, patience: Duration) -> bool {
    poll(&mut [watched], Some(&timespec(patience))).is_ok_and(|ready| ready > 0)
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: duration.subsec_nanos().into() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::io::{Seek as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::path::Path;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;

    use super::*;

    /// Returns when the thread sleeps, as it does while it waits for the platform. It gives up on a thread that something
    /// keeps awake.
    fn wait_until_asleep(stat: &Path) {
        let asleep = || std::fs::read_to_string(stat).unwrap().contains(") S ");
        let began = Instant::now();
        while !asleep() && began.elapsed() < Duration::from_secs(10) {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_descriptor_that_the_application_has_taken_over_is_left_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut platform, _) = listener.accept().unwrap();
        let mut own = tempfile::tempfile().unwrap();
        own.write_all(b"the application's").unwrap();
        own.rewind().unwrap();
        let same = own.try_clone().unwrap();
        let wake = Wake(OwnedFile::lost(own));
        let stat = Path::new("/proc").join(std::fs::read_link("/proc/thread-self").unwrap()).join("stat");
        let sender = std::thread::spawn(move || {
            wait_until_asleep(&stat);
            platform.write_all(b"HTTP").unwrap();
        });
        let calls = AtomicU32::new(0);
        let count = || {
            calls.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        wait(&Socket::new(stream), &wake, count).unwrap();
        sender.join().unwrap();
        assert_eq!((calls.into_inner(), (&same).stream_position().unwrap()), (0, 0));
    }
}
