//! Reads that the kernel is told of, before Python starts.

use std::fs::File;
use std::io::IoSliceMut;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, fadvise};
use rustix::io::{ReadWriteFlags, preadv2};

use super::FILE;
use super::files::files;

/// How many files are looked at to find out whether the kernel has them already.
const SAMPLE: usize = 16;

/// Begins to read the files of the handler's start, on a thread of its own, if the package has a list of them.
pub fn begin(python: &str, handler: &str, package: &Path, library: &Path) {
    let Ok(list) = std::fs::read_to_string(package.join(FILE)) else { return };
    let files = files(&list, python, handler, package, library);
    // Without a thread the files are read when Python asks for them.
    let _ = std::thread::Builder::new().name("read-ahead".to_owned()).stack_size(64 << 10).spawn(move || read(&files));
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
