//! `--record`: each request as an event file, for `replay`.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use bytes::Bytes;
use serde_json::Value;

use super::front;
use crate::cli::failure::Failure;
use crate::gateway::{ClientRequest, Settings};
use crate::sync::lock;

/// How much of the path is in a file's name.
const PATH: usize = 60;

/// The folder of `--record`.
#[derive(Debug)]
pub(super) struct Recorder {
    folder: PathBuf,
    /// The number of the last file.
    last: Mutex<u64>,
}

impl Recorder {
    /// Goes on after the files that are there already.
    pub(super) fn new(folder: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::Usage(format!("--record {}: {error}", folder.display()));
        std::fs::create_dir_all(folder).map_err(failed)?;
        let entries = std::fs::read_dir(folder).map_err(failed)?;
        let number = |name: &str| name.split('-').next()?.parse::<u64>().ok();
        let last = entries.flatten().filter_map(|entry| number(entry.file_name().to_str()?)).max();
        Ok(Self { folder: folder.to_owned(), last: Mutex::new(last.unwrap_or_default()) })
    }

    /// Writes an event. The error is for people.
    pub(super) fn write(&self, event: &Bytes, request: &ClientRequest, settings: &Settings) -> Result<(), String> {
        let text = serde_json::from_slice::<Value>(event).map(|event| format!("{event:#}\n"));
        let text = text.map_err(|error| format!("--record: the event is not JSON: {error}"))?;
        let mut last = lock(&self.last);
        loop {
            *last += 1;
            let path = self.folder.join(name(*last, request, settings));
            // A file that somebody else has written meanwhile stays.
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                file => {
                    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
                    return written.map_err(|error| format!("--record: cannot write {}: {error}", path.display()));
                }
            }
        }
    }
}

/// `0001-function-url-get-path.json`
fn name(number: u64, request: &ClientRequest, settings: &Settings) -> String {
    let path = request.target.split('?').next().unwrap_or_default();
    let plain = |text: &str| {
        let chars = text.chars().map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' });
        let text: String = chars.take(PATH).collect();
        text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
    };
    let parts = [front::name(settings.front_end).to_owned(), plain(request.method.as_str()), plain(path)];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{number:04}-{}.json", parts.join("-"))
}
