//! The report, for the eye.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use super::Run;
use super::record::{How, Import, Record, Tree};
use crate::cli::out::{BOLD, DIM, RED};
use crate::cli::replay::show::printable;
use crate::cli::replay::timing::duration;

/// How many lines the tree has at most, unless all is asked for.
const TREE_LINES: usize = 40;
/// How many imports are on a line at most.
const CHAIN: usize = 3;
/// Of the tree's imports each is at least this part of the init.
pub(super) const TREE_PART: u64 = 100;

/// A record, and its run.
pub(super) struct Report<'r> {
    pub(super) record: &'r Record,
    pub(super) run: &'r Run,
    /// Whether nothing is left out.
    pub(super) all: bool,
}

impl Report<'_> {
    pub(super) fn lines(&self, picture: &Path) -> Vec<String> {
        let tree = Tree::new(&self.record.imports);
        let mut lines = vec![String::new()];
        lines.extend(self.phases(&tree));
        lines.push(String::new());
        lines.extend(self.tree(&tree));
        for paragraph in self.findings(&tree) {
            lines.push(String::new());
            lines.extend(paragraph);
        }
        lines.push(String::new());
        lines.push(format!("{BOLD}Flame graph{BOLD:#}: {} (open it in a browser)", picture.display()));
        lines.push(format!(
            "{DIM}The profile itself makes a start slower, and Lambda's processors are slower than most: compare the \
             parts, not the milliseconds.{DIM:#}"
        ));
        lines
    }

    /// Where the time went, as a whole.
    fn phases(&self, tree: &Tree) -> Vec<String> {
        let record = self.record;
        let (known, total) = (record.ns(), record.total_ns(self.run.init));
        let (calls, modules): (Vec<usize>, Vec<usize>) =
            tree.roots.iter().partition(|&&root| tree.imports[root].how == How::Factory);
        let sum = |roots: &[usize]| roots.iter().map(|&root| tree.imports[root].ns).sum::<u64>();
        let came = |(place, _): (usize, usize)| {
            let import = &tree.imports[place];
            let is_module = !matches!(import.how, How::NotFound | How::Failed | How::Factory);
            is_module.then_some(import.name.as_str())
        };
        let count = tree.all().into_iter().filter_map(came).collect::<HashSet<_>>().len();
        let end = match (&record.failed, record.complete, self.run.init) {
            (Some(error), ..) => format!("to its failure, {RED}{}{RED:#}", printable(error)),
            (None, false, _) => format!("{RED}and it was not over{RED:#}"),
            (None, true, Some(_)) => "from the start of the process to its first call for an event".to_owned(),
            (None, true, None) => "from the start of Python to the end of the import".to_owned(),
        };
        let mut lines = vec![format!(
            "{BOLD}Cold start of {}{BOLD:#} with Python {}: {BOLD}{}{BOLD:#} {end}",
            printable(&record.handler),
            printable(&record.python),
            time(total)
        )];
        let itself = known.saturating_sub(record.phases.interpreter + sum(&tree.roots));
        let imports = format!("imports, the application's code among them ({count} modules in all)");
        let mut row = |ns: u64, what: &str| {
            if ns > 0 {
                lines.push(format!("{}  {:>4}  {what}", column(ns), percent(ns, total)));
            }
        };
        row(total - known, "the process before and after Python's part");
        row(record.phases.interpreter, "Python starts");
        row(itself, "wsgi-lambda itself");
        row(sum(&modules), &imports);
        for call in calls {
            row(
                tree.imports[call].ns,
                &format!("the call of {}, with what it imports", printable(&tree.imports[call].name)),
            );
        }
        lines
    }

    /// The imports by cost, as many as one reads.
    fn tree(&self, tree: &Tree) -> Vec<String> {
        let mut at_least = if self.all { 0 } else { self.record.ns() / TREE_PART };
        loop {
            let (lines, shown) = tree_lines(tree, at_least);
            if lines.len() > TREE_LINES && !self.all {
                at_least += at_least / 4 + 1;
                continue;
            }
            let mut all = vec![format!("{BOLD}Imports by cost{BOLD:#}"), format!("{DIM}    total     itself{DIM:#}")];
            all.extend(lines);
            let hidden = tree.all().len() - shown;
            if hidden > 0 {
                let least = time(at_least);
                all.push(format!("{DIM}… {} below {least} each, --verbose shows them{DIM:#}", modules(hidden)));
            }
            return all;
        }
    }
}

