//! What tables are made of: their style, values with units, the names of subjects.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use crate::peers::Server;
use crate::results::{Key, Results};
use crate::stats::Summary;

/// The subject that ratios are taken to.
const BASE: &str = "ours";

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

/// Subjects in the order of [`Server`], each with its variants.
pub(crate) fn subjects(results: &Results, stage: &str, app: &str) -> Vec<String> {
    let mut found = results.distinct(|row| (row.stage == stage && row.app == app).then_some(row.subject.as_str()));
    let servers = <Server as clap::ValueEnum>::value_variants();
    found.sort_by_key(|subject| {
        servers.iter().position(|server| subject.split(' ').next() == Some(server.name().as_str()))
    });
    found
}

pub(crate) fn label(subject: &str) -> String {
    let servers = <Server as clap::ValueEnum>::value_variants();
    let (name, rest) = subject.split_once(' ').unwrap_or((subject, ""));
    let title = servers.iter().find(|server| server.name() == name).map_or(name, |server| server.title());
    format!("{title} {rest}").trim_end().to_owned()
}

/// An empty table with numbers to the right.
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
