//! The layer that holds the runtime, and layers as such.

use super::words::{place, set};
use crate::bundle::Architecture;
use crate::cli::doctor::contents::shown;
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::{Dialect, Function, Layer};
use crate::cli::doctor::project::{Project, RuntimeFacts};
use crate::cli::packaging::target::OLDEST;

pub(super) const RUNTIME_MISSING: Check = Check {
    id: "runtime-layer-missing",
    severity: Severity::Error,
    title: "provided.* without anything that has a bootstrap",
    why: "provided.al2023 has no language of its own: Lambda starts `bootstrap` from the package or from a layer, and \
          fails with Runtime.InvalidEntrypoint when there is none.",
};

pub(super) const PYTHON: Check = Check {
    id: "layer-python",
    severity: Severity::Error,
    title: "a layer made for another Python than the function has",
    why: "A bootstrap is linked to the library of one minor version of Python. The bootstrap-only layer takes it from \
          the managed runtime of that version, the self-contained one has it.",
};

pub(super) const ARCHITECTURE: Check = Check {
    id: "layer-architecture",
    severity: Severity::Error,
    title: "a runtime layer for another processor than the function's",
    why: "A program for one processor does not start on the other: Runtime.InvalidEntrypoint, exec format error.",
};

pub(super) const COMPATIBILITY: Check = Check {
    id: "layer-compatibility",
    severity: Severity::Warning,
    title: "a layer that does not name the function's runtime or architecture as compatible",
    why: "Lambda's console hides the layer from the function, and the files mislead whoever reads them. It may also \
          be the wrong layer.",
};

pub(super) const COUNT: Check = Check {
    id: "layer-count",
    severity: Severity::Error,
    title: "more than five layers",
    why: "A function has at most five layers (Lambda quotas); the deployment is refused. SAM appends those of Globals.",
};

pub(super) const SHADOWED: Check = Check {
    id: "bootstrap-shadowed",
    severity: Severity::Error,
    title: "a package with a `bootstrap` of its own",
    why: "Lambda looks for `bootstrap` in the package before it looks into layers: that file is started in place \
          of the layer's.",
};

/// The most layers a function may have.
const MAX_LAYERS: usize = 5;

pub(super) fn run(project: &Project, findings: &mut Findings) {
    for function in project.functions().filter(|function| !function.image) {
        bootstrap(project, function, findings);
        count(function, findings);
        for layer in project.deployment.local_layers(function) {
            compatibility(project, function, layer, findings);
        }
        if let Some(facts) = project.runtime_facts(function) {
            architecture(project, function, &facts, findings);
            python(project, function, &facts, findings);
        }
    }
}

fn bootstrap(project: &Project, function: &Function, findings: &mut Findings) {
    if !function.is_provided() {
        return;
    }
    let package = project.package(function);
    let has_own = package.is_some_and(|package| package.has("bootstrap"));
    if has_own && project.has_runtime_layer(function) {
        let path = package.map(|package| shown(&package.path.join("bootstrap"))).unwrap_or_default();
        let what = format!("The package has a bootstrap of its own: {path}.");
        let at = place(&function.code.path, function);
        findings.add(&SHADOWED, &function.name, Some(at), what, "Remove the file from the package, or the layer.");
    }
    if !has_own && package.is_some() && function.layers.is_empty() && !function.more_layers {
        let what = "No layer, and no bootstrap in the package: nothing to start.";
        let fix = match project.deployment.dialect {
            Dialect::Terraform => "layers = [aws_lambda_layer_version.NAME.arn]",
            _ => "Layers: [!Ref NAME], with the wsgi-lambda layer (`wsgi-lambda layer` builds it)",
        };
        findings.add(&RUNTIME_MISSING, &function.name, Some(place(&function.runtime, function)), what, fix);
    }
}

