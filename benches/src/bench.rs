//! `bench`: wsgi-lambda beside its peers, measured in one run.
//!
//! ```text
//! setup ─▶ Place ─▶ peers::Server::launch ─▶ subject::Subject (process + api::Api) ─▶ cold, warm, stream, scale
//!                                                                                          │ rows
//!                               report (tables) ◀─ targets ◀─ chart (SVG) ◀─ results::Results ─▶ JSON
//! ```
//!
//! What makes the figures comparable:
//!
//! - Every subject talks to the same emulated Runtime API (`api`), which does nothing while it waits and nothing on
//!   another thread. The subject `null` answers at once over a raw socket: its row is the harness's own share.
//! - The clock starts before an event's first byte is written and stops when the response's last byte was read. `turn`
//!   goes on to the subject's next poll, which is what Lambda bills, so that no work can hide behind the response.
//! - Subjects take turns, A B C A B C, each round beginning with another; ratios are taken round by round and their
//!   median is reported, so that a slow moment of the machine hurts all alike.
//! - Same application code, same packages in one folder, same variables, and the same Python, which has nothing else
//!   installed (`prefix`): what this machine has in its `site-packages` slows nobody's start.
//! - Each response is compared with the right one before anything is timed; a wrong one is reported, not timed.
//! - Warm-up before timing; the first requests of a block are not counted. Memory is PSS while no other subject runs.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Parser as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

mod api;
mod chart;
mod clock;
mod cold;
mod command;
mod curve;
mod events;
mod machine;
mod options;
mod peers;
mod plans;
mod prefix;
mod process;
mod report;
mod results;
mod roots;
mod scale;
mod serving;
mod setup;
mod slice;
mod stats;
mod stream;
mod subject;
mod targets;
mod warm;

use options::{Command, Options};
use peers::Server;
use results::Results;
use setup::{Adapter, Place};
use slice::Slice;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let command = options.command.as_ref();
    if command == Some(&Command::Show) {
        return show(&options.output);
    }
    let noise = machine::Noise::now();
    // Before there is a second thread; what needs it says so if it was refused.
    let _ = roots::enter_namespace();
    ctrlc::set_handler(|| {
        process::kill_all();
        std::process::exit(130);
    })?;
    let adapted = [Server::LwaGunicorn, Server::LwaWaitress];
    let needs_adapter = options.subjects.is_empty() || adapted.iter().any(|server| options.subjects.contains(server));
    let web_adapter = match &options.web_adapter {
        _ if command == Some(&Command::Serve) || !needs_adapter => Adapter::None,
        Some(file) => Adapter::Given(file),
        None => Adapter::Built,
    };
    let mut place = setup::prepare(&options.cache, &options.bootstrap, &options.python, web_adapter)?;
    if command == Some(&Command::Setup) {
        return Ok(());
    }
    place.slice = options.cpu.map(Slice::new).transpose()?.map(Arc::new);
    std::fs::create_dir_all(&options.output)?;
    let mut results = Results { versions: machine::versions(options, &place)?, ..Results::default() };
    results.settings =
        json!({ "quick": options.quick, "cpu": options.cpu, "command": std::env::args().collect::<Vec<_>>() });
    let ran = measure(options, &place, &mut results);
    results.machine = machine::describe(noise);
    ran?;
    let name = match command {
        None => "results",
        Some(Command::Cold) => "cold",
        Some(Command::Warm) => "warm",
        Some(Command::Stream) => "stream",
        Some(Command::Serve) => "serve",
        Some(_) => "scale",
    };
    let file = options.output.join(format!("{name}.json"));
    results.targets =
        targets::verdicts(&results).into_iter().filter_map(|verdict| serde_json::to_value(verdict).ok()).collect();
    std::fs::write(&file, serde_json::to_vec_pretty(&results)?).with_context(|| file.display().to_string())?;
    print(&results, &options.output, name)?;
    println!("\nEvery figure: {}", file.display());
    Ok(())
}

fn measure(options: &Options, place: &Place, results: &mut Results) -> Result<()> {
    let command = options.command.as_ref();
    let wanted = |stage: &Command| command.is_none() || command == Some(stage);
    if wanted(&Command::Cold) {
        let plan = plans::cold(options)?;
        let ways = plan.ways.iter().map(|(way, _, rounds)| (way.name().to_owned(), json!(rounds)));
        results.settings["cold_rounds"] = serde_json::Value::Object(ways.collect());
        let bar = bar(cold::steps(&plan))?;
        cold::run(place, &plan, results, &bar)?;
        bar.finish_and_clear();
    }
    if wanted(&Command::Warm) {
        let plan = plans::warm(options)?;
        results.settings["warm"] = json!({
            "rounds": plan.rounds, "block_ms": plan.block.as_millis(), "warm_up_ms": plan.warm_up.as_millis(),
        });
        let bar = bar(warm::steps(&plan))?;
        warm::run(place, &plan, results, &bar)?;
        bar.finish_and_clear();
    }
    if wanted(&Command::Stream) {
        let plan = plans::stream(options);
        results.settings["stream"] = json!({ "rounds": plan.rounds, "megabytes": plan.megabytes });
        let bar = bar(stream::steps(&plan))?;
        stream::run(place, &plan, results, &bar)?;
        bar.finish_and_clear();
    }
    if wanted(&Command::Serve) {
        let plan = plans::serving(options);
        results.settings["serve"] = json!({ "rounds": plan.rounds, "block_ms": plan.block.as_millis() });
        let bar = bar(serving::steps(&plan))?;
        serving::run(place, &plan, results, &bar)?;
        bar.finish_and_clear();
    }
    if command == Some(&Command::Scale) {
        let plan = plans::scale(options);
        results.settings["scale"] = json!({ "rounds": plan.rounds, "block_ms": plan.block.as_millis() });
        let bar = bar(scale::steps(&plan))?;
        results.curves = scale::run(place, &plan, &bar)?;
        bar.finish_and_clear();
    }
    Ok(())
}

fn bar(steps: usize) -> Result<ProgressBar> {
    let bar = ProgressBar::new(steps as u64);
    bar.set_style(ProgressStyle::with_template("{bar:30} {percent:>3} %  {elapsed}  {wide_msg}")?);
    bar.enable_steady_tick(std::time::Duration::from_secs(1));
    Ok(bar)
}

/// Prints the tables and draws the charts of one run.
fn print(results: &Results, output: &Path, name: &str) -> Result<()> {
    report::cold(results);
    report::warm(results);
    report::stream(results);
    report::serving(results);
    if !results.curves.is_empty() {
        report::scale(&results.curves);
        let file = output.join("scale.svg");
        chart::scale::draw(results, &results.curves, &file)?;
        println!("\nChart: {}", file.display());
    }
    report::wrong(results);
    if name == "serve" {
        report::targets(
            &targets::verdicts(results).into_iter().filter(|verdict| verdict.met.is_some()).collect::<Vec<_>>(),
        );
    }
    if name == "results" {
        report::targets(&targets::verdicts(results));
        let file = output.join("chart.svg");
        if chart::draw(results, &file)? {
            println!("\nChart: {}", file.display());
        }
    }
    report::machine(results);
    Ok(())
}

/// What earlier runs have left, once more.
fn show(output: &Path) -> Result<()> {
    let mut found = false;
    for name in ["results", "serve", "scale"] {
        let Ok(bytes) = std::fs::read(output.join(format!("{name}.json"))) else { continue };
        print(&serde_json::from_slice(&bytes)?, output, name)?;
        found = true;
    }
    anyhow::ensure!(found, "no figures in {}: run `bench` first, or name the folder with --output", output.display());
    Ok(())
}
