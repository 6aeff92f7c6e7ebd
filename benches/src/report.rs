//! Tables for a terminal.

use std::sync::OnceLock;

use comfy_table::Table;

use crate::events;
use crate::results::{Key, Results};

mod cells;
mod more;
mod serving;

use cells::{cell, subjects, table};
pub(crate) use cells::{figure, label};
pub(crate) use more::{cold, scale, stream, targets};
pub(crate) use serving::serving;

/// Prints the warm requests: for each application a table of events by subjects.
pub(crate) fn warm(results: &Results) {
    for app in results.distinct(|row| (row.stage == "warm").then_some(row.app.as_str())) {
        println!("\nWarm requests, {app}: median [quartiles of rounds], and the multiple of wsgi-lambda\n");
        let cases = results.distinct(|row| (row.stage == "warm" && row.app == app).then_some(row.case.as_str()));
        for cases in cases.chunks(5) {
            println!("{}\n", warm_table(results, &app, cases));
        }
        println!("CPU per request, and the slowest hundredth (p99), {app}\n");
        println!("{}\n", cpu_table(results, &app, &cases));
    }
}

fn warm_table(results: &Results, app: &str, cases: &[String]) -> Table {
    let mut table = table([String::new()].into_iter().chain(cases.iter().map(|case| title(case))));
    for subject in subjects(results, "warm", app) {
        let cells = cases.iter().map(|case| {
            let key = Key { stage: "warm", app, case, measure: "p50" };
            cell(results, key, &subject)
        });
        table.add_row([label(&subject)].into_iter().chain(cells).collect::<Vec<_>>());
    }
    table
}

fn cpu_table(results: &Results, app: &str, cases: &[String]) -> Table {
    let cases: Vec<&String> = cases.iter().filter(|case| !case.starts_with("get-")).collect();
    let mut table = table([String::new()].into_iter().chain(cases.iter().map(|case| title(case))));
    for subject in subjects(results, "warm", app) {
        let cells = cases.iter().map(|case| {
            let get = |measure| {
                let row = results.get(Key { stage: "warm", app, case, measure }, &subject);
                row.map_or_else(|| "–".to_owned(), |row| figure(row.summary().median, &row.unit))
            };
            format!("{}\np99 {}", get("cpu"), get("p99"))
        });
        table.add_row([label(&subject)].into_iter().chain(cells).collect::<Vec<_>>());
    }
    table
}

fn title(case: &str) -> String {
    static TITLES: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let titles = TITLES.get_or_init(|| {
        let events = events::all().unwrap_or_default();
        events.into_iter().map(|event| (event.name, event.title)).collect()
    });
    titles.iter().find(|(name, _)| name == case).map_or_else(|| case.to_owned(), |(_, title)| title.clone())
}

/// Prints what could not be measured.
pub(crate) fn wrong(results: &Results) {
    for skipped in &results.skipped {
        println!("\nSKIPPED: {skipped}");
    }
    if !results.wrong.is_empty() {
        println!("\nNot timed, because the response was wrong or none:\n");
    }
    let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
    for wrong in &results.wrong {
        let line = format!("{}, {}: {}", label(&wrong.subject), title(&wrong.case), wrong.why);
        match lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, apps)) => apps.push(&wrong.app),
            None => lines.push((line, vec![&wrong.app])),
        }
    }
    for (line, apps) in lines {
        println!("  {line} ({})", apps.join(", "));
    }
}

/// Prints what the figures were taken on.
pub(crate) fn machine(results: &Results) {
    let (machine, versions) = (&results.machine, &results.versions);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    println!(
        "\nTaken on {} ({} cores), Linux {}, CPython {} ({} PGO).",
        text(&machine["cpu"]),
        machine["cores"],
        text(&machine["kernel"]),
        text(&versions["python"]),
        if versions["python_pgo"] == true { "with" } else { "without" },
    );
    let percent = |value: &serde_json::Value| value.as_f64().unwrap_or_default();
    let (others, stolen) = (percent(&machine["others_percent"]), percent(&machine["stolen_percent"]));
    println!("Of the processors' time other programs took {others} %, the hypervisor {stolen} %.");
    if others + stolen > 10.0 {
        println!("WARNING: that is much. Ratios of single lines can be wrong; run it again on a quiet machine.");
    }
}
