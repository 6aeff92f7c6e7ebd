//! The findings, one paragraph each.

use super::advice::{Candidate, Owner, Owners, candidates};
use super::format::{column, modules, note, time};
use super::record::{How, Import, ProfiledRun, Record, Tree};
use crate::cli::out::{BOLD, DIM, GREEN, YELLOW, printable};

/// How many entries a list has at most.
const LIST_LINES: usize = 10;
/// How many modules are named in a sentence.
const NAMED: usize = 4;

/// Imports are shown if they are at least this part of the init.
pub(super) const TREE_PART: u64 = 100;

/// What the findings are about.
pub(super) struct Findings<'r> {
    pub(super) record: &'r Record,
    pub(super) run: &'r ProfiledRun,
    /// Whether nothing is left out.
    pub(super) all: bool,
}

impl Findings<'_> {
    /// The paragraphs that are not empty.
    pub(super) fn paragraphs(&self, tree: &Tree) -> Vec<Vec<String>> {
        let owners = Owners::new(self.record);
        let mut found = vec![
            Self::site(tree),
            Self::compiled(tree, &owners),
            self.candidates(&owners),
            self.deferred(tree),
            self.failed(tree),
            self.while_answering(),
            self.other_threads(),
        ];
        found.retain(|paragraph| !paragraph.is_empty());
        found
    }

    /// What `.pth` files and `sitecustomize` have imported.
    fn site(tree: &Tree) -> Vec<String> {
        let children = tree.roots.iter().filter(|&&root| is_site(&tree.imports[root]));
        let asked = children.flat_map(|&root| tree.children(root)).copied();
        // `site` itself needs these.
        let own = |name: &str| name == "_sitebuiltins" || name.starts_with("encodings.");
        let asked: Vec<usize> = asked.filter(|&place| !own(&tree.imports[place].name)).collect();
        let came = |place: usize| tree.imports[place].how != How::NotFound;
        let count = asked.iter().flat_map(|&place| tree.below(place)).filter(|&(place, _)| came(place)).count();
        let first = most_expensive(tree, &asked, |import| import.how != How::NotFound, |import, _| import.ns);
        if first.is_empty() {
            return Vec::new();
        }
        vec![
            format!(
                "{BOLD}Imported by `.pth` files and sitecustomize{BOLD:#}: {YELLOW}{}, {}{YELLOW:#}: {}",
                modules(count),
                time(first.iter().map(|&(_, ns)| ns).sum()),
                named(&first)
            ),
            "  They run whenever this Python starts. What the deployment does not have costs nothing there.".to_owned(),
        ]
    }

    /// What was compiled, and whether the deployment has bytecode.
    fn compiled(tree: &Tree, owners: &Owners) -> Vec<String> {
        let compiled = most_expensive(
            tree,
            &tree.places(),
            |import| import.compile_ns.is_some(),
            |import, _| import.compile_ns.unwrap_or(0),
        );
        let read = tree.all().into_iter().filter(|&(place, _)| {
            let import = &tree.imports[place];
            import.how == How::Bytecode && owners.of(&import.name) != Owner::Python
        });
        let read = read.count();
        let mut lines = Vec::new();
        if !compiled.is_empty() {
            let sum = compiled.iter().map(|&(_, ns)| ns).sum();
            lines.push(format!(
                "{BOLD}Compiled at every cold start{BOLD:#}: {YELLOW}{}, {}{YELLOW:#}: {}",
                modules(compiled.len()),
                time(sum),
                named(&compiled)
            ));
            lines.push(
                "  Only their source is there. `wsgi-lambda package` compiles them once, when it packs.".to_owned(),
            );
        }
        if read > 0 {
            lines.push(format!(
                "{BOLD}Read as bytecode{BOLD:#}: {} besides Python's own. Does the deployment have their `__pycache__` \
                 folders too?",
                modules(read)
            ));
            lines.push(
                "  Many tools leave them out, and Lambda's folders are read-only. `wsgi-lambda doctor` checks it."
                    .to_owned(),
            );
        }
        lines
    }

    /// What could be imported later.
    fn candidates(&self, owners: &Owners) -> Vec<String> {
        if self.record.events.is_none() {
            let why = match (self.record.complete, &self.record.failed) {
                (true, None) => {
                    "several workers (AWS_LAMBDA_MAX_CONCURRENCY) answer in processes of their own, or the application uses \
                     Python's monitoring tool 4"
                }
                _ => "no event was answered",
            };
            return vec![format!("{BOLD}Which modules the events use{BOLD:#} is not known: {why}.")];
        }
        let (yours, others): (Vec<Candidate>, Vec<Candidate>) =
            candidates(self.record, owners).into_iter().partition(|candidate| candidate.is_yours);
        let ProfiledRun { events, not_found, .. } = *self.run;
        let these = if events == 1 { "this event".to_owned() } else { format!("these {events} events") };
        let mut lines = vec![format!("{BOLD}Not used by {these}{BOLD:#}, and how much shorter the start could be")];
        if not_found > 0 {
            let which = if not_found == events { String::new() } else { format!("{not_found} of ") };
            lines.push(format!(
                "  {YELLOW}{which}{these}: answered with 404{YELLOW:#}, which uses little code. Events for your own routes tell more."
            ));
        }
        for (list, advice) in [
            (&yours, "imported by your own modules: import them inside the function that needs them"),
            (&others, "imported by packages: their authors can change that, or you can do without the package"),
        ] {
            if !list.is_empty() {
                lines.push(format!("  {advice}"));
                lines.extend(list.iter().take(self.most()).map(candidate));
                lines.extend(more(list.len(), self.most()));
            }
        }
        if yours.is_empty() && others.is_empty() {
            return vec![format!("{GREEN}Every import that takes time is used by {these}.{GREEN:#}")];
        }
        lines.push(format!(
            "{DIM}  Other events may need them. Some uses cannot be seen: constants, classes, and C code that calls C code.{DIM:#}"
        ));
        lines
    }

    /// Imports that wsgi-lambda has deferred.
    fn deferred(&self, tree: &Tree) -> Vec<String> {
        if !self.record.deferral {
            let why = "WSGI_LAMBDA_DEFER_IMPORTS=false, SnapStart or several workers";
            return vec![format!("{BOLD}Nothing was deferred{BOLD:#} ({why})")];
        }
        let imports = &self.record.imports;
        let mut unused: Vec<&str> = Vec::new();
        for (place, _) in tree.all() {
            let import = &tree.imports[place];
            let touched = imports.iter().any(|other| other.name == import.name && other.touched_by.is_some());
            if import.how == How::Deferred && !touched && !unused.contains(&import.name.as_str()) {
                unused.push(&import.name);
            }
        }
        let mut lines = Vec::new();
        if !unused.is_empty() {
            let names: Vec<String> = unused.iter().map(|name| printable(name)).collect();
            lines.push(format!("{BOLD}Deferred by wsgi-lambda, and never needed{BOLD:#}: {}", names.join(", ")));
        }
        let touched: Vec<&Import> = imports.iter().filter(|import| import.touched_by.is_some()).collect();
        for import in touched.iter().take(self.most()) {
            let by = import.touched_by.as_deref().map(printable).unwrap_or_default();
            let when = if import.event { "while an event was answered" } else { "during the import" };
            lines.push(format!(
                "{}  {} was deferred until {by} used it, {when}",
                column(import.ns),
                printable(&import.name)
            ));
        }
        lines.extend(more(touched.len(), self.most()));
        lines
    }

    /// Imports that failed and took time.
    fn failed(&self, tree: &Tree) -> Vec<String> {
        let is_failed = |import: &Import| import.how == How::Failed;
        let failed = most_expensive(
            tree,
            &tree.places(),
            |import| {
                // If the importer failed too, this is part of it. If the whole init failed, the error is known anyway.
                let outer =
                    import.parent.map_or(self.record.failed.is_some(), |parent| is_failed(&tree.imports[parent]));
                let optional = matches!(import.name.as_str(), "sitecustomize" | "usercustomize");
                import.how == How::NotFound && !optional || is_failed(import) && !outer
            },
            |import, own| if is_failed(import) { import.ns } else { own },
        );
        let sum: u64 = failed.iter().map(|&(_, ns)| ns).sum();
        let weighs = sum * TREE_PART >= self.record.ns() || self.all || self.record.failed.is_some();
        if failed.is_empty() || !weighs {
            return Vec::new();
        }
        let mut lines = vec![format!("{BOLD}Failed imports{BOLD:#}: {}, {}", failed.len(), time(sum))];
        for (import, ns) in failed.iter().take(self.most()) {
            let what = match (import.how, import.error.as_deref()) {
                (How::Failed, Some(error)) => format!("failed with {}", printable(error)),
                _ => "not found".to_owned(),
            };
            let by = import.parent.map(|it| format!(", by {}", printable(&tree.imports[it].name)));
            let by = by.unwrap_or_default();
            lines.push(format!("{}  {}  {DIM}{what}{by}{DIM:#}", column(*ns), printable(&import.name)));
        }
        lines.extend(more(failed.len(), self.most()));
        lines
    }

    /// What events had to wait for.
    fn while_answering(&self) -> Vec<String> {
        let outer = |import: &&Import| import.event && !import.parent.is_some_and(|it| self.record.imports[it].event);
        let mut late: Vec<&Import> = self.record.imports.iter().filter(outer).collect();
        late.sort_by_key(|import| std::cmp::Reverse(import.ns));
        if late.is_empty() {
            return Vec::new();
        }
        let sum = late.iter().map(|import| import.ns).sum();
        let mut lines = vec![format!(
            "{BOLD}Imported while events were answered{BOLD:#}: {}; the first event that needs them waits",
            time(sum)
        )];
        let line = |import: &&Import| format!("{}  {}{}", column(import.ns), printable(&import.name), note(import));
        lines.extend(late.iter().take(self.most()).map(line));
        lines.extend(more(late.len(), self.most()));
        lines
    }

    fn other_threads(&self) -> Vec<String> {
        let others =
            self.record.imports.iter().filter(|import| import.thread && !import.event && import.parent.is_none());
        let names: Vec<String> =
            others.map(|import| format!("{} {}", printable(&import.name), time(import.ns))).collect();
        if names.is_empty() {
            return Vec::new();
        }
        vec![format!("{BOLD}Imported by other threads{BOLD:#} at the same time: {}", names.join(", "))]
    }

    fn most(&self) -> usize {
        if self.all { usize::MAX } else { LIST_LINES }
    }
}

