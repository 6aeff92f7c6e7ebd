//! Warm requests: all subjects live at once, and blocks of requests go round among them, A B C A B C.
//!
//! A block's first requests after the others had the processor are not counted. Each response is checked before anything
//! is timed; a subject that answers wrongly is reported for that event and not timed.

use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::ProgressBar;

use crate::api::Posted;
use crate::events::{Event, Expected};
use crate::peers::{App, Server};
use crate::results::{Key, Results};
use crate::setup::Place;
use crate::stats::{median, quantile};
use crate::subject::Subject;

/// How long and how often.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) subjects: Vec<Server>,
    /// The applications, each with its events.
    pub(crate) apps: Vec<(App, Vec<Event>)>,
    pub(crate) rounds: usize,
    /// How long a block is; it has at least [`LEAST`] requests.
    pub(crate) block: Duration,
    pub(crate) warm_up: Duration,
}

/// Requests of a block at least.
const LEAST: usize = 6;

/// How many of a block's first requests are not counted: caches recover from the others' turn.
fn uncounted(requests: usize) -> usize {
    (requests / 6).min(5)
}

struct Runner<'a> {
    place: &'a Place,
    app: App,
    posted: Posted,
    subjects: Vec<(Server, Subject)>,
}

/// Measures each event with each subject that answers it rightly.
pub(crate) fn run(place: &Place, plan: &Plan, results: &mut Results, bar: &ProgressBar) -> Result<()> {
    for &(app, ref events) in &plan.apps {
        let mut runner = Runner { place, app, posted: Posted::default(), subjects: Vec::new() };
        for &server in &plan.subjects {
            bar.set_message(format!("{}: starting {}", app.name(), server.title()));
            match runner.start(server) {
                Ok(subject) => runner.subjects.push((server, subject)),
                Err(error) => results.wrong(app.name(), "start", &server.name(), &format!("{error:#}")),
            }
        }
        for event in events {
            bar.set_message(format!("{}: {}", app.name(), event.title));
            runner.event(plan, event, results, bar)?;
        }
        runner.peaks(events, results);
    }
    Ok(())
}

/// How many steps of progress [`run`] makes.
pub(crate) fn steps(plan: &Plan) -> usize {
    plan.apps.iter().map(|(_, events)| events.len() * plan.rounds).sum()
}

impl Runner<'_> {
    fn start(&mut self, server: Server) -> Result<Subject> {
        let launch = server.launch(self.place, self.app, &self.place.task_root)?;
        Subject::start(&launch, 1, &mut self.posted)
    }

    fn event(&mut self, plan: &Plan, event: &Event, results: &mut Results, bar: &ProgressBar) -> Result<()> {
        let mut right = Vec::new();
        for index in 0..self.subjects.len() {
            if !self.subjects[index].0.answers(event) {
                continue;
            }
            match self.check(index, event) {
                Ok(()) => right.push(index),
                Err(error) => {
                    let server = self.subjects[index].0;
                    let why = format!("{error:#}");
                    results.wrong(self.app.name(), &event.name, &server.name(), why.lines().next().unwrap_or_default());
                    self.recover(index)?;
                }
            }
        }
        for &index in &right {
            self.block(index, event, plan.warm_up)?;
        }
        let mut pooled = vec![Vec::new(); self.subjects.len()];
        for round in 0..plan.rounds {
            for turn in 0..right.len() {
                let index = right[(turn + round) % right.len()];
                let samples = self.round(index, event, plan.block, results)?;
                pooled[index].extend(samples);
            }
            bar.inc(1);
        }
        for index in right {
            let samples = &pooled[index];
            let key = self.key(event, "p99");
            results.add(key, &self.subjects[index].0.name(), "µs", quantile(samples, 0.99), samples.len());
        }
        Ok(())
    }

    fn key<'a>(&self, event: &'a Event, measure: &'a str) -> Key<'a> {
        Key { stage: "warm", app: self.app.name(), case: &event.name, measure }
    }

    /// One request, whose response must be right.
    fn check(&mut self, index: usize, event: &Event) -> Result<()> {
        let (server, subject) = &mut self.subjects[index];
        subject.invoke(event, &mut self.posted)?;
        match server {
            Server::Null => Ok(()),
            Server::Floor | Server::FloorOne => event.check(&self.posted, event.floor),
            _ => event.check(&self.posted, Expected::Application),
        }
    }

    /// After a wrong response the subject is waited for, or started again.
    fn recover(&mut self, index: usize) -> Result<()> {
        let (server, subject) = &mut self.subjects[index];
        let server = *server;
        if subject.polled(1, &mut self.posted).is_err() {
            let subject = self.start(server)?;
            self.subjects[index].1 = subject;
        }
        Ok(())
    }

    fn round(&mut self, index: usize, event: &Event, time: Duration, results: &mut Results) -> Result<Vec<f64>> {
        let before = self.subjects[index].1.cpu();
        let (responses, turns) = self.block(index, event, time)?;
        let cpu = self.subjects[index].1.cpu() - before;
        let name = self.subjects[index].0.name();
        let from = uncounted(responses.len());
        let (answered, turned) = (&responses[from..], &turns[from..]);
        results.add(self.key(event, "p50"), &name, "µs", median(answered), answered.len());
        results.add(self.key(event, "turn p50"), &name, "µs", median(turned), turned.len());
        let each = cpu as f64 / 1000.0 / responses.len() as f64;
        results.add(self.key(event, "cpu"), &name, "µs", each, responses.len());
        Ok(answered.to_vec())
    }

    /// Requests for this long, in microseconds: to the response, and to the next poll.
    fn block(&mut self, index: usize, event: &Event, time: Duration) -> Result<(Vec<f64>, Vec<f64>)> {
        let subject = &mut self.subjects[index].1;
        let (mut responses, mut turns) = (Vec::new(), Vec::new());
        let begin = Instant::now();
        while responses.len() < LEAST || begin.elapsed() < time {
            let timing = subject.invoke(event, &mut self.posted)?;
            responses.push(timing.response as f64 / 1000.0);
            turns.push(timing.turn as f64 / 1000.0);
        }
        Ok((responses, turns))
    }

    /// The most memory that each had in use, after all events, of those who answer them all.
    fn peaks(&self, events: &[Event], results: &mut Results) {
        for (server, subject) in &self.subjects {
            if !events.iter().all(|event| server.answers(event)) {
                continue;
            }
            let peak = subject.memory().peak as f64 / 1024.0;
            let key = Key { stage: "memory", app: self.app.name(), case: "after all events", measure: "peak" };
            results.add(key, &server.name(), "MB", peak, 1);
        }
    }
}
