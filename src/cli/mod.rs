//! Room: `cli`, the command line, one file per subcommand.
//! In: arguments, event files, Python prefixes, application folders, templates.
//! Out: text for people or JSON lines for programs, layers and packages, and an exit status.
//! May use: `emulator`, `bundle`, `config` (names of variables), clap, anstream, anstyle, globset, `hcl`, `include_dir`,
//! indicatif, inferno, `saphyr`, serde, similar, tempfile, walkdir, `zip` (to read), http, bytes, base64, memchr, `serde_json`,
//! tokio.
//! Must not: link Python, decode events for a runtime, write to a stream other than through `out`.

use std::fmt;
use std::io;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

mod doctor;
mod layer;
mod out;
mod package;
mod pyc;
mod replay;

use out::{Out, Verbosity};

/// Run a WSGI application as AWS Lambda runs it.
#[derive(Debug, Parser)]
#[command(name = "wsgi-lambda", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Start with `wsgi-lambda replay`: it sends the events that AWS's front ends make to a demo app."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    loudness: Loudness,
}

#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::Replay),
    Package(package::Package),
    Layer(layer::Layer),
    Doctor(doctor::Doctor),
}

#[derive(Debug, Args)]
struct Loudness {
    /// Show more: whole bodies, streamed chunks, the calls of the Runtime API
    #[arg(short, long, global = true, conflicts_with = "quiet", display_order = 90)]
    verbose: bool,
    /// Show only what failed, and the summary
    #[arg(short, long, global = true, display_order = 91)]
    quiet: bool,
}

/// Where `layer/python/build` and `wsgi-lambda layer` put Pythons, from the repository's folder: one folder each.
const LAYER_PYTHONS: &str = ".cache/layer-python";

/// Reads an option such as `KEY=VALUE`, which is the `form` that a message shows.
fn pair(text: &str, form: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("write it as {form}")),
    }
}

/// Why a command ended early.
#[derive(Debug)]
enum Failure {
    /// The arguments make no sense together, or name what is not there: status 2.
    Usage(String),
    /// Something else went wrong: status 1.
    Failed(String),
    /// The output could not be written.
    Output(io::Error),
    /// Ctrl-C.
    Interrupted,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => f.write_str(text),
            Self::Output(error) => write!(f, "cannot write the output: {error}"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Runs a command and gives the exit status: 0 if all went well, 1 if an invocation failed or an answer is
/// not the expected one, 2 for wrong usage.
pub fn run(cli: &Cli) -> ExitCode {
    let verbosity = match (cli.loudness.quiet, cli.loudness.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let mut out = Out::new(verbosity);
    let result = match &cli.command {
        Command::Replay(replay) => replay.run(&mut out),
        Command::Package(package) => package.run(&mut out),
        Command::Layer(layer) => layer.run(&mut out),
        Command::Doctor(doctor) => doctor.run(&mut out),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // `wsgi-lambda replay | head` is no error.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to tell when standard error is closed too.
            let _ = out.error(&failure);
            match failure {
                Failure::Usage(_) => ExitCode::from(2),
                Failure::Interrupted => ExitCode::from(130),
                Failure::Failed(_) | Failure::Output(_) => ExitCode::FAILURE,
            }
        }
    }
}
