//! Files that other adapters and deployment tools leave: settings, generated handlers, requirements.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::peers::{VARIABLE, replacement};
use crate::cli::doctor::find::{SERVERLESS_OUTPUT, tidy};
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::node::{Node, Place};
use crate::cli::doctor::yaml;
use crate::cli::packaging::requirements::{name_of, normal, without_comment};

pub(super) const FILE: Check = Check {
    id: "peer-file",
    severity: Severity::Note,
    title: "what is left of serverless-wsgi, Zappa, mangum, apig-wsgi or awsgi in files",
    why: "wsgi-lambda reads none of it. Some of it keeps the old adapter in the package, or makes the old handler again \
          (docs/migrate.md).",
};

/// Names of files, and what replaces them.
const FILES: &[(&str, &str)] = &[
    (
        "zappa_settings.",
        "Handler, variables, timeout and front ends are properties of the function in the template. Keep the file until \
         `zappa undeploy` has been run.",
    ),
    ("wsgi_handler.py", "Delete it: the handler is the application itself, module.attribute."),
    ("serverless_wsgi.py", "Delete it: the handler is the application itself, module.attribute."),
    (".serverless-wsgi", "Delete it: the handler is the application itself, module.attribute."),
];

/// Distributions of adapters.
const ADAPTERS: &[&str] = &["mangum", "apig-wsgi", "serverless-wsgi", "aws-wsgi", "awsgi", "awsgi2", "zappa"];

/// Plugins of the Serverless Framework, and what replaces them. The first makes `wsgi_handler.py` again.
const PLUGINS: &[(&str, &str)] = &[
    (
        "serverless-wsgi",
        "Remove the plugin: functions.NAME.handler is the application, and `wsgi-lambda package` packs.",
    ),
    ("serverless-plugin-warmup", PINGS),
    ("serverless-plugin-warm-up", PINGS),
];

const PINGS: &str = "Answer its events with WSGI_LAMBDA_WARMUP=true. Or remove the plugin, for provisioned concurrency or \
                     SnapStart, which keep more than one sandbox warm.";

/// Looks into folders that templates and applications lie in.
pub(in crate::cli::doctor) fn run(folders: &[PathBuf], findings: &mut Findings) {
    let folders: BTreeSet<&PathBuf> = folders.iter().collect();
    for folder in folders {
        for name in names(folder) {
            let path = tidy(&folder.join(&name));
            if let Some((_, fix)) = FILES.iter().find(|(file, _)| name == *file || is_named(&name, file)) {
                add(Severity::Note, &path, 1, format!("{name} is of another adapter."), fix, findings);
            } else if is_requirements(&name) {
                requirements(&path, findings);
            } else if ["serverless.yml", "serverless.yaml"].contains(&name.as_str()) {
                serverless(&path, findings);
                // What was made of it is read in its place.
                if !folder.join(SERVERLESS_OUTPUT).is_file() {
                    variables(&path, findings);
                }
            }
        }
        for name in names(&folder.join("requirements")) {
            requirements(&tidy(&folder.join("requirements").join(name)), findings);
        }
    }
}

/// The application that the settings of Zappa or serverless-wsgi name, and the file that does.
pub(in crate::cli::doctor) fn named_application(folder: &Path) -> Option<(PathBuf, String)> {
    let read = |name: &str| {
        let path = tidy(&folder.join(name));
        let root = yaml::parse(&std::fs::read_to_string(&path).ok()?, &path).ok()?;
        Some((path, root))
    };
    let zappa = ["zappa_settings.json", "zappa_settings.yml", "zappa_settings.yaml"].into_iter().find_map(|name| {
        let (path, root) = read(name)?;
        let stages = &root.map()?.entries;
        let text = |key: &str| stages.iter().find_map(|(_, stage)| stage.get(key)?.text());
        // `mysite.settings` or `mysite.settings.prod`: Django's template puts wsgi.py next to the settings.
        let django = || Some(format!("{}.wsgi.application", text("django_settings")?.split(".settings").next()?));
        Some((path, text("app_function").or_else(django)?))
    });
    zappa.or_else(|| {
        let (path, root) = read("serverless.yml")?;
        let app = root.path(&["custom", "wsgi", "app"])?.text()?;
        Some((path, app))
    })
}

