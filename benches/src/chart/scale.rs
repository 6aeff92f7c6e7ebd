//! The curves of growing sizes, with the straight line through each.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::{FONT, GRID, INK, MARK, OURS, PEER, SOFT, footer, text};
use crate::curve::Curve;
use crate::report::label;
use crate::results::Results;

const WIDTH: u32 = 330;
const HEIGHT: u32 = 240;
const COLUMNS: usize = 3;
const TOP: u32 = 50;

/// Draws a panel for each measure.
pub(crate) fn draw(results: &Results, curves: &[Curve], file: &Path) -> Result<()> {
    let mut names: Vec<&str> = Vec::new();
    for curve in curves {
        if !names.contains(&curve.name.as_str()) {
            names.push(&curve.name);
        }
    }
    let rows = u32::try_from(names.len().div_ceil(COLUMNS))?;
    let size = (WIDTH * u32::try_from(COLUMNS)? + 20, TOP + HEIGHT * rows + 36);
    let area = SVGBackend::new(file, size).into_drawing_area();
    area.fill(&WHITE)?;
    text(&area, "How the cost grows", (20, 26), 19.0, INK, true)?;
    legend(&area)?;
    let below = TOP + HEIGHT * rows;
    let (_, panels) = area.split_vertically(TOP);
    let (panels, _) = panels.split_vertically(HEIGHT * rows);
    for (panel, name) in panels.split_evenly((rows as usize, COLUMNS)).iter().zip(&names) {
        let of: Vec<&Curve> = curves.iter().filter(|curve| curve.name == *name).collect();
        draw_panel(panel, name, &of)?;
    }
    text(&area, &footer(results), (20, below.cast_signed() + 18), 11.0, SOFT, false)?;
    area.present().map_err(|error| anyhow!("{}: {error}", file.display()))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn legend(area: &Area<'_>) -> Result<()> {
    for (x, subject) in [(240, "ours"), (350, "apig"), (480, "null")] {
        let colour = colour_of(subject);
        area.draw(&Circle::new((x, 27), 4, colour.filled()))?;
        text(area, &label(subject), (x + 10, 26), 13.0, INK, false)?;
    }
    text(area, "dots: measured; line: least squares", (610, 26), 13.0, SOFT, false)
}

fn colour_of(subject: &str) -> RGBColor {
    match subject {
        "ours" => OURS,
        "null" => MARK,
        _ => PEER,
    }
}

fn draw_panel(area: &Area<'_>, name: &str, curves: &[&Curve]) -> Result<()> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let x_most = points().map(|point| point.x).fold(0.0, f64::max) * 1.04;
    let y_most = points().map(|point| point.q3).fold(0.0, f64::max) * 1.08;
    let (x, y) = (&curves[0].x, &curves[0].y);
    // A measure in microseconds that comes to many is shown in milliseconds.
    let (unit, scale) = if y == "µs" && y_most > 20_000.0 { ("ms", 1000.0) } else { (y.as_str(), 1.0) };
    text(area, name, (24, 14), 13.0, INK, true)?;
    text(area, &format!("{unit}, by {x}"), (24, 30), 11.0, SOFT, false)?;
    let mut chart = ChartBuilder::on(area)
        .margin_top(40)
        .margin_right(16)
        .set_label_area_size(LabelAreaPosition::Left, 52)
        .set_label_area_size(LabelAreaPosition::Bottom, 26)
        .build_cartesian_2d(0.0..x_most, 0.0..y_most / scale)?;
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(GRID)
        .x_labels(5)
        .y_labels(5)
        .label_style((FONT, 11.0, &SOFT))
        .x_label_formatter(&|value| number(*value))
        .y_label_formatter(&|value| number(*value))
        .draw()?;
    for curve in curves {
        let colour = colour_of(&curve.subject);
        let fit = curve.fit();
        let line = if curve.is_line() {
            [0.0, x_most].map(|x| (x, (fit.start + fit.slope * x) / scale)).to_vec()
        } else {
            curve.points.iter().map(|point| (point.x, point.median / scale)).collect()
        };
        chart.draw_series(LineSeries::new(line, colour.mix(0.6)))?;
        let dots = curve.points.iter().map(|point| {
            ErrorBar::new_vertical(
                point.x,
                point.q1 / scale,
                point.median / scale,
                point.q3 / scale,
                colour.filled(),
                5,
            )
        });
        chart.draw_series(dots)?;
        let dots = curve.points.iter().map(|point| Circle::new((point.x, point.median / scale), 3, colour.filled()));
        chart.draw_series(dots)?;
    }
    Ok(())
}

/// `2000` as `2,000`; small numbers with one digit behind the point.
fn number(value: f64) -> String {
    if value.fract().abs() > 1e-9 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    match digits.len().checked_sub(3) {
        Some(split @ 1..) => format!("{},{}", &digits[..split], &digits[split..]),
        _ => digits,
    }
}
