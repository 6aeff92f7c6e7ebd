//! Cold starts: each subject alone, started and ended in turn, in the three ways in which they happen.
//!
//! A start is timed from before the first process is made to the poll of `/next`, and on to the first answer. Memory is
//! read from the same processes, after some requests, while no other subject shares its pages.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;
use indicatif::ProgressBar;

use crate::api::Answer;
use crate::events::Event;
use crate::peers::{App, Kind};
use crate::results::{Key, Results};
use crate::roots::{self, Roots};
use crate::setup::Place;
use crate::subject::Subject;

/// How the packages lie on the disk, and whether the kernel has read them before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// Compiled, and in the page cache.
    Pyc,
    /// As deployment tools ship packages: sources, read-only. Ours also as `wsgi-lambda package` makes them.
    Shipped,
    /// Compiled, and on the disk only.
    Disk,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pyc => "pyc",
            Self::Shipped => "shipped",
            Self::Disk => "disk",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) subjects: Vec<Kind>,
    /// Which applications are started in which way, and how often.
    pub(crate) ways: Vec<(Way, Vec<App>, usize)>,
    /// What the first answer is to, and the requests before memory is read.
    pub(crate) event: Event,
}

/// Requests before memory is read.
const REQUESTS: usize = 20;

/// A subject in a folder.
struct Case {
    name: String,
    kind: Kind,
    root: PathBuf,
    env: Vec<(String, String)>,
}

pub(crate) fn steps(plan: &Plan) -> usize {
    plan.ways.iter().map(|(_, apps, rounds)| apps.len() * rounds).sum()
}

pub(crate) fn run(place: &Place, plan: &Plan, results: &mut Results, bar: &ProgressBar) -> Result<()> {
    let mut answer = Answer::default();
    for (way, apps, rounds) in &plan.ways {
        if *way == Way::Disk
            && let Err(error) = roots::drop_caches()
        {
            results.skipped.push(format!("cold starts from the disk: {error:#}"));
            continue;
        }
        bar.set_message(format!("cold start, {}: the folders", way.name()));
        let cases = cases(place, plan, *way, results)?;
        for app in apps {
            for round in 0..*rounds {
                for turn in 0..cases.len() {
                    let case = &cases[(turn + round) % cases.len()];
                    bar.set_message(format!("cold start, {}, {}: {}", way.name(), app.name(), case.name));
                    if results.wrong.iter().any(|wrong| wrong.subject == case.name && wrong.app == app.name()) {
                        continue; // it does not start at all
                    }
                    if let Err(error) = start(place, plan, *way, *app, case, results, &mut answer) {
                        results.wrong(app.name(), way.name(), &case.name, &format!("{error:#}"));
                    }
                }
                bar.inc(1);
            }
        }
    }
    Ok(())
}

/// The subjects of a way, with the folder of each.
fn cases(place: &Place, plan: &Plan, way: Way, results: &mut Results) -> Result<Vec<Case>> {
    let all_in = |root: &PathBuf, env: &[(String, String)]| {
        let case = |&kind: &Kind| Case { name: kind.name(), kind, root: root.clone(), env: env.to_vec() };
        plan.subjects.iter().map(case).collect::<Vec<_>>()
    };
    if way != Way::Shipped {
        return Ok(all_in(&place.task_root, &[]));
    }
    let Roots { shipped, packaged, env, notes } = roots::make(place)?;
    results.skipped.extend(notes);
    let mut cases = all_in(&shipped, &env);
    cases.retain(|case| case.kind.is_wsgi());
    if plan.subjects.contains(&Kind::Ours) {
        cases.insert(1, Case { name: "ours packaged".to_owned(), kind: Kind::Ours, root: packaged, env });
    }
    Ok(cases)
}

fn start(
    place: &Place,
    plan: &Plan,
    way: Way,
    app: App,
    case: &Case,
    results: &mut Results,
    answer: &mut Answer,
) -> Result<()> {
    let mut launch = case.kind.launch(place, app, &case.root)?;
    launch.env.extend(case.env.iter().cloned());
    if way == Way::Disk {
        roots::drop_caches()?;
    }
    let mut subject = Subject::start(&launch, 1, answer)?;
    let first = subject.invoke(&plan.event, answer)?;
    let key = |measure| Key { stage: "cold", app: app.name(), case: way.name(), measure };
    let milliseconds = |nanos: u64| nanos as f64 / 1e6;
    results.add(key("first poll"), &case.name, "ms", milliseconds(subject.first_poll), 1);
    let answered = first.start + first.answer - subject.spawned;
    results.add(key("first answer"), &case.name, "ms", milliseconds(answered), 1);
    results.add(key("cpu"), &case.name, "ms", milliseconds(subject.cpu()), 1);
    if way == Way::Pyc {
        for _ in 0..REQUESTS {
            subject.invoke(&plan.event, answer)?;
        }
        let memory = subject.memory();
        let key = |measure| Key { stage: "memory", app: app.name(), case: "after 20 GETs", measure };
        results.add(key("pss"), &case.name, "MB", memory.pss as f64 / 1024.0, 1);
        results.add(key("rss"), &case.name, "MB", memory.rss as f64 / 1024.0, 1);
        results.add(key("processes"), &case.name, "", memory.processes as f64, 1);
    }
    Ok(())
}
