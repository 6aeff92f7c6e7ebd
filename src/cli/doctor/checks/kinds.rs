//! Kinds of functions and runtimes that are new in 2026: customer-managed runtimes, Web Functions.

use super::words::place;
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::{Dialect, Function};
use crate::cli::doctor::project::Project;

pub(super) const RUNTIME_CONFIG: Check = Check {
    id: "runtime-config",
    severity: Severity::Error,
    title: "a customer-managed runtime without its name, or a name without the runtime",
    why: "`custom` stands for a runtime that an account publishes as an image. RuntimeConfig names it, by RuntimeArn and \
          RuntimeAlias, and goes only with `custom` (\"Using a customer-managed runtime\"). Lambda refuses one without the \
          other.",
};

pub(super) const WEB_FUNCTION: Check = Check {
    id: "web-function",
    severity: Severity::Error,
    title: "a Lambda Web Function for a Python application",
    why: "A Web Function runs an HTTP server of the application's own, on nodejs24.x alone, without layers and without \
          custom runtimes (\"Lambda Web Function runtimes\"). wsgi-lambda is a runtime of ordinary functions.",
};

pub(super) fn run(project: &Project, findings: &mut Findings) {
    for function in project.functions().filter(|function| !function.image) {
        runtime_config(project, function, findings);
    }
    for function in &project.deployment.web_functions {
        if let Some(sign) = &function.sign {
            let what = format!("{} is a Web Function, and is meant for Python ({sign}).", function.name);
            let fix = "Type: AWS::Serverless::Function (or AWS::Lambda::Function), with a FunctionUrlConfig or an API";
            findings.add(&WEB_FUNCTION, &function.name, Some(&function.at), what, fix);
        }
    }
}

fn runtime_config(project: &Project, function: &Function, findings: &mut Findings) {
    let config = &function.runtime_config;
    let is_custom = function.is_custom();
    let fix = match project.deployment.dialect {
        Dialect::Terraform => "runtime = \"custom\", with the ARN and the alias of the runtime",
        _ => {
            "Runtime: custom, and RuntimeConfig: {RuntimeArn: \"arn:aws:lambda:REGION:ACCOUNT:runtime/NAME\", \
             RuntimeAlias: ALIAS}"
        }
    };
    let mut add = |at, what: String| findings.add(&RUNTIME_CONFIG, &function.name, Some(at), what, fix);
    match config.value() {
        Some(_) if !is_custom => {
            if let Some(runtime) = function.runtime.value() {
                add(place(config, function), format!("RuntimeConfig is set, and the runtime is {runtime}."));
            }
        }
        Some(named) => {
            let lacks = match (named.arn.is_some(), named.has_alias) {
                (true, true) => return,
                (false, true) => "RuntimeArn",
                (true, false) => "RuntimeAlias",
                (false, false) => "RuntimeArn and RuntimeAlias",
            };
            add(place(config, function), format!("RuntimeConfig lacks {lacks}."));
        }
        // What Terraform's provider calls the block is not known here: a missing one proves nothing.
        None if is_custom && config.is_absent() && project.deployment.dialect != Dialect::Terraform => {
            add(place(&function.runtime, function), "The runtime is custom, and RuntimeConfig is not set.".to_owned());
        }
        None => {}
    }
}
