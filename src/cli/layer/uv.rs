//! uv's Pythons for the layer (python-build-standalone): optimised, made for an old glibc, for both processors.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::bundle::Architecture;
use crate::cli::packaging::target::PythonVersion;
use crate::cli::shared::LAYER_PYTHONS;

/// uv's name for a Python, such as `cpython-3.13-linux-x86_64-gnu`.
fn name(python: PythonVersion, architecture: Architecture) -> String {
    format!("cpython-{python}-linux-{}-gnu", architecture.machine())
}

/// The folder of one that uv has. uv starts what it finds, so this finds no Python for another machine.
pub(super) fn known(python: PythonVersion, architecture: Architecture) -> Option<PathBuf> {
    let interpreter = find(Command::new("uv"), &name(python, architecture))?;
    Some(interpreter.canonicalize().ok()?.ancestors().nth(2)?.to_owned())
}

/// Has uv install one into [`LAYER_PYTHONS`], for any machine. uv itself reports what it does, and why it fails.
pub(super) fn install(python: PythonVersion, architecture: Architecture) -> bool {
    installed(&name(python, architecture))
}

/// The program of one that uv installs for this machine.
pub(super) fn install_for_this_machine(python: PythonVersion) -> Option<PathBuf> {
    let version = python.to_string();
    installed(&version).then_some(())?;
    let mut uv = Command::new("uv");
    uv.env("UV_PYTHON_INSTALL_DIR", LAYER_PYTHONS);
    find(uv, &version)
}

fn installed(request: &str) -> bool {
    let mut uv = Command::new("uv");
    uv.args(["python", "install", "--install-dir", LAYER_PYTHONS, request]);
    uv.env("UV_PYTHON_INSTALL_BIN", "0"); // does not put `python3.13` on PATH
    uv.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn find(mut uv: Command, request: &str) -> Option<PathBuf> {
    uv.args(["python", "find", "--managed-python", "--no-python-downloads", "--no-project", request]);
    let output = uv.output().ok().filter(|output| output.status.success())?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}
