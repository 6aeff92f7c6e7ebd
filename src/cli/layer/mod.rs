//! `wsgi-lambda layer`: the runtime and a Python as a zip for Lambda.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::failure::Failure;
use super::out::Out;
use super::packaging::target::{LAYER_PYTHON, OLDEST, PythonVersion};
use super::shared;
use crate::bundle::{Architecture, Glibc, LAMBDA_GLIBC};
use crate::emulator::BOOTSTRAP_VARIABLE;

mod arn;
mod bootstrap;
mod contents;
mod libraries;
mod object;
mod prefix;
mod report;
mod selection;
mod uv;

use arn::Arn;
use bootstrap::Bootstrap;
use contents::Plan;
use prefix::Prefix;
use report::Report;
use selection::{LEFT_OUT, Selection};

const AMAZON_LINUX_2_GLIBC: Glibc = Glibc { major: 2, minor: 26 };

/// Build the Lambda layer: the runtime with a Python, checked and reproducible
///
/// The zip contains `bootstrap`, libpython, the compiled standard library (without what a server does not need, see
/// --list) and every shared library that Lambda lacks. Before anything is written, every file is checked: its
/// architecture, its glibc, and whether the libraries that it needs will be found. The same inputs make the same bytes.
///
/// The Python can be any relocatable one with a shared libpython and the minor version that `bootstrap` embeds. Without
/// --python it is the first of these: one in .cache/layer-python (where layer/python/build puts what it builds), one
/// that uv has, one that `uv python install` installs.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(super) struct Layer {
    #[command(subcommand)]
    published: Option<PublishedLayer>,
    /// The Python: a version such as 3.13, or the folder above its `bin` and `lib`
    #[arg(long, value_name = "VERSION|PREFIX")]
    python: Option<PathBuf>,
    /// The runtime [default: `bootstrap` next to this program]
    #[arg(long, value_name = "FILE", env = BOOTSTRAP_VARIABLE, hide_env_values = true)]
    bootstrap: Option<PathBuf>,
    /// Only the runtime, for the Python of the managed runtimes (AWS_LAMBDA_EXEC_WRAPPER=/opt/bootstrap)
    #[arg(long)]
    bootstrap_only: bool,
    /// The zip, or a folder for it [default: layer/dist/wsgi-lambda-pythonVERSION-ARCHITECTURE.zip; QUICK
    /// in its name means that the Python was built without profile-guided optimisation]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The processor: x86_64 or arm64 [default: what the bootstrap is for; x86_64 where both are installed]
    #[arg(long, value_name = "NAME")]
    architecture: Option<Architecture>,
    /// The newest glibc that a file may need [default: 2.34, Lambda's; 2.26 for the managed runtime python3.11]
    #[arg(long, value_name = "VERSION")]
    max_glibc: Option<Glibc>,
    /// Include files that are left out by default; may be repeated
    #[arg(long, value_name = "GLOB", conflicts_with = "bootstrap_only")]
    keep: Vec<String>,
    /// Leave out more of the standard library; may be repeated
    #[arg(long, value_name = "GLOB", conflicts_with = "bootstrap_only")]
    drop: Vec<String>,
    /// Include the sources too: tracebacks then show lines of the standard library, and the zip is a fifth larger
    #[arg(long, conflicts_with = "bootstrap_only")]
    with_source: bool,
    /// Print what is left out by default, with the reasons, and exit
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Subcommand)]
enum PublishedLayer {
    Arn(Arn),
}

const EXAMPLES: &str = "\
Examples:
  The layer for provided.al2023, with uv's Python or what layer/python/build made:
    wsgi-lambda layer
  With your own Python, written elsewhere:
    wsgi-lambda layer --python /opt/python3.13 --output build/layer.zip
  The small layer for python3.12 and later:
    wsgi-lambda layer --bootstrap-only
  Another Python and processor, with what `pip install wsgi-lambda uv` brings:
    wsgi-lambda layer --python 3.14 --architecture arm64
  Without asyncio, with curses:
    wsgi-lambda layer --drop asyncio --keep curses --keep 'lib-dynload/_curses*'
  What is in it, file by file:
    wsgi-lambda --verbose layer
  The ARN of one that is published:
    wsgi-lambda layer arn --region eu-west-1 --python 3.13

