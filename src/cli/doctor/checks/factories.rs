//! A handler that names a function which makes the application, not the application.

use super::handler::handler_fix;
use super::words::{place, set_variable};
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::project::Project;
use crate::cli::doctor::wsgi;
use crate::config::APP;

pub(super) const FACTORY: Check = Check {
    id: "handler-factory",
    severity: Severity::Error,
    title: "a handler that names a function which returns the application, without the () that calls it",
    why: "The runtime calls the handler with environ and start_response for each request. A function that makes the \
          application is called once, at the import, if the name ends in ().",
};

pub(super) fn run(project: &Project, findings: &mut Findings) {
    for function in project.functions() {
        let Some(code) = project.code(function) else { continue };
        // The variable takes the handler's place, unless it is empty.
        let variable = function.variables.get(APP.name).filter(|variable| variable.value.as_deref() != Some(""));
        let named = match variable {
            Some(variable) => variable.value.as_deref().zip(Some(&variable.at)),
            None => function.handler.value().map(String::as_str).zip(Some(place(&function.handler, function))),
        };
        let Some((name, at)) = named else { continue };
        let Some(call) = wsgi::call_of_factory(code, name) else { continue };
        let fix = match variable {
            Some(_) => set_variable(&project.deployment, APP.name, &format!("\"{call}\"")),
            None => handler_fix(project, &call),
        };
        let what = format!("{name} is a function that returns the application: each request would call it.");
        findings.add(&FACTORY, &function.name, Some(at), what, fix);
    }
}