fn candidate(candidate: &Candidate) -> String {
    let shown: Vec<String> = candidate.importers.iter().take(NAMED).map(|name| printable(name)).collect();
    let rest = candidate.importers.len() - shown.len();
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let count = if candidate.modules > 1 { format!(" ({})", modules(candidate.modules)) } else { String::new() };
    let deferred = if candidate.was_touched { "; deferred, but one of them uses it at once" } else { "" };
    let name = printable(&candidate.name);
    let saved = column(candidate.saved_ns);
    format!("{saved}  {YELLOW}{name}{YELLOW:#}{count}  {DIM}by {}{rest}{deferred}{DIM:#}", shown.join(", "))
}

/// Python's `site`, which processes `.pth` files and imports `sitecustomize` and `usercustomize`.
fn is_site(import: &Import) -> bool {
    import.name == "site" && import.parent.is_none()
}

/// The imports of a kind in these places, each with its cost, the most expensive first.
fn most_expensive<'t>(
    tree: &Tree<'t>,
    places: &[usize],
    kind: impl Fn(&Import) -> bool,
    cost: impl Fn(&Import, u64) -> u64,
) -> Vec<(&'t Import, u64)> {
    let places = places.iter().copied().filter(|&place| kind(&tree.imports[place]));
    let mut found: Vec<_> =
        places.map(|place| (&tree.imports[place], cost(&tree.imports[place], tree.own_ns(place)))).collect();
    found.sort_by_key(|&(_, ns)| std::cmp::Reverse(ns));
    found
}

fn named(imports: &[(&Import, u64)]) -> String {
    let names: Vec<String> =
        imports.iter().take(NAMED).map(|(import, ns)| format!("{} {}", printable(&import.name), time(*ns))).collect();
    let rest = if imports.len() > NAMED { " …" } else { "" };
    names.join(", ") + rest
}

fn more(count: usize, most: usize) -> Option<String> {
    (count > most).then(|| format!("{DIM}   … {} more, --verbose shows them{DIM:#}", count - most))
}
