//! What the command line can say.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::cold::Way;
use crate::peers::{App, Server};

/// Measure wsgi-lambda beside its peers, under one emulated Runtime API, in one run
///
/// Without a command: cold starts, warm requests, streams and `serve`, then the tables, the targets, a JSON file with every
/// figure, and a chart. The first run installs the peers from their registries.
#[derive(Debug, Parser)]
#[command(name = "bench", max_term_width = 110, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// About a minute: fewer rounds, events and applications
    #[arg(long, global = true)]
    pub(crate) quick: bool,
    /// The runtime to measure; `wsgi-lambda` stands beside it
    #[arg(long, global = true, value_name = "FILE", default_value = "target/release/bootstrap")]
    pub(crate) bootstrap: PathBuf,
    /// The Python of the peers; it must be the one that the runtime embeds
    #[arg(long, global = true, value_name = "FILE", env = "PYO3_PYTHON", default_value = "python3")]
    pub(crate) python: PathBuf,
    /// Where the peers are installed
    #[arg(long, global = true, value_name = "DIR", default_value = ".cache/bench")]
    pub(crate) cache: PathBuf,
    /// Where the JSON files and the charts go
    #[arg(long, global = true, value_name = "DIR", default_value = "target/bench")]
    pub(crate) output: PathBuf,
    /// Only these subjects
    #[arg(long, global = true, value_delimiter = ',', value_name = "NAME")]
    pub(crate) subjects: Vec<Server>,
    /// Only these applications
    #[arg(long, global = true, value_delimiter = ',', value_name = "NAME")]
    pub(crate) apps: Vec<App>,
    /// Only these events (warm requests): get, get-rest, headers-100, query-100, json-64k, echo-1m, text-5m …
    #[arg(long, global = true, value_delimiter = ',', value_name = "NAME")]
    pub(crate) events: Vec<String>,
    /// Only these ways (cold starts)
    #[arg(long, global = true, value_delimiter = ',', value_name = "NAME")]
    pub(crate) ways: Vec<Way>,
    /// How many rounds
    #[arg(long, global = true, value_name = "N")]
    pub(crate) rounds: Option<usize>,
    /// How long a subject is measured in each round, in milliseconds (warm requests)
    #[arg(long, global = true, value_name = "MS")]
    pub(crate) block: Option<u64>,
    /// Start wsgi-lambda with this variable too, as one more subject (cold starts): to see what a setting of Python changes
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) setting: Vec<(String, String)>,
    /// Give each subject this part of a processor, as Lambda does below 1,769 MB: 0.29 is a function of 512 MB (needs root)
    #[arg(long, global = true, value_name = "PART", value_parser = part)]
    pub(crate) cpu: Option<f64>,
    /// The Web Adapter to measure, such as one of its image; without it crates.io's is built
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) web_adapter: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Install the peers, and measure nothing
    Setup,
    /// Cold starts: to the first poll and the first response; memory
    Cold,
    /// Warm requests: p50, p99, CPU per request
    Warm,
    /// Streamed responses: how late a chunk is, throughput
    Stream,
    /// `wsgi-lambda serve` beside gunicorn and others: requests over HTTP, starts, memory
    Serve,
    /// How the cost grows with headers, bodies, streams and workers
    Scale,
    /// Draw the charts and print the tables of earlier runs again
    Show,
}

fn part(text: &str) -> Result<f64, String> {
    let part = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if (0.05..=1.0).contains(&part) { Ok(part) } else { Err("from 0.05 to 1".to_owned()) }
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

const EXAMPLES: &str = "\
Examples:
  Everything, in about a quarter of an hour; in about a minute:
    bench
    bench --quick
  Warm requests of two subjects, one event, longer:
    bench warm --subjects ours,apig --apps flask --events get --rounds 20 --block 300
  Cold starts as deployment tools ship packages:
    bench cold --ways shipped --apps flask,django --subjects ours,apig
  Starts on the processor of a small function:
    bench cold --cpu 0.29 --ways pyc --subjects ours,apig
  What a setting changes:
    bench cold --ways pyc --apps flask --subjects ours --setting PYTHONHASHSEED=0
  Another build of the runtime:
    bench warm --bootstrap /tmp/other/bootstrap --subjects ours,null --events get

Figures of a machine that does other work mean little: look at the row of the harness itself, which should not vary.";
