//! Streamed responses: how late a chunk arrives after its yield, and how fast 200 MB come through.
//!
//! The application writes into each chunk when it was yielded, on the clock that the harness reads.

use anyhow::{Context as _, Result, bail, ensure};
use indicatif::ProgressBar;

use crate::api::Posted;
use crate::events::{self, Event};
use crate::peers::{App, Server};
use crate::results::{Key, Results};
use crate::setup::Place;
use crate::stats::median;
use crate::subject::Subject;

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) subjects: Vec<Server>,
    pub(crate) apps: Vec<App>,
    pub(crate) rounds: usize,
    pub(crate) megabytes: usize,
}

/// Ends the prelude, as the Runtime API asks.
const DELIMITER: [u8; 8] = [0; 8];
/// A chunk of `answers.ticks`: twenty digits and a line end.
const TICK: usize = 21;

pub(crate) fn steps(plan: &Plan) -> usize {
    plan.apps.len() * plan.rounds
}

pub(crate) fn run(place: &Place, plan: &Plan, results: &mut Results, bar: &ProgressBar) -> Result<()> {
    let ticks = events::streamed("/ticks")?;
    let flood = events::streamed(&format!("/megabytes/{}", plan.megabytes))?;
    let mut posted = Posted::default();
    for &app in &plan.apps {
        let mut subjects = Vec::new();
        for &server in plan.subjects.iter().filter(|server| server.streams()) {
            bar.set_message(format!("streams, {}: starting {}", app.name(), server.title()));
            match start(place, app, server, &mut posted) {
                Ok(subject) => subjects.push((server, subject)),
                Err(error) => results.wrong(app.name(), "stream", &server.name(), &format!("{error:#}")),
            }
        }
        for round in 0..plan.rounds {
            for turn in 0..subjects.len() {
                let index = (turn + round) % subjects.len();
                let (server, subject) = &mut subjects[index];
                bar.set_message(format!("streams, {}: {}", app.name(), server.title()));
                let runner = Runner { app, name: server.name() };
                let ran = runner.ticks(subject, &ticks, results, &mut posted);
                let ran = ran.and_then(|()| runner.flood(subject, &flood, plan.megabytes, results, &mut posted));
                if let Err(error) = ran {
                    results.wrong(app.name(), "stream", &server.name(), &format!("{error:#}"));
                    subjects.remove(index);
                    break;
                }
            }
            bar.inc(1);
        }
    }
    Ok(())
}

/// A subject whose responses are streamed.
pub(crate) fn start(place: &Place, app: App, server: Server, posted: &mut Posted) -> Result<Subject> {
    let mut launch = server.launch(place, app, &place.task_root)?;
    launch.env.extend(server.streaming().map(|(name, value)| (name.to_owned(), value.to_owned())));
    Subject::start(&launch, 1, posted)
}

struct Runner {
    app: App,
    name: String,
}

impl Runner {
    fn key<'a>(&'a self, measure: &'a str) -> Key<'a> {
        Key { stage: "stream", app: self.app.name(), case: "stream", measure }
    }

    fn ticks(&self, subject: &mut Subject, event: &Event, results: &mut Results, posted: &mut Posted) -> Result<()> {
        subject.invoke(event, posted)?;
        let delays = delays(posted)?;
        let (first, rest) = delays.split_first().context("no chunk")?;
        results.add(self.key("first chunk"), &self.name, "µs", *first, 1);
        results.add(self.key("later chunks"), &self.name, "µs", median(rest), rest.len());
        Ok(())
    }

    fn flood(
        &self,
        subject: &mut Subject,
        event: &Event,
        megabytes: usize,
        results: &mut Results,
        posted: &mut Posted,
    ) -> Result<()> {
        let before = subject.cpu();
        let timing = subject.invoke(event, posted)?;
        let cpu = subject.cpu() - before;
        let body = posted.total - body_start(posted)?;
        ensure!(body == megabytes << 20, "{body} bytes arrived instead of {}", megabytes << 20);
        let seconds = timing.response as f64 / 1e9;
        results.add(self.key("throughput"), &self.name, "MB/s", megabytes as f64 / seconds, 1);
        results.add(self.key("cpu per MB"), &self.name, "µs", cpu as f64 / 1000.0 / megabytes as f64, 1);
        results.add(self.key("peak memory"), &self.name, "MB", subject.memory().peak as f64 / 1024.0, 1);
        Ok(())
    }
}

/// Where the body begins, behind the prelude and its delimiter.
pub(crate) fn body_start(posted: &Posted) -> Result<usize> {
    ensure!(posted.chunked, "the response was not streamed");
    let place = posted.body().windows(DELIMITER.len()).position(|window| window == DELIMITER);
    Ok(place.context("the response has no prelude")? + DELIMITER.len())
}

/// From each chunk's yield to the read that had its last byte, in microseconds.
fn delays(posted: &Posted) -> Result<Vec<f64>> {
    let start = body_start(posted)?;
    let mut delays = Vec::new();
    for (index, tick) in posted.body()[start..].chunks(TICK).enumerate() {
        let yielded: u64 = std::str::from_utf8(tick)?.trim_end().parse().context("a chunk without its time")?;
        let end = start + (index + 1) * TICK;
        let Some((arrived, _)) = posted.marks.iter().find(|(_, total)| *total >= end) else { bail!("a lost chunk") };
        delays.push(arrived.saturating_sub(yielded) as f64 / 1000.0);
    }
    Ok(delays)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_from_the_yield_to_the_read_with_its_end() {
        let body = b"{\"statusCode\":200}\x00\x00\x00\x00\x00\x00\x00\x0000000000000000001000\n";
        let mut posted = Posted::of(body, true);
        posted.marks = vec![(2000, 30), (5000, body.len()), (9000, body.len() + 1)];
        assert_eq!(delays(&posted).unwrap(), [4.0]);
        assert!(delays(&Posted::of(body, false)).is_err(), "a buffered response is no stream");
    }
}
