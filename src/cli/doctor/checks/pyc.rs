//! Compiled modules: /var/task is read-only, so a module without a compiled file is compiled at every cold start.

use crate::cli::doctor::contents::{Contents, extension, shown};
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::Function;
use crate::cli::doctor::node::Place;
use crate::cli::doctor::project::Project;
use crate::cli::packaging::modules::cached;
use crate::cli::packaging::target::PythonVersion;

pub(super) const PYC: Check = Check {
    id: "package-pyc",
    severity: Severity::Warning,
    title: "a built package without compiled modules",
    why: "/var/task is read-only: Python cannot keep what it compiles, and does so again in every new sandbox, which is \
          a large part of a cold start. Compiled files with a time stamp count as stale as soon as a deployment tool or \
          Lambda sets other times; those with an unchecked hash (PEP 552) are always valid.",
};

/// The bit in a compiled file's flags that says that it is valid by hash, and the one that says to check that (PEP 552).
const BY_HASH: u8 = 1;

pub(super) fn run(project: &Project, function: &Function, package: &Contents, at: &Place, findings: &mut Findings) {
    let minor = project.python_minor(function);
    let sources: Vec<&str> = package.names().filter(|name| extension(name) == "py").collect();
    let compiled = sources.iter().filter(|name| is_compiled(package, name, minor)).count();
    let missing = sources.len() - compiled;
    // A few, such as templates in old Python that cannot be compiled, are not reported.
    if missing == 0 || missing * 10 < sources.len() {
        return;
    }
    let path = shown(&package.path);
    let what = format!("{missing} of {} modules in {path} have no compiled file that stays valid.", sources.len());
    let version = minor.map_or("3.N".to_owned(), |minor| format!("3.{minor}"));
    let fix = format!(
        "Build with `wsgi-lambda package`, or compile after the installation: python{version} -m compileall -q \
         --invalidation-mode unchecked-hash DIR"
    );
    findings.add(&PYC, &function.name, Some(at), what, fix);
}

/// Whether a source has a compiled file for this Python that does not depend on times.
fn is_compiled(package: &Contents, source: &str, minor: Option<u32>) -> bool {
    let minors = minor.map_or(11..=20, |minor| minor..=minor);
    let mut candidates = minors.map(|minor| cached(source, PythonVersion { minor }));
    candidates.any(|name| {
        let start = package.has(&name).then(|| package.read_start(&name, 8)).flatten();
        start.is_some_and(|start| start.get(4).is_some_and(|flags| flags & BY_HASH != 0))
    })
}
