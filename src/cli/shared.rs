//! What several commands share: options, places, and tokio's start.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::failure::Failure;
use crate::emulator::{LogLine, LogSink};
use crate::sync::lock;

/// Where `layer/python/build` and `wsgi-lambda layer` put Pythons, each in a folder of its own. Relative to the
/// repository.
pub(super) const LAYER_PYTHONS: &str = ".cache/layer-python";

/// The Pythons there: in the current folder, and in the folders above this program, which may be in the repository that it
/// was built from. In each, the first by name comes first: a build with optimisations before a quick one.
pub(super) fn layer_pythons() -> Vec<PathBuf> {
    let program = std::env::current_exe().unwrap_or_default();
    let folders = [Path::new("")].into_iter().chain(program.ancestors().skip(1));
    let in_folder = |folder: &Path| {
        let entries = std::fs::read_dir(folder.join(LAYER_PYTHONS)).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        found.sort();
        found
    };
    folders.flat_map(in_folder).collect()
}

/// Reads an option such as `KEY=VALUE`; `form` is how a message shows it.
pub(super) fn pair(text: &str, form: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("write it as {form}")),
    }
}

/// Reads a number of seconds above 0, such as a function's timeout.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    // Lambda's own limit of 15 minutes does not apply here: the application may wait in a debugger.
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|duration| !duration.is_zero()).ok_or_else(|| "give a number of seconds above 0".to_owned())
}

/// The virtual environment of `--venv`. `VIRTUAL_ENV` that is empty counts as unset.
pub(super) fn venv(given: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    let Some(venv) = given.filter(|path| !path.as_os_str().is_empty()) else { return Ok(None) };
    let wrong = |error| Failure::Usage(format!("no virtual environment {}: {error}; correct --venv", venv.display()));
    let found = venv.canonicalize().map_err(wrong)?;
    if !found.join("pyvenv.cfg").is_file() {
        let found = found.display();
        return Err(Failure::Usage(format!(
            "{found} is no virtual environment: it has no pyvenv.cfg; correct --venv or VIRTUAL_ENV"
        )));
    }
    Ok(Some(found))
}

/// The log of a sandbox as one text, and the sink that writes it.
pub(super) fn log_text() -> (Arc<Mutex<String>>, LogSink) {
    let text = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&text);
    let sink = Arc::new(move |line: LogLine| {
        let mut text = lock(&into);
        text.push_str(&line.text);
        text.push('\n');
    });
    (text, sink)
}

/// A tokio runtime on this thread.
pub(super) fn tokio_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::Failed(format!("cannot start: {error}")))
}
