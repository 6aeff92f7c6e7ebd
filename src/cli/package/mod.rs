//! `wsgi-lambda package`: an application and what it requires, as the zip or folder of a function.
//!
//! Everything is put together in a temporary folder, the stage: requirements first, then the application over them,
//! then bytecode next to both. Errors are reported before anything is written, and the output appears whole.

use std::collections::BTreeSet;
use std::path::Path;

use crate::bundle::{Archive, Contents};
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::cli::packaging::dists::Dists;
use crate::cli::packaging::target::{PythonVersion, Target, python_of_bootstrap};
use crate::cli::pyc;
use crate::config::TASK_ROOT;
use crate::emulator::locate;

mod check;
mod files;
mod install;
mod interpreter;
mod measure;
mod options;
mod order;
mod output;
mod pip;
mod plan;
mod prune;
mod requirements;
mod rules;
mod summary;
mod tool;
mod uv;

pub(super) use options::Package;

use check::Findings;
use install::Installer;
use order::Order;
use output::Output;
use plan::Plan;
use requirements::Source;
use rules::{DEVELOPMENT, Globs, INSTALLED, SECRETS, Selection};
use summary::Summary;
use tool::{Interrupt, Steps};

impl Package {
    /// Makes the package.
    pub(super) fn run(&self, out: &mut Out) -> Result<bool, Failure> {
        let plan = self.plan()?;
        let interrupt = Interrupt::watch();
        let folder = tempfile::Builder::new().prefix("wsgi-lambda-").tempdir();
        let folder = folder.map_err(|error| Failure::Failed(format!("cannot make a temporary folder: {error}")))?;
        let mut steps = Steps::new(out, interrupt.clone());
        let result = self.build(&plan, folder.path(), &mut steps);
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
        let app = self.app.canonicalize().ok().filter(|app| app.is_dir()).ok_or_else(|| {
            Failure::Usage(format!("no application folder {}: name the folder with the code", self.app.display()))
        })?;
        let output = Output::choose(self.output.as_deref(), self.artifacts_dir.as_deref(), &app)?;
        let python = self.version()?;
        let interpreter = interpreter::find(self.interpreter.as_deref(), python);
        let interpreter = if self.contents.no_compile { interpreter.ok() } else { Some(interpreter?) };
        let source =
            if self.requires.no_install { None } else { Source::find(self.requires.requirements.as_deref(), &app)? };
        let exclude = Globs::parse(&self.contents.exclude, "--exclude")?;
        let keep = Globs::parse(&self.contents.keep, "--keep")?;
        Ok(Plan {
            app,
            output,
            target: Target { python, architecture: self.target.architecture, glibc: self.target.glibc },
            interpreter,
            source,
            for_app: Selection::new(DEVELOPMENT.iter().chain([&SECRETS]), &exclude, &keep),
            for_installed: Selection::new(&INSTALLED, &exclude, &keep),
        })
    }

    /// The function's Python: the one that --python names, else the first that is found.
    fn version(&self) -> Result<PythonVersion, Failure> {
        if let Some(version) = self.target.python {
            return Ok(version);
        }
        let program = locate(self.bootstrap.as_deref()).ok();
        let of_bootstrap = program.and_then(|program| python_of_bootstrap(&program));
        let of_interpreter = || self.interpreter.as_deref().map(interpreter::any).transpose();
        let version = match of_bootstrap {
            Some(version) => Some(version),
            None => of_interpreter()?.map(|found| found.version).or_else(interpreter::default_version),
        };
        version
            .ok_or_else(|| Failure::Usage("which Python does the function have? Name it with --python 3.13".to_owned()))
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
        summary.app = files::copy(&plan.app, &stage, &plan.for_app, plan.output.path(), steps)?;
        for (path, why) in &summary.app.left_out {
            steps.verbose(&format!("left out: {path} ({why})"))?;
        }
        prune::tests(&stage, tests, &summary.app.paths, &mut summary.pruned)?;
        self.check(plan, &stage, &mut summary, steps)?;
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
        steps.begin("installing the requirements")?;
        let scratch = folder.join("scratch");
        make_folder(&scratch)?;
        let file = source.file(python.unwrap_or(Path::new("python3")), &scratch, steps)?;
        if requirements::is_empty(&file) {
            return Ok(());
        }
        let installer = Installer::find(self.requires.installer, python, source)?;
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

    fn check(&self, plan: &Plan, stage: &Path, summary: &mut Summary, steps: &Steps<'_>) -> Result<(), Failure> {
        steps.begin("checking")?;
        let files = files::staged(stage)?;
        let mut findings = Findings::default();
        check::installed(&summary.dists, &files, &plan.target, &mut findings);
        check::binaries(&files, &summary.dists, &plan.target, &mut findings)?;
        let stdlib = plan.interpreter.as_ref().map(|interpreter| &interpreter.stdlib);
        check::names(&files, &summary.app, stdlib.unwrap_or(&BTreeSet::new()), &mut findings);
        if let Some(handler) = &self.handler {
            check::handler(handler, &files)?;
        }
        if findings.errors.is_empty() {
            summary.warnings.append(&mut findings.warnings);
            return Ok(());
        }
        let list = findings.errors.join("\n  ");
        Err(Failure::Failed(format!("this would not run on Lambda ({}):\n  {list}", plan.target)))
    }

    /// Writes bytecode, and measures a start before and after it.
    fn compile(&self, plan: &Plan, stage: &Path, summary: &mut Summary, steps: &Steps<'_>) -> Result<(), Failure> {
        let Some(interpreter) = plan.interpreter.as_ref().filter(|_| !self.contents.no_compile) else { return Ok(()) };
        let handler = self.handler.as_deref().filter(|_| self.measure);
        let start = |what: &str| {
            let Some(handler) = handler else { return Ok(None) };
            steps.begin(format!("starting the application {what} bytecode"))?;
            measure::cold_start(self.bootstrap.as_deref(), stage, handler, &plan.target).map(Some)
        };
        let without = start("without")?;
        steps.begin("compiling")?;
        let mut show = |name: &str| {
            // An interrupt is noticed after the step: the compiler gets the same Ctrl-C.
            let _ = steps.show(name);
        };
        summary.compiled = pyc::compile(&interpreter.path, stage, TASK_ROOT, !self.contents.no_source, &mut show)?;
        let with = start("with")?;
        summary.starts = without.zip(with);
        Ok(())
    }
}

fn write(plan: &Plan, stage: &Path, mut summary: Summary, steps: &Steps<'_>) -> Result<Summary, Failure> {
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
