//! What would not run on Lambda, or would surprise there. It is read from the files themselves, not only from their names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::files::{AppFiles, Staged};
use super::instead;
use crate::bundle::Elf;
use crate::cli::failure::Failure;
use crate::cli::look;
use crate::cli::packaging::dists::Dists;
use crate::cli::packaging::libraries;
use crate::cli::packaging::modules::{self, Extension, base, mentions};
use crate::cli::packaging::tags::mismatch_of_all;
use crate::cli::packaging::target::Target;
use crate::cli::packaging::unfit::Unfit;
use crate::handler_name::HandlerName;

/// What was found. An error stops the package. Each text names the file and what to do.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) errors: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// Wheels that are not for the target, and installations that point to the build machine.
pub(super) fn installed(dists: &Dists, files: &[Staged], target: &Target, findings: &mut Findings) {
    for dist in dists.iter() {
        if mismatch_of_all(dist.tags.iter().map(String::as_str), &(*target).into()).is_some() {
            let (name, version, tags) = (&dist.name, &dist.version, dist.tags.join(", "));
            findings.errors.push(format!("{name} {version} was installed for {tags}, not for {target}"));
        }
    }
    let editable = files.iter().find(|file| file.name.starts_with("__editable__") || file.name.ends_with(".egg-link"));
    if let Some(file) = editable {
        findings.errors.push(format!(
            "{} points to a folder of this machine: a requirement is editable. Write it without -e",
            file.name
        ));
    }
}

/// Reads every ELF file.
pub(super) fn binaries(
    files: &[Staged],
    dists: &Dists,
    target: &Target,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let here: BTreeSet<&str> = files.iter().map(|file| base(&file.name)).collect();
    let mut lacking: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for file in files {
        let unreadable =
            |error: std::io::Error| Failure::Failed(format!("cannot read {}: {error}", file.path.display()));
        let start = start_of(file).map_err(unreadable)?;
        if start != ELF && !foreign_module(file) {
            continue;
        }
        let owner = dists.owner(&file.name).map(|dist| format!("{} {}", dist.name, dist.version));
        let binary = Binary { file, target, owner, siblings: files };
        match Elf::read(&fs::read(&file.path).map_err(unreadable)?) {
            Ok(None) => {
                let system = match modules::unfit(&file.name, &(*target).into()) {
                    Some(Unfit::System(system)) => system,
                    _ if libraries::is_mach_o(&start) => "macOS",
                    _ => "another system",
                };
                let text = binary.says(&format!("is a module for {system}: no import on Lambda finds it"));
                binary.worse(findings).push(text);
            }
            Ok(Some(elf)) => {
                for library in binary.check(&elf, &here, findings) {
                    let whose = binary.owner.clone().unwrap_or_else(|| "the application".to_owned());
                    lacking.entry((whose, library)).or_default().push(&file.name);
                }
            }
            Err(error) => findings.warnings.push(binary.says(&format!("is a broken ELF file ({error})"))),
        }
    }
    findings.warnings.extend(lacking.into_iter().map(|((whose, library), files)| lacks(&whose, &library, &files)));
    Ok(())
}

fn lacks(whose: &str, library: &str, files: &[&str]) -> String {
    let more = match files.len() {
        0 | 1 => String::new(),
        2 => " and 1 more file".to_owned(),
        count => format!(" and {} more files", count - 1),
    };
    let fix = match instead::of(whose) {
        Some(other) => format!("require {other} instead"),
        None => {
            format!("put it into a folder lib/ of the application, or into a layer's lib/, if {} is used", files[0])
        }
    };
    format!("{whose} needs {library}, which neither the package nor Lambda has ({}{more}): {fix}", files[0])
}

/// An ELF file of the package.
struct Binary<'a> {
    file: &'a Staged,
    target: &'a Target,
    owner: Option<String>,
    siblings: &'a [Staged],
}

