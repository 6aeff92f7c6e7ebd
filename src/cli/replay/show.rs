//! Outcomes as text for people.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::expect::Verdict;
use super::sources::Event;
use super::timing::Timing;
use crate::cli::failure::Failure;
use crate::cli::out::{BOLD, CYAN, DIM, GREEN, Out, RED, YELLOW, printable};
use crate::cli::shown::{duration, size, style, unfold};
use crate::emulator::{ApiCall, Exit, FunctionResponse, HttpResponse, Outcome, PlatformError, Stream};

/// A longer text is cut, unless `--verbose` is given.
const TEXT_LINES_MAX: usize = 40;
const TEXT_BYTES_MAX: usize = 4000;
/// How much of a binary body is shown.
const BINARY_BYTES_SHOWN: usize = 16;

type Shown = Result<(), Failure>;

/// The line above an outcome.
pub(super) fn heading(event: &Event, out: &mut Out) -> Shown {
    let name = printable(&event.name);
    match event.request_line() {
        Some(line) => out.line(format_args!("{BOLD}{}{BOLD:#}  {DIM}{name}{DIM:#}", printable(&line)))?,
        None => out.line(format_args!("{BOLD}{name}{BOLD:#}  {DIM}not an HTTP request{DIM:#}"))?,
    }
    Ok(())
}

/// An outcome in one line.
pub(super) fn brief(event: &Event, outcome: &Outcome, timing: &Timing, out: &mut Out) -> Shown {
    let Some(response) = HttpResponse::of(outcome) else {
        heading(event, out)?;
        return error_outcome(outcome, "", out);
    };
    let style = style(response.status);
    let (status, size) = (response.status, size(response.body.len()));
    let line = event.request_line().unwrap_or_default();
    out.line(format_args!(
        "{style}{status}{style:#}  {:34}  {DIM}{size:>10}  {timing}{DIM:#}  {}",
        printable(&event.name),
        printable(&line)
    ))?;
    Ok(())
}

/// A response or error, and how long it took.
pub(super) fn outcome(outcome: &Outcome, timing: &Timing, out: &mut Out) -> Shown {
    let Outcome::Response(response) = outcome else {
        return error_outcome(outcome, &format!("  {DIM}{timing}{DIM:#}"), out);
    };
    if let Some(response) = HttpResponse::decode(response) {
        http(&response, timing, out)?;
    } else {
        out.line(format_args!("  {BOLD}response{BOLD:#}  {DIM}{timing}{DIM:#}"))?;
        body(&response.body, "", out)?;
    }
    match &response.stream {
        Some(stream) => streamed(response, stream, out),
        None => Ok(()),
    }
}

/// An outcome that is an error, with `suffix` at the end of its first line.
pub(super) fn error_outcome(outcome: &Outcome, suffix: &str, out: &mut Out) -> Shown {
    match outcome {
        Outcome::Error(report) => error("invocation error", &report.body, suffix, out),
        Outcome::InitError(report) => error("init error", &report.body, suffix, out),
        Outcome::Platform(PlatformError { error_type, message }) => {
            out.line(format_args!("  {RED}{error_type}{RED:#} {}{suffix}", printable(message)))?;
            Ok(())
        }
        Outcome::Response(_) => Ok(()),
    }
}

fn http(response: &HttpResponse, timing: &Timing, out: &mut Out) -> Shown {
    let style = style(response.status);
    let status = StatusCode::from_u16(response.status).ok();
    let reason = status.and_then(|status| status.canonical_reason()).unwrap_or_default();
    out.line(format_args!("  {style}{} {reason}{style:#}  {DIM}{timing}{DIM:#}", response.status))?;
    for (name, value) in &response.headers {
        out.line(format_args!("  {CYAN}{}{CYAN:#}: {}", printable(name), printable(value)))?;
    }
    body(&response.body, response.header("content-type").unwrap_or_default(), out)
}

