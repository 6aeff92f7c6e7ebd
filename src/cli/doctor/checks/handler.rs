//! Whether there is a handler, and whether it imports.

use serde_json::Value;

use super::environment;
use super::faults;
use super::package::foreign_module;
use super::unchecked::{UNCHECKED, no_runtime, not_run};
use super::words::{place, set, set_variable};
use crate::cli::doctor::contents::{Contents, shown};
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::{Dialect, Function, Layer, LayerUse};
use crate::cli::doctor::node::Place;
use crate::cli::doctor::project::{Project, is_named_after_us};
use crate::cli::doctor::requirements::{self, Requirements};
use crate::cli::doctor::run::{LocalRun, Runner};
use crate::cli::doctor::wsgi;
use crate::cli::hang::Hang;
use crate::config::APP;
use crate::emulator::StartError;

pub(super) const MISSING: Check = Check {
    id: "handler-missing",
    severity: Severity::Error,
    title: "no handler",
    why: "The handler names the application: module.attribute or module:attribute. Without it, and without \
          WSGI_LAMBDA_APP, there is nothing to run.",
};

pub(super) const IMPORT: Check = Check {
    id: "handler-import",
    severity: Severity::Error,
    title: "a handler that does not import (the application is started, with the function's variables)",
    why: "The application is imported when a sandbox starts. What is raised then is an init error: every request fails.",
};

/// Modules that AWS's managed runtimes have.
const MANAGED_MODULES: &[&str] = &["boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"];

/// Parts of the names of errors that an import raises without a network, a database or an account.
const OF_THE_PLACE: &[&str] =
    &["Connection", "Timeout", "Credential", "Operational", "gaierror", "Endpoint", "Region", "OSError"];

pub(super) fn run(project: &Project, findings: &mut Findings) {
    for function in project.functions().filter(|function| !function.image) {
        if function.handler.is_absent() && function.variables.value_or(APP.name, "").as_deref() == Some("") {
            let guess = project.code(function).and_then(wsgi::guess).unwrap_or_else(|| "app.app".to_owned());
            findings.add(
                &MISSING,
                &function.name,
                Some(&function.at),
                "No handler is set.",
                handler_fix(project, &guess),
            );
        }
    }
}

/// Why a function cannot be started on this machine, if so, and what to do.
pub(in crate::cli::doctor) fn obstacle(
    project: &Project,
    function: &Function,
    runner: &Runner,
) -> Option<(String, &'static str)> {
    if function.image {
        let fix = "wsgi-lambda replay tries an application in its image's folder.";
        return Some(("The code is in a container image: the application was not started.".to_owned(), fix));
    }
    let is_named = function.variables.get(APP.name).is_some_and(|variable| variable.value.is_some());
    if function.handler.value().is_none() && !is_named {
        let what = "Only the deployment knows the handler: the application was not started.".to_owned();
        return Some((what, "Give the template's parameter its value: --parameter NAME=VALUE."));
    }
    let Some(path) = function.code.path.value() else {
        let what = "The template does not say where the code is on this machine: the application was not started.";
        return Some((what.to_owned(), "wsgi-lambda doctor DIR --app MODULE:ATTR tries the application of a folder."));
    };
    let Some(code) = project.code(function) else {
        return Some((format!("The package {} is not there: nothing was started.", shown(path)), "Build it first."));
    };
    let module = foreign_module(code, runner.minor)?;
    let here = runner.minor.map_or("this machine".to_owned(), |minor| format!("python3.{minor} on this machine"));
    let what = format!("The package has extension modules for elsewhere ({module}): they cannot be loaded by {here}.");
    Some((what, "Start doctor with a bootstrap of the function's Python, on its architecture (--bootstrap)."))
}

/// A start that failed, with everything that helps to explain it.
struct Start<'a> {
    project: &'a Project,
    function: &'a Function,
    runner: &'a Runner,
    code: &'a Contents,
    at: Place,
    error_type: String,
    message: String,
    hang: Option<Hang>,
}

