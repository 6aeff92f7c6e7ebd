//! The command's options.

use std::path::PathBuf;

use clap::Args;

use super::install::Choice;
use crate::bundle::{Architecture, Glibc};
use crate::cli::packaging::target::PythonVersion;
use crate::emulator::BOOTSTRAP_VARIABLE;

/// Make a function's zip or folder: the application, its requirements, and bytecode for both
///
/// Requirements are installed for Lambda, not for this machine: wheels for the Python, architecture and C library of the
/// function. A package without a wheel is built from source here, and refused if the result is not for Lambda. Bytecode
/// is included because Lambda's folders are read-only: without it every cold start compiles every module. Every program
/// and library is read and checked. The same input always makes the same bytes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Package {
    /// The application's folder; its contents become those of /var/task
    #[arg(value_name = "APP_DIR", default_value = ".")]
    pub(super) app: PathBuf,
    /// A zip or, without that ending, a folder [default: dist/NAME.zip, or the folder that SAM names in ARTIFACTS_DIR]
    #[arg(long, short, value_name = "FILE.zip|DIR")]
    pub(super) output: Option<PathBuf>,
    /// Set by `sam build` for a function with `BuildMethod: makefile`
    #[arg(long, value_name = "DIR", env = "ARTIFACTS_DIR", hide = true)]
    pub(super) artifacts_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(super) target: TargetOptions,
    #[command(flatten)]
    pub(super) requires: RequirementOptions,
    #[command(flatten)]
    pub(super) contents: ContentOptions,
    /// Run Django's collectstatic in the package, with its requirements; STATIC_ROOT must be below the application's folder
    #[arg(long, help_heading = "What goes in")]
    pub(super) collectstatic: bool,
    /// The Python that compiles, of the function's version [default: the first found]
    #[arg(long, value_name = "PATH", env = "PYTHON", hide_env_values = true)]
    pub(super) interpreter: Option<PathBuf>,
    /// The function's handler: check that its module is in the package
    #[arg(long, value_name = "MODULE.ATTR")]
    pub(super) handler: Option<String>,
    /// Start the application with and without bytecode, and show what that saves
    #[arg(long, requires = "handler", conflicts_with = "no_compile")]
    pub(super) measure: bool,
    /// Start the application with this handler, and put a list of the files that it reads into the package: the runtime
    /// then has a cold sandbox read them while Python starts; may be repeated
    #[arg(long, value_name = "MODULE.ATTR", conflicts_with = "no_compile")]
    pub(super) read_ahead: Vec<String>,
    /// The runtime for --measure and --read-ahead [default: `bootstrap` next to this program]
    #[arg(long, value_name = "PATH", env = BOOTSTRAP_VARIABLE, hide_env_values = true)]
    pub(super) bootstrap: Option<PathBuf>,
    /// Print one JSON object of strings, as Terraform's `external` data source reads it, and nothing else
    #[arg(long)]
    pub(super) json: bool,
}

// No doc comments on these three: clap would show them as the command's own description.
#[derive(Debug, Args)]
pub(super) struct TargetOptions {
    /// The function's Python [default: what a template.yaml, serverless.yml or *.tf in APP_DIR or above it says,
    /// else that of --interpreter, else 3.13, the layer's]
    #[arg(long, value_name = "3.N", help_heading = "Where it runs")]
    pub(super) python: Option<PythonVersion>,
    /// The function's architecture: x86_64 or arm64
    #[arg(long, value_name = "ARCH", default_value = "x86_64", help_heading = "Where it runs")]
    pub(super) architecture: Architecture,
    /// The C library: 2.34 from python3.12 and provided.al2023 on, 2.26 on python3.11
    #[arg(long, value_name = "2.N", default_value = "2.34", help_heading = "Where it runs")]
    pub(super) glibc: Glibc,
}

#[derive(Debug, Args)]
pub(super) struct RequirementOptions {
    /// What to install [default: requirements.txt, uv.lock or pyproject.toml in APP_DIR, the first there is]
    #[arg(long, short, value_name = "FILE", help_heading = "Requirements")]
    pub(super) requirements: Option<PathBuf>,
    /// Install nothing: the application needs nothing, or its requirements are in APP_DIR or in a layer
    #[arg(long, visible_alias = "no-install", conflicts_with = "requirements", help_heading = "Requirements")]
    pub(super) no_requirements: bool,
    /// Which program installs the requirements
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Choice::Auto, help_heading = "Requirements")]
    pub(super) installer: Choice,
    /// Use wheels only: a build from source runs its authors' code on this machine
    #[arg(long, help_heading = "Requirements")]
    pub(super) no_build: bool,
}

#[derive(Debug, Args)]
pub(super) struct ContentOptions {
    /// Leave files out, of the application and of packages; patterns as in .gitignore; may be repeated
    #[arg(long, value_name = "GLOB", help_heading = "What goes in")]
    pub(super) exclude: Vec<String>,
    /// Keep files that are left out by default; may be repeated
    #[arg(long, value_name = "GLOB", help_heading = "What goes in")]
    pub(super) keep: Vec<String>,
    /// Keep the packages' own tests
    #[arg(long, help_heading = "What goes in")]
    pub(super) keep_tests: bool,
    /// Include bytecode in place of sources: smaller, but tracebacks show no lines
    #[arg(long, conflicts_with = "no_compile", help_heading = "What goes in")]
    pub(super) no_source: bool,
    /// Include no bytecode: needs no Python of the function's version here, and makes cold starts slower
    #[arg(long, help_heading = "What goes in")]
    pub(super) no_compile: bool,
}

const EXAMPLES: &str = "\
Examples:
  The application in ./app and app/requirements.txt, into dist/app.zip:
    wsgi-lambda package app
  With requirements from another file, for a function with another Python:
    wsgi-lambda package app --requirements app/requirements/prod.txt --python 3.12
  An application that needs only the standard library:
    wsgi-lambda package app --no-requirements
  For a function on Graviton, with a check that the handler is there:
    wsgi-lambda package app --architecture arm64 --handler app.app
  What bytecode saves at a cold start:
    wsgi-lambda package app --handler app.app --measure
  For shorter cold starts, if the application starts on this machine too:
    wsgi-lambda package app --read-ahead app.app
  Without documents, and with the one .env file that is public:
    wsgi-lambda package app --exclude '*.md' --exclude /docs --keep /.env.public
  A Django project, with its static files collected:
    wsgi-lambda package shop --collectstatic
  In a Makefile for SAM (Metadata: {BuildMethod: makefile}), which sets ARTIFACTS_DIR:
    build-App: ; wsgi-lambda package . --python 3.13

Patterns: one without a slash is a name anywhere, one with a slash a path from the top of the package.

Exit status:
  0  the package is there
  1  it would not run on Lambda, or a tool failed; nothing was written
  2  wrong usage, no file to package, or no requirements were found and nothing says that none are
     needed
A library that a layer may bring, and a file that the handler need not import, are only warnings.";
