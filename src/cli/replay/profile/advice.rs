//! What could be imported later, and what that would save.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use super::record::{How, Import, Record, Tree};

/// A module is not worth a change if it costs less than this and less than a hundredth of the init.
const WORTH_NS: u64 = 1_000_000;

/// A module with more importers than this, some of them in packages, is not suggested: one of them will import it.
const IMPORTERS_MAX: usize = 4;

/// Whose code a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Application,
    Package,
    Python,
}

/// A module that no event has used, or a package with all its modules.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) name: String,
    /// How much shorter the init would be.
    pub(super) saved_ns: u64,
    /// How many modules would not be imported.
    pub(super) modules: usize,
    /// Who imports it.
    pub(super) importers: Vec<String>,
    /// Whether all of them are the application's own.
    pub(super) is_yours: bool,
    /// Whether it was deferred, but something used it at once.
    pub(super) was_touched: bool,
}

/// Whose code each module of a record is.
pub(super) struct Owners<'r> {
    by_name: HashMap<&'r str, Owner>,
}

impl<'r> Owners<'r> {
    pub(super) fn new(record: &'r Record) -> Self {
        let root = Path::new(&record.task_root);
        let installed = installed(root);
        let owner = |import: &Import| owner(import, root, &installed);
        let known = record.imports.iter().filter(|import| import.how != How::Deferred);
        Self { by_name: known.map(|import| (import.name.as_str(), owner(import))).collect() }
    }

    pub(super) fn of(&self, name: &str) -> Owner {
        // A module that was there before the profile began belongs to the interpreter.
        self.by_name.get(name).copied().unwrap_or(Owner::Python)
    }
}

fn owner(import: &Import, root: &Path, installed: &HashSet<String>) -> Owner {
    if import.how == How::Factory {
        return Owner::Application;
    }
    let Some(file) = import.file.as_deref().map(Path::new) else {
        return if import.how == How::BuiltIn { Owner::Python } else { Owner::Package };
    };
    let names: Vec<&str> = file.iter().filter_map(|name| name.to_str()).collect();
    if names.iter().any(|name| matches!(*name, "site-packages" | "dist-packages")) {
        return Owner::Package;
    }
    if let Ok(below) = file.strip_prefix(root) {
        let first = below.iter().next().and_then(|name| name.to_str()).unwrap_or_default();
        return if installed.contains(first) { Owner::Package } else { Owner::Application };
    }
    let library = names.windows(2).any(|pair| pair[0].starts_with("lib") && pair[1].starts_with("python3."));
    if library { Owner::Python } else { Owner::Package }
}

/// What packages have installed into the application's folder. In deployments they are next to the application's own
/// files.
fn installed(root: &Path) -> HashSet<String> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let infos = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|it| it == "dist-info"));
    let records = infos.filter_map(|info| std::fs::read_to_string(info.join("RECORD")).ok());
    let first = |line: &str| line.split([',', '/']).next().map(str::to_owned);
    records.flat_map(|record| record.lines().filter_map(first).collect::<Vec<_>>()).collect()
}

/// Modules that no event has used, the most expensive first.
pub(super) fn candidates(record: &Record, owners: &Owners) -> Vec<Candidate> {
    if record.events.is_none() {
        return Vec::new();
    }
    let tree = Tree::new(&record.imports);
    let late = record.imports.iter().filter(|import| import.event).map(|import| import.name.as_str()).collect();
    let all = tree.all().into_iter().map(|(place, _)| place).collect();
    let search = Search { tree: &tree, owners, all, late };
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut open: Vec<usize> = tree.roots.iter().rev().copied().collect();
    while let Some(place) = open.pop() {
        open.extend(tree.children(place).iter().rev());
        let is_root = tree.imports[place].parent.is_none();
        if is_root || seen.contains(&place) {
            continue;
        }
        if let Some((candidate, saved)) = search.candidate(place) {
            seen.extend(saved);
            found.push(candidate);
        }
    }
    let worth = |candidate: &Candidate| {
        candidate.saved_ns >= WORTH_NS || candidate.saved_ns.saturating_mul(100) >= record.ns().max(1)
    };
    found.retain(worth);
    found.sort_by_key(|candidate| std::cmp::Reverse(candidate.saved_ns));
    found
}

struct Search<'a> {
    tree: &'a Tree<'a>,
    owners: &'a Owners<'a>,
    all: Vec<usize>,
    /// Modules that were imported while events were answered.
    late: HashSet<&'a str>,
}

