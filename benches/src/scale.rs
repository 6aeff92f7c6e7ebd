//! How cost grows: with the number of headers, the size of bodies both ways, the length of a stream, and workers.
//!
//! The points of a curve are measured round by round, all sizes in each round, so that a slow moment is no cliff.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use indicatif::ProgressBar;

use crate::api::Posted;
use crate::clock::now;
use crate::curve::{Curve, Point, THROUGHPUT};
use crate::events::{self, Event, Expected};
use crate::peers::{App, Server};
use crate::setup::Place;
use crate::stats::{median, quantile};
use crate::stream;
use crate::subject::Subject;

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) subjects: Vec<Server>,
    pub(crate) rounds: usize,
    pub(crate) block: Duration,
    pub(crate) quick: bool,
}

const KIB: usize = 1024;
const HEADERS: [usize; 9] = [1, 10, 50, 100, 200, 400, 600, 800, 1000];
/// Bytes of a body; 4.5 MiB are 6 MiB as base64, the most that Lambda takes.
const BODIES: [usize; 9] =
    [KIB, 64 * KIB, 256 * KIB, 512 * KIB, 1024 * KIB, 2048 * KIB, 3072 * KIB, 4096 * KIB, 4600 * KIB];
const STREAMS: [usize; 6] = [1, 25, 50, 100, 150, 200];
const WORKERS: [usize; 5] = [1, 2, 4, 8, 16];

pub(crate) fn steps(plan: &Plan) -> usize {
    4 * plan.rounds + WORKERS.len()
}

pub(crate) fn run(place: &Place, plan: &Plan, bar: &ProgressBar) -> Result<Vec<Curve>> {
    let mut curves = Vec::new();
    let headers: Result<Vec<Event>> = HEADERS.into_iter().map(events::headers).collect();
    let requests: Result<Vec<Event>> = BODIES.into_iter().map(events::sink).collect();
    let responses: Result<Vec<Event>> = BODIES.into_iter().map(events::octets).collect();
    let bytes = BODIES.map(|size| size as f64 / 1048.576);
    curves.extend(sizes(place, plan, "headers", "headers", &HEADERS.map(|n| n as f64), &headers?, bar)?);
    curves.extend(sizes(place, plan, "request body", "KB", &bytes, &requests?, bar)?);
    curves.extend(sizes(place, plan, "response body", "KB", &bytes, &responses?, bar)?);
    curves.extend(streams(place, plan, bar)?);
    curves.extend(workers(place, plan, bar)?);
    Ok(curves)
}

/// The curve of each subject over events of growing size.
fn sizes(
    place: &Place,
    plan: &Plan,
    name: &str,
    unit: &str,
    xs: &[f64],
    events: &[Event],
    bar: &ProgressBar,
) -> Result<Vec<Curve>> {
    let mut posted = Posted::default();
    let mut subjects = Vec::new();
    for &server in &plan.subjects {
        let launch = server.launch(place, App::Plain, &place.task_root)?;
        let mut subject = Subject::start(&launch, 1, &mut posted)?;
        for event in events {
            subject.invoke(event, &mut posted)?;
            if server != Server::Null {
                event.check(&posted, Expected::Application).context(server.title())?;
            }
        }
        subjects.push((server, subject, vec![Vec::new(); events.len()]));
    }
    for _ in 0..plan.rounds {
        for (index, event) in events.iter().enumerate() {
            for (server, subject, values) in &mut subjects {
                bar.set_message(format!("{name}: {} {unit}, {}", xs[index].round(), server.title()));
                values[index].push(block(subject, event, plan.block, &mut posted)?);
            }
        }
        bar.inc(1);
    }
    let curve = |(server, _, values): (Server, Subject, Vec<Vec<f64>>)| Curve {
        name: name.to_owned(),
        subject: server.name(),
        x: unit.to_owned(),
        y: "µs".to_owned(),
        points: points(xs, &values),
    };
    Ok(subjects.into_iter().map(curve).collect())
}

/// The median of requests for this long, in microseconds; the first three recover from the others' turn.
fn block(subject: &mut Subject, event: &Event, time: Duration, posted: &mut Posted) -> Result<f64> {
    let begin = Instant::now();
    let mut times = Vec::new();
    while times.len() < 8 || begin.elapsed() < time {
        times.push(subject.invoke(event, posted)?.turn as f64 / 1000.0);
    }
    Ok(median(&times[3..]))
}