/// The imports that took a time or longer, the most expensive first, and how many they are. One that did little more than
/// to wait for another one is on a line with it.
fn tree_lines(tree: &Tree, at_least: u64) -> (Vec<String>, usize) {
    let children = |place: usize| {
        let long = tree.children(place).iter().copied().filter(|&child| tree.imports[child].ns >= at_least);
        long.collect::<Vec<usize>>()
    };
    let mut lines = Vec::new();
    let mut shown = 0;
    let roots: Vec<usize> = tree.roots.iter().copied().filter(|&root| tree.imports[root].ns >= at_least).collect();
    let mut open = by_cost(tree, &roots, 0);
    while let Some((place, depth)) = open.pop() {
        let name = |place: usize| printable(&tree.imports[place].name) + &note(&tree.imports[place]);
        let mut names = vec![name(place)];
        let mut last = place;
        while let [only] = children(last)[..]
            && names.len() < CHAIN
            && at_least > tree.own_ns(last)
        {
            last = only;
            names.push(name(last));
        }
        shown += names.len();
        open.extend(by_cost(tree, &children(last), depth + 1));
        let (total, itself) = (column(tree.imports[place].ns), column(tree.own_ns(last)));
        lines.push(format!("{total}  {itself}  {}{}", "  ".repeat(depth), names.join(" → ")));
    }
    (lines, shown)
}

/// Places with their depth, to be taken from the end, where the most expensive is.
fn by_cost(tree: &Tree, places: &[usize], depth: usize) -> Vec<(usize, usize)> {
    let mut sorted: Vec<(usize, usize)> = places.iter().map(|&place| (place, depth)).collect();
    sorted.sort_by_key(|&(place, _)| tree.imports[place].ns);
    sorted
}

/// What is said behind a module's name.
pub(super) fn note(import: &Import) -> String {
    let compiler = import.compile_ns.map(|ns| format!("compiled in {}", time(ns)));
    let touched =
        import.touched_by.as_deref().map(|by| format!("put off until {} took something of it", printable(by)));
    let how = match import.how {
        How::Extension => Some("extension module"),
        How::BuiltIn => Some("built in"),
        How::PutOff => Some("put off"),
        How::NotFound => Some("not found"),
        How::Failed => Some("failed"),
        How::Factory => Some("call"),
        How::Bytecode | How::Compiled | How::Other => None,
    };
    let notes: Vec<String> = [compiler, touched, how.map(str::to_owned)].into_iter().flatten().collect();
    if notes.is_empty() { String::new() } else { format!("  {DIM}{}{DIM:#}", notes.join(", ")) }
}

pub(super) fn modules(count: usize) -> String {
    if count == 1 { "1 module".to_owned() } else { format!("{count} modules") }
}

pub(super) fn time(ns: u64) -> String {
    duration(Duration::from_nanos(ns))
}

pub(super) fn column(ns: u64) -> String {
    format!("{:>9}", time(ns))
}

fn percent(ns: u64, total: u64) -> String {
    format!("{} %", (ns * 100 + total / 2) / total.max(1))
}

#[cfg(test)]
mod tests {
    use super::super::record::How;
    use super::super::samples::{import, record};
    use super::*;

    const MS: u64 = 1_000_000;

