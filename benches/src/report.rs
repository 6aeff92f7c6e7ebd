//! Tables for a terminal.

use std::sync::OnceLock;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use crate::events;
use crate::peers::Kind;
use crate::results::{Key, Results};
use crate::stats::Summary;

mod more;

pub(crate) use more::{cold, scale, stream, targets};

/// The subject that ratios are taken to.
const BASE: &str = "ours";

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

/// The median with its quartiles and its multiple of ours; a dash where nothing was measured.
pub(crate) fn cell(results: &Results, key: Key<'_>, subject: &str) -> String {
    let Some(row) = results.get(key, subject) else { return "–".to_owned() };
    let Summary { median, q1, q3, .. } = row.summary();
    let (unit, scale) = unit(&row.unit, median);
    let [median, q1, q3] = [median, q1, q3].map(|value| digits(value / scale));
    let ratio = results.ratio(key, subject, BASE).map(|ratio| format!(" ×{:.2}", ratio.median));
    format!("{median} {unit}{}\n[{q1}–{q3}]", ratio.unwrap_or_default())
}

/// The unit in which a value is shown: microseconds from a thousand on are milliseconds.
fn unit(unit: &str, value: f64) -> (&str, f64) {
    if unit == "µs" && value >= 1000.0 { ("ms", 1000.0) } else { (unit, 1.0) }
}

/// Three digits that count.
fn digits(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// A value with its unit.
pub(crate) fn figure(value: f64, of: &str) -> String {
    let (unit, scale) = unit(of, value);
    format!("{} {unit}", digits(value / scale))
}

/// Subjects in the order of [`Kind`], each with its variants.
pub(crate) fn subjects(results: &Results, stage: &str, app: &str) -> Vec<String> {
    let mut found = results.distinct(|row| (row.stage == stage && row.app == app).then_some(row.subject.as_str()));
    let kinds = <Kind as clap::ValueEnum>::value_variants();
    found.sort_by_key(|subject| kinds.iter().position(|kind| subject.split(' ').next() == Some(kind.name().as_str())));
    found
}

pub(crate) fn label(subject: &str) -> String {
    let kinds = <Kind as clap::ValueEnum>::value_variants();
    let (name, rest) = subject.split_once(' ').unwrap_or((subject, ""));
    let title = kinds.iter().find(|kind| kind.name() == name).map_or(name, |kind| kind.title());
    format!("{title} {rest}").trim_end().to_owned()
}

fn title(case: &str) -> String {
    static TITLES: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let titles = TITLES.get_or_init(|| {
        let events = events::all().unwrap_or_default();
        events.into_iter().map(|event| (event.name, event.title)).collect()
    });
    titles.iter().find(|(name, _)| name == case).map_or_else(|| case.to_owned(), |(_, title)| title.clone())
}

pub(crate) fn table(header: impl IntoIterator<Item = String>) -> Table {
    let mut table = Table::new();
    let style = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
    table.load_style(style).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.into_iter().collect::<Vec<_>>());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Prints what could not be measured.
pub(crate) fn wrong(results: &Results) {
    for skipped in &results.skipped {
        println!("\nSKIPPED: {skipped}");
    }
    if !results.wrong.is_empty() {
        println!("\nNot timed, because the answer was wrong or none:\n");
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