fn points(xs: &[f64], values: &[Vec<f64>]) -> Vec<Point> {
    let point = |(&x, values): (&f64, &Vec<f64>)| Point {
        x,
        median: median(values),
        q1: quantile(values, 0.25),
        q3: quantile(values, 0.75),
    };
    xs.iter().zip(values).map(point).collect()
}

/// Time and peak memory of streams of growing length, each in a new process.
fn streams(place: &Place, plan: &Plan, bar: &ProgressBar) -> Result<Vec<Curve>> {
    let mut posted = Posted::default();
    let lengths = if plan.quick { &STREAMS[..4] } else { &STREAMS[..] };
    let mut times = vec![Vec::new(); lengths.len()];
    let mut memory = times.clone();
    for _ in 0..plan.rounds {
        for (index, megabytes) in lengths.iter().enumerate() {
            bar.set_message(format!("stream: {megabytes} MB"));
            let mut subject = stream::start(place, App::Plain, Server::Ours, &mut posted)?;
            let event = events::streamed(&format!("/megabytes/{megabytes}"))?;
            let timing = subject.invoke(&event, &mut posted)?;
            ensure!(posted.total - stream::body_start(&posted)? == megabytes << 20, "a stream lost bytes");
            times[index].push(timing.response as f64 / 1e6);
            memory[index].push(subject.memory().peak as f64 / 1024.0);
        }
        bar.inc(1);
    }
    let xs: Vec<f64> = lengths.iter().map(|&length| length as f64).collect();
    let curve = |name: &str, y: &str, values: &[Vec<f64>]| Curve {
        name: name.to_owned(),
        subject: Server::Ours.name(),
        x: "MB".to_owned(),
        y: y.to_owned(),
        points: points(&xs, values),
    };
    Ok(vec![curve("stream", "ms", &times), curve("stream memory", "MB", &memory)])
}

/// Start, throughput, memory, and requests that wait, with more and more workers (Managed Instances).
fn workers(place: &Place, plan: &Plan, bar: &ProgressBar) -> Result<Vec<Curve>> {
    let mut posted = Posted::default();
    let get = events::all()?.swap_remove(0);
    let sleep = events::sleep()?;
    let mut values: [Vec<Vec<f64>>; 4] = Default::default();
    for workers in WORKERS {
        bar.set_message(format!("{workers} workers"));
        let mut launch = Server::Ours.launch(place, App::Flask, &place.task_root)?;
        launch.env.push(("AWS_LAMBDA_MAX_CONCURRENCY".to_owned(), workers.to_string()));
        launch.env.push(("AWS_LAMBDA_INITIALIZATION_TYPE".to_owned(), "lambda-managed-instances".to_owned()));
        let mut measured: [Vec<f64>; 4] = Default::default();
        for _ in 0..plan.rounds.min(3) {
            let mut subject = Subject::start(&launch, workers, &mut posted)?;
            measured[0].push(subject.first_poll as f64 / 1e6);
            subject.flood(&get, 50 * workers, &mut posted)?;
            let number = if plan.quick { 500 } else { 4000 };
            let start = now();
            subject.flood(&get, number, &mut posted)?;
            measured[1].push(number as f64 / ((now() - start) as f64 / 1e9));
            measured[2].push(subject.memory().pss as f64 / 1024.0);
            subject.polled(workers, &mut posted)?;
            let start = now();
            subject.flood(&sleep, workers, &mut posted)?;
            measured[3].push((now() - start) as f64 / 1e6);
        }
        for (all, one) in values.iter_mut().zip(measured) {
            all.push(one);
        }
        bar.inc(1);
    }
    let xs = WORKERS.map(|workers| workers as f64);
    let names = [
        ("start of all workers", "ms"),
        (THROUGHPUT, "requests/s"),
        ("memory of workers", "MB"),
        ("as many sleeps of 100 ms", "ms"),
    ];
    let curve = |((name, y), values): ((&str, &str), &Vec<Vec<f64>>)| Curve {
        name: name.to_owned(),
        subject: Server::Ours.name(),
        x: "workers".to_owned(),
        y: y.to_owned(),
        points: points(&xs, values),
    };
    Ok(names.into_iter().zip(&values).map(curve).collect())
}
