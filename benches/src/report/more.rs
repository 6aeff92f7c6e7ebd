//! Tables of starts, memory, streams, growth and targets.

use comfy_table::Table;

use super::cells::{cell, figure, label, subjects, table};
use crate::cold::Way;
use crate::curve::Curve;
use crate::results::{Key, Results};
use crate::targets::Verdict;

/// Prints starts and memory: for each application a table of subjects by ways.
pub(crate) fn cold(results: &Results) {
    for app in results.distinct(|row| (row.stage == "cold").then_some(row.app.as_str())) {
        println!("\nCold starts and memory, {app}: median [quartiles], and the multiple of wsgi-lambda\n");
        println!("{}", cold_table(results, &app));
        println!(
            " first poll: from before the first process to its poll of /next; response: to the first response's last byte"
        );
    }
}

fn cold_table(results: &Results, app: &str) -> Table {
    let ways = [Way::Pyc, Way::Shipped, Way::Disk];
    let measured = |way: &Way| results.rows.iter().any(|row| row.case == way.name() && row.app == app);
    let ways: Vec<Way> = ways.into_iter().filter(measured).collect();
    let mut header = vec![String::new()];
    for way in &ways {
        let how = match way {
            Way::Pyc => "with .pyc",
            Way::Shipped => "as shipped, read-only",
            Way::Disk => "from the disk",
        };
        header.extend([format!("first poll\n{how}"), format!("first response\n{how}")]);
    }
    let memory = Key { stage: "memory", app, case: "after 20 GETs", measure: "pss" };
    let has_memory = ways.contains(&Way::Pyc);
    header.extend(has_memory.then(|| "memory (PSS)\nafter 20 GETs".to_owned()));
    let mut table = table(header);
    for subject in subjects(results, "cold", app) {
        let mut row = vec![label(&subject)];
        for way in &ways {
            for measure in ["first poll", "first response"] {
                row.push(cell(results, Key { stage: "cold", app, case: way.name(), measure }, &subject));
            }
        }
        row.extend(has_memory.then(|| cell(results, memory, &subject)));
        table.add_row(row);
    }
    table
}

/// Prints streams: delay of chunks, throughput, memory.
pub(crate) fn stream(results: &Results) {
    for app in results.distinct(|row| (row.stage == "stream").then_some(row.app.as_str())) {
        println!("\nStreamed responses, {app}: from a chunk's yield to the reader, and a long stream\n");
        let measures = ["first chunk", "later chunks", "throughput", "cpu per MB", "peak memory"];
        let mut table = table([String::new()].into_iter().chain(measures.map(str::to_owned)));
        for subject in subjects(results, "stream", &app) {
            let cells = measures
                .map(|measure| cell(results, Key { stage: "stream", app: &app, case: "stream", measure }, &subject));
            table.add_row([label(&subject)].into_iter().chain(cells).collect::<Vec<_>>());
        }
        println!("{table}");
    }
}

/// Prints the slope of each curve.
pub(crate) fn scale(curves: &[Curve]) {
    println!("\nGrowth: the least-squares line through each curve\n");
    let header = ["", "subject", "from", "to", "start", "slope", "R²", "steepest step", ""];
    let mut table = table(header.map(str::to_owned));
    for curve in curves {
        let fit = curve.fit();
        let (Some(first), Some(last)) = (curve.points.first(), curve.points.last()) else { continue };
        table.add_row([
            curve.name.clone(),
            label(&curve.subject),
            format!("{:.0} {}: {}", first.x, curve.x, figure(first.median, &curve.y)),
            format!("{:.0} {}: {}", last.x, curve.x, figure(last.median, &curve.y)),
            figure(fit.start, &curve.y),
            format!("{:.3} {} per {}", fit.slope, curve.y, curve.x.trim_end_matches('s')),
            format!("{:.4}", fit.r2),
            format!("×{:.2}", fit.steepest),
            curve.verdict().to_owned(),
        ]);
    }
    println!("{table}");
}

/// Prints each target with what was measured.
pub(crate) fn targets(verdicts: &[Verdict]) {
    println!("\nTargets (ratios round by round, median [quartiles])\n");
    let mut table = table(["", "against", "at most", "measured", ""].map(str::to_owned));
    for verdict in verdicts {
        let (against, limit) = if verdict.base.is_empty() {
            (String::new(), format!("{:.0}", verdict.limit))
        } else {
            (label(&verdict.base), format!("×{:.2}", verdict.limit))
        };
        let measured = verdict.measured.map_or_else(
            || "–".to_owned(),
            |m| {
                let digits = if verdict.base.is_empty() { 0 } else { 2 };
                format!("{:.digits$} [{:.digits$}–{:.digits$}]", m.median, m.q1, m.q3)
            },
        );
        let met = verdict.met.map_or("not measured", |met| if met { "met" } else { "MISSED" });
        table.add_row([verdict.what.clone(), against, limit, measured, met.to_owned()]);
    }
    println!("{table}");
}
