//! The picture for README: subjects in rows, measures in columns, a bar in each field, shorter is better.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontFamily, FontStyle};

use crate::report::{figure, label};
use crate::results::{Key, Results};

pub(crate) mod scale;

/// The fonts of the page it stands in, with what every system has as the last.
pub(crate) const FONT: FontFamily<'static> = FontFamily::Name("-apple-system, Segoe UI, Helvetica, Arial, sans-serif");
pub(crate) const INK: RGBColor = RGBColor(31, 35, 40);
pub(crate) const SOFT: RGBColor = RGBColor(101, 109, 118);
const PAPER: RGBColor = RGBColor(255, 255, 255);
pub(crate) const GRID: RGBColor = RGBColor(228, 232, 236);
pub(crate) const OURS: RGBColor = RGBColor(217, 95, 14);
pub(crate) const PEER: RGBColor = RGBColor(142, 160, 178);
/// For what no application is behind.
pub(crate) const MARK: RGBColor = RGBColor(205, 213, 221);

const LEFT: i32 = 190;
const COLUMN: i32 = 158;
const ROW: i32 = 28;
const TOP: i32 = 92;
const BAR: i32 = 16;
/// The longest bar; its figure stands behind it.
const LONGEST: f64 = 92.0;

/// A column of the picture.
struct Column {
    title: [&'static str; 2],
    key: Key<'static>,
    /// The subject that stands for ours here.
    ours: &'static str,
}

const fn warm(app: &'static str, case: &'static str) -> Key<'static> {
    Key { stage: "warm", app, case, measure: "p50" }
}

const COLUMNS: [Column; 5] = [
    Column {
        title: ["Cold start, Flask", "packages as shipped"],
        key: Key { stage: "cold", app: "flask", case: "shipped", measure: "first poll" },
        ours: "ours packaged",
    },
    Column { title: ["Warm GET", "Flask, median"], key: warm("flask", "get"), ours: "ours" },
    Column { title: ["1 MB binary echo", "plain WSGI, median"], key: warm("plain", "echo-1m"), ours: "ours" },
    Column { title: ["5 MB response", "plain WSGI, binary"], key: warm("plain", "binary-5m"), ours: "ours" },
    Column {
        title: ["Memory", "Flask, PSS"],
        key: Key { stage: "memory", app: "flask", case: "after 20 GETs", measure: "pss" },
        ours: "ours",
    },
];

const SUBJECTS: [&str; 8] = ["ours", "apig", "awsgi2", "serverless", "mangum", "lwa-gunicorn", "lwa-waitress", "floor"];

/// Draws the columns that were measured; nothing when there is none.
pub(crate) fn draw(results: &Results, file: &Path) -> Result<bool> {
    let measured = |column: &&Column| results.get(column.key, column.ours).is_some();
    let columns: Vec<&Column> = COLUMNS.iter().filter(measured).collect();
    let rows: Vec<&str> =
        SUBJECTS.into_iter().filter(|subject| results.rows.iter().any(|row| row.subject == *subject)).collect();
    if columns.is_empty() {
        return Ok(false);
    }
    let width = LEFT + COLUMN * i32::try_from(columns.len())? + 20;
    let height = TOP + ROW * i32::try_from(rows.len())? + 50;
    let area = SVGBackend::new(file, (width.cast_unsigned(), height.cast_unsigned())).into_drawing_area();
    area.fill(&PAPER)?;
    text(&area, "wsgi-lambda beside its peers", (20, 26), 19.0, INK, true)?;
    text(&area, "shorter is better", (20, 48), 13.0, SOFT, false)?;
    for (index, subject) in rows.iter().enumerate() {
        let y = TOP + ROW * i32::try_from(index)? + ROW / 2;
        text(&area, &label(subject), (20, y), 13.0, INK, *subject == "ours")?;
    }
    for (index, column) in columns.iter().enumerate() {
        let x = LEFT + COLUMN * i32::try_from(index)?;
        draw_column(&area, results, column, &rows, x)?;
    }
    text(&area, &footer(results), (20, height - 20), 11.0, SOFT, false)?;
    area.present().map_err(|error| anyhow!("{}: {error}", file.display()))?;
    Ok(true)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_column(area: &Area<'_>, results: &Results, column: &Column, rows: &[&str], x: i32) -> Result<()> {
    text(area, column.title[0], (x, TOP - 30), 13.0, INK, true)?;
    text(area, column.title[1], (x, TOP - 13), 11.0, SOFT, false)?;
    let value = |subject: &&str| {
        let subject = if *subject == "ours" { column.ours } else { subject };
        results.get(column.key, subject).map(|row| (row.summary().median, row.unit.clone()))
    };
    let most = rows.iter().filter_map(value).map(|(value, _)| value).fold(0.0, f64::max);
    for (index, subject) in rows.iter().enumerate() {
        let y = TOP + ROW * i32::try_from(index)? + ROW / 2;
        let Some((value, unit)) = value(subject) else {
            text(area, "–", (x, y), 12.0, SOFT, false)?;
            continue;
        };
        #[allow(clippy::cast_possible_truncation)] // at most LONGEST
        let length = ((value / most * LONGEST).round() as i32).max(1);
        let colour = match *subject {
            "ours" => OURS,
            "floor" => MARK,
            _ => PEER,
        };
        area.draw(&Rectangle::new([(x, y - BAR / 2), (x + length, y + BAR / 2)], colour.filled()))?;
        text(area, &figure(value, &unit), (x + length + 5, y), 12.0, INK, *subject == "ours")?;
    }
    Ok(())
}

/// Text whose left end stands at this place, in the middle of its line.
pub(crate) fn text(area: &Area<'_>, text: &str, at: (i32, i32), size: f64, colour: RGBColor, bold: bool) -> Result<()> {
    let weight = if bold { FontStyle::Bold } else { FontStyle::Normal };
    let style = TextStyle::from((FONT, size, weight)).color(&colour).pos(Pos::new(HPos::Left, VPos::Center));
    Ok(area.draw_text(text, &style, at)?)
}

/// What the figures were taken on.
pub(crate) fn footer(results: &Results) -> String {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let pgo = if results.versions["python_pgo"] == true { "" } else { " without PGO" };
    format!(
        "make bench: medians of interleaved rounds under one emulated Runtime API. {}, {} cores; CPython {}{pgo}. Ratios carry \
         over to other machines, times do not.",
        text(&results.machine["cpu"]),
        results.machine["cores"],
        text(&results.versions["python"]),
    )
}
