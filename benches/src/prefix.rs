//! A Python that has nothing installed: the standard library and its programs, laid out as a layer is.
//!
//! What a machine has in `site-packages`, `.pth` files above all, runs at every start of its Python, and would be measured
//! with whoever looks there. The runtime and the peers both start from this prefix instead, as they do on Lambda, with
//! the same libpython; a distribution's `python3` may have the same code in itself.

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
    executable: PathBuf,
    stdlib: PathBuf,
    /// `libpython3.11.so.1.0`
    library: String,
}

/// Folders of the standard library in which packages are installed.
const INSTALLED: [&str; 2] = ["site-packages", "dist-packages"];

const PARTS: &str = "import json, os, sys, sysconfig\n\
    var = lambda name: sysconfig.get_config_var(name) or ''\n\
    print(json.dumps({'executable': os.path.realpath(sys._base_executable), 'stdlib': sysconfig.get_path('stdlib'),\n\
    'library': var('INSTSONAME')}))";
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
    // Copies: Python and the runtime look for the library beside the file that they are, not the link.
    let own = [(parts.executable.as_path(), programs.join("python3")), (bootstrap, runtime.join("bootstrap"))];
    for (from, to) in &own {
        fs::copy(from, to).with_context(|| from.display().to_string())?;
    }
    let [(_, python), (_, bootstrap)] = own;
    Ok((python, bootstrap))
}
