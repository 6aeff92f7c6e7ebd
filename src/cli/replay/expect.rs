//! Answers kept in files, and how they differ.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Failure, answer};
use crate::emulator::Outcome;

/// A folder of expected answers, one file for each event.
pub(super) struct Expectations {
    folder: PathBuf,
    update: bool,
    stored: usize,
}

/// What a comparison says.
pub(super) enum Verdict {
    /// The answer is the expected one.
    Same,
    /// The answer was stored, and the file is new or was another.
    Stored,
    /// There is no file for it.
    Missing(PathBuf),
    /// The two, as text to compare line by line.
    Differs { expected: String, got: String },
    /// The platform answered in place of the runtime, which is never stored.
    NoAnswer,
}

impl Verdict {
    pub(super) fn is_fine(&self) -> bool {
        matches!(self, Self::Same | Self::Stored)
    }
}

impl Expectations {
    pub(super) fn new(folder: &Path, update: bool) -> Self {
        Self { folder: folder.to_owned(), update, stored: 0 }
    }

    /// How many files were written.
    pub(super) fn stored(&self) -> usize {
        self.stored
    }

    /// Compares an answer with its file, or stores it there.
    pub(super) fn check(&mut self, name: &str, outcome: &Outcome) -> Result<Verdict, Failure> {
        if matches!(outcome, Outcome::Platform(_) | Outcome::InitError(_)) {
            return Ok(Verdict::NoAnswer);
        }
        // Not `with_extension`: a name may hold a dot.
        let path = self.folder.join(format!("{name}.json"));
        let failure = |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", path.display()));
        let got = answer::value(outcome);
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
            Some(expected) if expected == got => Ok(Verdict::Same),
            _ if self.update => {
                store(&path, &got).map_err(|error| failure(&error))?;
                self.stored += 1;
                Ok(Verdict::Stored)
            }
            None => Ok(Verdict::Missing(path)),
            Some(expected) => Ok(differs(&expected, &got)),
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

/// Both as text: with JSON bodies opened, unless it is their spelling that differs.
fn differs(expected: &Value, got: &Value) -> Verdict {
    let (open_expected, open_got) = (pretty(&opened(expected)), pretty(&opened(got)));
    if open_expected == open_got {
        return Verdict::Differs { expected: pretty(expected), got: pretty(got) };
    }
    Verdict::Differs { expected: open_expected, got: open_got }
}

/// The envelope with its body as JSON, if that is what the text holds.
fn opened(envelope: &Value) -> Value {
    let mut envelope = envelope.clone();
    if let Some(body) = envelope.get_mut("body")
        && let Some(text) = body.as_str()
        && let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
    {
        *body = value;
    }
    envelope
}
