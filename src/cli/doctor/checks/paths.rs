//! Variables that say where Python and the loader search.

use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::{Function, LayerUse, Variable};
use crate::cli::doctor::project::Project;

pub(super) const NOT_EXPANDED: Check = Check {
    id: "variable-not-expanded",
    severity: Severity::Error,
    title: "$NAME in the value of a search path",
    why: "Lambda sets values as they are written, no shell expands them: $PATH stands for nothing but itself, and what \
          the variable had before is lost.",
};

pub(super) const PYTHONPATH: Check = Check {
    id: "pythonpath",
    severity: Severity::Warning,
    title: "PYTHONPATH set",
    why: "In AWS's own loop a PYTHONPATH takes all layers out of sys.path. wsgi-lambda keeps them: package and layers \
          come first, then the folders of PYTHONPATH, then the standard library. A folder that is not there, or that \
          holds packages of another Python, has no effect or does harm.",
};

pub(super) const PYTHONHOME: Check = Check {
    id: "pythonhome",
    severity: Severity::Warning,
    title: "PYTHONHOME set",
    why: "wsgi-lambda knows where its Python is and does not read it, but every Python that the application starts as a \
          child looks for its standard library there and ends at once.",
};

pub(super) const LIBRARY_PATH: Check = Check {
    id: "ld-library-path",
    severity: Severity::Warning,
    title: "LD_LIBRARY_PATH that leaves Lambda's own folders out",
    why: "The value replaces Lambda's, which has /opt/lib (libraries of layers) and /var/task/lib (of the package). \
          Extension modules that load such a library fail to import. The runtime itself does not depend on it.",
};

/// Folders of Lambda's LD_LIBRARY_PATH that are there for applications ("Defined runtime environment variables").
const LIBRARY_FOLDERS: [&str; 2] = ["/opt/lib", "/var/task/lib"];

pub(super) fn run(project: &Project, findings: &mut Findings) {
    for function in project.functions() {
        judge(project, function, findings);
    }
}

fn judge(project: &Project, function: &Function, findings: &mut Findings) {
    let name = &function.name;
    for variable in &function.variables.entries {
        let Some(value) = variable.value.as_deref() else { continue };
        let at = Some(&variable.at);
        match variable.name.as_str() {
            "PATH" | "LD_LIBRARY_PATH" | "PYTHONPATH" if value.contains('$') => {
                let fix = format!("Write the folders out: {}.", written_out(&variable.name));
                findings.add(&NOT_EXPANDED, name, at, format!("{} is {value:?}.", variable.name), fix);
            }
            "PYTHONPATH" => pythonpath(project, function, variable, value, findings),
            "PYTHONHOME" => findings.add(&PYTHONHOME, name, at, "PYTHONHOME is set.", "Remove the variable."),
            "LD_LIBRARY_PATH" => {
                let folders: Vec<&str> = value.split(':').map(|folder| folder.trim_end_matches('/')).collect();
                let missing: Vec<&str> = LIBRARY_FOLDERS.into_iter().filter(|one| !folders.contains(one)).collect();
                if !missing.is_empty() {
                    let what = format!("LD_LIBRARY_PATH leaves out {}.", missing.join(" and "));
                    let fix = format!("Remove the variable, or append :{}", missing.join(":"));
                    findings.add(&LIBRARY_PATH, name, at, what, fix);
                }
            }
            _ => {}
        }
    }
}

fn written_out(name: &str) -> &'static str {
    match name {
        "PATH" => "/usr/local/bin:/usr/bin/:/bin:/opt/bin and yours",
        "PYTHONPATH" => "package and layers are searched anyway",
        _ => "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib and yours",
    }
}

fn pythonpath(project: &Project, function: &Function, variable: &Variable, value: &str, findings: &mut Findings) {
    let at = Some(&variable.at);
    let minor = project.python_minor(function);
    let mut is_told = false;
    for folder in value.split(':').filter(|folder| !folder.is_empty()) {
        let other = folder.split_once("/python3.").and_then(|(_, rest)| {
            rest.split('/').next()?.parse::<u32>().ok().filter(|found| minor.is_some_and(|minor| minor != *found))
        });
        let what = if let (Some(other), Some(minor)) = (other, minor) {
            format!("PYTHONPATH has {folder}: packages of python3.{other}, the function is on python3.{minor}.")
        } else if is_missing(project, function, folder) {
            format!("PYTHONPATH has {folder}, which is not there.")
        } else {
            continue;
        };
        is_told = true;
        findings.add(&PYTHONPATH, &function.name, at, what, "Correct the folder, or remove it.");
    }
    if !is_told {
        let what = format!("PYTHONPATH is {value}: searched after package and layers.");
        let fix = "Nothing to do, if that order is meant.";
        findings.add_as(Severity::Note, &PYTHONPATH, &function.name, at, what, fix);
    }
}

/// Whether a folder is certainly neither in the package nor in a layer.
fn is_missing(project: &Project, function: &Function, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    if let Some(name) = folder.strip_prefix("/opt/") {
        let unknown = function.more_layers || function.layers.iter().any(|one| matches!(one, LayerUse::Elsewhere(_)));
        let may_have = |layer| project.layer_contents(layer).is_none_or(|contents| contents.has_folder(name));
        return !unknown && !project.deployment.local_layers(function).any(may_have);
    }
    let name = folder.strip_prefix("/var/task/").or_else(|| (!folder.starts_with('/')).then_some(folder));
    let package = project.package(function);
    name.is_some_and(|name| name != "." && package.is_some_and(|package| !package.has_folder(name)))
}