impl<'a> Search<'a> {
    fn import(&self, place: usize) -> &'a Import {
        &self.tree.imports[place]
    }

    /// The module as a candidate, with the imports that would be saved; `None` if one of them is needed.
    fn candidate(&self, place: usize) -> Option<(Candidate, Vec<usize>)> {
        let import = self.import(place);
        let is_module = !matches!(import.how, How::Deferred | How::NotFound | How::Failed | How::Factory);
        if !is_module || import.used == Some(true) {
            return None;
        }
        let group = self.group(&import.name);
        let kept = self.kept(&import.name, &group);
        let saved: Vec<usize> = group.iter().copied().filter(|place| !kept.contains(place)).collect();
        if !saved.contains(&place) || saved.iter().any(|&place| self.import(place).used == Some(true)) {
            return None;
        }
        let own = || group.iter().copied().filter(|&place| self.is_of(place, &import.name));
        // A module without code to run, such as one of constants, leaves no trace of its use.
        if !own().any(|place| self.import(place).used == Some(false)) || own().any(|place| self.is_base(place, &group))
        {
            return None;
        }
        let importers = self.importers(&import.name, &group);
        let is_yours = importers.iter().all(|name| self.owners.of(name) == Owner::Application);
        if !is_yours && self.is_useless(&import.name, &importers) {
            return None;
        }
        let candidate = Candidate {
            name: import.name.clone(),
            saved_ns: saved.iter().map(|&place| self.tree.own_ns(place)).sum(),
            modules: saved.iter().map(|&place| &self.import(place).name).collect::<HashSet<_>>().len(),
            importers,
            is_yours,
            was_touched: import.touched_by.is_some(),
        };
        Some((candidate, saved))
    }

    /// Whether a suggestion would be useless: only Python itself imports it, or only its own package, or many modules do.
    fn is_useless(&self, name: &str, importers: &[String]) -> bool {
        importers.iter().all(|importer| self.owners.of(importer) == Owner::Python)
            || importers.iter().all(|importer| top(importer) == top(name))
            || importers.len() > IMPORTERS_MAX
    }

    /// Whether modules outside the group derive classes from its classes.
    fn is_base(&self, place: usize, group: &BTreeSet<usize>) -> bool {
        let outside = |name: &String| !group.iter().any(|&place| self.import(place).name == *name);
        self.import(place).base_of.iter().filter(|name| !self.late.contains(name.as_str())).any(outside)
    }

    /// A module, the modules in it, and all that these waited for.
    fn group(&self, name: &str) -> BTreeSet<usize> {
        let members = self.all.iter().copied().filter(|&other| self.is_of(other, name));
        members.flat_map(|member| self.tree.below(member)).map(|(place, _)| place).collect()
    }

    /// The part of a group that would be imported anyway, because others use it.
    fn kept(&self, name: &str, group: &BTreeSet<usize>) -> HashSet<usize> {
        let names: HashSet<&str> = group.iter().map(|&place| self.import(place).name.as_str()).collect();
        let mut open: Vec<usize> = group.iter().copied().filter(|&place| !self.is_of(place, name)).collect();
        open.retain(|&place| self.holders(place).any(|holder| !names.contains(holder)));
        let mut kept = HashSet::new();
        while let Some(place) = open.pop() {
            if !kept.insert(place) {
                continue;
            }
            let import = self.import(place);
            open.extend(self.tree.children(place));
            open.extend(group.iter().filter(|&&other| {
                is_within(&import.name, &self.import(other).name) || self.holders(other).any(|it| it == import.name)
            }));
        }
        kept
    }

    fn is_of(&self, place: usize, package: &str) -> bool {
        let name = &self.import(place).name;
        name == package || is_within(name, package)
    }

    /// The modules that refer to something in a module. Only those that the init imported count.
    fn holders(&self, place: usize) -> impl Iterator<Item = &'a str> {
        self.import(place).held_by.iter().map(String::as_str).filter(|holder| !self.late.contains(holder))
    }

    /// The modules outside the group that import a module or something in it.
    fn importers(&self, name: &str, group: &BTreeSet<usize>) -> Vec<String> {
        let names: HashSet<&str> = group.iter().map(|&place| self.import(place).name.as_str()).collect();
        let of = group.iter().copied().filter(|&place| self.is_of(place, name));
        let mut found = BTreeSet::new();
        for place in of {
            let import = self.import(place);
            let parent = import.parent.map(|parent| self.import(parent).name.as_str());
            found.extend(import.touched_by.as_deref().or(parent).into_iter().chain(self.holders(place)));
        }
        found.into_iter().filter(|name| !names.contains(name)).map(str::to_owned).collect()
    }
}

