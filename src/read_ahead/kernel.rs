//! Reads that the kernel is told of, before Python starts.

use std::fs::File;
use std::io::{IoSliceMut, Read as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, Mode, OFlags, fadvise, open};
use rustix::io::{ReadWriteFlags, preadv2};

use super::FILE;
use super::files::files;

/// How many files are looked at to find out whether the kernel has them already.
const SAMPLE: usize = 16;
/// The longest list, in bytes: some ten thousand files. No more of it is read.
const LONGEST: u64 = 1 << 20;

/// Begins to read the files of the handler's start, on a thread of its own, if the package has a list of them.
pub fn begin(python: &'static str, handler: &str, package: &Path, library: &Path) {
    let list = package.join(FILE);
    if !list.is_file() {
        return;
    }
    let (handler, package, library) = (handler.to_owned(), package.to_owned(), library.to_owned());
    let work = move || {
        let mut text = String::new();
        if regular(&list).is_some_and(|list| list.take(LONGEST).read_to_string(&mut text).is_ok()) {
            read(&files(&text, python, &handler, &package, &library));
        }
    };
    // Without a thread the files are read when Python asks for them.
    let _ = std::thread::Builder::new().name("read-ahead".to_owned()).stack_size(64 << 10).spawn(work);
}

/// A sandbox whose files the kernel has is not slowed down by opening all of them.
fn read(files: &[Vec<PathBuf>]) {
    let mut sample = files.iter().step_by(files.len().div_ceil(SAMPLE).max(1)).filter_map(|places| first(places));
    if sample.all(|file| is_cached(&file)) {
        return;
    }
    for file in files.iter().filter_map(|places| first(places)) {
        // Returns when the reads are under way (posix_fadvise(2)).
        let _ = fadvise(&file, 0, None, Advice::WillNeed);
    }
}

fn first(places: &[PathBuf]) -> Option<File> {
    places.iter().find_map(|place| regular(place))
}

/// Opens a file that is one: to open a FIFO may take for ever.
fn regular(path: &Path) -> Option<File> {
    let file = File::from(open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).ok()?);
    file.metadata().is_ok_and(|metadata| metadata.is_file()).then_some(file)
}

/// Whether the first byte can be read without waiting for the disk.
fn is_cached(file: &File) -> bool {
    preadv2(file, &mut [IoSliceMut::new(&mut [0])], 0, ReadWriteFlags::NOWAIT).is_ok()
}
