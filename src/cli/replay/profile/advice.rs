//! What could be imported later, and what that would save.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use super::record::{How, Import, Record, Tree};

/// A module that costs less than this and less than a hundredth of the init is not worth a change.
const WORTH_NS: u64 = 1_000_000;

/// Whose code a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Application,
    Package,
    Python,
}

/// A module, or a package with all in it, that no event has used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) name: String,
    /// What the init would be shorter by.
    pub(super) saved_ns: u64,
    /// How many modules would not be imported.
    pub(super) modules: usize,
    /// Who imports it.
    pub(super) importers: Vec<String>,
    /// Whether all of them are the application's own.
    pub(super) is_yours: bool,
    /// Whether it had been put off, and something of it was taken at once.
    pub(super) was_touched: bool,
}

/// Whose code the modules of a record are.
pub(super) struct Owners<'r> {
    by_name: HashMap<&'r str, Owner>,
}

impl<'r> Owners<'r> {
    pub(super) fn new(record: &'r Record) -> Self {
        let root = Path::new(&record.task_root);
        let installed = installed(root);
        let owner = |import: &Import| owner(import, root, &installed);
        let known = record.imports.iter().filter(|import| import.how != How::PutOff);
        Self { by_name: known.map(|import| (import.name.as_str(), owner(import))).collect() }
    }

    pub(super) fn of(&self, name: &str) -> Owner {
        self.by_name.get(name).copied().unwrap_or(Owner::Package)
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

/// What packages have put into the application's folder: deployments have them beside the application's own files.
fn installed(root: &Path) -> HashSet<String> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let infos = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|it| it == "dist-info"));
    let records = infos.filter_map(|info| std::fs::read_to_string(info.join("RECORD")).ok());
    let first = |line: &str| line.split([',', '/']).next().map(str::to_owned);
    records.flat_map(|record| record.lines().filter_map(first).collect::<Vec<_>>()).collect()
}

/// Modules that none of the events has used, the most expensive first.
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
        if seen.contains(&place) {
            continue;
        }
        let is_root = tree.imports[place].parent.is_none();
        match search.candidate(place).filter(|_| !is_root) {
            Some((candidate, group)) => {
                seen.extend(group);
                found.push(candidate);
            }
            None => open.extend(tree.children(place).iter().rev()),
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
    /// What came while events were answered.
    late: HashSet<&'a str>,
}

impl<'a> Search<'a> {
    fn import(&self, place: usize) -> &'a Import {
        &self.tree.imports[place]
    }

    /// The module as a candidate, with the imports that it stands for; `None` if something of them is needed.
    fn candidate(&self, place: usize) -> Option<(Candidate, BTreeSet<usize>)> {
        let import = self.import(place);
        let is_module = !matches!(import.how, How::PutOff | How::NotFound | How::Failed | How::Factory);
        if !is_module || import.used == Some(true) {
            return None;
        }
        let group = self.group(place);
        let kept = self.kept(&import.name, &group);
        let spared: Vec<usize> = group.iter().copied().filter(|place| !kept.contains(place)).collect();
        if !spared.contains(&place) || spared.iter().any(|&place| self.import(place).used == Some(true)) {
            return None;
        }
        let own = || group.iter().copied().filter(|&place| self.is_of(place, &import.name));
        // What has no code to run, as a module of constants, can be in use without a trace.
        if !own().any(|place| self.import(place).used == Some(false)) || own().any(|place| self.is_base(place, &group))
        {
            return None;
        }
        let importers = self.importers(&import.name, &group);
        let candidate = Candidate {
            name: import.name.clone(),
            saved_ns: spared.iter().map(|&place| self.tree.own_ns(place)).sum(),
            modules: spared.len(),
            is_yours: importers.iter().all(|name| self.owners.of(name) == Owner::Application),
            importers,
            was_touched: import.touched_by.is_some(),
        };
        Some((candidate, group))
    }

    /// Whether modules outside need it for their classes.
    fn is_base(&self, place: usize, group: &BTreeSet<usize>) -> bool {
        let outside = |name: &String| !group.iter().any(|&place| self.import(place).name == *name);
        self.import(place).base_of.iter().filter(|name| !self.late.contains(name.as_str())).any(outside)
    }

    /// A module, what it contains, and all that these waited for.
    fn group(&self, place: usize) -> BTreeSet<usize> {
        let name = &self.import(place).name;
        let members =
            self.all.iter().copied().filter(|&other| other == place || is_within(&self.import(other).name, name));
        members.flat_map(|member| self.tree.below(member)).map(|(place, _)| place).collect()
    }

    /// What of a group would be imported all the same, because others want it.
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

    /// The modules that hold something of one, as far as they came with the init.
    fn holders(&self, place: usize) -> impl Iterator<Item = &'a str> {
        self.import(place).held_by.iter().map(String::as_str).filter(|holder| !self.late.contains(holder))
    }

    /// Who imports a module or something within it, without the group itself.
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

fn is_within(name: &str, package: &str) -> bool {
    name.strip_prefix(package).is_some_and(|rest| rest.starts_with('.'))
}
