//! Environment variables: the runtime's settings, and Lambda's rules.

use std::collections::HashMap;

use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::{Function, Variable};
use crate::cli::doctor::project::Project;
use crate::config::{Config, LAYER_DIR, PREFIX, SETTINGS, VENV};

pub(super) const UNKNOWN_SETTING: Check = Check {
    id: "unknown-setting",
    severity: Severity::Error,
    title: "a WSGI_LAMBDA_ variable that does not exist",
    why: "The runtime logs this and ignores the variable: what it was meant to change stays as it is. \
          `bootstrap --help` lists the settings.",
};

pub(super) const SETTING_VALUE: Check = Check {
    id: "setting-value",
    severity: Severity::Error,
    title: "a setting with a value that the runtime refuses",
    why: "A wrong value is an init error: every request fails, and the log names the variable.",
};

pub(super) const LOCAL_SETTING: Check = Check {
    id: "local-setting",
    severity: Severity::Error,
    title: "a setting for local runs on a deployed function",
    why: "WSGI_LAMBDA_VENV and WSGI_LAMBDA_LAYER_DIR are paths on a developer's machine. On Lambda there is \
          no virtual environment (an init error), and layers are in /opt.",
};

pub(super) const RESERVED: Check = Check {
    id: "reserved-variable",
    severity: Severity::Error,
    title: "a variable that Lambda sets itself",
    why: "Reserved variables cannot be set: the deployment is refused (\"Lambda was unable to configure your \
          environment variables because the environment variables you have provided contains reserved keys\").",
};

pub(super) const NAME: Check = Check {
    id: "variable-name",
    severity: Severity::Error,
    title: "a variable name that Lambda refuses",
    why: "Names begin with a letter, have at least two characters, and consist of letters, digits and underscores.",
};

pub(super) const SIZE: Check = Check {
    id: "environment-size",
    severity: Severity::Error,
    title: "more than 4 KB of environment variables",
    why: "All names and values together may have 4,096 bytes (Lambda quotas); the deployment is refused.",
};

/// "Defined runtime environment variables", the reserved ones.
const RESERVED_NAMES: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

/// Bytes of all names and values together.
const MAX_SIZE: usize = 4096;

pub(super) fn run(project: &Project, findings: &mut Findings) {
    for function in project.functions() {
        for variable in &function.variables.entries {
            if variable.name.starts_with(PREFIX) {
                setting(function, variable, findings);
            }
            name(function, variable, findings);
        }
        size(function, findings);
    }
}

fn setting(function: &Function, variable: &Variable, findings: &mut Findings) {
    let name = variable.name.as_str();
    let at = Some(&variable.at);
    if !SETTINGS.iter().any(|setting| setting.name == name) {
        let fix = match closest(name) {
            Some(closest) => format!("Did you mean {closest}?"),
            None => "Remove it, or look the setting up with `bootstrap --help`.".to_owned(),
        };
        findings.add(&UNKNOWN_SETTING, &function.name, at, format!("There is no setting {name}."), fix);
        return;
    }
    if [VENV.name, LAYER_DIR.name].contains(&name) {
        findings.add(&LOCAL_SETTING, &function.name, at, format!("{name} is for local runs."), "Remove the variable.");
        return;
    }
    if let Some(error) = refused(variable) {
        let help = SETTINGS.iter().find(|setting| setting.name == name).map_or("", |setting| setting.help);
        findings.add(&SETTING_VALUE, &function.name, at, format!("{error}."), help);
    }
}

/// What the runtime says of a variable's value, if it refuses that.
pub(super) fn refused(variable: &Variable) -> Option<String> {
    let (name, value) = (variable.name.as_str(), variable.value.as_deref()?);
    let alone = [("AWS_LAMBDA_RUNTIME_API", "127.0.0.1"), (name, value)];
    let alone: HashMap<_, _> = alone.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Config::from_vars(&alone).err().map(|error| error.message().to_owned())
}

/// The setting whose name is most like this one, by the measure and the limit that clap has for options. clap itself
/// suggests only its own options and values, and has no function to call.
fn closest(name: &str) -> Option<&'static str> {
    // The prefix is common to all, and would make any two alike.
    let own = |name: &str| name.trim_start_matches(PREFIX).to_owned();
    let likeness = |setting: &str| strsim::jaro(&own(name), &own(setting));
    let best = SETTINGS.iter().map(|setting| (likeness(setting.name), setting.name));
    let (likeness, best) = best.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (likeness > 0.7).then_some(best)
}

fn name(function: &Function, variable: &Variable, findings: &mut Findings) {
    let name = variable.name.as_str();
    if RESERVED_NAMES.contains(&name) {
        let fix = "Remove the variable: the function has it anyway.";
        findings.add(&RESERVED, &function.name, Some(&variable.at), format!("{name} is reserved."), fix);
        return;
    }
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if name.len() < 2 || !name.starts_with(|first: char| first.is_ascii_alphabetic()) || !is_word {
        let what = format!("Lambda takes no variable called {name:?}.");
        findings.add(&NAME, &function.name, Some(&variable.at), what, "Another name.");
    }
}

fn size(function: &Function, findings: &mut Findings) {
    let length = |variable: &Variable| variable.name.len() + variable.value.as_ref().map_or(0, String::len);
    let total: usize = function.variables.entries.iter().map(length).sum();
    if total > MAX_SIZE {
        let at = function.variables.at.as_ref();
        let what = format!("The variables have {total} bytes together, as far as they are known.");
        let fix = "Keep long values in Parameter Store or Secrets Manager, or in a file of the package.";
        findings.add(&SIZE, &function.name, at, what, fix);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_setting_is_recognised_and_another_word_is_not() {
        assert_eq!(closest("WSGI_LAMBDA_BASEPATH"), Some("WSGI_LAMBDA_BASE_PATH"));
        assert_eq!(closest("WSGI_LAMBDA_ACESS_LOG"), Some("WSGI_LAMBDA_ACCESS_LOG"));
        assert_eq!(closest("WSGI_LAMBDA_QUXUX"), None);
    }
}
