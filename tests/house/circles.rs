//! Circles of files: two or more that each need the other, be it through a third.
//!
//! A file needs another one when its code names an item that is defined there. A name that is exported again counts for
//! the file that defines it, not for those that pass it on: neither `mod child;`, nor a `pub use` of something that the
//! file does not itself name, nor a path that ends in a module is a need.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::resolve::{Target, resolve};
use crate::source::{Module, Modules, Names};

/// For each file the files that it needs, with the items that it needs of them.
type Needs<'a> = BTreeMap<&'a Path, BTreeMap<&'a Path, BTreeSet<String>>>;

/// Each circle as the files in it, with the needs that hold it together.
pub(crate) fn circles(modules: &Modules) -> BTreeMap<BTreeSet<PathBuf>, Vec<String>> {
    let needs = needs(modules);
    let reached: BTreeMap<&Path, BTreeSet<&Path>> = needs.keys().map(|file| (*file, reach(&needs, file))).collect();
    let mut found = BTreeMap::new();
    for (file, from) in reached.iter().filter(|(file, from)| from.contains(*file)) {
        let circle: BTreeSet<&Path> = from.iter().copied().filter(|other| reached[other].contains(file)).collect();
        found.insert(circle.iter().map(|file| file.to_path_buf()).collect(), reasons(&needs, &circle));
    }
    found
}

fn reasons(needs: &Needs, circle: &BTreeSet<&Path>) -> Vec<String> {
    let within = |from: &&Path| {
        let inside = needs[*from].iter().filter(|(to, _)| circle.contains(*to));
        let words = |items: &BTreeSet<String>| items.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        inside
            .map(|(to, items)| format!("{} needs {} of {}", from.display(), words(items), to.display()))
            .collect::<Vec<_>>()
    };
    circle.iter().flat_map(within).collect()
}

/// What is needed by a file, and by what is needed by it, and so on.
fn reach<'a>(needs: &Needs<'a>, file: &'a Path) -> BTreeSet<&'a Path> {
    let mut found = BTreeSet::new();
    let mut left = vec![file];
    while let Some(next) = left.pop() {
        left.extend(needs[next].keys().filter(|to| found.insert(**to)));
    }
    found
}

fn needs(modules: &Modules) -> Needs<'_> {
    let mut needs = Needs::new();
    for (at, module) in modules {
        let from = needs.entry(&module.file).or_default();
        for path in named(module) {
            if let Target::Item(of, item) = resolve(modules, at, path)
                && modules[&of].file != module.file
            {
                from.entry(&modules[&of].file).or_default().insert(item);
            }
        }
    }
    needs
}

/// The paths that a module's code names; a `pub use` only if its name stands in the code, too.
fn named(module: &Module) -> impl Iterator<Item = &Names> {
    let uses = module.uses.iter().filter(|found| !found.public || module.words.contains(&found.alias));
    uses.map(|found| &found.path).chain(&module.paths)
}
