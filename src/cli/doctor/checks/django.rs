//! Django's settings, as the running application has them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::doctor::contents::Contents;
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::Function;
use crate::cli::doctor::node::Place;
use crate::cli::doctor::project::Project;
use crate::cli::doctor::run::{LocalRun, Runner};
use crate::cli::doctor::wsgi;
use crate::config::{APP, RESPONSE_MODE};

mod literal;

pub(super) const ALLOWED_HOSTS: Check = Check {
    id: "django-allowed-hosts",
    severity: Severity::Error,
    title: "Django's ALLOWED_HOSTS refuses the host name of the API on AWS (a request is sent to it)",
    why: "API Gateway and Function URLs call the application with their own host name, unless there is a custom \
          domain. Django answers 400 to names that ALLOWED_HOSTS does not cover.",
};

pub(super) const DEBUG: Check = Check {
    id: "django-debug",
    severity: Severity::Warning,
    title: "Django with DEBUG = True",
    why: "With DEBUG Django shows settings and tracebacks to every visitor, and remembers every query until the memory \
          is full. A deployed function is public as soon as its URL is known.",
};

pub(super) const SQLITE: Check = Check {
    id: "django-sqlite",
    severity: Severity::Warning,
    title: "a SQLite database of Django's inside the package",
    why: "/var/task is read-only: reading works, the first write fails with \"attempt to write a readonly database\". \
          /tmp can be written, but each sandbox has its own and loses it.",
};

/// What the probe reports.
#[derive(Deserialize)]
struct Settings {
    debug: bool,
    /// Names of files by alias.
    sqlite: BTreeMap<String, String>,
}

const HOSTS_FIX: &str = "ALLOWED_HOSTS = [\".amazonaws.com\", \".on.aws\"], and your own domain if you have one";
const DEBUG_FIX: &str = "DEBUG = os.environ.get(\"DEBUG\") == \"1\"";

const PROBE: &str = include_str!("../django_probe.py");
const PROBE_NAME: &str = "_wsgi_lambda_doctor";
/// The variable in which the probe finds the application's module.
const PROBE_MODULE: &str = "_WSGI_LAMBDA_DOCTOR_MODULE";

/// Judges a Django application that has been started; does nothing with others.
pub(in crate::cli::doctor) fn judge(
    project: &Project,
    function: &Function,
    runner: &Runner,
    run: &mut LocalRun<'_>,
    findings: &mut Findings,
) {
    let Some(code) = project.code(function).filter(|code| is_django(code, function)) else { return };
    let hosts = hosts(project, function);
    let refused: Vec<&str> = hosts.iter().map(String::as_str).filter(|host| is_refused(run, host)).collect();
    run.stop();
    if !refused.is_empty() && (refused.len() == hosts.len() || !is_alone(project)) {
        let at = setting(code, function, "ALLOWED_HOSTS").unwrap_or_else(|| function.at.clone());
        let what = format!("Django answers 400 to {}.", refused.join(" and "));
        findings.add(&ALLOWED_HOSTS, &function.name, Some(&at), what, HOSTS_FIX);
    }
    let Some((root, settings)) = settings(project, function, runner) else { return };
    if settings.debug {
        let at = setting(code, function, "DEBUG").unwrap_or_else(|| function.at.clone());
        findings.add(&DEBUG, &function.name, Some(&at), "DEBUG is on.", DEBUG_FIX);
    }
    sqlite(function, code, &root, &settings, findings);
}

/// What the settings file says of an application that was not started, as far as its values are plain.
pub(in crate::cli::doctor) fn read(project: &Project, function: &Function, findings: &mut Findings) {
    let Some(code) = project.code(function).filter(|code| is_django(code, function)) else { return };
    if let Some((at, _)) = assigned(code, function, "DEBUG").filter(|(_, value)| value == "True") {
        findings.add(&DEBUG, &function.name, Some(&at), "DEBUG is True.", DEBUG_FIX);
    }
    let Some((at, hosts)) = assigned(code, function, "ALLOWED_HOSTS") else { return };
    let Some(allowed) = literal::texts(&hosts) else { return };
    let refused: Vec<_> =
        self::hosts(project, function).into_iter().filter(|host| !literal::allows(&allowed, host)).collect();
    if !refused.is_empty() && (refused.len() > 1 || !is_alone(project)) {
        let what = format!("ALLOWED_HOSTS does not cover {}.", refused.join(" and "));
        findings.add(&ALLOWED_HOSTS, &function.name, Some(&at), what, HOSTS_FIX);
    }
}

