//! The parent's side of a worker's connection.

use std::io::ErrorKind;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::arrival::peek;
use super::connection::ours;
use super::wake::is_ready;
use crate::descriptor::Socket;
use crate::invocation::Invocation;

/// A duplicate of the connection over which a worker asks for events. It shows the parent what a worker that has ended
/// did not read.
#[derive(Debug)]
pub struct Twin(pub(super) Socket);

impl Twin {
    /// Tells the platform that nobody asks for events here any more. What it has sent by then still arrives.
    pub fn hang_up(&self) {
        if let Some(stream) = self.0.get() {
            let _ = stream.shutdown(std::net::Shutdown::Write); // fails only if the platform has hung up
        }
    }

    /// Readable when an event has arrived, or the platform has closed the connection.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.0.get().map(|stream| stream.as_fd())
    }

    /// The invocation that has arrived and that the worker did not read; `None` if none has arrived yet.
    ///
    /// # Errors
    /// If none can arrive any more.
    pub fn unread(&self) -> std::io::Result<Option<Invocation>> {
        let stream = ours(&self.0)?;
        if !is_ready(PollFd::new(stream, PollFlags::IN), Duration::ZERO) {
            return Ok(None);
        }
        peek(&self.0).map(Some).ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }
}
