//! The standard streams: the only place of the command line that writes to them.
//!
//! Callers always write styles. `anstream` removes them unless the stream is a terminal that shows them (`NO_COLOR`,
//! `CLICOLOR`, `TERM`).

use std::fmt::Display;
use std::io::{self, Stderr, Stdout, Write as _};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const CYAN: Style = AnsiColor::Cyan.on_default();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(super) const RED: Style = AnsiColor::Red.on_default();

/// Standard output and standard error.
pub(super) struct Out {
    stdout: AutoStream<Stdout>,
    stderr: AutoStream<Stderr>,
    verbosity: Verbosity,
}

impl Out {
    pub(super) fn new(verbosity: Verbosity) -> Self {
        Self { stdout: anstream::stdout(), stderr: anstream::stderr(), verbosity }
    }

    pub(super) fn quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    pub(super) fn verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Writes a line to standard output.
    pub(super) fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.stdout, "{text}")
    }

    /// Writes text without an end of line, for a prompt.
    pub(super) fn part(&mut self, text: impl Display) -> io::Result<()> {
        write!(self.stdout, "{text}")?;
        self.stdout.flush()
    }

    /// Writes bytes and an end of line to standard output, exactly as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stdout.flush()?;
        // Not through `anstream`, which would remove escape sequences from the bytes.
        let mut stdout = self.stdout.as_inner();
        stdout.write_all(bytes)?;
        stdout.write_all(b"\n")?;
        stdout.flush()
    }

    /// Writes a line to standard error, after everything that was written to standard output.
    pub(super) fn note(&mut self, text: impl Display) -> io::Result<()> {
        self.stdout.flush()?;
        writeln!(self.stderr, "{text}")
    }

    /// Passes on what was written so far, for a reader that waits for it.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }

    /// Says why a command ended.
    pub(super) fn error(&mut self, text: &impl Display) -> io::Result<()> {
        // Standard output may be what cannot be written: that must not keep the message back.
        let _ = self.stdout.flush();
        writeln!(self.stderr, "{RED}error:{RED:#} {text}")
    }
}

/// Text that cannot control a terminal: control characters are shown as escapes.
pub(super) fn printable(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().collect() } else { c.to_string() };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable("a\x1bb\u{9b}"), "a\\u{1b}b\\u{9b}");
    }
}
