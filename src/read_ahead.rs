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
use std::path::{Component, Path, PathBuf};

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

/// The files that the list has for a handler, each in the places where it can be. None if the list was made for another
/// version of Python.
fn files(list: &str, python: &str, handler: &str, package: &Path, library: &Path) -> Vec<Vec<PathBuf>> {
    let mut lines = list.lines();
    if lines.next() != Some(&format!("{HEADER} {python}")) {
        return Vec::new();
    }
    let begin = format!("{HANDLER}{}", key(handler));
    let of_handler = lines.skip_while(|line| **line != begin).skip(1).take_while(|line| !line.starts_with(HANDLER));
    let path = |line: &str| {
        let (place, path) = Place::ALL.iter().find_map(|(place, word)| Some((place, line.strip_prefix(word)?)))?;
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        inside.then(|| bytecode(&if *place == Place::Package { package } else { library }.join(path), python))
    };
    of_handler.filter_map(path).collect()
}

/// Where the bytecode of a source can be: beside it (PEP 3147), or in its place. Anything else is itself.
fn bytecode(file: &Path, python: &str) -> Vec<PathBuf> {
    let (Some("py"), Some(stem)) = (file.extension().and_then(|ending| ending.to_str()), file.file_stem()) else {
        return vec![file.to_owned()];
    };
    let tag = python.replace("python", "cpython-").replace('.', "");
    let name = format!("{}.{tag}.pyc", stem.to_string_lossy());
    vec![file.with_file_name("__pycache__").join(name), file.with_extension("pyc")]
}

/// `app:app` and `app.app` are the same handler.
fn key(handler: &str) -> String {
    handler.replace([':', '/'], ".")
}

#[cfg(feature = "python")]
pub use kernel::begin;

#[cfg(feature = "python")]
mod kernel {
    use std::fs::File;
    use std::io::IoSliceMut;
    use std::path::{Path, PathBuf};

    use rustix::fs::{Advice, fadvise};
    use rustix::io::{ReadWriteFlags, preadv2};

    use super::{FILE, files};

    /// How many files are looked at to find out whether the kernel has them already.
    const SAMPLE: usize = 16;

    /// Begins to read the files of the handler's start, on a thread of its own, if the package has a list of them.
    pub fn begin(python: &str, handler: &str, package: &Path, library: &Path) {
        let Ok(list) = std::fs::read_to_string(package.join(FILE)) else { return };
        let files = files(&list, python, handler, package, library);
        // Without a thread the files are read when Python asks for them.
        let _ =
            std::thread::Builder::new().name("read-ahead".to_owned()).stack_size(64 << 10).spawn(move || read(&files));
    }

    /// A sandbox whose files the kernel has is not slowed down by opening all of them.
    fn read(files: &[Vec<PathBuf>]) {
        let mut sample = files.iter().step_by((files.len() / SAMPLE).max(1));
        if sample.all(|places| open(places).is_some_and(|file| is_cached(&file))) {
            return;
        }
        for file in files.iter().filter_map(|places| open(places)) {
            // Returns when the reads are under way (posix_fadvise(2)).
            let _ = fadvise(&file, 0, None, Advice::WillNeed);
        }
    }

    fn open(places: &[PathBuf]) -> Option<File> {
        places.iter().find_map(|place| File::open(place).ok())
    }

    /// Whether the first byte can be read without waiting for the disk.
    fn is_cached(file: &File) -> bool {
        preadv2(file, &mut [IoSliceMut::new(&mut [0])], 0, ReadWriteFlags::NOWAIT).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(paths: &[(Place, &str)]) -> Vec<Entry> {
        paths.iter().map(|(place, path)| (*place, (*path).to_owned())).collect()
    }

    #[test]
    fn each_handler_has_its_files_in_the_places_of_the_start() {
        let shop = entries(&[(Place::Library, "json/__init__.py"), (Place::Package, "shop.so")]);
        let jobs = entries(&[(Place::Package, "jobs.py")]);
        let list = list("python3.13", &[("shop:app".into(), shop), ("jobs.app".into(), jobs)]);
        let read = |python: &str, handler: &str| {
            let files = files(&list, python, handler, Path::new("/var/task"), Path::new("/opt/lib/python3.13"));
            files.iter().map(|places| places[0].display().to_string()).collect::<Vec<_>>()
        };
        let json = "/opt/lib/python3.13/json/__pycache__/__init__.cpython-313.pyc";
        assert_eq!(read("python3.13", "shop.app"), [json, "/var/task/shop.so"]);
        assert_eq!(read("python3.13", "shop:app"), [json, "/var/task/shop.so"]);
        assert_eq!(read("python3.13", "jobs.app"), ["/var/task/__pycache__/jobs.cpython-313.pyc"]);
        assert!(read("python3.13", "other.app").is_empty());
        assert!(read("python3.14", "shop.app").is_empty(), "the files of another Python");
    }

    #[test]
    fn bytecode_is_beside_its_source_or_in_its_place() {
        let places = bytecode(Path::new("/a/b.py"), "python3.11");
        assert_eq!(places, [Path::new("/a/__pycache__/b.cpython-311.pyc"), Path::new("/a/b.pyc")]);
        assert_eq!(bytecode(Path::new("/a/b.pyc"), "python3.11"), [Path::new("/a/b.pyc")]);
    }

    #[test]
    fn nothing_outside_of_the_two_folders_is_read() {
        let list = "wsgi-lambda read-ahead 1 python3.13\nhandler app.app\npackage /etc/passwd\npackage ../x\n\
                    library a/../../x\nnowhere x\n\npackage in.so\n";
        let files = files(list, "python3.13", "app.app", Path::new("/a"), Path::new("/b"));
        assert_eq!(files, [[Path::new("/a/in.so")]]);
    }
}
