//! The uploaded files: what they were made for, and how large they are.

use std::collections::BTreeMap;

use super::pyc;
use super::words::place;
use crate::bundle::{Architecture, LAMBDA_GLIBC, MAX_UNZIPPED};
use crate::cli::doctor::contents::Contents;
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::Function;
use crate::cli::doctor::node::Place;
use crate::cli::doctor::project::Project;
use crate::cli::packaging::dists::{INFO, wheel_tags};
use crate::cli::packaging::tags::mismatch_of_all;
use crate::cli::packaging::target::{PartialTarget, PythonVersion};
use crate::cli::packaging::unfit::{Mismatch, Unfit};
use crate::cli::packaging::{libraries, modules};

pub(super) const PLATFORM: Check = Check {
    id: "package-platform",
    severity: Severity::Error,
    title: "extension modules for another operating system or C library",
    why: "Lambda is Linux with glibc. Packages installed on macOS, Windows or Alpine have modules for those, which \
          Python does not find or cannot load on Lambda.",
};

pub(super) const ARCHITECTURE: Check = Check {
    id: "package-architecture",
    severity: Severity::Error,
    title: "extension modules for another processor than the function's",
    why: "A library for one processor cannot be loaded on the other: the import fails.",
};

pub(super) const GLIBC: Check = Check {
    id: "package-glibc",
    severity: Severity::Error,
    title: "extension modules that need a newer C library than Lambda has",
    why: "Amazon Linux 2023 has glibc 2.34. A library that was built on a newer system asks for more, and the loader \
          refuses it. Wheels tagged manylinux_2_34 or lower fit.",
};

pub(super) const PYTHON: Check = Check {
    id: "package-python",
    severity: Severity::Error,
    title: "extension modules of another Python version than the function's",
    why: "Python finds an extension module only under its own version's tag (cpython-313), or under abi3.",
};

pub(super) const SIZE: Check = Check {
    id: "package-size",
    severity: Severity::Error,
    title: "more than 250 MB unpacked, layers included",
    why: "Function and layers together may have 250 MB unpacked (Lambda quotas); the deployment is refused.",
};

pub(super) fn run(project: &Project, findings: &mut Findings) {
    for function in project.functions().filter(|function| !function.image) {
        let at = place(&function.code.path, function);
        if let Some(package) = project.package(function) {
            judge(project, function, package, at, findings);
            if package.is_built() {
                size(project, function, package, at, findings);
            }
        }
        for layer in project.deployment.local_layers(function) {
            let contents = project.layer_contents(layer).filter(|contents| contents.has_folder("python"));
            if let Some(contents) = contents {
                judge(project, function, contents, layer.code.path.place().unwrap_or(at), findings);
            }
        }
    }
}

/// Judges the package, or a layer with packages.
fn judge(project: &Project, function: &Function, package: &Contents, at: &Place, findings: &mut Findings) {
    let target = target(project.python_minor(function), function.architecture.or_default(Architecture::X86_64));
    for ((id, folder), found) in wrong_files(package, &target) {
        let check = [&PLATFORM, &ARCHITECTURE, &GLIBC, &PYTHON].into_iter().find(|check| check.id == id);
        let Some(check) = check else { continue };
        let more = match found.count {
            0 | 1 => String::new(),
            2 => " (and 1 more file)".to_owned(),
            count => format!(" (and {} more files)", count - 1),
        };
        let what = format!("{folder}: {}{more}.", found.what);
        findings.add(check, &function.name, Some(at), what, fix(&target));
    }
    if package.is_built() {
        pyc::run(project, function, package, at, findings);
    }
}

fn target(minor: Option<u32>, architecture: Option<Architecture>) -> PartialTarget {
    PartialTarget { python: minor.map(|minor| PythonVersion { minor }), architecture, glibc: LAMBDA_GLIBC }
}

fn check_of(mismatch: Mismatch) -> &'static Check {
    match mismatch {
        Mismatch::Platform => &PLATFORM,
        Mismatch::Architecture => &ARCHITECTURE,
        Mismatch::Glibc => &GLIBC,
        Mismatch::Python => &PYTHON,
    }
}

/// What is wrong with the files of one package.
struct Wrong {
    what: String,
    count: usize,
}