/// Says why an application did not start. Returns `false` if the reason is this machine.
pub(in crate::cli::doctor) fn explain(
    project: &Project,
    function: &Function,
    runner: &Runner,
    run: &LocalRun<'_>,
    error: &StartError,
    findings: &mut Findings,
) -> bool {
    if let Some(fault) = faults::of_runtime(runner, run, error) {
        no_runtime(function, fault, findings);
        return false;
    }
    if faults::crash(function, run, error, findings) {
        return true;
    }
    let Some(code) = project.code(function) else { return false };
    let (error_type, message) = match error {
        StartError::Init(report) => {
            let report: Value = serde_json::from_slice(&report.body).unwrap_or_default();
            let text = |key: &str| report.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            (text("errorType"), text("errorMessage"))
        }
        StartError::Platform(error) => (error.error_type.to_owned(), error.message.clone()),
        StartError::Spawn(error) => {
            let what = format!("The runtime could not be started: {error}.");
            not_run(function, what, "Name another one with --bootstrap.", findings);
            return false;
        }
    };
    let app = function.variables.get(APP.name).map(|variable| variable.at.clone());
    let at = app.unwrap_or_else(|| place(&function.handler, function).clone());
    let before = findings.list.len();
    let hang = Hang::find(&run.root, run.logs().lines()).filter(|_| error_type == "Sandbox.Timedout");
    Start { project, function, runner, code, at, error_type, message, hang }.explain(findings);
    findings.list[before..].iter().all(|finding| finding.check.id != UNCHECKED.id)
}

/// What the files say of a handler that was not started: the module is not there, or does not have the name.
pub(in crate::cli::doctor) fn read(project: &Project, function: &Function, findings: &mut Findings) {
    let (Some(handler), Some(code)) = (function.handler.value(), project.code(function)) else { return };
    let is_named = function.variables.value_or(APP.name, "").as_deref() == Some("");
    let unknown = |layer: &LayerUse| match layer {
        LayerUse::Elsewhere(arn) => !is_named_after_us(arn),
        LayerUse::Local(name) => project.deployment.layer(name).is_some_and(|layer| has_python(project, layer)),
    };
    if !is_named || project.package(function).is_none() || function.more_layers || function.layers.iter().any(unknown) {
        return;
    }
    let at = Some(place(&function.handler, function));
    let guess = wsgi::guess(code).map_or_else(|| "Correct the name.".to_owned(), |guess| handler_fix(project, &guess));
    match wsgi::look_up(code, handler) {
        wsgi::Lookup::NoModule(module) => {
            let what = format!("There is no module {module} in {}.", shown(&code.path));
            findings.add(&IMPORT, &function.name, at, what, guess);
        }
        wsgi::Lookup::NoName(file, name) => {
            findings.add(&IMPORT, &function.name, at, format!("{file} does not mention {name}."), guess);
        }
        wsgi::Lookup::Fine => {}
    }
}

/// Whether a layer has, or may have, modules.
fn has_python(project: &Project, layer: &Layer) -> bool {
    match project.layer_contents(layer) {
        Some(contents) => contents.has_folder("python"),
        None => !is_named_after_us(&layer.name) && !is_named_after_us(&layer.called),
    }
}

