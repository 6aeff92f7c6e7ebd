//! Room: `log`, the runtime's own log records, in the form that the function's log settings ask for.
//! In: a level, a message, the request id if there is one.
//! Out: one write to standard output, or one frame to the telemetry descriptor.
//! May use: `config`, `descriptor`, `error`, `serde_json`, humantime.
//! Must not: know Python; carry header values, bodies or credentials.

use std::borrow::Cow;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::config::LogFormat;
use crate::descriptor::OwnedFile;
use crate::error::Error;

/// A level, with the names and frame numbers of Python's `logging`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Something to fix, though the request was served.
    Warning,
    /// Something failed.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }

    /// The frame type for the telemetry descriptor (awslambdaric, `lambda_runtime_log_utils.py`): 4 more for each
    /// higher level, and one less for JSON.
    fn frame_type(self, format: LogFormat) -> u32 {
        let text: u32 = match self {
            Self::Info => 0xA55A_000F,
            Self::Warning => 0xA55A_0013,
            Self::Error => 0xA55A_0017,
        };
        match format {
            LogFormat::Text => text,
            LogFormat::Json => text - 1,
        }
    }
}

/// Where log lines go, and in which form.
#[derive(Debug, Default)]
pub struct Log {
    format: LogFormat,
    telemetry: Option<OwnedFile>,
}

impl Log {
    /// A log on the telemetry descriptor, or on standard output if the platform gave none.
    pub fn new(format: LogFormat, telemetry: Option<std::fs::File>) -> Self {
        Self { format, telemetry: telemetry.map(OwnedFile::new) }
    }

    /// Writes one line.
    pub fn line(&self, level: Level, request_id: &str, message: &str) {
        let message = printable(message);
        let message = &*bounded(&message);
        let record = match self.format {
            LogFormat::Text => {
                format!("[{}]\t{}\t{request_id}\t{}", level.name(), timestamp_millis(), one_event(message))
            }
            LogFormat::Json => {
                let mut record = json!({"timestamp": timestamp(), "level": level.name(), "message": message});
                add_request_id(&mut record, request_id);
                record.to_string()
            }
        };
        self.write(level, &record);
    }

    /// Writes an error with its stack trace as one record, in the managed Python runtime's form.
    pub fn error(&self, request_id: &str, error: &Error) {
        self.exception(request_id, error.error_type(), error.message(), error.stack_trace());
    }

    /// Writes an error with the stacks of all threads. In each the most recent call is first.
    pub fn stacks(&self, request_id: &str, error_type: &str, message: &str, stacks: &str) {
        match self.format {
            LogFormat::Text => {
                let text = format!("[ERROR] {error_type}: {message}\n{}", stacks.trim_end());
                self.write(Level::Error, &self.one_record(text));
            }
            LogFormat::Json => {
                let lines: Vec<String> = stacks.lines().map(|line| format!("{line}\n")).collect();
                self.exception(request_id, error_type, message, &lines);
            }
        }
    }

    /// Writes an exception with its stack trace as one record.
    pub fn exception(&self, request_id: &str, error_type: &str, message: &str, stack_trace: &[String]) {
        let message = &*bounded(message);
        let record = match self.format {
            LogFormat::Text => {
                let mut text = format!("[ERROR] {error_type}: {message}");
                if !stack_trace.is_empty() {
                    text.push_str("\nTraceback (most recent call last):\n");
                    text.push_str(stack_trace.concat().trim_end_matches('\n'));
                }
                self.one_record(text)
            }
            LogFormat::Json => {
                let mut record = json!({
                    "timestamp": timestamp(), "level": "ERROR", "errorMessage": message, "errorType": error_type,
                    "stackTrace": stack_trace,
                });
                add_request_id(&mut record, request_id);
                record.to_string()
            }
        };
        self.write(Level::Error, &record);
    }

    /// The text as one record. A frame may have several lines, a record on standard output only one.
    fn one_record(&self, text: String) -> String {
        if self.telemetry().is_some() { text } else { one_event(&text) }
    }

    /// The platform's descriptor, unless the application has closed it.
    fn telemetry(&self) -> Option<&std::fs::File> {
        self.telemetry.as_ref().and_then(OwnedFile::get)
    }

    fn write(&self, level: Level, record: &str) {
        // If the log cannot be written, there is nowhere to report it.
        let _ = match self.telemetry() {
            Some(mut file) => {
                let mut frame = Vec::with_capacity(record.len() + 17);
                frame.extend_from_slice(&level.frame_type(self.format).to_be_bytes());
                frame.extend_from_slice(&u32::try_from(record.len() + 1).unwrap_or(u32::MAX).to_be_bytes());
                frame.extend_from_slice(&micros_since_epoch().to_be_bytes());
                frame.extend_from_slice(record.as_bytes());
                frame.push(b'\n');
                file.write_all(&frame)
            }
            None => std::io::stdout().lock().write_all(format!("{record}\n").as_bytes()),
        };
    }
}

/// The longest message, in bytes. CloudWatch takes no larger events.
const MAX_MESSAGE: usize = 200_000;

/// The message, cut to 200,000 bytes. The rest is replaced by its size.
pub fn bounded(message: &str) -> Cow<'_, str> {
    let Some(rest) = message.len().checked_sub(MAX_MESSAGE).filter(|rest| *rest > 0) else {
        return Cow::Borrowed(message);
    };
    let end = (0..=MAX_MESSAGE).rev().find(|&at| message.is_char_boundary(at)).unwrap_or(0);
    Cow::Owned(format!("{} … ({rest} bytes more)", &message[..end]))
}

/// Escapes control characters, which a terminal would obey. [`one_event`] replaces the newlines.
fn printable(message: &str) -> Cow<'_, str> {
    let is_command = |char: char| char.is_control() && char != '\n' && char != '\t';
    if !message.contains(is_command) {
        return Cow::Borrowed(message);
    }
    let escaped = message.chars().map(|char| match char {
        char if is_command(char) => char.escape_default().to_string(),
        char => char.to_string(),
    });
    Cow::Owned(escaped.collect())
}

fn add_request_id(record: &mut serde_json::Value, request_id: &str) {
    if !request_id.is_empty() {
        record["requestId"] = request_id.into();
    }
}

/// Makes one line of several, because on standard output every newline begins a new CloudWatch event. As in the managed
/// Python runtime, lines are joined by carriage returns and indented by no-break spaces, so that a traceback stays
/// readable.
fn one_event(text: &str) -> String {
    if !text.contains('\n') {
        return text.to_owned();
    }
    let lines = text.lines().map(|line| {
        let indented = line.trim_start_matches(' ');
        "\u{A0}".repeat(line.len() - indented.len()) + indented
    });
    lines.collect::<Vec<_>>().join("\r")
}

fn micros_since_epoch() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

/// The time in JSON records, to the second as in the managed Python runtime.
fn timestamp() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// The time in text records, to the millisecond as in the managed Python runtime.
fn timestamp_millis() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_bounded_and_hold_no_commands() {
        assert_eq!(printable("GET /\u{1b}[2J\r\0é\n"), "GET /\\u{1b}[2J\\r\\u{0}é\n");
        assert_eq!(bounded("short"), "short");
        let long = bounded(&"é".repeat(MAX_MESSAGE)).into_owned();
        assert!(long.len() < MAX_MESSAGE + 40 && long.ends_with("… (200000 bytes more)"), "{}", long.len());
    }

    #[test]
    fn a_traceback_is_one_event() {
        assert_eq!(one_event("a\n  b\n    c"), "a\r\u{A0}\u{A0}b\r\u{A0}\u{A0}\u{A0}\u{A0}c");
    }
}
