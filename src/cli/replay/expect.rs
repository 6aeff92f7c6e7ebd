//! Expected responses, stored in files, and how a response differs from them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ignore::{Ignored, masked};
use super::outcome_json;
use crate::cli::failure::Failure;
use crate::emulator::Outcome;

/// A folder of expected responses, one file for each event.
pub(super) struct Expectations {
    folder: PathBuf,
    update: bool,
    ignored: Vec<Ignored>,
    stored: usize,
}

/// The result of a comparison.
pub(super) enum Verdict {
    /// The response is the expected one.
    Same,
    /// The response was stored; the file is new or had another content.
    Stored,
    /// There is no file with the expected response.
    Missing(PathBuf),
    /// The two differ. They are text, to be compared line by line.
    Differs { expected: String, got: String },
    /// There is an error of init or of the platform instead, which is never stored.
    NoResponse,
}

impl Verdict {
    pub(super) fn is_fine(&self) -> bool {
        matches!(self, Self::Same | Self::Stored)
    }
}

impl Expectations {
    pub(super) fn new(folder: &Path, update: bool, ignored: &[Ignored]) -> Result<Self, Failure> {
        if folder.exists() && !folder.is_dir() {
            let folder = folder.display();
            return Err(Failure::Usage(format!("--expect {folder}: give a folder, which holds a file for each event")));
        }
        Ok(Self { folder: folder.to_owned(), update, ignored: ignored.to_vec(), stored: 0 })
    }

    /// How many files were written.
    pub(super) fn stored(&self) -> usize {
        self.stored
    }

    /// Compares a response with its file, or stores it there.
    pub(super) fn check(&mut self, name: &str, outcome: &Outcome) -> Result<Verdict, Failure> {
        if matches!(outcome, Outcome::Platform(_) | Outcome::InitError(_)) {
            return Ok(Verdict::NoResponse);
        }
        // Not `with_extension`: the name may contain a dot.
        let path = self.folder.join(format!("{name}.json"));
        let failure = |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", path.display()));
        let got = outcome_json::value(outcome);
        let expected: Option<Value> = match std::fs::read(&path) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(value) => Some(value),
                Err(_) if self.update => None,
                Err(error) => return Err(failure(&format!("not JSON: {error}; store it again with --update"))),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(failure(&error)),
        };
        match expected {
            Some(expected) if masked(&expected, &self.ignored) == masked(&got, &self.ignored) => Ok(Verdict::Same),
            _ if self.update => {
                store(&path, &got).map_err(|error| failure(&error))?;
                self.stored += 1;
                Ok(Verdict::Stored)
            }
            None => Ok(Verdict::Missing(path)),
            Some(expected) => Ok(differs(&masked(&expected, &self.ignored), &masked(&got, &self.ignored))),
        }
    }
}

fn store(path: &Path, value: &Value) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, pretty(value))
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Both as text. JSON bodies are expanded, unless the difference is only in how they are written.
fn differs(expected: &Value, got: &Value) -> Verdict {
    let (expanded_expected, expanded_got) = (pretty(&expanded(expected)), pretty(&expanded(got)));
    if expanded_expected == expanded_got {
        return Verdict::Differs { expected: pretty(expected), got: pretty(got) };
    }
    Verdict::Differs { expected: expanded_expected, got: expanded_got }
}

/// The envelope with its body as JSON, if the text is JSON.
fn expanded(envelope: &Value) -> Value {
    let mut envelope = envelope.clone();
    if let Some(body) = envelope.get_mut("body")
        && let Some(text) = body.as_str()
        && let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
    {
        *body = value;
    }
    envelope
}
