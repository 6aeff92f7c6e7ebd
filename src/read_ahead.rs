//! Room: `read_ahead`, the files of a cold start, brought into the kernel's cache before Python asks for them.
//! In: the list that `wsgi-lambda package --read-ahead` puts into a package; the folders of the package and of the standard
//!   library; the handler.
//! Out: the list, for a package. Nothing, at a start.
//! May use: rustix.
//! Must not: decide what is imported; fail or delay a start.
//!
//! A cold sandbox has the function's files on a disk that it has not read yet. Python asks for one file, waits, runs it, and
//! asks for the next. The list has the files of an earlier start in the order of their use, and the kernel is told of all of
//! them, while Python starts. What is imported, and from where, stays Python's business: a list that does not fit costs time
//! at most.

use std::fmt::Write as _;

#[cfg(any(feature = "python", test))]
mod files;
#[cfg(feature = "python")]
mod kernel;

#[cfg(feature = "python")]
pub use kernel::begin;

/// The list's name in a package.
pub const FILE: &str = ".wsgi-lambda-read-ahead";
/// Its first line begins with this; a list of another version is ignored.
const HEADER: &str = "wsgi-lambda read-ahead 1";
/// What begins the files of a handler.
const HANDLER: &str = "handler ";

/// Where a file of the list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the package.
    Package,
    /// In the folder of the standard library, such as `/opt/lib/python3.13`.
    Library,
}

impl Place {
    const ALL: [(Self, &str); 2] = [(Self::Package, "package "), (Self::Library, "library ")];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(place, _)| *place == self).map_or("", |(_, word)| word)
    }
}

/// A file of the list: its place, and its path from there. A source stands for its bytecode.
pub type Entry = (Place, String);

/// The list as text: for each handler the files of its start, in the order of their use. `python` is `python3.13`.
pub fn list(python: &str, handlers: &[(String, Vec<Entry>)]) -> String {
    let mut text = format!("{HEADER} {python}\n");
    for (handler, files) in handlers {
        let _ = writeln!(text, "{HANDLER}{}", key(handler));
        for (place, path) in files {
            let _ = writeln!(text, "{}{path}", place.word());
        }
    }
    text
}

/// `app:app` and `app.app` are the same handler.
fn key(handler: &str) -> String {
    handler.replace([':', '/'], ".")
}
