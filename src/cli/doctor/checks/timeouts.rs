//! The function's timeout, and how long its front ends wait.

use super::words::{place, set};
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::Function;
use crate::cli::doctor::project::Project;
use crate::config::DEADLINE_MARGIN;

pub(super) const ABOVE_FRONT_END: Check = Check {
    id: "timeout-above-front-end",
    severity: Severity::Warning,
    title: "a function timeout longer than API Gateway waits",
    why: "API Gateway gives up a request after 29 s (REST, unless the account's quota and the integration's timeout are \
          raised) or 30 s (HTTP API, fixed). A function that may take longer runs on and is billed while the client has \
          long got a 503 or 504 of API Gateway's, and the runtime's own 504 with the stacks in the log comes too late.",
};

pub(super) const DEFAULT: Check = Check {
    id: "timeout-default",
    severity: Severity::Warning,
    title: "a function timeout of 3 s or less, which is Lambda's default",
    why: "The first request of a sandbox may have to wait for connections, caches and lazy imports. Three seconds are \
          Lambda's default and short for that: such requests end in a 502 or 504.",
};

pub(super) const MARGIN: Check = Check {
    id: "deadline-margin",
    severity: Severity::Error,
    title: "WSGI_LAMBDA_DEADLINE_MARGIN_MS not smaller than the timeout",
    why: "The runtime gives up a request this long before the function's timeout. With a margin as long as the timeout \
          it gives up every request at once.",
};

pub(super) const LIMIT: Check = Check {
    id: "timeout-limit",
    severity: Severity::Error,
    title: "a function timeout longer than Lambda allows",
    why: "A function may take 900 s, one on Managed Instances 5,400 s where its event source waits for that (\"Configure \
          Lambda function timeout\"); the deployment is refused above. AWS's SDKs know 1,800 s for ordinary functions; its \
          guide does not: see whether your region has that.",
};

/// The documented limit, seconds ("Lambda quotas"; cfn-lint's rule E3717, which was tried on the live API in September
/// 2026). The SDKs' models of November 2026 have 1,800 s. No second source confirms it: what lies between is a warning.
const MAX_SECONDS: u64 = 900;
const MAX_SECONDS_OF_SDKS: u64 = 1800;
/// On Managed Instances, seconds (the same sources).
const MAX_SECONDS_MANAGED: u64 = 5400;

/// What REST APIs wait by default, seconds ("Quotas for configuring and running a REST API").
const REST_SECONDS: u64 = 29;
/// What HTTP APIs wait, seconds ("Quotas for configuring and running an HTTP API").
const HTTP_SECONDS: u64 = 30;
/// Lambda's default, seconds.
const DEFAULT_SECONDS: u64 = 3;

pub(super) fn run(project: &Project, findings: &mut Findings) {
    for function in project.functions() {
        let Some(timeout) = function.timeout.or_default(DEFAULT_SECONDS) else { continue };
        let at = Some(place(&function.timeout, function));
        let deployment = &project.deployment;
        if let Some((front_end, limit)) = impatient(project, function).filter(|(_, limit)| timeout > *limit) {
            let what = format!("The function may take {timeout} s, {front_end} waits {limit} s.");
            let fix = set(deployment, "Timeout", "timeout", &limit.min(REST_SECONDS).to_string());
            findings.add(&ABOVE_FRONT_END, &function.name, at, what, fix);
        }
        if timeout <= DEFAULT_SECONDS {
            let what = if function.timeout.is_absent() {
                format!("No timeout is set: Lambda takes {DEFAULT_SECONDS} s.")
            } else {
                format!("The function's timeout is {timeout} s.")
            };
            findings.add(&DEFAULT, &function.name, at, what, set(deployment, "Timeout", "timeout", "29"));
        }
        margin(function, timeout, findings);
        limit(project, function, timeout, findings);
    }
}

fn limit(project: &Project, function: &Function, timeout: u64, findings: &mut Findings) {
    let limit = if function.managed_instances { MAX_SECONDS_MANAGED } else { MAX_SECONDS };
    if timeout <= limit {
        return;
    }
    let may_be = !function.managed_instances && timeout <= MAX_SECONDS_OF_SDKS;
    let severity = if may_be { Severity::Warning } else { Severity::Error };
    let what = format!("The function's timeout is {timeout} s, Lambda's documented limit {limit} s.");
    let fix = set(&project.deployment, "Timeout", "timeout", &limit.to_string());
    findings.add_as(severity, &LIMIT, &function.name, Some(place(&function.timeout, function)), what, fix);
}

/// The front end that waits the shortest, if API Gateway is all there is: a Function URL waits as long as the function
/// may take. Events that are not HTTP are refused, so a timeout cannot be meant for them.
fn impatient(project: &Project, function: &Function) -> Option<(&'static str, u64)> {
    let deployment = &project.deployment;
    if deployment.urls(&function.name).next().is_some() {
        return None;
    }
    let rest = deployment.rest_methods(&function.name).filter(|(_, method)| method.streams == Some(false));
    let rest = rest.map(|(_, method)| method.timeout.or_default(REST_SECONDS * 1000).map(|millis| millis / 1000));
    // An integration with a longer timeout stands for a raised quota.
    let rest = rest.collect::<Option<Vec<_>>>().and_then(|limits| limits.into_iter().min());
    let http = deployment.has_http_api(&function.name).then_some(HTTP_SECONDS);
    let rest = rest.map(|limit| ("the REST API", limit));
    rest.into_iter().chain(http.map(|limit| ("the HTTP API", limit))).min_by_key(|(_, limit)| *limit)
}

fn margin(function: &Function, timeout: u64, findings: &mut Findings) {
    let Some(variable) = function.variables.get(DEADLINE_MARGIN.name) else { return };
    let Some(margin) = variable.value.as_deref().and_then(|value| value.trim().parse::<u64>().ok()) else { return };
    if margin >= timeout * 1000 {
        let what = format!("The margin is {margin} ms, the function's timeout {timeout} s.");
        let fix = format!("{}: {} (the default), or a longer timeout", DEADLINE_MARGIN.name, DEADLINE_MARGIN.default);
        findings.add(&MARGIN, &function.name, Some(&variable.at), what, fix);
    }
}
