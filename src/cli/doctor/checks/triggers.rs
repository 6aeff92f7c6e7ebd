//! What calls a function with events that are not HTTP.

use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::Function;
use crate::cli::doctor::project::Project;
use crate::cli::doctor::triggers::{RULE, SCHEDULE};
use crate::config::{EVENT_HANDLER, EVENT_PATH, WARMUP};

pub(super) const NOT_HTTP: Check = Check {
    id: "trigger-not-http",
    severity: Severity::Error,
    title: "events that are not HTTP (SQS, schedules, EventBridge, S3, WebSockets …) for a function that names nothing for them",
    why: "WSGI knows only HTTP requests. Without a setting the runtime refuses every other event with a Lambda error: a queue delivers its \
          messages again until they expire or go to its dead-letter queue, a schedule's run is lost after two retries, and \
          what waits for a response gets the error.",
};

const HANDLER: &str = "Name a function (event, context) of the application: WSGI_LAMBDA_EVENT_HANDLER=module:function \
                       (docs/events.md).";
const PINGS: &str = " If it is there to keep the function warm: WSGI_LAMBDA_WARMUP=true, or better provisioned concurrency or \
                     SnapStart.";

pub(super) fn run(project: &Project, findings: &mut Findings) {
    for function in project.functions() {
        for trigger in &function.triggers {
            let is_timer = [RULE, SCHEDULE].contains(&trigger.source.as_str());
            if takes_events(function, is_timer) {
                continue;
            }
            let fix = format!("{HANDLER}{}", if is_timer { PINGS } else { "" });
            let what = format!("{} gets the events of {}.", function.name, trigger.source);
            findings.add(&NOT_HTTP, &function.name, Some(&trigger.at), what, fix);
        }
    }
}

/// Whether the function's variables say what becomes of its events.
fn takes_events(function: &Function, is_timer: bool) -> bool {
    let is_set = |name| function.variables.value_or(name, "").as_deref() != Some("");
    let answers_pings = || function.variables.value_or(WARMUP.name, "false").is_none_or(|value| value == "true");
    is_set(EVENT_HANDLER.name) || is_set(EVENT_PATH.name) || is_timer && answers_pings()
}
