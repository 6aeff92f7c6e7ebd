//! Applications that were not started, which a reader must not take for applications without mistakes.

use super::words::place;
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::Function;

pub(super) const UNCHECKED: Check = Check {
    id: "handler-unchecked",
    severity: Severity::Note,
    title: "a handler that was not tried, and why",
    why: "Only a start shows whether an application imports. It takes a runtime for this machine, the code, and the \
          requirements.",
};

const RUNTIME_FIX: &str = "Name a bootstrap that runs on this machine with --bootstrap (`make build` makes one). \
                                      A bootstrap needs the shared library of its Python (libpython3.N.so.1.0), in the \
                                      library path or in lib/ next to it. The application is not the reason.";

/// Says that a function was not started, and why.
pub(in crate::cli::doctor) fn not_run(function: &Function, what: String, fix: &str, findings: &mut Findings) {
    findings.add(&UNCHECKED, &function.name, Some(place(&function.handler, function)), what, fix);
}

/// Says that the runtime does not run here. Without a template the start is the whole job, and not to do it no success.
pub(in crate::cli::doctor) fn no_runtime(function: &Function, what: String, findings: &mut Findings) {
    let severity = if function.is_alone() { Severity::Error } else { UNCHECKED.severity };
    let at = Some(place(&function.handler, function));
    findings.add_as(severity, &UNCHECKED, &function.name, at, what, RUNTIME_FIX);
}