impl Start<'_> {
    fn explain(&self, findings: &mut Findings) {
        if self.message.starts_with(crate::config::VENV.name) {
            let fix = "Name a virtual environment of that Python with --venv, or install the package into a folder.";
            return not_run(self.function, self.message.clone(), fix, findings);
        }
        if self.message.contains("bad magic number") {
            let what =
                format!("The package is compiled for another Python than {} has.", shown(&self.runner.bootstrap));
            return not_run(
                self.function,
                what,
                "Start doctor with a bootstrap of the function's Python (--bootstrap).",
                findings,
            );
        }
        match missing_module(&self.message) {
            Some(module) => self.missing(module, findings),
            None => self.failed(findings),
        }
    }

    /// A module is missing: the handler's, one of the package, or one that has to be installed.
    fn missing(&self, module: &str, findings: &mut Findings) {
        let top = module.split('.').next().unwrap_or(module);
        let own = self.function.handler.value().and_then(|handler| wsgi::name(handler));
        let is_handler = own.is_some_and(|own| own.module.starts_with(module));
        let in_package = self.code.has(&format!("{top}.py")) || self.code.has_folder(top);
        if self.project.package(self.function).is_none() {
            let what = format!("{}: the build step of {} may put it there.", self.message, self.function.name);
            return not_run(self.function, what, "Build it first (sam build).", findings);
        }
        if is_handler || in_package {
            let fix = match wsgi::guess(self.code).filter(|_| is_handler) {
                Some(guess) => handler_fix(self.project, &guess),
                None => format!("Correct the name, or put {module} into the folder \"{}\".", shown(&self.code.path)),
            };
            return self.add(Severity::Error, self.message.clone(), fix, findings);
        }
        if self.may_be_elsewhere(top) {
            let what = format!("{}: a layer or the managed runtime may have it.", self.message);
            return not_run(
                self.function,
                what,
                "Install it where doctor runs, and name the environment with --venv.",
                findings,
            );
        }
        let is_built = self.code.is_built();
        let environment = requirements::environment_with(self.code, top).filter(|_| self.runner.venv.is_none());
        let fix_for = |file: &str| match &environment {
            Some(venv) => format!("Name the virtual environment that has it: --venv {}", venv.display()),
            None => format!("pip install -r {file} in a virtual environment, and name it with --venv."),
        };
        match Requirements::of(self.code, self.runner.venv.as_deref()) {
            _ if is_built => {
                self.add(Severity::Error, self.message.clone(), format!("Install {top} into the package."), findings);
            }
            Requirements::Missing(names) => {
                let what = format!(
                    "The requirements are not installed here ({}): the import was not checked.",
                    names.join(", ")
                );
                not_run(self.function, what, &fix_for("requirements.txt"), findings);
            }
            Requirements::None | Requirements::Unknown if let Some(file) = requirements::named_in(self.code, top) => {
                let what = format!("{}: {file} names it, and doctor was started without it.", self.message);
                not_run(self.function, what, &fix_for(file), findings);
            }
            Requirements::Unknown => {
                let what = format!("{}: the requirements may not be installed here.", self.message);
                not_run(self.function, what, "Name a virtual environment that has them with --venv.", findings);
            }
            Requirements::Installed | Requirements::None => {
                let fix = format!("Add what has {top} to requirements.txt.");
                self.add(Severity::Error, self.message.clone(), fix, findings);
            }
        }
    }

    fn may_be_elsewhere(&self, top: &str) -> bool {
        let function = self.function;
        let others = function.layers.iter().any(|layer| match layer {
            LayerUse::Elsewhere(arn) => !is_named_after_us(arn),
            LayerUse::Local(name) => self.project.deployment.layer(name).is_some_and(|layer| {
                self.project.layer_contents(layer).is_none()
                    && self.project.runtime_layer(function).is_none_or(|one| one.name != *name)
            }),
        });
        let is_managed = function.managed_minor().is_some() && MANAGED_MODULES.contains(&top);
        others || function.more_layers || is_managed
    }

    /// Something else was raised.
    fn failed(&self, findings: &mut Findings) {
        let mut what = format!("{}: {}", self.error_type, self.message);
        if let Some(hang) = &self.hang {
            what = format!("{}.", hang.what);
            if hang.is_server {
                let what = format!("{}: {}.", hang.what, Hang::SERVER);
                return self.add(Severity::Error, what, format!("{}.", Hang::REMEDY), findings);
            }
        }
        if let Some(name) = self.unset_variable() {
            let fix = set_variable(&self.project.deployment, name, "…");
            return self.add(
                Severity::Error,
                format!("The application reads the variable {name}, which is not set."),
                fix,
                findings,
            );
        }
        if self.error_type == "Runtime.UserCodeSyntaxError" && self.is_other_python() {
            let fix = "Start doctor with a bootstrap of the function's Python (--bootstrap).";
            return not_run(self.function, what, fix, findings);
        }
        let unknown: Vec<&str> = self.unknown_variables().collect();
        if ["Runtime.ExitError", "SystemExit"].contains(&self.error_type.as_str()) {
            let fix = "Remove what ends the process (sys.exit, os._exit) from what is imported, or raise an exception that \
                       says what is wrong; `wsgi-lambda replay` shows the log.";
            return self.add(Severity::Error, what, fix, findings);
        }
        let is_ours = self.error_type.starts_with("Runtime.");
        if is_ours && self.is_said_of_a_setting() {
            return;
        }
        if is_ours {
            return self.add(Severity::Error, what, self.runtime_fix(), findings);
        }
        if !unknown.is_empty() || self.function.variables.open {
            let names = if unknown.is_empty() { "NAME".to_owned() } else { unknown.join("=… --env ") };
            let fix = format!("If the reason is a variable that only the deployment knows, give it: --env {names}=…");
            return self.add(Severity::Warning, what, fix, findings);
        }
        if OF_THE_PLACE.iter().any(|part| self.error_type.contains(part)) {
            let fix = "If the reason is that this machine lacks a network, a database or an account: connect lazily, at the \
                       first request, so that the import does not depend on them.";
            return self.add(Severity::Warning, what, fix, findings);
        }
        self.add(
            Severity::Error,
            what,
            "Correct what is raised at the import; `wsgi-lambda replay` shows the traceback.",
            findings,
        );
    }

    /// Whether the runtime has refused a setting, which is a finding of its own.
    fn is_said_of_a_setting(&self) -> bool {
        let settings = self.function.variables.entries.iter().filter(|one| one.name.starts_with(crate::config::PREFIX));
        settings.filter_map(environment::refused).any(|refusal| self.message.contains(&refusal))
    }

    fn runtime_fix(&self) -> String {
        match (self.error_type.as_str(), wsgi::guess(self.code)) {
            ("Runtime.HandlerNotFound" | "Runtime.MalformedHandlerName", Some(guess)) => {
                handler_fix(self.project, &guess)
            }
            _ => "Correct what the message names.".to_owned(),
        }
    }

    /// `os.environ["NAME"]` of a variable that the function certainly does not have.
    fn unset_variable(&self) -> Option<&str> {
        let name = self.message.trim_matches('\'');
        let is_name = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        let variables = &self.function.variables;
        (self.error_type == "KeyError" && is_name && !variables.open && variables.get(name).is_none()).then_some(name)
    }

    fn unknown_variables(&self) -> impl Iterator<Item = &str> {
        let unknown = self.function.variables.entries.iter().filter(|variable| variable.value.is_none());
        unknown.map(|variable| variable.name.as_str()).filter(|name| !self.runner.sets(name))
    }

    fn is_other_python(&self) -> bool {
        let wanted = self.project.python_minor(self.function);
        wanted.is_some() && wanted != self.runner.minor
    }

    fn add(&self, severity: Severity, what: String, fix: impl Into<String>, findings: &mut Findings) {
        findings.add_as(severity, &IMPORT, &self.function.name, Some(&self.at), what, fix);
    }
}

fn missing_module(message: &str) -> Option<&str> {
    let (_, rest) = message.rsplit_once("No module named '")?;
    rest.split('\'').next()
}

pub(super) fn handler_fix(project: &Project, handler: &str) -> String {
    if project.deployment.functions.iter().all(Function::is_alone) {
        let quote = if handler.contains('(') { "'" } else { "" };
        return format!("--app {quote}{handler}{quote}");
    }
    let handler = if handler.contains("()") || project.deployment.dialect == Dialect::Terraform {
        format!("\"{handler}\"")
    } else {
        handler.replace(':', ".")
    };
    set(&project.deployment, "Handler", "handler", &handler)
}
