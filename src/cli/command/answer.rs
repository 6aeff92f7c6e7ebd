//! What the function answered to a command.

use serde::Deserialize;
use serde_json::Value;

use crate::cli::failure::Failure;
use crate::cli::out::Out;

/// The answer to an invocation.
#[derive(Debug)]
pub(super) struct Answer {
    /// What the function returned, or the error that it posted: JSON.
    pub(super) payload: Vec<u8>,
    /// Whether it is an error.
    pub(super) failed: bool,
    /// The end of the log, if the function failed and there is one.
    pub(super) log: String,
}

/// What the runtime returns for a command.
#[derive(Debug, Deserialize)]
struct Ran {
    exit_code: i64,
    output: String,
    cut: u64,
}

/// The error of a function.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Report {
    error_type: String,
    error_message: String,
    stack_trace: Vec<Value>,
}

impl Answer {
    /// Shows the output; the exit code of the command becomes that of this program.
    pub(super) fn show(&self, out: &mut Out) -> Result<bool, Failure> {
        if self.failed {
            return Err(self.failure());
        }
        let Ok(result) = serde_json::from_slice::<Ran>(&self.payload) else {
            return Err(Failure::Failed(format!(
                "the function did not run it as a command: is WSGI_LAMBDA_COMMANDS=true set, and its runtime wsgi-lambda? It \
                 returned {}",
                excerpt(&self.payload)
            )));
        };
        if result.cut > 0 {
            out.note(format_args!("the first {} bytes of the output are left out; the log has them", result.cut))?;
        }
        if !result.output.is_empty() {
            out.raw(result.output.strip_suffix('\n').unwrap_or(&result.output).as_bytes())?;
        }
        match u8::try_from(result.exit_code & 0xff).unwrap_or(1) {
            0 => Ok(true),
            code => Err(Failure::Status(code)),
        }
    }

    fn failure(&self) -> Failure {
        let report: Report = serde_json::from_slice(&self.payload).unwrap_or_default();
        let advice = match report.error_type.as_str() {
            "Runtime.UnsupportedEvent" => "\nset WSGI_LAMBDA_COMMANDS=true on the function to let it run commands",
            _ => "",
        };
        let mut text = match (report.error_type.as_str(), report.error_message.as_str()) {
            ("", "") => format!("the function failed: {}", excerpt(&self.payload)),
            ("", message) => format!("the function failed: {message}"),
            (kind, message) => format!("the function failed: {kind}: {message}"),
        };
        for line in report.stack_trace.iter().filter_map(Value::as_str) {
            text.push('\n');
            text.push_str(line.trim_end_matches('\n'));
        }
        text.push_str(advice);
        if !self.log.is_empty() {
            text.push_str("\nthe end of its log:\n");
            text.push_str(self.log.trim_end_matches('\n'));
        }
        Failure::Failed(text)
    }
}

fn excerpt(payload: &[u8]) -> String {
    const MOST: usize = 300;
    let text = String::from_utf8_lossy(payload);
    match text.char_indices().nth(MOST) {
        None => text.into_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