impl Binary<'_> {
    fn says(&self, what: &str) -> String {
        let of = self.owner.as_ref().map(|owner| format!("{owner}: ")).unwrap_or_default();
        format!("{of}{} {what}", self.file.name)
    }

    /// Where a doubtful file is reported: the application's own files are there to be used, so theirs are errors.
    fn worse<'f>(&self, findings: &'f mut Findings) -> &'f mut Vec<String> {
        if self.owner.is_none() { &mut findings.errors } else { &mut findings.warnings }
    }

    /// Whether Python would load it, as a module or with one. Other programs in wheels may be for other machines.
    fn must_load(&self) -> bool {
        self.owner.is_none() || Extension::of(base(&self.file.name)).is_some_and(|name| name.fits(self.target))
    }

    /// Checks a file, and returns the libraries that neither the package nor Lambda has.
    fn check(&self, elf: &Elf, here: &BTreeSet<&str>, findings: &mut Findings) -> Vec<String> {
        if let Some(version) = self.wrong_python() {
            let text = self.says(&format!("is for Python {version}, not {}: no import finds it", self.target.python));
            self.worse(findings).push(text);
            return Vec::new();
        }
        match libraries::unfit(elf, &(*self.target).into()) {
            Some(Unfit::Glibc(symbol)) => findings.errors.push(self.says(&format!(
                "needs glibc {} (symbol {}), and Lambda has {}: build it on an older system, or --exclude '{}'",
                symbol.version, symbol.name, self.target.glibc, self.file.name
            ))),
            Some(unfit) => {
                self.cannot_load(unfit, findings);
                return Vec::new();
            }
            None => {}
        }
        let python = format!("libpython3.{}.so", self.target.python.minor);
        let known =
            |library: &str| libraries::is_on_lambda(library) || here.contains(library) || library.starts_with(&python);
        elf.needed.iter().filter(|library| !known(library)).cloned().collect()
    }

    fn cannot_load(&self, unfit: Unfit, findings: &mut Findings) {
        if let Unfit::Musl(library) = unfit {
            let what = format!("needs {library}: it was built on Alpine, and Lambda has glibc");
            findings.errors.push(self.says(&what));
        } else if let Unfit::Architecture(found) = unfit {
            let machine = found.map_or_else(|| "another machine".to_owned(), |found| found.to_string());
            let name = &self.file.name;
            let what = format!("is for {machine}, not {}; --exclude '{name}' leaves it out", self.target.architecture);
            let worse = if self.must_load() { &mut findings.errors } else { &mut findings.warnings };
            worse.push(self.says(&what));
        }
    }

    /// The version in an extension module's name, if it is another one and the right one is not next to it.
    fn wrong_python(&self) -> Option<String> {
        let extension = Extension::of(base(&self.file.name))?;
        let version = extension.other_python(Some(self.target.python))?;
        let folder = |name: &str| name.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let right_one = self.siblings.iter().any(|other| {
            folder(&other.name) == folder(&self.file.name)
                && Extension::of(base(&other.name))
                    .is_some_and(|other| other.stem() == extension.stem() && other.fits(self.target))
        });
        (!right_one).then_some(version)
    }
}

/// How an ELF file begins.
const ELF: &[u8] = b"\x7fELF";

fn start_of(file: &Staged) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    fs::File::open(&file.path)?.take(4).read_to_end(&mut start)?;
    Ok(start)
}

/// Whether a file that is not ELF is an extension module by its name.
fn foreign_module(file: &Staged) -> bool {
    Extension::of(base(&file.name)).is_some() || file.is("pyd") || file.is("dylib")
}

