//! What calls a function with events that are not HTTP.

use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::project::Project;
use crate::cli::doctor::triggers::{RULE, SCHEDULE};

pub(super) const NOT_HTTP: Check = Check {
    id: "trigger-not-http",
    severity: Severity::Error,
    title: "a WSGI function that gets events which are not HTTP (SQS, schedules, EventBridge, S3, WebSockets …)",
    why: "WSGI knows only HTTP requests. The runtime refuses every other event with a Lambda error: a queue delivers its \
          messages again until they expire or go to its dead-letter queue, a schedule's run is lost after two retries, and \
          what waits for a response gets the error.",
};

const OWN_FUNCTION: &str = "A function of its own for these events, with a handler function (event, context) in the same \
                            package, on the managed runtime without AWS_LAMBDA_EXEC_WRAPPER.";
const NO_PINGS: &str = " If it is there to keep the function warm: provisioned concurrency or SnapStart.";

pub(super) fn run(project: &Project, findings: &mut Findings) {
    for function in project.functions() {
        for trigger in &function.triggers {
            let is_timer = [RULE, SCHEDULE].contains(&trigger.source.as_str());
            let fix = format!("{OWN_FUNCTION}{}", if is_timer { NO_PINGS } else { "" });
            let what = format!("{} gets the events of {}.", function.name, trigger.source);
            findings.add(&NOT_HTTP, &function.name, Some(&trigger.at), what, fix);
        }
    }
}
