//! The libpython that `build.rs` links anew (`src/python/link_libpython.py`): when it is made, and that nothing is left
//! where it cannot be.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use support::{python, root, said};

/// Whether this machine's Python is one of those that get one, in Python's own words.
const WANTED: &str = "import os, sysconfig as s; var = lambda name: str(s.get_config_var(name) or '')\n\
    flags = var('CONFIG_ARGS') + var('CFLAGS') + var('PY_CFLAGS_NODIST') + var('LDFLAGS') + var('PY_LDFLAGS_NODIST')\n\
    there = os.path.isfile(os.path.join(var('LIBPL'), var('LIBRARY'))) and var('Py_ENABLE_SHARED') == '1'\n\
    there = there and '/' + var('INSTSONAME') in open('/proc/self/maps').read()\n\
    print(there and not any(f in flags for f in ('optimizations', 'interposition', '-flto', 'symbolic')))";

/// Gives what it printed, and what it left.
fn link(folder: &Path, compiler: &str) -> (String, Vec<PathBuf>) {
    let script = root().join("src/python/link_libpython.py");
    let printed = said(python().arg("-S").arg(script).arg(folder).env("CC", compiler));
    (printed, fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect())
}

#[test]
fn a_python_without_optimisations_gets_a_libpython_that_it_runs_with() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().canonicalize().unwrap();
    let (archive, made) = link(&folder, "cc");
    assert_eq!(!archive.is_empty(), said(python().args(["-c", WANTED])).trim() == "True", "{archive:?}");
    assert_eq!(made.len(), usize::from(!archive.is_empty()), "{made:?}");
    for library in made {
        assert!(library.file_name().unwrap().to_str().unwrap().starts_with("libpython3."), "{library:?}");
        let loaded = "import _json, decimal; print(open('/proc/self/maps').read())";
        let maps = said(python().args(["-c", loaded]).env("LD_LIBRARY_PATH", &folder));
        let mut libraries: Vec<_> = maps.lines().filter(|line| line.contains("libpython")).collect();
        libraries.retain(|line| !line.ends_with(library.to_str().unwrap()));
        assert!(maps.contains(library.to_str().unwrap()) && libraries.is_empty(), "{maps}");
    }
}

#[test]
fn a_folder_may_be_reached_through_a_link() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["direct", "real"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    symlink("real", folder.path().join("link")).unwrap();
    let (direct, linked) = (link(&folder.path().join("direct"), "cc"), link(&folder.path().join("link"), "cc"));
    assert_eq!((direct.0, direct.1.len()), (linked.0, linked.1.len()));
}

#[test]
fn without_a_linker_nothing_is_made_and_nothing_breaks() {
    let folder = tempfile::tempdir().unwrap();
    for compiler in ["false", "no-such-compiler"] {
        assert_eq!(link(folder.path(), compiler), (String::new(), Vec::new()));
    }
}