/// Names at the top that hide something of the standard library, of a requirement, or of the layer.
pub(super) fn names(files: &[Staged], app: &AppFiles, stdlib: &BTreeSet<String>, findings: &mut Findings) {
    let (mut own, mut required) = (BTreeSet::new(), BTreeSet::new());
    for file in files {
        if let Some(module) = top_level_module(file) {
            if app.paths.contains(&file.name) {
                own.insert(module)
            } else {
                required.insert(module)
            };
        }
    }
    for module in own.union(&required).filter(|module| stdlib.contains(**module)) {
        let whose =
            if own.contains(module) { "rename it" } else { "a requirement brings it: drop that, Python has its own" };
        findings.warnings.push(format!("{module} hides the standard library's module of that name: {whose}"));
    }
    for module in own.intersection(&required) {
        findings.warnings.push(conflict(module, files, app));
    }
    let told = |path: &str| own.intersection(&required).any(|module| path.split('/').next() == Some(module));
    findings.warnings.extend(
        app.replaced
            .iter()
            .filter(|path| !told(path))
            .map(|path| format!("{path} is in the application and in a requirement: the application's is packed")),
    );
    if files.iter().any(|file| file.name == "bootstrap") {
        findings.warnings.push(
            "bootstrap at the top of the package is started in place of the layer's; --exclude /bootstrap leaves it out"
                .to_owned(),
        );
    }
}

/// A module of the application that has the name of a requirement's.
fn conflict(module: &str, files: &[Staged], app: &AppFiles) -> String {
    let of = |file: &&Staged| top_level_module(file) == Some(module);
    let own = files.iter().filter(of).find(|file| app.paths.contains(&file.name));
    let file = own.map_or(module, |file| file.name.as_str());
    if app.replaced.iter().any(|path| path.split('/').next() == Some(module)) {
        return format!("{file} is yours and has the name of a requirement's module: the two are mixed; rename yours");
    }
    format!("{file} is yours and has the name of a requirement's module: only one of the two is found; rename yours")
}

/// `json` of `json.py` and of `json/any.py`; a folder without Python hides nothing.
fn top_level_module(file: &Staged) -> Option<&str> {
    let name = file.name.split_once('/').map_or_else(|| file.name.strip_suffix(".py"), |(folder, _)| Some(folder));
    name.filter(|name| file.is("py") && !name.contains(['.', '-']))
}

/// Finds the file of a handler's module in the package. Its attributes only Python knows, but where the name can be read
/// in several ways, a module counts as the handler's only if its source mentions the next name.
pub(super) fn handler(handler: &str, files: &[Staged], findings: &mut Findings) -> Result<String, Failure> {
    let name =
        HandlerName::parse(handler).map_err(|error| Failure::Usage(format!("--handler: {}", error.message())))?;
    let file_of = |name: &HandlerName| {
        let found = modules::file_of(&name.path(), files.iter().map(|file| file.name.as_str()))?;
        files.iter().find(|file| file.name == found)
    };
    let path = name.path();
    let first = file_of(&name);
    let is_file_name = Path::new(handler).extension().is_some_and(|ending| ending == "py");
    if let Some(file) = first.filter(|file| is_file_name && !look::has_name(&source(file), "py")) {
        let there = look::callables(&source(file)).into_iter().next().unwrap_or_else(|| "app".to_owned());
        let module = path.replace('/', ".");
        return Err(Failure::Usage(format!(
            "--handler {handler} names a file, not the application in it: write {module}.{there} or {module}:{there}"
        )));
    }
    let leads_on = |name: &HandlerName| file_of(name).filter(|file| mentions(&source(file), name.first_attribute()));
    if let Some(file) = name.readings().find_map(|name| leads_on(&name)) {
        return Ok(file.name.clone());
    }
    let Some(file) = first else {
        return Err(Failure::Failed(format!(
            "the handler {handler} names a module that is not in the package: there is no {path}.py and no \
             {path}/__init__.py. Correct --handler, or name the folder that holds the module"
        )));
    };
    // Only a source can be read, and only a module with another application leaves no doubt.
    if let Some(there) = look::callables(&source(file)).into_iter().next().filter(|_| file.is("py")) {
        let (file, name) = (&file.name, name.first_attribute());
        findings.warnings.push(format!("{file} has no {name}, and has {there}: correct --handler {handler}"));
    }
    Ok(file.name.clone())
}

fn source(file: &Staged) -> String {
    String::from_utf8_lossy(&fs::read(&file.path).unwrap_or_default()).into_owned()
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