Exit status:
  0  the zip is written, with its SHA-256 next to it
  1  the layer would not work on Lambda, or could not be built; nothing is written
  2  wrong usage";

impl Layer {
    /// Builds the layer. Anything wrong with it is an error.
    pub(super) fn run(&self, out: &mut Out) -> Result<bool, Failure> {
        if let Some(PublishedLayer::Arn(arn)) = &self.published {
            return arn.run(out);
        }
        if self.list {
            out.line(LEFT_OUT.trim_end())?;
            return Ok(true);
        }
        let job = self.plan()?;
        let output = job.output.clone();
        let python = job.python;
        let bar = progress(job.plan.sources(), out);
        let report = until_interrupted(job, &bar);
        bar.finish_and_clear();
        report?.show(&output, out)?;
        if python != LAYER_PYTHON && !out.quiet() {
            out.note(format_args!(
                "`wsgi-lambda package` takes Python {LAYER_PYTHON} by default: for this layer use --python {python}"
            ))?;
        }
        Ok(true)
    }

    /// Finds and checks everything, and writes nothing.
    fn plan(&self) -> Result<Job, Failure> {
        let (version, prefix) = self.python()?;
        let bootstrap = Bootstrap::find(self.bootstrap.as_deref(), version, self.architecture)?;
        let architecture = bootstrap.architecture;
        if let Some(version) = version.filter(|version| *version != bootstrap.python) {
            return Err(Failure::Usage(format!(
                "--python {version}: {} embeds Python {}; build one for {version}, or name it with --bootstrap",
                bootstrap.object.source.display(),
                bootstrap.python
            )));
        }
        if let Some(wanted) = self.architecture.filter(|wanted| *wanted != architecture) {
            return Err(Failure::Usage(format!(
                "--architecture {wanted}: {} is for {architecture}; build one for {wanted}, or name it with --bootstrap",
                bootstrap.object.source.display()
            )));
        }
        let python = bootstrap.python;
        let max_glibc = self.max_glibc(python);
        let name = format!("python{python}-{architecture}");
        let mut job = Job {
            output: PathBuf::new(),
            python,
            max_glibc,
            what: String::new(),
            is_quick: false,
            prefix: None,
            with_source: self.with_source,
            plan: Plan::default(),
        };
        if self.bootstrap_only {
            job.output = self.output(&format!("wsgi-lambda-bootstrap-{name}.zip"));
            job.what = format!("for the managed runtime python{python}, {architecture}");
            job.plan = Plan::tiny(bootstrap, max_glibc)?;
        } else {
            let mut selection = Selection::new(&self.keep, &self.drop)?;
            let prefix = Prefix::find(prefix, &bootstrap)?;
            job.is_quick = prefix.is_quick();
            job.output = self.output(&format!("wsgi-lambda-{name}{}.zip", if job.is_quick { "-QUICK" } else { "" }));
            job.what = format!("Python {}, {architecture}, from {}", prefix.version(), prefix.root.display());
            job.plan = Plan::whole(bootstrap, &prefix, &mut selection, max_glibc)?;
            job.prefix = Some(prefix.root);
        }
        Ok(job)
    }

    /// The version and the folder of `--python`, which is one of the two.
    fn python(&self) -> Result<(Option<PythonVersion>, Option<&Path>), Failure> {
        let Some(python) = &self.python else { return Ok((None, None)) };
        let is_version = |text: &&str| {
            let numbers = text.split_once('.');
            numbers.is_some_and(|(major, minor)| major == "3" && minor.parse::<u8>().is_ok()) && !python.is_dir()
        };
        match python.to_str().filter(is_version) {
            Some(text) => {
                let version = text.parse().map_err(|error| Failure::Usage(format!("--python {text}: {error}")))?;
                Ok((Some(version), None))
            }
            None if self.bootstrap_only => Err(Failure::Usage(format!(
                "--python {}: --bootstrap-only takes a version, such as --python {LAYER_PYTHON}",
                python.display()
            ))),
            None => Ok((None, Some(python))),
        }
    }

