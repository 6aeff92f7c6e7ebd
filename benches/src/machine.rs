//! What the figures were taken on, and how quiet it was.

use std::fs;
use std::process::Command;

use anyhow::Result;
use serde_json::{Value, json};

use crate::command::output;
use crate::options::Options;
use crate::setup::{Place, WEB_ADAPTER};

const LOCK: &str = include_str!("../Cargo.lock");

/// The processors' time since the machine started, in ticks: all of it, what was idle, what the hypervisor kept, and
/// what this harness and its subjects took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    all: u64,
    idle: u64,
    stolen: u64,
    own: u64,
}

impl Noise {
    pub(crate) fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let first = stat.lines().next().unwrap_or_default();
        let ticks: Vec<u64> = first.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
        let field = |index: usize| ticks.get(index).copied().unwrap_or_default();
        // user nice system idle iowait irq softirq steal; guest time is part of user.
        Self { all: ticks.iter().take(8).sum(), idle: field(3) + field(4), stolen: field(7), own: own() }
    }

    /// From then until now, in percent: what the hypervisor kept, and what other programs took.
    fn since(self) -> (f64, f64) {
        let now = Self::now();
        let all = (now.all - self.all).max(1) as f64;
        let percent = |ticks: u64| (ticks as f64 / all * 1000.0).round() / 10.0;
        let busy = (now.all - self.all).saturating_sub(now.idle - self.idle);
        let stolen = now.stolen - self.stolen;
        (percent(stolen), percent(busy.saturating_sub(stolen + now.own - self.own)))
    }
}

/// Own time and that of ended children, in hundredths of a second, which is what a tick is on Linux.
fn own() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    // utime, stime, cutime, cstime are the fields 14 to 17 of all.
    fields.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// The machine, after a run that began at `since`.
pub(crate) fn describe(since: Noise) -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let cpuinfo = read("/proc/cpuinfo");
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let (stolen, others) = since.since();
    json!({
        "cpu": field(&cpuinfo, "model name"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "architecture": std::env::consts::ARCH,
        "kernel": read("/proc/sys/kernel/osrelease"),
        "memory": field(&read("/proc/meminfo"), "MemTotal"),
        "load_average": read("/proc/loadavg"),
        "stolen_percent": stolen,
        "others_percent": others,
    })
}

/// The versions of everything that was measured.
pub(crate) fn versions(options: &Options, place: &Place) -> Result<Value> {
    let code = "import json, platform, sys, sysconfig\n\
        from importlib.metadata import distributions\n\
        packages = {d.name: d.version for d in distributions(path=[sys.argv[1]])}\n\
        optimised = '--enable-optimizations' in (sysconfig.get_config_var('CONFIG_ARGS') or '')\n\
        print(json.dumps({'python': platform.python_version(), 'python_pgo': optimised,\n\
        'packages': dict(sorted(packages.items(), key=lambda item: item[0].lower()))}))";
    let text = output(Command::new(&place.python).args(["-c", code]).arg(&place.task_root))?;
    let mut versions: Value = serde_json::from_str(&text)?;
    versions["bootstrap"] = output(Command::new(&place.bootstrap).arg("--version"))?.trim().into();
    versions["bootstrap_bytes"] = fs::metadata(&place.bootstrap)?.len().into();
    let built = options.web_adapter.is_none();
    versions[WEB_ADAPTER.0] = if built { WEB_ADAPTER.1 } else { "given with --web-adapter" }.into();
    versions["lambda_runtime"] = locked("lambda_runtime").into();
    versions["rustc"] = output(Command::new("rustc").arg("--version")).unwrap_or_default().trim().into();
    Ok(versions)
}

/// The version of a crate in this package's lock file.
fn locked(name: &str) -> &'static str {
    let (_, rest) = LOCK.split_once(&format!("name = \"{name}\"\nversion = \"")).unwrap_or_default();
    rest.split('"').next().unwrap_or_default()
}
