//! `wsgi-lambda package`: an application and what it requires, as the zip or folder of a function.
//!
//! Everything is put together in a temporary folder, the stage: requirements first, then the application over them,
//! then bytecode next to both. Errors are reported before anything is written, and the output appears whole.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::bundle::{Archive, Contents};
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::cli::packaging::dists::Dists;
use crate::cli::packaging::interpreter::Interpreter;
use crate::cli::packaging::target::Target;
use crate::cli::pyc;
use crate::config::TASK_ROOT;

mod check;
mod collectstatic;
mod files;
mod imports;
mod install;
mod instead;
mod interpreter;
mod nothing;
mod options;
mod order;
mod ours;
mod output;
mod pip;
mod plan;
mod progress;
mod prune;
mod read_ahead;
mod requirements;
mod rules;
mod settings;
mod start;
mod steps;
mod summary;
mod suspects;
mod tool;
mod uv;
mod version;

pub(super) use options::Package;

use check::Findings;
use install::Installer;
use order::Order;
use output::Output;
use plan::Plan;
use requirements::Source;
use rules::{DEVELOPMENT, Globs, INSTALLED, SECRETS, Selection};
use start::Starter;
use steps::{Interrupt, Steps};
use summary::Summary;
use version::Chosen;

impl Package {
    /// Makes the package.
    pub(super) fn run(&self, out: &mut Out) -> Result<bool, Failure> {
        let plan = self.plan()?;
        let interrupt = Interrupt::watch();
        let folder = tempfile::Builder::new().prefix("wsgi-lambda-").tempdir();
        let folder = folder.map_err(|error| Failure::Failed(format!("cannot make a temporary folder: {error}")))?;
        let mut steps = Steps::new(out, interrupt.clone());
        let result = self.build(&plan, folder.path(), &mut steps).and_then(|summary| steps.end().map(|()| summary));
        drop(steps);
        // The tools get the same Ctrl-C, and fail in ways of their own.
        let summary = result.or_else(|failure| interrupt.check().and(Err(failure)))?;
        if self.json {
            summary.json(&plan, out)?;
        } else {
            summary.show(&plan, out)?;
        }
        Ok(true)
    }

    fn plan(&self) -> Result<Plan, Failure> {
        let app = self.folder()?;
        let output = Output::choose(self.output.as_deref(), self.artifacts_dir.as_deref(), &app)?;
        let Chosen { python, because } = version::choose(self.target.python, self.interpreter.as_deref(), &app)?;
        let interpreter = interpreter::find(self.interpreter.as_deref(), python, &because);
        let needs_none = self.contents.no_compile && !self.collectstatic;
        let interpreter = if needs_none { interpreter.ok() } else { Some(interpreter?) };
        let source = self.source(&app, interpreter.as_ref())?;
        let exclude = Globs::parse(&self.contents.exclude, "--exclude")?;
        let keep = Globs::parse(&self.contents.keep, "--keep")?;
        Ok(Plan {
            app,
            output,
            target: Target { python, architecture: self.target.architecture, glibc: self.target.glibc },
            because,
            interpreter,
            source,
            for_app: Selection::new(DEVELOPMENT.iter().chain([&SECRETS]), &exclude, &keep),
            for_installed: Selection::new(&INSTALLED, &exclude, &keep),
            for_collected: Selection::new(&[], &exclude, &keep),
        })
    }

    /// The application's folder. Its first argument is easily taken for a handler's or a file's name.
    fn folder(&self) -> Result<PathBuf, Failure> {
        let given = self.app.display();
        match self.app.canonicalize() {
            Ok(app) if app.is_dir() => Ok(app),
            Ok(file) => {
                let folder =
                    self.app.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let handler = file.extension().filter(|ending| *ending == "py").and(file.file_stem());
                let handler = handler.map(|stem| format!(" --handler {}.app", stem.display())).unwrap_or_default();
                Err(format!(
                    "{given} is a file, and APP_DIR is the folder with the code: wsgi-lambda package {}{handler}",
                    folder.display()
                ))
            }
            Err(_) if self.app.to_string_lossy().contains(':') => Err(format!(
                "no application folder {given}. It looks like a handler: wsgi-lambda package . --handler {given}"
            )),
            Err(_) => Err(format!("no application folder {given}: name the folder with the code")),
        }
        .map_err(Failure::Usage)
    }

    /// The file of requirements. There is none only if the user says so.
    fn source(&self, app: &Path, interpreter: Option<&Interpreter>) -> Result<Option<Source>, Failure> {
        if self.requires.no_requirements {
            return Ok(None);
        }
        let source = Source::find(self.requires.requirements.as_deref(), app)?;
        if source.is_none() {
            nothing::check(app, &self.app, None, interpreter)?;
        }
        Ok(source)
    }

    fn build(&self, plan: &Plan, folder: &Path, steps: &mut Steps<'_>) -> Result<Summary, Failure> {
        let stage = folder.join("stage");
        let mut summary = Summary::default();
        make_folder(&stage)?;
        if let Some(source) = &plan.source {
            self.install(plan, source, folder, &stage, &mut summary, steps)?;
        }
        let tests =
            if self.contents.keep_tests { BTreeSet::new() } else { prune::test_folders(&stage, &plan.for_installed)? };
        steps.begin("copying the application")?;
        let requirements = plan.source.as_ref().map_or(Path::new(""), Source::path);
        summary.app = files::copy(&plan.app, &stage, &plan.for_app, &[plan.output.path(), requirements], steps)?;
        summary.suspects = suspects::find(&summary.app, &stage, &plan.app, &plan.for_app)?;
        for (path, why) in &summary.app.left_out {
            steps.verbose(&format!("left out: {path} ({why})"))?;
        }
        if summary.app.paths.is_empty() && files::staged(&stage)?.is_empty() {
            let folder = self.app.display();
            return Err(Failure::Usage(format!(
                "nothing to package: {folder} has no file that goes in; name the folder with the code"
            )));
        }
        prune::tests(&stage, tests, &summary.app.paths, &mut summary.pruned)?;
        self.check(plan, &stage, &mut summary, steps)?;
        if self.collectstatic {
            summary.collected = Some(collectstatic::collect(plan, &stage, folder, &mut summary.app, steps)?);
        }
        self.compile(plan, &stage, &mut summary, steps)?;
        write(plan, &stage, summary, steps)
    }

