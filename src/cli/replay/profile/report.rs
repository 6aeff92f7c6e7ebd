//! The report, as text for people.

use std::collections::HashSet;
use std::path::Path;

use super::findings::{Findings, TREE_PART};
use super::format::{column, modules, note, percent, time};
use super::record::{How, ProfiledRun, Record, Tree};
use crate::cli::out::{BOLD, DIM, RED, printable};

/// How many lines the tree has at most, unless `--verbose` is given.
const TREE_LINES: usize = 40;
/// How many imports are on a line at most.
const CHAIN: usize = 3;

/// A record, and the run that it is from.
pub(super) struct Report<'r> {
    pub(super) record: &'r Record,
    pub(super) run: &'r ProfiledRun,
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
        let findings = Findings { record: self.record, run: self.run, all: self.all };
        for paragraph in findings.paragraphs(&tree) {
            lines.push(String::new());
            lines.extend(paragraph);
        }
        lines.push(String::new());
        lines.push(format!("{BOLD}Flame graph{BOLD:#}: {} (open it in a browser)", picture.display()));
        lines.push(format!(
            "{DIM}Profiling itself slows the start down, and Lambda's processors are slower than most: compare the parts, \
             not the milliseconds.{DIM:#}"
        ));
        lines
    }

    /// Where the time went, in total.
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
            (None, false, _) => format!("{RED}and the start did not finish{RED:#}"),
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
        let imports = format!("imports, including the application's code ({count} modules in all)");
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

    /// The imports by cost, as many as fit.
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

/// The imports that took at least a time, the most expensive first, and how many they are. An import that did little
/// but wait for another one shares its line.
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

/// Places with their depth. The most expensive one is the last, to be taken first.
fn by_cost(tree: &Tree, places: &[usize], depth: usize) -> Vec<(usize, usize)> {
    let mut sorted: Vec<(usize, usize)> = places.iter().map(|&place| (place, depth)).collect();
    sorted.sort_by_key(|&(place, _)| tree.imports[place].ns);
    sorted
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
            (5, How::Deferred),
            (6, How::Deferred),
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
        let run = ProfiledRun { init: Some(Duration::from_millis(345)), events: 3, not_found: 2 };
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
        assert!(!short.contains("decimal  deferred") && short.contains("--verbose shows them"), "{short}");
        assert!(long.contains("decimal  deferred") && !long.contains("--verbose"), "{long}");
    }

    #[test]
    fn a_large_tree_is_cut() {
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
    fn a_start_that_did_not_finish_says_so() {
        let mut record = every_kind();
        (record.complete, record.events) = (false, None);
        let killed = text(&record, false);
        assert!(
            killed.contains("and the start did not finish") && killed.contains("no event was answered"),
            "{killed}"
        );
        record.failed = Some("Runtime.ImportModuleError".to_owned());
        assert!(text(&record, false).contains("to its failure, Runtime.ImportModuleError"));
        (record.complete, record.failed, record.deferral) = (true, None, false);
        let workers = text(&record, false);
        assert!(
            workers.contains("AWS_LAMBDA_MAX_CONCURRENCY") && workers.contains("Nothing was deferred"),
            "{workers}"
        );
    }
}