    /// A start with one of each kind.
    fn every_kind() -> Record {
        let mut imports = vec![
            import("app", None, 0, 200 * MS),
            import("chain", Some(0), 1, 50 * MS),
            import("chain.of", Some(1), 2, 50 * MS),
            import("chain.of.imports", Some(2), 3, 49 * MS),
            import("native", Some(0), 60, 20 * MS),
            import("decimal", Some(0), 70, MS / 10),
            import("uuid", Some(0), 71, MS / 10),
            import("uuid", Some(0), 72, 8 * MS),
            import("speedups", Some(0), 80, 5 * MS),
            import("boto\u{1b}[2J", Some(0), 90, 30 * MS),
            import("tiny", Some(0), 99, MS),
            import("app:make()", None, 300, 40 * MS),
            import("late", None, 900, 7 * MS),
            import("late.inner", Some(12), 901, 6 * MS),
            import("beside", None, 5, 11 * MS),
            import("site", None, 0, 25 * MS),
            import("sitecustomize", Some(15), 1, MS),
            import("tracer\u{1b}", Some(15), 2, 23 * MS),
            import("tracer.part", Some(17), 3, 20 * MS),
            import("_sitebuiltins", Some(15), 4, MS),
        ];
        let kinds = [
            (4, How::Extension),
            (5, How::PutOff),
            (6, How::PutOff),
            (8, How::NotFound),
            (11, How::Factory),
            (15, How::BuiltIn),
            (16, How::NotFound),
        ];
        for (place, how) in kinds {
            imports[place].how = how;
        }
        for place in [0, 3, 12] {
            imports[place].how = How::Compiled;
            imports[place].compile_ns = Some(4 * MS);
        }
        for import in &mut imports[..4] {
            import.used = Some(true);
        }
        imports[15].file = None; // frozen
        imports[7].touched_by = Some("app".to_owned());
        (imports[12].event, imports[13].event) = (true, true);
        imports[14].thread = true;
        let mut record = record(imports);
        (record.phases.interpreter, record.phases.glue) = (20 * MS, 2 * MS);
        (record.phases.prepare, record.phases.app) = (26 * MS, 241 * MS);
        record.phases.profile = 50 * MS;
        record
    }

    fn text(record: &Record, all: bool) -> String {
        let run = Run { init: Some(Duration::from_millis(345)), events: 3, not_found: 2 };
        let report = Report { record, run: &run, all };
        let lines = report.lines(Path::new("init-profile.svg"));
        anstream::adapter::strip_str(&lines.join("\n")).to_string()
    }

    #[test]
    fn a_report_with_one_of_each_kind() {
        insta::assert_snapshot!(text(&every_kind(), false));
    }

    #[test]
    fn all_of_it_when_asked_for() {
        let short = text(&every_kind(), false);
        let long = text(&every_kind(), true);
        assert!(!short.contains("decimal  put off") && short.contains("--verbose shows them"), "{short}");
        assert!(long.contains("decimal  put off") && !long.contains("--verbose"), "{long}");
    }

    #[test]
    fn a_large_tree_is_cut_to_what_one_reads() {
        let parent = |place: u64| (place > 0).then_some(0);
        let imports = (0..500).map(|place| import(&format!("m{place}"), parent(place), place, (500 - place) * MS));
        let record = record(imports.collect());
        let shown = text(&record, false)
            .lines()
            .filter(|line| line.trim_start().ends_with(" ms  m0") || line.contains("ms    m"))
            .count();
        assert!((TREE_LINES / 2..=TREE_LINES).contains(&shown), "{shown}");
    }

    #[test]
    fn a_start_that_did_not_come_to_its_end_says_so() {
        let mut record = every_kind();
        (record.complete, record.events) = (false, None);
        let killed = text(&record, false);
        assert!(killed.contains("and it was not over") && killed.contains("no event was answered"), "{killed}");
        record.failed = Some("Runtime.ImportModuleError".to_owned());
        assert!(text(&record, false).contains("to its failure, Runtime.ImportModuleError"));
        (record.complete, record.failed, record.deferral) = (true, None, false);
        let workers = text(&record, false);
        assert!(workers.contains("AWS_LAMBDA_MAX_CONCURRENCY") && workers.contains("Nothing was put off"), "{workers}");
    }
}
