//! What a check finds.

use serde_json::{Value, json};

use super::node::Place;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// It will go wrong: exit status 1.
    Error,
    /// It may go wrong.
    Warning,
    /// Something to know, or something that could not be checked.
    Note,
}

impl Severity {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A kind of finding. `--list` prints it.
#[derive(Debug)]
pub(super) struct Check {
    /// Stable, for `--ignore` and for programs.
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    /// What it looks for.
    pub(super) title: &'static str,
    /// What happens, and why.
    pub(super) why: &'static str,
}

/// Something that a check has found.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) check: &'static Check,
    pub(super) severity: Severity,
    /// The resource's name; empty for an application without a template.
    pub(super) resource: String,
    pub(super) at: Option<Place>,
    pub(super) what: String,
    pub(super) fix: String,
}

impl Finding {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "id": self.check.id,
            "severity": self.severity.word(),
            "file": self.at.as_ref().map(|at| at.file.display().to_string()),
            "line": self.at.as_ref().map(|at| at.line),
            "resource": self.resource,
            "what": self.what,
            "why": self.check.why,
            "fix": self.fix,
        })
    }
}

/// The findings of a run.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) list: Vec<Finding>,
}

impl Findings {
    /// Adds one, as severe as its check says.
    pub(super) fn add(
        &mut self,
        check: &'static Check,
        resource: &str,
        at: Option<&Place>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add_as(check.severity, check, resource, at, what, fix);
    }

    /// Adds one with a severity of its own.
    pub(super) fn add_as(
        &mut self,
        severity: Severity,
        check: &'static Check,
        resource: &str,
        at: Option<&Place>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let (what, fix) = (what.into(), fix.into());
        self.list.push(Finding { check, severity, resource: resource.to_owned(), at: at.cloned(), what, fix });
    }

    /// Errors first, then by place. What two stages of one API say twice is listed once.
    pub(super) fn sort(&mut self) {
        self.list.sort_by(|one, other| {
            (one.severity, &one.at, one.check.id).cmp(&(other.severity, &other.at, other.check.id))
        });
        self.list.dedup_by(|one, other| {
            (one.check.id, &one.at, &one.resource, &one.what)
                == (other.check.id, &other.at, &other.resource, &other.what)
        });
    }

    pub(super) fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|finding| finding.severity == severity).count()
    }
}