/// A body: JSON with line breaks, text unchanged, and of anything else the size, type and first bytes.
fn body(bytes: &Bytes, content_type: &str, out: &mut Out) -> Shown {
    if bytes.is_empty() {
        return Ok(());
    }
    out.line("")?;
    let Some(text) = readable(bytes, content_type) else {
        let shown = &bytes[..bytes.len().min(BINARY_BYTES_SHOWN)];
        let hex = shown.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, " {byte:02x}");
            hex
        });
        let more = if bytes.len() > shown.len() { " …" } else { "" };
        let kind = if content_type.is_empty() { "no type" } else { content_type };
        out.line(format_args!("  {DIM}{} of {}:{hex}{more}{DIM:#}", size(bytes.len()), printable(kind)))?;
        return Ok(());
    };
    let shown = if out.verbose() { text.len() } else { cut(&text) };
    for line in text[..shown].lines() {
        out.line(format_args!("  {line}"))?;
    }
    if shown < text.len() {
        let more = size(text.len() - shown);
        out.line(format_args!("  {DIM}… {more} more, --verbose shows all{DIM:#}"))?;
    }
    Ok(())
}

fn readable(bytes: &[u8], content_type: &str) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    if (content_type.is_empty() || content_type.contains("json"))
        && let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
    {
        return Some(format!("{value:#}"));
    }
    // Other control characters could move the cursor or worse.
    let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(plain).then(|| text.replace("\r\n", "\n"))
}

/// Where a long text is cut: at the end of a line, or at least not within a character.
fn cut(text: &str) -> usize {
    let lines = text.match_indices('\n').nth(TEXT_LINES_MAX - 1).map_or(text.len(), |(index, _)| index + 1);
    let end = lines.min(TEXT_BYTES_MAX);
    (0..=end).rev().find(|&index| text.is_char_boundary(index)).unwrap_or(0)
}

fn streamed(response: &FunctionResponse, stream: &Stream, out: &mut Out) -> Shown {
    let count = stream.chunks.len();
    let bytes = size(response.body.len());
    let first = stream.chunks.first().map(|chunk| duration(chunk.after)).unwrap_or_default();
    let last = stream.chunks.last().map(|chunk| duration(chunk.after)).unwrap_or_default();
    let chunks = if count == 1 { "chunk" } else { "chunks" };
    out.line(format_args!(
        "  {DIM}streamed {bytes} in {count} {chunks}, first after {first}, last after {last}{DIM:#}"
    ))?;
    if out.verbose() {
        for chunk in &stream.chunks {
            out.line(format_args!("  {DIM}{:>10}  {}{DIM:#}", duration(chunk.after), size(chunk.bytes.len())))?;
        }
    }
    if let Some((kind, payload)) = stream.error() {
        error(&format!("error in the stream, {kind}"), &payload, "", out)?;
    } else if !stream.complete {
        out.line(format_args!("  {RED}the stream was cut{RED:#} before its end"))?;
    }
    Ok(())
}

/// An error payload: its type, message and stack trace. If it does not keep to the contract, it is shown unchanged.
fn error(what: &str, payload: &[u8], suffix: &str, out: &mut Out) -> Shown {
    let parsed: Value = serde_json::from_slice(payload).unwrap_or_default();
    let text = |key: &str| parsed.get(key).and_then(Value::as_str).unwrap_or_default();
    let (kind, message) = (text("errorType"), text("errorMessage"));
    out.line(format_args!("  {RED}{}{RED:#} {BOLD}{}{BOLD:#}{suffix}", printable(what), printable(kind)))?;
    if kind.is_empty() && message.is_empty() {
        return body(&Bytes::copy_from_slice(payload), "", out);
    }
    for line in message.lines() {
        out.line(format_args!("  {}", printable(line)))?;
    }
    let trace = parsed.get("stackTrace").and_then(Value::as_array);
    let frames = trace.into_iter().flatten().filter_map(Value::as_str);
    for line in frames.flat_map(str::lines) {
        out.line(format_args!("  {DIM}{}{DIM:#}", printable(line)))?;
    }
    Ok(())
}

/// The end of a process that had answered.
pub(super) fn ended(exit: Exit, out: &mut Out) -> Shown {
    out.line(format_args!("  {RED}the runtime ended{RED:#} after its response: {exit}"))?;
    Ok(())
}

/// The request id, and the runtime's last call of the Runtime API for it.
pub(super) fn calls(calls: &[ApiCall], request_id: &str, out: &mut Out) -> Shown {
    out.line(format_args!("  {DIM}request id {request_id}{DIM:#}"))?;
    if let Some(call) = calls.iter().rev().find(|call| call.path.contains(request_id)) {
        let status = call.status.map_or_else(|| "no reply".to_owned(), |status| status.to_string());
        out.line(format_args!("  {DIM}{} {} → {status}{DIM:#}", call.method, call.path))?;
    }
    Ok(())
}

