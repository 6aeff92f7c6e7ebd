//! How values and log lines are shown to people.

use std::time::Duration;

use super::out::{CYAN, GREEN, RED, YELLOW};

/// A time with three significant digits.
pub(in crate::cli) fn duration(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        ..10.0 => format!("{millis:.2} ms"),
        ..100.0 => format!("{millis:.1} ms"),
        ..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.2} s", millis / 1e3),
    }
}

/// A number of bytes.
pub(in crate::cli) fn size(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// The colour of a status.
pub(in crate::cli) fn style(status: u16) -> anstyle::Style {
    match status {
        200..300 => GREEN,
        300..400 => CYAN,
        400..500 => YELLOW,
        _ => RED,
    }
}

/// Splits lines that the runtime joined for CloudWatch, where each `\n` starts a new log event: `\r` is between them,
/// and their indentation is no-break spaces.
pub(in crate::cli) fn unfold(line: &str) -> Vec<String> {
    let mut lines = line.trim_end_matches('\r').split('\r');
    let first = lines.next().unwrap_or_default().to_owned();
    let rest = lines.map(|line| {
        let text = line.trim_start_matches('\u{a0}');
        let indent = (line.len() - text.len()) / '\u{a0}'.len_utf8();
        " ".repeat(indent) + text
    });
    std::iter::once(first).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_log_lines_are_unfolded() {
        let line = "[ERROR] E: x\r\u{a0}\u{a0}File \"a\u{a0}b\"\r\u{a0}\u{a0}\u{a0}\u{a0}code\rend\r";
        assert_eq!(unfold(line), ["[ERROR] E: x", "  File \"a\u{a0}b\"", "    code", "end"]);
        assert_eq!(unfold("\u{a0}alone"), ["\u{a0}alone"]);
        assert_eq!(unfold(""), [""]);
    }
}
