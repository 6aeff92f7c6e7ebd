//! How much is measured: from the options, in full or in a minute.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum as _;

use crate::cold::Way;
use crate::events::Event;
use crate::options::Options;
use crate::peers::{App, Server};
use crate::{cold, events, scale, serving, stream, warm};

const APPS: [App; 5] = [App::Plain, App::Flask, App::Django, App::ShopFlask, App::ShopDjango];
const COLD_APPS: [App; 6] = [App::Bare, App::Plain, App::Flask, App::Django, App::ShopFlask, App::ShopDjango];
/// What the targets need, and the nearest peers.
const FEW: [Server; 3] = [Server::Ours, Server::Apig, Server::LwaGunicorn];

pub(crate) fn warm(options: &Options) -> Result<warm::Plan> {
    let quick = options.quick;
    let events = events::all()?;
    for name in &options.events {
        if !events.iter().any(|event| event.name == *name) {
            let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
            bail!("no event is named {name:?}: there are {}", names.join(", "));
        }
    }
    let of = |app: App| {
        let few: &[&str] =
            if app == App::Plain { &["get", "echo-1m", "text-5m", "binary-5m"] } else { &["get", "echo-1m"] };
        let wanted = |event: &&Event| {
            serves(app, &event.name)
                && match options.events.as_slice() {
                    [] => !quick || few.contains(&event.name.as_str()),
                    names => names.contains(&event.name),
                }
        };
        (app, events.iter().filter(wanted).cloned().collect())
    };
    let apps = or(&options.apps, if quick { &APPS[..2] } else { &APPS });
    Ok(warm::Plan {
        subjects: or(&options.subjects, Server::value_variants()),
        apps: apps.into_iter().map(of).collect(),
        rounds: options.rounds.unwrap_or(if quick { 5 } else { 11 }),
        block: Duration::from_millis(options.block.unwrap_or(if quick { 30 } else { 100 })),
        warm_up: Duration::from_millis(if quick { 30 } else { 200 }),
    })
}

/// Whether the application has what the event asks for.
fn serves(app: App, event: &str) -> bool {
    match app {
        App::ShopFlask => ["get", "products-html"].contains(&event),
        App::ShopDjango => ["get", "products-json"].contains(&event),
        App::Django => !event.starts_with("products-") && event != "slow-close",
        App::Bare | App::Plain | App::Flask => !event.starts_with("products-"),
    }
}

pub(crate) fn cold(options: &Options) -> Result<cold::Plan> {
    let quick = options.quick;
    let rounds = |full: usize| options.rounds.unwrap_or(if quick { 3 } else { full });
    let apps = |given: &[App]| or(&options.apps, given);
    let mut ways = vec![
        (Way::Pyc, apps(if quick { &COLD_APPS[..3] } else { &COLD_APPS }), rounds(15)),
        (Way::Shipped, apps(&APPS[1..]), rounds(7)),
    ];
    if !quick || options.ways.contains(&Way::Disk) {
        ways.push((Way::Disk, apps(&APPS), rounds(5)));
    }
    ways.retain(|(way, ..)| options.ways.is_empty() || options.ways.contains(way));
    let all: &[Server] = if quick { &FEW } else { Server::value_variants() };
    let (subjects, settings) = (or(&options.subjects, all), options.setting.clone());
    Ok(cold::Plan { subjects, settings, ways, event: events::all()?.swap_remove(0) })
}

pub(crate) fn stream(options: &Options) -> stream::Plan {
    stream::Plan {
        subjects: or(&options.subjects, Server::value_variants()),
        apps: or(&options.apps, if options.quick { &APPS[..1] } else { &APPS[..2] }),
        rounds: options.rounds.unwrap_or(if options.quick { 3 } else { 9 }),
        megabytes: if options.quick { 50 } else { 200 },
    }
}

pub(crate) fn serving(options: &Options) -> serving::Plan {
    serving::Plan {
        apps: or(&options.apps, &APPS[..2]),
        rounds: options.rounds.unwrap_or(if options.quick { 3 } else { 11 }),
        block: Duration::from_millis(options.block.unwrap_or(if options.quick { 60 } else { 200 })),
    }
}

pub(crate) fn scale(options: &Options) -> scale::Plan {
    scale::Plan {
        subjects: or(&options.subjects, &[Server::Ours, Server::Apig, Server::Null]),
        rounds: options.rounds.unwrap_or(if options.quick { 3 } else { 21 }),
        block: Duration::from_millis(options.block.unwrap_or(if options.quick { 20 } else { 60 })),
        quick: options.quick,
    }
}

fn or<T: Copy>(given: &[T], default: &[T]) -> Vec<T> {
    if given.is_empty() { default.to_vec() } else { given.to_vec() }
}