/// What goes to standard error for an event while standard output is for JSON.
pub(super) fn next_to_json(event: &Event, difference: Option<&Verdict>, lines: &[String], out: &mut Out) -> Shown {
    if difference.is_some() || !lines.is_empty() {
        out.note(format_args!("{BOLD}{}{BOLD:#}", printable(&event.name)))?;
    }
    if let Some(difference) = difference {
        out.note(verdict(difference))?;
    }
    logs(lines, out)
}

/// How the response compares with the expected one.
pub(super) fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Same => format!("  {GREEN}as expected{GREEN:#}"),
        Verdict::Stored => format!("  {GREEN}stored{GREEN:#}"),
        Verdict::Missing(path) => missing(path),
        Verdict::NoResponse => format!("  {RED}no response to compare{RED:#}"),
        Verdict::Differs { expected, got } => diff(expected, got),
    }
}

fn missing(path: &Path) -> String {
    format!("  {RED}no expected response{RED:#} {}: store it with --update", path.display())
}

fn diff(expected: &str, got: &str) -> String {
    let mut text = format!("  {RED}differs{RED:#} ({RED}- expected{RED:#}, {GREEN}+ got{GREEN:#})");
    let diff = TextDiff::from_lines(expected, got);
    for (index, group) in diff.grouped_ops(3).iter().enumerate() {
        if index > 0 {
            text.push_str("\n    …");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ('-', RED),
                ChangeTag::Insert => ('+', GREEN),
                ChangeTag::Equal => (' ', DIM),
            };
            // Writing to a string cannot fail.
            let _ = write!(text, "\n  {style}{sign} {}{style:#}", change.value().trim_end_matches('\n'));
        }
    }
    text
}

/// What the application logged, dimmed and on standard error.
pub(super) fn logs(lines: &[String], out: &mut Out) -> Shown {
    for line in lines.iter().flat_map(|line| unfold(line)) {
        out.note(format_args!("  {DIM}│ {line}{DIM:#}"))?;
    }
    Ok(())
}

/// Advice below an outcome.
pub(super) fn hints(hints: &[String], out: &mut Out) -> Shown {
    for hint in hints {
        out.note(format_args!("  {YELLOW}hint:{YELLOW:#} {}", printable(hint)))?;
    }
    Ok(())
}

/// What the end of a sandbox with an extension showed: without output, that it was orderly.
pub(super) fn shutdown(exit: Exit, lines: &[String], limit: Duration, out: &mut Out) -> Shown {
    let killed = exit.signal() == Some(9);
    if !killed && out.quiet() {
        return Ok(());
    }
    out.note(format_args!("{BOLD}shutdown{BOLD:#}  {DIM}SIGTERM: {exit}{DIM:#}"))?;
    if killed {
        let limit = limit.as_millis();
        out.note(format_args!("  {RED}killed{RED:#}: on_shutdown callbacks and atexit took more than {limit} ms"))?;
    }
    if !killed && lines.is_empty() {
        out.note("  it ended in order and logged nothing; without on_shutdown or atexit there is nothing to run")?;
    }
    logs(lines, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_at_lines_and_characters() {
        let lines = "x\n".repeat(TEXT_LINES_MAX + 1);
        assert_eq!(cut(&lines), 2 * TEXT_LINES_MAX);
        let line = "é".repeat(TEXT_BYTES_MAX);
        assert_eq!(cut(&line), TEXT_BYTES_MAX);
        assert_eq!(cut("x\u{1f600}"), 5);
    }

    #[test]
    fn what_is_not_text_is_not_shown_as_text() {
        assert_eq!(readable(b"\x1b[2J", "text/plain"), None);
        assert_eq!(readable(b"\xff", "text/plain"), None);
        assert_eq!(readable(b"{\"a\":1}", "application/json").as_deref(), Some("{\n  \"a\": 1\n}"));
        assert_eq!(readable(b"{\"a\":1}", "text/plain").as_deref(), Some("{\"a\":1}"));
    }
}
