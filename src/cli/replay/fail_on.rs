//! `--fail-on`: which outcomes make the exit status 1.

use std::str::FromStr;

use crate::emulator::{HttpResponse, Outcome};

/// `500`, `5xx` or `error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailOn {
    /// One status.
    Status(u16),
    /// All statuses with this first digit.
    Class(u16),
    /// An error in place of a response, and a streamed response that was not finished.
    Error,
}

impl FromStr for FailOn {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write a status (500), a class of them (5xx) or `error`";
        let text = text.trim().to_ascii_lowercase();
        if text == "error" {
            return Ok(Self::Error);
        }
        if let Some(class) = text.strip_suffix("xx") {
            return class.parse().ok().filter(|class| (1..=5).contains(class)).map(Self::Class).ok_or(FORM);
        }
        text.parse().ok().filter(|status| (100..=599).contains(status)).map(Self::Status).ok_or(FORM)
    }
}

/// What to fail for, in a word: the status, or `error`. `None` if nothing was asked for that came.
pub(super) fn reason(outcome: &Outcome, asked: &[FailOn]) -> Option<String> {
    let status = HttpResponse::of(outcome).map(|response| response.status);
    let hit = |one: &&FailOn| match **one {
        FailOn::Status(wanted) => status == Some(wanted),
        FailOn::Class(class) => status.is_some_and(|status| status / 100 == class),
        FailOn::Error => outcome.is_failure(),
    };
    asked.iter().find(hit).map(|one| match (one, status) {
        (FailOn::Status(_) | FailOn::Class(_), Some(status)) => status.to_string(),
        _ => "error".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_classes_and_errors() {
        assert_eq!("500".parse(), Ok(FailOn::Status(500)));
        assert_eq!("5XX".parse(), Ok(FailOn::Class(5)));
        assert_eq!("error".parse(), Ok(FailOn::Error));
        for text in ["", "0xx", "6xx", "50x", "99", "600", "errors"] {
            assert!(text.parse::<FailOn>().is_err(), "{text}");
        }
    }
}
