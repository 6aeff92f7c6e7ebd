//! A Python that has nothing installed: the standard library and its programs, laid out as a layer is.
//!
//! What a machine has in `site-packages`, `.pth` files above all, runs at every start of its Python, and would be measured
//! with whoever looks there. The runtime and the peers both start from this prefix instead, as they do on Lambda, with
//! the same libpython: the peers' Python is compiled here, since a distribution's `python3` can have the same code in itself,
//! compiled to run faster than a library.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::command::output;

/// Where the given Python keeps its parts.
#[derive(Deserialize)]
struct Parts {
    stdlib: PathBuf,
    /// `libpython3.11.so.1.0`
    library: String,
}

/// Folders of the standard library in which packages are installed.
const INSTALLED: [&str; 2] = ["site-packages", "dist-packages"];

const PARTS: &str = "import json, sysconfig\n\
    library = sysconfig.get_config_var('INSTSONAME') or ''\n\
    print(json.dumps({'stdlib': sysconfig.get_path('stdlib'), 'library': library}))";
/// Says where the shared library is.
const LOCATE: &str = include_str!("../../src/python/locate.py");

/// Makes the prefix in this folder, from nothing; returns its Python and its copy of the runtime.
pub(crate) fn make(python: &Path, bootstrap: &Path, version: &str, prefix: &Path) -> Result<(PathBuf, PathBuf)> {
    let parts: Parts = serde_json::from_str(&output(Command::new(python).args(["-c", PARTS]))?)?;
    if prefix.exists() {
        fs::remove_dir_all(prefix)?;
    }
    let (programs, library) = (prefix.join("bin"), prefix.join("lib").join(format!("python{version}")));
    fs::create_dir_all(&programs)?;
    fs::create_dir_all(&library)?;
    for entry in fs::read_dir(&parts.stdlib).with_context(|| parts.stdlib.display().to_string())? {
        let entry = entry?;
        if !INSTALLED.iter().any(|name| entry.file_name() == *name) {
            symlink(entry.path(), library.join(entry.file_name()))?;
        }
    }
    let located = output(Command::new(python).args(["-S", "-c", LOCATE]))?;
    let folder = located.lines().nth(1).filter(|folder| !folder.is_empty()).context("no shared libpython")?;
    symlink(Path::new(folder).join(&parts.library), prefix.join("lib").join(&parts.library))?;
    let runtime = prefix.join("runtime");
    fs::create_dir_all(&runtime)?;
    // A copy: the runtime looks for the library beside the file that it is, not beside a link.
    let own = runtime.join("bootstrap");
    fs::copy(bootstrap, &own).with_context(|| bootstrap.display().to_string())?;
    Ok((interpreter(&programs, &prefix.join("lib").join(&parts.library))?, own))
}

/// `python3` as Python's own `Programs/python.c` has it, on top of the library.
fn interpreter(folder: &Path, library: &Path) -> Result<PathBuf> {
    let (source, program) = (folder.join("python.c"), folder.join("python3"));
    fs::write(
        &source,
        "int Py_BytesMain(int, char **);\nint main(int n, char **words) { return Py_BytesMain(n, words); }\n",
    )?;
    let rpath = "-Wl,-rpath,$ORIGIN/../lib";
    output(Command::new("cc").args(["-O2", rpath, "-o"]).arg(&program).arg(&source).arg(library))?;
    Ok(program)
}
