//! The same numbers as a flame chart, with time from left to right.

use std::time::Duration;

use inferno::flamegraph::{Direction, Options, from_lines};

use super::record::{How, Record, Tree};
use crate::cli::shown::duration;

/// What is written after the module's name.
fn mark(how: How) -> &'static str {
    match how {
        How::Compiled => " (compiled)",
        How::Extension => " (extension)",
        How::Deferred => " (deferred)",
        How::NotFound => " (not found)",
        How::Failed => " (failed)",
        How::Factory => " (call)",
        How::Bytecode | How::BuiltIn | How::Other => "",
    }
}

/// Stacks, each with the microseconds that its last frame took without its children, in order of time.
pub(super) fn folded(record: &Record, init: Option<Duration>) -> Vec<String> {
    let tree = Tree::new(&record.imports);
    let mut lines = Vec::new();
    let mut line = |stack: &[String], ns: u64| {
        if ns >= 1000 {
            lines.push(format!("{} {}", stack.join(";"), ns / 1000));
        }
    };
    let roots: u64 = tree.roots.iter().map(|&root| tree.imports[root].ns).sum();
    line(&["the process starts, and asks for an event".to_owned()], record.total_ns(init) - record.ns());
    line(&["Python starts".to_owned()], record.phases.interpreter);
    line(&["wsgi-lambda itself".to_owned()], record.ns().saturating_sub(record.phases.interpreter + roots));
    let mut stack: Vec<(usize, String)> = Vec::new();
    let mut leave = |stack: &mut Vec<(usize, String)>, depth: usize| {
        while stack.len() > depth {
            let names: Vec<String> = stack.iter().map(|(_, name)| name.clone()).collect();
            if let Some((place, _)) = stack.pop() {
                line(&names, tree.own_ns(place));
            }
        }
    };
    for (place, depth) in tree.all() {
        leave(&mut stack, depth);
        let import = &tree.imports[place];
        // `;` separates frames, and a newline separates stacks.
        let name = import.name.replace([';', '\n', '\r'], "_");
        stack.push((place, format!("{name}{}", mark(import.how))));
    }
    leave(&mut stack, 0);
    lines
}

/// The picture, as SVG.
pub(super) fn svg(record: &Record, init: Option<Duration>) -> std::io::Result<Vec<u8>> {
    let mut lines = folded(record, init);
    lines.reverse(); // inferno draws the last line first
    let mut options = Options::default();
    options.title = format!("Cold start of {}", record.handler);
    let total = Duration::from_nanos(record.total_ns(init));
    options.subtitle = Some(format!("{} with Python {}, time from left to right", duration(total), record.python));
    "µs".clone_into(&mut options.count_name);
    "Import:".clone_into(&mut options.name_type);
    options.direction = Direction::Inverted;
    options.flame_chart = true;
    options.hash = true; // the same module has the same colour in the next picture
    options.min_width = 0.05;
    let mut picture = Vec::new();
    from_lines(&mut options, lines.iter().map(String::as_str), &mut picture)?;
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{import, record};
    use super::*;

    #[test]
    fn a_stack_has_the_time_of_its_last_frame() {
        let ms = 1_000_000;
        let mut record = record(vec![
            import("app", None, 0, 10 * ms),
            import("a;b", Some(0), ms, 4 * ms),
            import("c", Some(1), 2 * ms, ms),
            import("d", Some(0), 6 * ms, 2 * ms),
        ]);
        record.phases.interpreter = 3 * ms;
        record.phases.app = 11 * ms;
        record.imports[3].how = How::Compiled;
        let lines = folded(&record, Some(Duration::from_millis(15)));
        assert_eq!(
            lines,
            [
                "the process starts, and asks for an event 1000",
                "Python starts 3000",
                "wsgi-lambda itself 1000",
                "app;a_b;c 1000",
                "app;a_b 3000",
                "app;d (compiled) 2000",
                "app 4000",
            ]
        );
        let picture = String::from_utf8(svg(&record, None).unwrap()).unwrap();
        assert!(picture.contains("d (compiled)") && picture.trim_end().ends_with("</svg>"));
    }
}
