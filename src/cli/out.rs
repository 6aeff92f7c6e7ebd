//! The standard streams: the only place of the command line that writes to them.
//!
//! Styles are always written; `anstream` takes them out again unless the stream is a terminal that shows
//! them (`NO_COLOR`, `CLICOLOR`, `TERM`).

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

    /// Writes bytes and an end of line to standard output, exactly as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stdout.flush()?;
        // Behind `anstream`, which would take escape sequences out of the bytes.
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

    /// Says why a command ended.
    pub(super) fn error(&mut self, text: &impl Display) -> io::Result<()> {
        self.note(format_args!("{RED}error:{RED:#} {text}"))
    }
}
