//! What went wrong with an invocation, for people.

use serde_json::Value;

use crate::emulator::{Outcome, Report};

/// What went wrong, on one line. `None` if nothing did.
pub(super) fn trouble(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Response(response) => {
            let stream = response.stream.as_ref()?;
            let error = stream.error().map(|(kind, _)| format!("the stream ended with an error: {kind}"));
            error.or_else(|| (!stream.complete).then(|| "the stream was cut before its end".to_owned()))
        }
        Outcome::Error(report) => Some(text(report)),
        Outcome::InitError(report) => Some(format!("the application does not start: {}", text(report))),
        Outcome::Platform(error) => Some(format!("{}: {}", error.error_type, error.message)),
    }
}

fn text(report: &Report) -> String {
    let error: Value = serde_json::from_slice(&report.body).unwrap_or_default();
    let field = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    format!("{}: {}", field("errorType"), field("errorMessage"))
}