/// The value of a setting, in the settings module that the function uses, as far as that is known.
fn assigned(code: &Contents, function: &Function, name: &str) -> Option<(Place, String)> {
    const MODULE: &str = "DJANGO_SETTINGS_MODULE";
    let variable = function.variables.get(MODULE).map(|variable| variable.value.clone());
    let module = variable.unwrap_or_else(|| {
        // `os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")`
        let text = handler_text(code, function)?;
        let line = text.lines().find(|line| line.contains(MODULE) && !line.trim_start().starts_with('#'))?;
        let rest = line.split_once(MODULE)?.1;
        rest.split(['"', '\'']).map(str::trim).find(|part| part.contains("settings")).map(str::to_owned)
    });
    literal::assigned(code, module.as_deref(), name)
}

/// Whether Django refuses a host because its name is not allowed. It does so for every path.
fn is_refused(run: &mut LocalRun<'_>, host: &str) -> bool {
    let Some(response) = run.get(host).filter(|response| response.status == 400) else { return false };
    let body = String::from_utf8_lossy(&response.body);
    // An application can have a page of its own for this. Then the log tells.
    ["DisallowedHost", "Bad Request (400)"].iter().any(|text| body.contains(text))
        || run.logs().contains("Invalid HTTP_HOST header")
}

/// Without a template nobody knows which front end it will be.
fn is_alone(project: &Project) -> bool {
    project.deployment.functions.iter().all(Function::is_alone)
}

fn is_django(code: &Contents, function: &Function) -> bool {
    handler_text(code, function).is_some_and(|text| text.contains("django"))
}

fn handler_text(code: &Contents, function: &Function) -> Option<String> {
    let handler = function.handler.value().map_or("", String::as_str);
    let module = wsgi::name(handler).and_then(|name| wsgi::module_file(code, &name));
    module.and_then(|file| code.text(file))
}

/// The names that clients use: custom domains where there are some, else AWS's.
fn hosts(project: &Project, function: &Function) -> Vec<String> {
    let deployment = &project.deployment;
    if !deployment.domains.is_empty() {
        return deployment.domains.iter().flatten().map(|domain| domain.replace('*', "www")).collect();
    }
    let has_api = deployment.has_http_api(&function.name) || deployment.rest_methods(&function.name).next().is_some();
    let has_url = deployment.urls(&function.name).next().is_some();
    let mut hosts = Vec::new();
    if has_api || is_alone(project) {
        hosts.push("abc123.execute-api.eu-central-1.amazonaws.com".to_owned());
    }
    if has_url || is_alone(project) {
        hosts.push("abc123.lambda-url.eu-central-1.on.aws".to_owned());
    }
    hosts
}

/// Where a settings file sets a name.
fn setting(code: &Contents, function: &Function, name: &str) -> Option<Place> {
    assigned(code, function, name).map(|(place, _)| place)
}

/// A SQLite file in the package.
fn sqlite(function: &Function, code: &Contents, root: &Path, settings: &Settings, findings: &mut Findings) {
    let inside = settings.sqlite.iter().find(|(_, name)| {
        let is_file = !name.is_empty() && !name.starts_with("file:") && name.as_str() != ":memory:";
        is_file && root.join(name).starts_with(root)
    });
    if let Some((alias, name)) = inside {
        let at = setting(code, function, "DATABASES").unwrap_or_else(|| function.at.clone());
        let shown = Path::new(name).strip_prefix(root).unwrap_or(Path::new(name)).display();
        let what = format!("The database {alias:?} is the file {shown} in the package.");
        let fix = "A database server (RDS, Aurora …) for what must last. For a file that is only read: \"NAME\": \
                   \"file:/var/task/…?mode=ro&immutable=1\", \"OPTIONS\": {\"uri\": True}";
        findings.add(&SQLITE, &function.name, Some(&at), what, fix);
    }
}

/// Reads the settings in a process of their own, which runs a probe in place of the application.
fn settings(project: &Project, function: &Function, runner: &Runner) -> Option<(PathBuf, Settings)> {
    let folder = tempfile::tempdir().ok()?;
    std::fs::write(folder.path().join(format!("{PROBE_NAME}.py")), PROBE).ok()?;
    let name = wsgi::name(function.handler.value()?)?;
    let variables = [
        (APP.name, format!("{PROBE_NAME}:app")),
        (RESPONSE_MODE.name, RESPONSE_MODE.default.to_owned()),
        ("PYTHONPATH", folder.path().display().to_string()),
        (PROBE_MODULE, name.module),
    ];
    let mut run = runner.prepare(project, function, &variables).ok()??;
    run.start().ok()?;
    let response = run.get("localhost")?;
    run.stop();
    Some((run.root.clone(), serde_json::from_slice(&response.body).ok()?))
}