/// One finding for each kind and package, not for each of its files.
fn wrong_files<'a>(package: &'a Contents, target: &PartialTarget) -> BTreeMap<(&'static str, &'a str), Wrong> {
    let mut wrong: BTreeMap<(&'static str, &str), Wrong> = BTreeMap::new();
    for name in package.names().filter(|name| modules::is_library(name)) {
        let Some(unfit) = modules::unfit(name, target).or_else(|| by_content(package, name, target)) else { continue };
        let top = name.rsplit_once("site-packages/").map_or(name, |(_, rest)| rest);
        let top = top.strip_prefix("python/").unwrap_or(top).split('/').next().unwrap_or(top);
        let what = format!("{name} {}", described(&unfit, target));
        wrong.entry((check_of(unfit.mismatch()).id, top)).or_insert(Wrong { what, count: 0 }).count += 1;
    }
    // A finding about a file says more than one about its wheel.
    let known: Vec<&str> = wrong.keys().map(|(id, _)| *id).collect();
    for (folder, check, what) in wrong_wheels(package, target).filter(|(_, check, _)| !known.contains(&check.id)) {
        wrong.insert((check.id, folder), Wrong { what, count: 1 });
    }
    wrong
}

/// The wheels that do not fit, by the name of their folder of metadata.
fn wrong_wheels<'a>(
    package: &'a Contents,
    target: &PartialTarget,
) -> impl Iterator<Item = (&'a str, &'static Check, String)> {
    let folders = package.names().filter_map(|name| name.strip_suffix("/WHEEL").filter(|name| name.ends_with(INFO)));
    folders.filter_map(move |folder| {
        let text = package.text(&format!("{folder}/WHEEL"))?;
        let check = check_of(mismatch_of_all(wheel_tags(&text), target)?);
        let tags: Vec<&str> = wheel_tags(&text).collect();
        Some((folder, check, format!("its wheel is for {}", tags.join(", "))))
    })
}

fn described(unfit: &Unfit, target: &PartialTarget) -> String {
    match unfit {
        Unfit::System(system) => format!("is for {system}"),
        Unfit::Musl(library) => format!("needs {library}: it is for Alpine (musl)"),
        Unfit::Architecture(found) => {
            let found = found.map_or("another processor".to_owned(), |found| found.to_string());
            let wanted = target.architecture.map_or("for another".to_owned(), |wanted| wanted.to_string());
            format!("is for {found}, the function is {wanted}")
        }
        Unfit::Glibc(symbol) => format!("needs glibc {} ({})", symbol.version, symbol.name),
        Unfit::Python(found) => match target.python {
            Some(wanted) => format!("is for python{found}, the function is on python{wanted}"),
            None => format!("is for python{found}, which Lambda does not have"),
        },
    }
}

fn by_content(package: &Contents, name: &str, target: &PartialTarget) -> Option<Unfit> {
    match package.elf(name) {
        Some(elf) => libraries::unfit(&elf, target),
        None => libraries::is_mach_o(&package.read_start(name, 4)?).then_some(Unfit::System("macOS")),
    }
}

/// An extension module that this machine's Python cannot load.
pub(super) fn foreign_module(package: &Contents, minor: Option<u32>) -> Option<&str> {
    let here = target(minor, Architecture::of_this_machine());
    let is_foreign = |name: &&str| {
        let by_content = || package.elf(name).is_some_and(|elf| elf.architecture != here.architecture);
        modules::unfit(name, &here).is_some() || by_content()
    };
    package.names().filter(|name| modules::is_library(name)).find(is_foreign)
}

fn fix(target: &PartialTarget) -> String {
    let platform = target.architecture.map_or("x86_64 or aarch64", Architecture::machine);
    let version = target.python.map_or("3.N".to_owned(), |python| python.to_string());
    format!(
        "Install for Lambda: `wsgi-lambda package`, or `pip install --platform manylinux_2_28_{platform} --python-version \
         {version} --only-binary=:all: --target DIR -r requirements.txt`"
    )
}

fn size(project: &Project, function: &Function, package: &Contents, at: &Place, findings: &mut Findings) {
    let layers = project.deployment.local_layers(function).filter_map(|layer| project.layer_contents(layer));
    let total = package.size() + layers.map(Contents::size).sum::<u64>();
    if total > MAX_UNZIPPED {
        let what = format!("Package and layers have {} MB unpacked.", total / 1024 / 1024);
        let fix =
            "Leave out what the function does not import (tests, boto3 where the runtime has it), or deploy an image.";
        findings.add(&SIZE, &function.name, Some(at), what, fix);
    }
}
