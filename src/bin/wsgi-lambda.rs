//! `wsgi-lambda`, the command line.

use std::process::ExitCode;

use clap::Parser as _;
use wsgi_lambda::cli::{Cli, run};

fn main() -> ExitCode {
    run(&Cli::parse())
}