    /// Of AWS's documents, some have its Python 3.11 on Amazon Linux 2 and some on Amazon Linux 2023, where every later
    /// one runs. What the older one takes runs on both.
    fn max_glibc(&self, python: PythonVersion) -> Glibc {
        let default = if self.bootstrap_only && python == OLDEST { AMAZON_LINUX_2_GLIBC } else { LAMBDA_GLIBC };
        self.max_glibc.unwrap_or(default)
    }

    fn output(&self, name: &str) -> PathBuf {
        match &self.output {
            Some(folder) if folder.is_dir() || folder.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                folder.join(name)
            }
            Some(file) => file.clone(),
            None => Path::new("layer/dist").join(name),
        }
    }
}

/// A layer that is checked and not written yet.
struct Job {
    plan: Plan,
    output: PathBuf,
    python: PythonVersion,
    is_quick: bool,
    with_source: bool,
    max_glibc: Glibc,
    what: String,
    prefix: Option<PathBuf>,
}

impl Job {
    /// Compiles and compresses in `work`, a folder next to the output.
    fn write(self, work: &Path, bar: &ProgressBar) -> Result<Report, Failure> {
        let failure = |error: std::io::Error| Failure::Failed(format!("{}: {error}", self.output.display()));
        let on_file = &mut |name: &str| step(bar, name);
        bar.set_prefix("compiling");
        let (archive, compiled) = self.plan.archive(&work.join("compiled"), self.with_source, on_file)?;
        bar.set_prefix("compressing");
        bar.set_length((self.plan.sources() + archive.len()) as u64);
        let zip = work.join("layer.zip");
        let written = archive.write_zip(&zip, |name| step(bar, name)).map_err(failure)?;
        let files = report::files(&archive, &written).map_err(failure)?;
        // As sha256sum writes it, for `sha256sum --check` in the same folder.
        let name = self.output.file_name().unwrap_or_default().to_string_lossy();
        let sum = work.join("layer.sha256");
        std::fs::write(&sum, format!("{}  {name}\n", written.sha256)).map_err(failure)?;
        std::fs::rename(&zip, &self.output).map_err(failure)?;
        std::fs::rename(&sum, self.output.with_file_name(format!("{name}.sha256"))).map_err(failure)?;
        let objects = report::seen(&self.plan, self.prefix.as_deref());
        Ok(Report {
            what: self.what,
            written,
            files,
            objects,
            compiled,
            max_glibc: self.max_glibc,
            is_quick: self.is_quick,
        })
    }
}

/// Writes in a temporary folder, which is always removed, also after Ctrl-C.
fn until_interrupted(job: Job, bar: &ProgressBar) -> Result<Report, Failure> {
    let folder = job.output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let made = std::fs::create_dir_all(folder)
        .and_then(|()| tempfile::Builder::new().prefix(".wsgi-lambda-").tempdir_in(folder));
    let work = made.map_err(|error| Failure::Failed(format!("cannot write into {}: {error}", folder.display())))?;
    let runtime = shared::tokio_runtime()?;
    let (path, shown) = (work.path().to_owned(), bar.clone());
    let writing = runtime.spawn_blocking(move || job.write(&path, &shown));
    let result = runtime.block_on(async {
        tokio::select! {
            result = writing => result.unwrap_or_else(|error| Err(Failure::Failed(error.to_string()))),
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        }
    });
    runtime.shutdown_background(); // without this, an interrupted run would still write everything
    result
}

fn step(bar: &ProgressBar, name: &str) {
    bar.set_message(name.to_owned());
    bar.inc(1);
}

/// A progress bar. indicatif hides it if standard error is not a terminal.
fn progress(count: usize, out: &Out) -> ProgressBar {
    if out.quiet() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count as u64);
    bar.enable_steady_tick(Duration::from_millis(100));
    match ProgressStyle::with_template("{spinner} {prefix} {bar:30} {pos}/{len} {wide_msg:.dim}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