/// The files of a folder, in order.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

fn is_named(name: &str, beginning: &str) -> bool {
    let endings = ["json", "yml", "yaml", "toml", "py"];
    beginning.ends_with('.') && name.strip_prefix(beginning).is_some_and(|ending| endings.contains(&ending))
}

fn is_requirements(name: &str) -> bool {
    let is_list = name.starts_with("requirements") && [".txt", ".in"].iter().any(|ending| name.ends_with(ending));
    is_list || ["Pipfile", "pyproject.toml"].contains(&name)
}

fn requirements(path: &Path, findings: &mut Findings) {
    let Ok(text) = std::fs::read_to_string(path) else { return };
    for (index, line) in text.lines().enumerate() {
        // In a list of pyproject.toml names are in quotes.
        let line = without_comment(line).trim_matches(['"', '\'', ',', ' ']);
        let name = normal(name_of(line));
        if ADAPTERS.contains(&name.as_str()) {
            let what = format!("{name} is required.");
            add(
                Severity::Note,
                path,
                index + 1,
                what,
                "Remove it: wsgi-lambda calls the application itself.",
                findings,
            );
        }
    }
}

/// A serverless.yml is looked into for these settings alone. One that is no YAML is the framework's to complain about.
fn serverless(path: &Path, findings: &mut Findings) {
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let Ok(root) = yaml::parse(&text, path) else { return };
    let mut add = |node: &Node, what: String, fix: &str| {
        findings.add_as(Severity::Warning, &FILE, "", Some(&node.at), what, fix);
    };
    for plugin in root.all(&["plugins"]).into_iter().chain(root.all(&["plugins", "modules"])) {
        let name = plugin.text().unwrap_or_default();
        if let Some((_, fix)) = PLUGINS.iter().find(|(plugin, _)| name == *plugin) {
            add(plugin, format!("The plugin {name} is used."), fix);
        }
    }
    if let Some(settings) = root.path(&["custom", "wsgi"]) {
        let app = settings.get("app").and_then(Node::text).unwrap_or_else(|| "module.attribute".to_owned());
        let fix = format!("Remove it. handler: {app}; `wsgi-lambda package` takes the place of packRequirements.");
        add(settings, "custom.wsgi is set, which is serverless-wsgi's.".to_owned(), &fix);
    }
    let functions = root.get("functions").and_then(Node::map).map(|map| map.entries.as_slice()).unwrap_or_default();
    for handler in functions.iter().filter_map(|(_, function)| function.get("handler")) {
        if handler.text().is_some_and(|text| text.ends_with("wsgi_handler.handler")) {
            let fix = "handler: module.attribute, the application that custom.wsgi.app names";
            add(handler, "wsgi_handler.handler is serverless-wsgi's.".to_owned(), fix);
        }
    }
}

/// Variables of peers in a serverless.yml: the provider's, and those of functions.
fn variables(path: &Path, findings: &mut Findings) {
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let Ok(root) = yaml::parse(&text, path) else { return };
    let entries = |node: Option<&Node>| node.and_then(Node::map).map(|map| map.entries.clone()).unwrap_or_default();
    let mut all = entries(root.path(&["provider", "environment"]));
    for (_, function) in entries(root.get("functions")) {
        all.extend(entries(function.get("environment")));
    }
    for (name, value) in all {
        let set = |name: &str, value: &str| format!("environment: {{{name}: {value}}}");
        if let Some((severity, fix)) = replacement(&name, value.text().as_deref(), &set) {
            let what = format!("{name} is set: wsgi-lambda does not read it.");
            findings.add_as(severity, &VARIABLE, "", Some(&value.at), what, fix);
        }
    }
}

fn add(severity: Severity, path: &Path, line: usize, what: String, fix: &str, findings: &mut Findings) {
    let at = Place { file: path.into(), line };
    findings.add_as(severity, &FILE, "", Some(&at), what, fix);
}
