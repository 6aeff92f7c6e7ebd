//! Room: `descriptor`, file descriptors that the runtime uses only as long as they are its own.
//! In: a file or a socket.
//! Out: the same, or nothing after the application has closed it.
//! May use: `rustix`; tests also tempfile.
//! Must not: write to or close a descriptor that has become the application's.

use std::fs::File;
use std::net::TcpStream;
use std::os::fd::{AsFd, IntoRawFd};

use rustix::fs::fstat;

/// A file or socket of the runtime. Applications may close descriptors by number, and then get the same number for a
/// file of their own. Such a descriptor is neither written to nor closed.
#[derive(Debug)]
pub struct Owned<T: AsFd + IntoRawFd> {
    /// `None` only during the drop.
    inner: Option<T>,
    /// Device and inode, which show whether it is still the same file. `None` if they could not be read.
    identity: Option<(u64, u64)>,
}

impl<T: AsFd + IntoRawFd> Owned<T> {
    /// Takes a file or socket, and remembers which one it is.
    pub fn new(inner: T) -> Self {
        Self { identity: identity(&inner), inner: Some(inner) }
    }

    /// The file or socket; `None` after the application has closed it.
    pub fn get(&self) -> Option<&T> {
        self.inner.as_ref().filter(|inner| self.identity.is_some() && identity(*inner) == self.identity)
    }
}

impl<T: AsFd + IntoRawFd> Drop for Owned<T> {
    fn drop(&mut self) {
        let ours = self.get().is_some();
        if let Some(inner) = self.inner.take().filter(|_| !ours) {
            let _ = inner.into_raw_fd(); // left alone
        }
    }
}

fn identity(of: &impl AsFd) -> Option<(u64, u64)> {
    fstat(of).ok().map(|stat| (stat.st_dev, stat.st_ino))
}

/// A connection.
pub type Socket = Owned<TcpStream>;
/// A pipe or a file.
pub type OwnedFile = Owned<File>;

impl<T: AsFd + IntoRawFd> Owned<T> {
    /// A descriptor that the application has closed, and whose number is now that of another file.
    #[cfg(test)]
    pub(crate) fn lost(inner: T) -> Self {
        Self { inner: Some(inner), identity: Some((0, 0)) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::os::fd::AsRawFd as _;
    use std::path::Path;

    use super::*;

    #[test]
    fn what_has_become_somebody_elses_is_left_alone_and_ours_is_closed() {
        for ours in [true, false] {
            let file = tempfile::tempfile().unwrap();
            let entry = format!("/proc/self/fd/{}", file.as_raw_fd());
            let target = std::fs::read_link(&entry).unwrap();
            let owned = if ours { OwnedFile::new(file) } else { OwnedFile::lost(file) };
            assert_eq!(owned.get().is_some(), ours);
            drop(owned);
            assert_eq!(std::fs::read_link(Path::new(&entry)).is_ok_and(|now| now == target), !ours);
        }
    }
}
