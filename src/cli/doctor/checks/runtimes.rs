//! The `Runtime` of a function, and features that only some runtimes have.

use super::words::{place, set, set_variable};
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::{Dialect, Function, Layer, LayerUse};
use crate::cli::doctor::node::{Field, Place};
use crate::cli::doctor::project::{EXEC_WRAPPER, Project, is_named_after_us};
use crate::cli::packaging::target::{LAYER_PYTHON, OLDEST, PYTHONS};

pub(super) const TOO_OLD: Check = Check {
    id: "runtime-too-old",
    severity: Severity::Error,
    title: "a runtime that is too old for wsgi-lambda",
    why: "There is no wsgi-lambda for Python 3.10 and older, which AWS has ended. provided.al2 and older are Amazon Linux 2, \
          whose C library is glibc 2.26: the layer's Python needs that of Amazon Linux 2023, 2.34, and would not start.",
};

pub(super) const PREVIEW: Check = Check {
    id: "runtime-preview",
    severity: Severity::Note,
    title: "a managed runtime that AWS offers as a preview",
    why: "A preview is for tests: AWS may change or end it without notice, and neither its support nor Lambda's service level \
          agreement covers it.",
};

pub(super) const WRAPPER_MISSING: Check = Check {
    id: "exec-wrapper-missing",
    severity: Severity::Error,
    title: "a managed Python runtime that is not told to start wsgi-lambda",
    why: "On python3.N Lambda starts its own loop, which calls the handler as handler(event, context). A WSGI \
          application is no such function: every request fails. AWS_LAMBDA_EXEC_WRAPPER puts the layer's bootstrap in \
          the loop's place.",
};

pub(super) const WRAPPER_IGNORED: Check = Check {
    id: "exec-wrapper-ignored",
    severity: Severity::Warning,
    title: "AWS_LAMBDA_EXEC_WRAPPER on a provided.* runtime",
    why: "Only the start script of managed runtimes reads the variable. On provided.* Lambda starts `bootstrap` itself.",
};

pub(super) const WRAPPER_PATH: Check = Check {
    id: "exec-wrapper-path",
    severity: Severity::Error,
    title: "AWS_LAMBDA_EXEC_WRAPPER names a file that no layer has",
    why: "The start script of a managed runtime runs the file the variable names, and ends with exit status 127 when it \
          is not there: Runtime.ExitError on every start.",
};

pub(super) const SNAPSTART_RUNTIME: Check = Check {
    id: "snapstart-runtime",
    severity: Severity::Error,
    title: "SnapStart on a runtime that does not have it",
    why: "SnapStart is for images, and for zip functions on managed runtimes: Python 3.12 and later. Lambda refuses it for \
          others.",
};

pub(super) const SNAPSTART_LABEL: Check = Check {
    id: "snapstart-label",
    severity: Severity::Warning,
    title: "SnapStart with an image whose label has another value than Allow",
    why: "An image that is not based on AWS's Python image needs a runtime that calls /restore/next, as wsgi-lambda does, or \
          LABEL com.amazonaws.lambda.feature.snapstart=\"Allow\" (\"Implementing SnapStart hooks for container images\"). \
          The label has no other value.",
};

pub(super) const SNAPSTART_UNPUBLISHED: Check = Check {
    id: "snapstart-unpublished",
    severity: Severity::Warning,
    title: "SnapStart without a published version",
    why: "Snapshots are taken of published versions. $LATEST, which is called by default, starts without one.",
};

/// The oldest managed Python that has SnapStart.
const SNAPSTART_MINOR: u32 = 12;

pub(super) fn run(project: &Project, findings: &mut Findings) {
    for function in project.functions().filter(|function| function.image) {
        snap_start(project, function, findings);
        label(function, findings);
    }
    for function in project.functions().filter(|function| !function.image) {
        old(project, function, findings);
        preview(project, function, findings);
        wrapper(project, function, findings);
        snap_start(project, function, findings);
    }
}

fn old(project: &Project, function: &Function, findings: &mut Findings) {
    let Field::Known(runtime, at) = &function.runtime else { return };
    let fix = match (runtime.as_str(), function.managed_minor()) {
        ("provided" | "provided.al2", _) => "provided.al2023",
        (_, Some(minor)) if minor < OLDEST.minor => &layer_python(),
        _ => return,
    };
    let fix = set(&project.deployment, "Runtime", "runtime", &quoted(project, fix));
    findings.add(&TOO_OLD, &function.name, Some(at), format!("The runtime is {runtime}."), fix);
}

fn preview(project: &Project, function: &Function, findings: &mut Findings) {
    let Field::Known(runtime, at) = &function.runtime else { return };
    let known = PYTHONS.iter().find(|known| Some(known.python.minor) == function.managed_minor());
    if known.is_some_and(|known| known.preview) {
        let fix = set(&project.deployment, "Runtime", "runtime", &quoted(project, &layer_python()));
        findings.add(&PREVIEW, &function.name, Some(at), format!("The runtime is {runtime}."), fix);
    }
}

fn layer_python() -> String {
    format!("python{LAYER_PYTHON}")
}

fn quoted(project: &Project, value: &str) -> String {
    if project.deployment.dialect == Dialect::Terraform { format!("\"{value}\"") } else { value.to_owned() }
}