fn top(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

fn is_within(name: &str, package: &str) -> bool {
    name.strip_prefix(package).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{import, record};
    use super::*;

    const MS: u64 = 1_000_000;

    /// An application that is used, and what it imports: name, the place of its parent, milliseconds.
    fn with(modules: &[(&str, usize, u64)]) -> Record {
        let mut imports = vec![import("app", None, 0, 1000 * MS)];
        imports[0].used = Some(true);
        for (order, (name, parent, ms)) in modules.iter().enumerate() {
            imports.push(import(name, Some(*parent), order as u64 + 1, ms * MS));
        }
        record(imports)
    }

    fn found(record: &Record) -> Vec<(String, u64, usize)> {
        let found = candidates(record, &Owners::new(record));
        found.into_iter().map(|it| (it.name, it.saved_ns / MS, it.modules)).collect()
    }

    fn entry(name: &str, ms: u64, modules: usize) -> (String, u64, usize) {
        (name.to_owned(), ms, modules)
    }

    #[test]
    fn the_largest_subtree_that_nothing_used_is_one_entry() {
        let mut record =
            with(&[("small", 0, 2), ("big", 0, 30), ("big.part", 2, 20), ("used", 0, 50), ("below", 4, 5)]);
        record.imports[4].used = Some(true);
        assert_eq!(found(&record), [entry("big", 30, 2), entry("below", 5, 1), entry("small", 2, 1)]);
        record.events = None;
        assert_eq!(found(&record), []);
    }

    #[test]
    fn what_others_use_would_be_imported_anyway() {
        let mut record = with(&[("lazy", 0, 30), ("shared", 1, 20), ("under", 2, 5), ("user", 0, 1)]);
        record.imports[2].held_by = vec!["lazy".to_owned(), "user".to_owned()];
        record.imports[2].used = Some(true);
        record.imports[4].used = Some(true);
        assert_eq!(found(&record), [entry("lazy", 10, 1), entry("under", 5, 1)]);
    }

    #[test]
    fn a_package_stays_for_the_part_that_is_used_wherever_that_came_in() {
        let mut record = with(&[("package", 0, 30), ("package.used", 0, 5), ("package.unused", 1, 4)]);
        record.imports[2].used = Some(true);
        assert_eq!(found(&record), [entry("package.unused", 4, 1)]);
    }

    #[test]
    fn what_leaves_no_trace_is_not_judged() {
        let mut record = with(&[("constants", 0, 30), ("base", 0, 20), ("model", 0, 1), ("off", 0, 9)]);
        record.imports[1].used = None;
        record.imports[2].base_of = vec!["model".to_owned()];
        record.imports[3].used = Some(true);
        record.imports[4].how = How::Deferred;
        assert_eq!(found(&record), []);
    }

    #[test]
    fn importers_are_named_and_those_of_packages_told_apart() {
        let mut record = with(&[("mine", 0, 30), ("library", 0, 5), ("theirs", 2, 4), ("late", 0, 1)]);
        record.imports[1].held_by = vec!["app".to_owned(), "late".to_owned(), "views".to_owned()];
        record.imports[2].file = Some("/venv/lib/python3.13/site-packages/library.py".to_owned());
        record.imports[2].used = Some(true);
        record.imports[4].event = true;
        record.imports.push(import("views", Some(0), 9, 0));
        let owners = Owners::new(&record);
        let found = candidates(&record, &owners);
        assert_eq!((&found[0].importers[..], found[0].is_yours), (&["app".to_owned(), "views".to_owned()][..], true));
        assert_eq!((&found[1].importers[..], found[1].is_yours), (&["library".to_owned()][..], false));
    }

    #[test]
    fn what_only_python_itself_imports_is_nothing_to_change() {
        let mut record = with(&[("json", 0, 30), ("json.decoder", 1, 20), ("warnings", 1, 5)]);
        for import in &mut record.imports[1..] {
            import.file = Some(format!("/var/lang/lib/python3.13/{}.py", import.name));
        }
        record.imports[1].used = Some(true);
        record.imports[3].held_by = vec!["os".to_owned()];
        assert_eq!(found(&record), []);
        record.imports[3].held_by.push("app".to_owned());
        assert_eq!(found(&record), [entry("warnings", 5, 1)]);
        record.imports[3].held_by.extend(["a", "b", "c"].map(str::to_owned));
        assert_eq!(found(&record), [], "too many");
    }

    #[test]
    fn imports_within_a_package_are_not_suggested() {
        let mut record = with(&[("library", 0, 30), ("library.part", 1, 20), ("other", 1, 4)]);
        for import in &mut record.imports[1..] {
            import.file = Some(format!("/venv/lib/python3.13/site-packages/{}.py", import.name));
        }
        record.imports[1].used = Some(true);
        assert_eq!(found(&record), [entry("other", 4, 1)]);
    }

    #[test]
    fn packages_next_to_the_application_are_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let info = folder.path().join("library-1.0.dist-info");
        std::fs::create_dir(&info).unwrap();
        std::fs::write(info.join("RECORD"), "library/__init__.py,sha256=x,1\nsingle.py,,\n").unwrap();
        let mut record = with(&[("library", 0, 1), ("single", 0, 1), ("json", 0, 1)]);
        record.task_root = folder.path().to_str().unwrap().to_owned();
        for (place, file) in ["app.py", "library/__init__.py", "single.py"].iter().enumerate() {
            record.imports[place].file = Some(folder.path().join(file).to_str().unwrap().to_owned());
        }
        record.imports[3].file = Some("/var/lang/lib/python3.13/json/__init__.py".to_owned());
        let owners = Owners::new(&record);
        let of = ["app", "library", "single", "json"].map(|name| owners.of(name));
        assert_eq!(of, [Owner::Application, Owner::Package, Owner::Package, Owner::Python]);
    }
}