fn count(function: &Function, findings: &mut Findings) {
    let layers = function.layers.len();
    if layers > MAX_LAYERS {
        let what = format!("The function has {layers} layers.");
        let fix = "Merge layers, or put packages into the function.";
        findings.add(&COUNT, &function.name, Some(&function.at), what, fix);
    }
}

/// The runtime is for the function's processor.
fn architecture(project: &Project, function: &Function, facts: &RuntimeFacts, findings: &mut Findings) {
    let wanted = function.architecture.or_default(Architecture::X86_64);
    if let (Some(wanted), Some(found)) = (wanted, facts.architecture)
        && found != wanted
    {
        let what = format!("The layer {} is for {found}, the function is {wanted}.", facts.name);
        let fix = format!("A layer for {wanted}, or {}.", architectures(project, found));
        findings.add(&ARCHITECTURE, &function.name, Some(place(&function.architecture, function)), what, fix);
    }
}

fn architectures(project: &Project, architecture: Architecture) -> String {
    match project.deployment.dialect {
        Dialect::Terraform => format!("architectures = [\"{architecture}\"]"),
        _ => format!("Architectures: [{architecture}]"),
    }
}

fn compatibility(project: &Project, function: &Function, layer: &Layer, findings: &mut Findings) {
    if let (Some(runtimes), Some(runtime)) = (layer.runtimes.value(), function.runtime.value())
        && !runtimes.is_empty()
        && !runtimes.contains(runtime)
    {
        let what = format!("The layer is said to be for {}, {} is {runtime}.", runtimes.join(", "), function.name);
        let value = set(&project.deployment, "CompatibleRuntimes", "compatible_runtimes", &format!("[{runtime}]"));
        findings.add(&COMPATIBILITY, &layer.name, layer.runtimes.place(), what, value);
    }
    let architecture = function.architecture.or_default(Architecture::X86_64).map(|one| one.to_string());
    if let (Some(named), Some(architecture)) = (layer.architectures.value(), architecture)
        && !named.is_empty()
        && !named.contains(&architecture)
    {
        let what = format!("The layer is said to be for {}, {} is {architecture}.", named.join(", "), function.name);
        let key = ("CompatibleArchitectures", "compatible_architectures");
        let fix = format!(
            "A layer for {architecture}, and {}",
            set(&project.deployment, key.0, key.1, &format!("[{architecture}]"))
        );
        findings.add(&COMPATIBILITY, &layer.name, layer.architectures.place(), what, fix);
    }
}

/// Whether the layer's Python is the managed runtime's, and whether there is one at all on provided.*.
fn python(project: &Project, function: &Function, facts: &RuntimeFacts, findings: &mut Findings) {
    if facts.brings_python != Some(false) {
        return;
    }
    let at = Some(place(&function.runtime, function));
    match (function.managed_minor(), facts.minor) {
        // A Python that is too old is another finding.
        (Some(managed), Some(minor)) if managed != minor && managed >= OLDEST.minor => {
            let what = format!("The layer {} is for python3.{minor}, the function has python3.{managed}.", facts.name);
            let quote = if project.deployment.dialect == Dialect::Terraform { "\"" } else { "" };
            let runtime = set(&project.deployment, "Runtime", "runtime", &format!("{quote}python3.{minor}{quote}"));
            let layer = format!("a layer for python3.{managed}");
            let fix = if minor < OLDEST.minor { layer } else { format!("{runtime}, or {layer}") };
            findings.add(&PYTHON, &function.name, at, what, fix);
        }
        _ if function.is_provided() => {
            let what =
                format!("The layer {} has a bootstrap but no Python, and provided.* has none either.", facts.name);
            let fix = "The self-contained layer (wsgi-lambda-python3.N-….zip), or a managed runtime python3.N with \
                       AWS_LAMBDA_EXEC_WRAPPER=/opt/bootstrap.";
            findings.add(&PYTHON, &function.name, at, what, fix);
        }
        _ => {}
    }
}
