//! Room: `cli`, the command line: a file or folder for each subcommand, and `packaging`, which they ask.
//! In: arguments, event files, Python prefixes, application folders, templates.
//! Out: text for people or JSON lines for programs, layers and packages, and an exit status.
//! May use: `emulator`, `gateway`, `bundle`, `config` (names and defaults of variables), `environ`, `error`, `event`,
//!   `handler_name`, `read_ahead`, `request` (names of front ends), `sync`, clap, anstream, anstyle, `cookie_store`, dirs,
//!   `form_urlencoded`, getrandom, globset, `hcl`, `html5gum`, hyper, `hyper_util`, `http_body_util`, `include_dir`, indicatif, inferno, notify,
//!   `percent_encoding`, `saphyr`, serde, sha2, similar, strsim, tempfile, url, walkdir, `zip` (to read), http, bytes, base64,
//!   memchr, `serde_json`, tokio.
//! Must not: link Python, decode events for a runtime, write to a stream other than through `out`.

use std::io;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

mod command;
mod doctor;
mod failure;
mod front_ends;
mod function;
mod hang;
mod installed;
mod layer;
mod look;
mod out;
mod package;
mod packaging;
mod pyc;
mod pythons;
mod replay;
mod serve;
mod shared;
mod shown;

use command::Kind;
use failure::Failure;
use out::{Out, Verbosity};

/// Run a WSGI application as AWS Lambda runs it.
#[derive(Debug, Parser)]
#[command(name = "wsgi-lambda", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Start with `wsgi-lambda replay`: it sends sample events of every AWS front end to a demo app.")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    loudness: Loudness,
}

#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::Replay),
    Serve(serve::Serve),
    Package(package::Package),
    Layer(layer::Layer),
    Doctor(doctor::Doctor),
    /// Run a command of Django in the function: `wsgi-lambda manage --function shop -- migrate`
    Manage(command::Command),
    /// Run a command of Flask in the function: `wsgi-lambda flask --function shop -- db upgrade`
    Flask(command::Command),
    /// Run Python code in the function, in which `app` is the application, and show the value of its last line
    Exec(command::Command),
    /// Run a program in the function
    Run(command::Command),
}

#[derive(Debug, Args)]
struct Loudness {
    /// Show more: whole bodies, streamed chunks, calls of the Runtime API
    #[arg(short, long, global = true, conflicts_with = "quiet", display_order = 90)]
    verbose: bool,
    /// Show only what failed, and the summary
    #[arg(short, long, global = true, display_order = 91)]
    quiet: bool,
}

/// Runs a command and returns the exit status: 0 if all went well; 1 if something failed, or a response or a deployment
/// is not as it should be; 2 for wrong usage.
pub fn run(cli: &Cli) -> ExitCode {
    let verbosity = match (cli.loudness.quiet, cli.loudness.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let mut out = Out::new(verbosity);
    let result = match &cli.command {
        Command::Replay(replay) => replay.run(&mut out),
        Command::Serve(serve) => serve.run(&mut out),
        Command::Package(package) => package.run(&mut out),
        Command::Layer(layer) => layer.run(&mut out),
        Command::Doctor(doctor) => doctor.run(&mut out),
        Command::Manage(command) => command.run(Kind::Manage, &mut out),
        Command::Flask(command) => command.run(Kind::Flask, &mut out),
        Command::Exec(command) => command.run(Kind::Exec, &mut out),
        Command::Run(command) => command.run(Kind::Run, &mut out),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // `wsgi-lambda replay | head` is not an error.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Status(code)) => ExitCode::from(code),
        Err(failure) => {
            // If standard error is closed too, there is nowhere left to report it.
            let _ = out.error(&failure);
            match failure {
                Failure::Usage(_) => ExitCode::from(2),
                Failure::Interrupted => ExitCode::from(130),
                Failure::Failed(_) | Failure::Output(_) | Failure::Status(_) => ExitCode::FAILURE,
            }
        }
    }
}
