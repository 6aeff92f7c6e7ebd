//! Cold starts: each subject alone, started and ended in turn, in the three ways in which they happen.
//!
//! A start is timed from before the first process is made to the poll of `/next`, and on to the first response. Memory is
//! read from the same processes, after some requests, while no other subject shares its pages.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;
use indicatif::ProgressBar;

use crate::api::Posted;
use crate::events::Event;
use crate::peers::{App, Server};
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
    pub(crate) subjects: Vec<Server>,
    /// Variables with which wsgi-lambda is started once more.
    pub(crate) settings: Vec<(String, String)>,
    /// Which applications are started in which way, and how often.
    pub(crate) ways: Vec<(Way, Vec<App>, usize)>,
    /// What the first response is to, and the requests before memory is read.
    pub(crate) event: Event,
}

/// Requests before memory is read.
const REQUESTS: usize = 20;

/// A subject in a folder.
struct Case {
    name: String,
    server: Server,
    root: PathBuf,
    env: Vec<(String, String)>,
}

pub(crate) fn steps(plan: &Plan) -> usize {
    plan.ways.iter().map(|(_, apps, rounds)| apps.len() * rounds).sum()
}

pub(crate) fn run(place: &Place, plan: &Plan, results: &mut Results, bar: &ProgressBar) -> Result<()> {
    let mut posted = Posted::default();
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
                    if let Err(error) = start(place, plan, *way, *app, case, results, &mut posted) {
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
        let case = |&server: &Server| Case { name: server.name(), server, root: root.clone(), env: env.to_vec() };
        let mut cases: Vec<_> = plan.subjects.iter().map(case).collect();
        cases.extend(plan.settings.iter().map(|setting| {
            let name = format!("{} {}={}", Server::Ours.name(), setting.0, setting.1);
            let env = env.iter().chain([setting]).cloned().collect();
            Case { name, server: Server::Ours, root: root.clone(), env }
        }));
        cases
    };
    if way == Way::Pyc {
        return Ok(all_in(&place.task_root, &[]));
    }
    let Roots { shipped, packaged, env, notes } = roots::make(place)?;
    results.skipped.extend(notes);
    let mut cases = if way == Way::Shipped { all_in(&shipped, &env) } else { all_in(&place.task_root, &env) };
    cases.retain(|case| case.server.imports());
    if plan.subjects.contains(&Server::Ours) {
        cases.insert(1, Case { name: "ours packaged".to_owned(), server: Server::Ours, root: packaged, env });
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
    posted: &mut Posted,
) -> Result<()> {
    let mut launch = case.server.launch(place, app, &case.root)?;
    launch.env.extend(case.env.iter().cloned());
    if way == Way::Disk {
        roots::drop_caches()?;
    }
    let mut subject = Subject::start(&launch, 1, posted)?;
    let first = subject.invoke(&plan.event, posted)?;
    let key = |measure| Key { stage: "cold", app: app.name(), case: way.name(), measure };
    let milliseconds = |nanos: u64| nanos as f64 / 1e6;
    results.add(key("first poll"), &case.name, "ms", milliseconds(subject.first_poll), 1);
    let answered = first.start + first.response - subject.spawned;
    results.add(key("first response"), &case.name, "ms", milliseconds(answered), 1);
    results.add(key("cpu"), &case.name, "ms", milliseconds(subject.cpu()), 1);
    if way == Way::Pyc {
        for _ in 0..REQUESTS {
            subject.invoke(&plan.event, posted)?;
        }
        let memory = subject.memory();
        let key = |measure| Key { stage: "memory", app: app.name(), case: "after 20 GETs", measure };
        results.add(key("pss"), &case.name, "MB", memory.pss as f64 / 1024.0, 1);
        results.add(key("rss"), &case.name, "MB", memory.rss as f64 / 1024.0, 1);
        results.add(key("processes"), &case.name, "", memory.processes as f64, 1);
    }
    Ok(())
}
