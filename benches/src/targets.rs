//! The targets that the project has set itself, and whether this run meets them.

use serde::Serialize;

use crate::results::{Key, Results};
use crate::stats::Summary;

/// One line of the list: a measure of ours is to be at most so many times a peer's, in the same run.
#[derive(Clone, Copy, Debug)]
struct Target {
    what: &'static str,
    key: Key<'static>,
    subject: &'static str,
    /// `None`: the measure itself has a limit.
    base: Option<&'static str>,
    limit: f64,
}

/// What became of a target.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) base: String,
    pub(crate) limit: f64,
    /// `None` when this run did not measure it.
    pub(crate) measured: Option<Summary>,
    pub(crate) met: Option<bool>,
}

const fn warm(app: &'static str, case: &'static str) -> Key<'static> {
    Key { stage: "warm", app, case, measure: "p50" }
}

const fn start(app: &'static str, way: &'static str) -> Key<'static> {
    Key { stage: "cold", app, case: way, measure: "first poll" }
}

const fn memory(app: &'static str) -> Key<'static> {
    Key { stage: "memory", app, case: "after 20 GETs", measure: "pss" }
}

const fn target(
    what: &'static str,
    key: Key<'static>,
    subject: &'static str,
    base: Option<&'static str>,
    limit: f64,
) -> Target {
    Target { what, key, subject, base, limit }
}

const APIG: Option<&str> = Some("apig");
const FLOOR: Option<&str> = Some("floor");
const STREAM: Key<'static> = Key { stage: "stream", app: "plain", case: "stream", measure: "first chunk" };

const SERVE: &str = "wsgi-lambda serve";
const GUNICORN: Option<&str> = Some("gunicorn, one sync worker");

const fn serve(app: &'static str, case: &'static str, measure: &'static str) -> Key<'static> {
    Key { stage: "serve", app, case, measure }
}

const TARGETS: [Target; 26] = [
    target("warm GET, plain", warm("plain", "get"), "ours", FLOOR, 1.10),
    target("warm GET, plain", warm("plain", "get"), "ours", APIG, 0.30),
    target("warm GET with 100 headers, plain", warm("plain", "headers-100"), "ours", APIG, 0.40),
    target("warm GET, Flask", warm("flask", "get"), "ours", APIG, 0.50),
    target("warm GET, Flask", warm("flask", "get"), "ours", Some("lwa-gunicorn"), 0.33),
    target("warm GET, Django", warm("django", "get"), "ours", APIG, 0.60),
    target("1 MB binary echo", warm("plain", "echo-1m"), "ours", APIG, 0.12),
    target("1 MB binary echo", warm("plain", "echo-1m"), "ours", FLOOR, 1.20),
    target("5 MB text response", warm("plain", "text-5m"), "ours", APIG, 0.12),
    target("5 MB binary response", warm("plain", "binary-5m"), "ours", APIG, 0.05),
    target("start to first poll, plain, no imports", start("bare", "pyc"), "ours", APIG, 0.25),
    target("start to first poll, plain, json and urllib", start("plain", "pyc"), "ours", APIG, 0.35),
    target("start to first poll, Flask, .pyc present", start("flask", "pyc"), "ours", APIG, 0.60),
    target("start to first poll, Django, .pyc present", start("django", "pyc"), "ours", APIG, 0.65),
    target("start to first poll, Flask, as shipped", start("flask", "shipped"), "ours packaged", APIG, 0.20),
    target("start to first poll, Django, as shipped", start("django", "shipped"), "ours packaged", APIG, 0.20),
    target("start from a cold disk, Flask shop", start("shop-flask", "disk"), "ours packaged", APIG, 0.50),
    target("start from a cold disk, Django shop", start("shop-django", "disk"), "ours packaged", APIG, 0.50),
    target("memory, plain", memory("plain"), "ours", APIG, 0.70),
    target("memory, Flask", memory("flask"), "ours", APIG, 0.75),
    target("memory, Django", memory("django"), "ours", APIG, 0.90),
    target("streamed first chunk after its yield, µs", STREAM, "ours", None, 1000.0),
    target("GET over HTTP, plain", serve("plain", "get", "p50"), SERVE, GUNICORN, 1.50),
    target("GET over HTTP, Flask", serve("flask", "get", "p50"), SERVE, GUNICORN, 1.20),
    target(
        "first response after the start, Flask",
        serve("flask", "start", "first response"),
        SERVE,
        Some("python app.py"),
        1.30,
    ),
    target("memory of the gateway, MB", serve("flask", "memory", "first process"), SERVE, None, 15.0),
];

/// Every target, held against the figures.
pub(crate) fn verdicts(results: &Results) -> Vec<Verdict> {
    TARGETS.iter().map(|target| verdict(target, results)).collect()
}

fn verdict(target: &Target, results: &Results) -> Verdict {
    let measured = match target.base {
        Some(base) => results.ratio(target.key, target.subject, base),
        None => results.get(target.key, target.subject).map(crate::results::Row::summary),
    };
    Verdict {
        what: target.what.to_owned(),
        base: target.base.unwrap_or_default().to_owned(),
        limit: target.limit,
        measured,
        met: measured.map(|measured| measured.median <= target.limit),
    }
}
