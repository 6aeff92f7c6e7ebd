//! The libpython that `build.rs` links anew (`src/python/link_libpython.py`): when it is made, and that nothing is left
//! where it cannot be.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Whether this machine's Python is one of those that get one, in Python's own words.
const WANTED: &str = "import os, sysconfig as s; var = lambda name: str(s.get_config_var(name) or '')\n\
    flags = var('CONFIG_ARGS') + var('CFLAGS') + var('PY_CFLAGS_NODIST') + var('LDFLAGS') + var('PY_LDFLAGS_NODIST')\n\
    there = os.path.isfile(os.path.join(var('LIBPL'), var('LIBRARY'))) and var('Py_ENABLE_SHARED') == '1'\n\
    print(there and not any(f in flags for f in ('optimizations', 'interposition', '-flto', 'symbolic')))";

fn python() -> Command {
    #[allow(clippy::disallowed_methods, reason = "a setting of the tests, not of the program")]
    let python = std::env::var_os("PYO3_PYTHON").unwrap_or_else(|| "python3".into());
    Command::new(python)
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn link(folder: &Path, compiler: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/python/link_libpython.py");
    said(python().arg("-S").arg(script).arg(folder).env("CC", compiler))
}

#[test]
fn a_python_without_optimisations_gets_a_libpython_that_it_runs_with() {
    let folder = tempfile::tempdir().unwrap();
    let archive = link(folder.path(), "cc");
    assert_eq!(!archive.is_empty(), said(python().args(["-c", WANTED])) == "True", "{archive:?}");
    let made: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(made.len(), usize::from(!archive.is_empty()), "{made:?}");
    for library in made {
        assert!(library.file_name().unwrap().to_str().unwrap().starts_with("libpython3."), "{library:?}");
        let loaded = "import _json, decimal; print(open('/proc/self/maps').read())";
        let maps = said(python().args(["-c", loaded]).env("LD_LIBRARY_PATH", folder.path()));
        let mut libraries: Vec<_> = maps.lines().filter(|line| line.contains("libpython")).collect();
        libraries.retain(|line| !line.ends_with(library.to_str().unwrap()));
        assert!(maps.contains(library.to_str().unwrap()) && libraries.is_empty(), "{maps}");
    }
}

#[test]
fn without_a_linker_nothing_is_made_and_nothing_breaks() {
    let folder = tempfile::tempdir().unwrap();
    for compiler in ["false", "no-such-compiler"] {
        assert_eq!(link(folder.path(), compiler), "");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