fn wrapper(project: &Project, function: &Function, findings: &mut Findings) {
    let variable = function.variables.get(EXEC_WRAPPER);
    if function.is_provided() {
        if let Some(variable) = variable {
            let what = format!("{EXEC_WRAPPER} is set, and does nothing on {}.", runtime(function));
            findings.add(&WRAPPER_IGNORED, &function.name, Some(&variable.at), what, "Remove the variable.");
        }
        return;
    }
    if function.managed_minor().is_none() {
        return;
    }
    match variable {
        None if !function.variables.open => {
            let handler = function.handler.value().map_or("the handler", String::as_str);
            let what = format!("{} calls {handler} itself: {EXEC_WRAPPER} is not set.", runtime(function));
            let mut fix = set_variable(&project.deployment, EXEC_WRAPPER, "/opt/bootstrap");
            if !project.has_runtime_layer(function) && !function.more_layers {
                fix.push_str(", and the wsgi-lambda layer");
            }
            findings.add(&WRAPPER_MISSING, &function.name, Some(place(&function.runtime, function)), what, fix);
        }
        Some(variable) => {
            if let Some(value) = variable.value.as_deref().filter(|value| is_nowhere(project, function, value)) {
                let what = format!("{EXEC_WRAPPER} is {value}, which is in none of the function's layers.");
                let fix = if project.has_runtime_layer(function) {
                    set_variable(&project.deployment, EXEC_WRAPPER, "/opt/bootstrap")
                } else {
                    "The wsgi-lambda layer among the function's layers, for /opt/bootstrap".to_owned()
                };
                findings.add(&WRAPPER_PATH, &function.name, Some(&variable.at), what, fix);
            }
        }
        None => {}
    }
}

/// Whether a file is certainly in no layer and not in the package.
fn is_nowhere(project: &Project, function: &Function, path: &str) -> bool {
    if let Some(name) = path.strip_prefix("/var/task/") {
        return project.package(function).is_some_and(|package| package.is_built() && !package.has(name));
    }
    let Some(name) = path.strip_prefix("/opt/") else { return !path.starts_with('/') };
    // The runtime's own layer has a bootstrap and nothing else to start; others may have anything.
    let may_have = |arn: &str| name == "bootstrap" || !is_named_after_us(arn);
    let elsewhere = function.layers.iter().any(|layer| matches!(layer, LayerUse::Elsewhere(arn) if may_have(arn)));
    let runtime = project.runtime_layer(function).map(|layer| &layer.name);
    let has = |layer: &Layer| match project.layer_contents(layer) {
        Some(contents) => contents.has(name),
        None => name == "bootstrap" || runtime != Some(&layer.name),
    };
    !elsewhere && !function.more_layers && !project.deployment.local_layers(function).any(has)
}

/// The label that lets an image of another base be snapshotted.
const LABEL: &str = "com.amazonaws.lambda.feature.snapstart";

fn label(function: &Function, findings: &mut Findings) {
    let (Field::Known(true, _), Some(path)) = (&function.snap_start, &function.dockerfile) else { return };
    let Ok(text) = std::fs::read_to_string(path) else { return };
    // The last one counts, as for Docker.
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'));
    let values = lines.filter_map(|(index, line)| Some((index + 1, line.split_once(LABEL)?.1)));
    let Some((line, rest)) = values.last() else { return };
    let value = rest.trim_start_matches(['=', '"', '\'', ' ']);
    let value: String = value.chars().take_while(char::is_ascii_alphanumeric).collect();
    if value != "Allow" {
        let at = Place { file: path.as_path().into(), line };
        let what = format!("The label {LABEL} is {value:?}.");
        findings.add(&SNAPSTART_LABEL, &function.name, Some(&at), what, format!("LABEL {LABEL}=\"Allow\""));
    }
}

fn snap_start(project: &Project, function: &Function, findings: &mut Findings) {
    let Field::Known(true, at) = &function.snap_start else { return };
    let deployment = &project.deployment;
    let is_old = function.managed_minor().is_some_and(|minor| minor < SNAPSTART_MINOR);
    let is_refused = !function.image && (function.is_provided() || is_old);
    if is_refused {
        let what = format!("SnapStart is on, the runtime is {}.", runtime(function));
        let fix = format!(
            "{} with the bootstrap-only layer and {EXEC_WRAPPER}=/opt/bootstrap, or no SnapStart",
            set(deployment, "Runtime", "runtime", &quoted(project, &layer_python()))
        );
        findings.add(&SNAPSTART_RUNTIME, &function.name, Some(at), what, fix);
    } else if function.published == Some(false) {
        let fix = match deployment.dialect {
            Dialect::Sam => "AutoPublishAlias: live",
            Dialect::CloudFormation => "An AWS::Lambda::Version of the function, and front ends that call it",
            Dialect::Terraform => "publish = true, and front ends that call the version or an alias of it",
        };
        findings.add(&SNAPSTART_UNPUBLISHED, &function.name, Some(at), "No version is published.", fix);
    }
}

fn runtime(function: &Function) -> &str {
    function.runtime.value().map_or("the runtime", String::as_str)
}