    fn install(
        &self,
        plan: &Plan,
        source: &Source,
        folder: &Path,
        stage: &Path,
        summary: &mut Summary,
        steps: &mut Steps<'_>,
    ) -> Result<(), Failure> {
        let python = plan.interpreter.as_ref().map(|interpreter| interpreter.path.as_path());
        let scratch = folder.join("scratch");
        make_folder(&scratch)?;
        let file = source.file(python.unwrap_or(Path::new("python3")), &scratch, steps)?;
        if requirements::is_empty(&file) {
            let is_named = self.requires.requirements.is_some();
            return nothing::check(&plan.app, &self.app, Some((source, is_named)), plan.interpreter.as_ref());
        }
        if let [first, ..] = requirements::editable_lines(&file).as_slice() {
            return Err(Failure::Failed(format!(
                "{} has the line `{first}`. An editable requirement stays a folder of this machine. The application \
                 itself is packed anyway: remove a line that means it; write another package without -e",
                source.path().display()
            )));
        }
        let installer = Installer::find(self.requires.installer, python, source)?;
        let name = source.path().file_name().unwrap_or_default().display();
        steps.begin(format!("resolving {name} with {}, {}", installer.name(), installer.because))?;
        let indexes = scratch.join("indexes.txt");
        requirements::write(&indexes, requirements::index_lines(&file).as_bytes())?;
        let (target, build) = (plan.target, !self.requires.no_build);
        let order = Order { target, python, source, file, indexes, into: stage, scratch: &scratch, build };
        summary.installed = installer.install(&order, steps)?;
        summary.dists = Dists::read(stage)?;
        steps.begin("leaving out what no server needs")?;
        summary.pruned = prune::installed(stage, &plan.for_installed)?;
        Ok(())
    }

    fn check(&self, plan: &Plan, stage: &Path, summary: &mut Summary, steps: &mut Steps<'_>) -> Result<(), Failure> {
        steps.begin("checking")?;
        let files = files::staged(stage)?;
        let mut findings = Findings::default();
        check::installed(&summary.dists, &files, &plan.target, &mut findings);
        check::binaries(&files, &summary.dists, &plan.target, &mut findings)?;
        let stdlib = plan.interpreter.as_ref().map(|interpreter| &interpreter.stdlib);
        check::names(&files, &summary.app, stdlib.unwrap_or(&BTreeSet::new()), &mut findings);
        if let Some(handler) = &self.handler {
            summary.handler = Some(check::handler(handler, &files, &mut findings)?);
        }
        if findings.errors.is_empty() {
            summary.warnings.append(&mut findings.warnings);
            return Ok(());
        }
        let list = findings.errors.join("\n  ");
        Err(Failure::Failed(format!("this would not run on Lambda ({}):\n  {list}", plan.target)))
    }

    /// Writes bytecode, measures a start before and after it, and lists what a start reads.
    fn compile(&self, plan: &Plan, stage: &Path, summary: &mut Summary, steps: &mut Steps<'_>) -> Result<(), Failure> {
        let Some(interpreter) = plan.interpreter.as_ref().filter(|_| !self.contents.no_compile) else { return Ok(()) };
        let handler = self.handler.as_deref().filter(|_| self.measure);
        let starter = |option| Starter::new(self.bootstrap.as_deref(), &plan.target, option);
        let start = |what: &str, steps: &mut Steps<'_>| {
            let Some(handler) = handler else { return Ok(None) };
            steps.begin(format!("starting the application {what} bytecode"))?;
            starter("--measure")?.fastest(stage, handler).map(Some)
        };
        let without = start("without", steps)?;
        steps.begin("compiling")?;
        let mut show = |name: &str| {
            // An interrupt is noticed after the step: the compiler gets the same Ctrl-C.
            let _ = steps.show(name);
        };
        summary.compiled = pyc::compile(&interpreter.path, stage, TASK_ROOT, !self.contents.no_source, &mut show)?;
        summary.check_handler()?;
        let with = start("with", steps)?;
        summary.starts = without.zip(with);
        if !self.read_ahead.is_empty() {
            steps.begin("starting the application to see what it reads")?;
            let starter = starter("--read-ahead")?;
            summary.read_ahead = Some(read_ahead::write(&starter, stage, plan.target.python, &self.read_ahead)?);
        }
        Ok(())
    }
}

fn write(plan: &Plan, stage: &Path, mut summary: Summary, steps: &mut Steps<'_>) -> Result<Summary, Failure> {
    summary.files = files::staged(stage)?;
    let mut archive = Archive::default();
    for file in &summary.files {
        archive.add(&file.name, Contents::File(file.path.clone()), file.executable);
    }
    summary.check_size(&plan.output)?;
    steps.begin(format!("writing {}", plan.output.path().display()))?;
    summary.written = plan.output.write(&archive, steps)?;
    Ok(summary)
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|error| Failure::Failed(format!("cannot make {}: {error}", path.display())))
}
