//! HTTP on this machine: `wsgi-lambda serve` beside a WSGI server, a development server and other emulators of Lambda.
//!
//! One client asks for the same small page again and again over a connection that it keeps where the server keeps it. Blocks
//! of requests go round among the servers, as in [`crate::warm`]. A start is timed from before the first process is made
//! until the first response has been read. Memory is that of the server's first process alone: of `serve` the gateway,
//! without its sandboxes.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use indicatif::ProgressBar;

use crate::clock::now;
use crate::events::HELLO;
use crate::peers::App;
use crate::process::memory;
use crate::results::{Key, Results};
use crate::setup::Place;
use crate::stats::{median, quantile};

mod client;
mod servers;

use client::Client;
use servers::Running;
pub(crate) use servers::WebServer;

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) apps: Vec<App>,
    pub(crate) rounds: usize,
    /// How long a block is.
    pub(crate) block: Duration,
}

/// Requests before anything is timed, and before memory is read.
const WARM_UP: usize = 50;
/// Requests of a block that are not counted: caches recover from the others' turn.
const UNCOUNTED: usize = 5;

pub(crate) fn steps(plan: &Plan) -> usize {
    plan.apps.len() * plan.rounds * 2
}

pub(crate) fn run(place: &Place, plan: &Plan, results: &mut Results, bar: &ProgressBar) -> Result<()> {
    let mut servers = Vec::new();
    for server in WebServer::ALL {
        match server.missing(place) {
            None => servers.push(server),
            Some(why) => {
                bar.println(format!("SKIPPED: {}: {why}", server.name()));
                results.skipped.push(format!("{}: {why}", server.name()));
            }
        }
    }
    for &app in &plan.apps {
        servers.retain(|server| match starts(place, plan, app, *server, results, bar) {
            Ok(()) => true,
            Err(error) => {
                results.wrong(app.name(), "start", server.name(), &format!("{error:#}"));
                false
            }
        });
        requests(place, plan, app, &servers, results, bar)?;
    }
    Ok(())
}

/// Starts a server once for each round, alone.
fn starts(
    place: &Place,
    plan: &Plan,
    app: App,
    server: WebServer,
    results: &mut Results,
    bar: &ProgressBar,
) -> Result<()> {
    for _ in 0..plan.rounds {
        bar.set_message(format!("serve, {}: {} starts", app.name(), server.name()));
        let begin = now();
        let running = server.start(place, app)?;
        let mut client = running.client();
        ask(&mut client)?;
        let milliseconds = (now() - begin) as f64 / 1e6;
        results.add(key(app, "start", "first response"), server.name(), "ms", milliseconds, 1);
        drop(running);
    }
    bar.inc(plan.rounds as u64 / WebServer::ALL.len() as u64);
    Ok(())
}

fn requests(
    place: &Place,
    plan: &Plan,
    app: App,
    servers: &[WebServer],
    results: &mut Results,
    bar: &ProgressBar,
) -> Result<()> {
    let mut running: Vec<(WebServer, Running, Client)> = Vec::new();
    for &server in servers {
        let started = server.start(place, app)?;
        let client = started.client();
        running.push((server, started, client));
    }
    for (_, _, client) in &mut running {
        for _ in 0..WARM_UP {
            ask(client)?;
        }
    }
    let mut pooled = vec![Vec::new(); running.len()];
    for round in 0..plan.rounds {
        bar.set_message(format!("serve, {}: requests", app.name()));
        for turn in 0..running.len() {
            let index = (turn + round) % running.len();
            let (server, _, client) = &mut running[index];
            let times = block(client, plan.block)?;
            results.add(key(app, "get", "p50"), server.name(), "µs", median(&times), times.len());
            pooled[index].extend(times);
        }
        bar.inc(1);
    }
    for ((server, started, _), times) in running.iter().zip(&pooled) {
        results.add(key(app, "get", "p99"), server.name(), "µs", quantile(times, 0.99), times.len());
        let resident = memory(&[started.pid()]).rss as f64 / 1024.0;
        results.add(key(app, "memory", "first process"), server.name(), "MB", resident, 1);
    }
    Ok(())
}

fn key<'a>(app: App, case: &'a str, measure: &'a str) -> Key<'a> {
    Key { stage: "serve", app: app.name(), case, measure }
}

/// Requests for this long, in microseconds.
fn block(client: &mut Client, time: Duration) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    let begin = Instant::now();
    while times.len() < 2 * UNCOUNTED || begin.elapsed() < time {
        let start = now();
        ask(client)?;
        times.push((now() - start) as f64 / 1000.0);
    }
    Ok(times.split_off(UNCOUNTED))
}

/// One request, whose response must be right.
fn ask(client: &mut Client) -> Result<()> {
    let (status, body) = client.get()?;
    ensure!(
        status == 200 && body == HELLO.as_bytes(),
        "a wrong response: {status}, {}",
        String::from_utf8_lossy(&body[..body.len().min(200)])
    );
    Ok(())
}
