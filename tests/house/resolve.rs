//! What a path in a module means, by Rust's rules for names, as far as modules, crates and re-exports go.

use crate::source::{Modules, Names};

/// Names at the beginning of a path that are neither a module nor a crate of somebody else.
const BUILT_IN: [&str; 21] = [
    "clippy", "std", "core", "alloc", "str", "char", "bool", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16",
    "i32", "i64", "i128", "isize", "f32", "f64",
];

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    Module(Names),
    /// An item by the module that defines it, not by those that export it again.
    Item(Names, String),
    /// Somebody else's crate.
    Crate(String),
    /// The standard library, a type, a variant.
    Other,
}

/// Where `path` leads from the module `from`.
pub(crate) fn resolve(modules: &Modules, from: &[String], path: &[String]) -> Target {
    let (first, rest) = path.split_first().unwrap();
    let module = &modules[from];
    match first.as_str() {
        "crate" => return descend(modules, &[], rest),
        "self" => return descend(modules, from, rest),
        "super" => return descend(modules, &from[..from.len() - 1], rest),
        name if BUILT_IN.contains(&name) => return Target::Other,
        _ => {}
    }
    if let Some(target) = member(modules, from, path) {
        return target;
    }
    let lower = first.starts_with(|char: char| char.is_ascii_lowercase());
    if lower && path.len() > 1 && !module.defined.contains(first) {
        return Target::Crate(first.clone());
    }
    Target::Other
}

/// Follows a path from a module that it has reached.
fn descend(modules: &Modules, at: &[String], path: &[String]) -> Target {
    match path.split_first() {
        None => Target::Module(at.to_vec()),
        Some((next, rest)) if next == "super" => descend(modules, &at[..at.len() - 1], rest),
        Some((next, _)) => member(modules, at, path).unwrap_or_else(|| Target::Item(at.to_vec(), next.clone())),
    }
}

/// The path's first name as a child of the module, as a name that a `use` brings there, or as an item of it.
fn member(modules: &Modules, at: &[String], path: &[String]) -> Option<Target> {
    let (first, rest) = path.split_first().unwrap();
    let child = [at, std::slice::from_ref(first)].concat();
    if modules.contains_key(&child) {
        return Some(descend(modules, &child, rest));
    }
    let module = &modules[at];
    if module.defined.contains(first) {
        return Some(Target::Item(at.to_vec(), first.clone()));
    }
    // `use include_dir::include_dir` brings a name that its own path begins with: that is the crate.
    let brought = module.uses.iter().find(|found| found.alias == *first && found.path[0] != *first);
    if let Some(found) = brought {
        return Some(resolve(modules, at, &[&found.path, rest].concat()));
    }
    globs(modules, at).find_map(|glob| {
        let Target::Module(from) = resolve(modules, at, glob) else { return None };
        if from == at { None } else { member(modules, &from, path) }
    })
}

/// The modules of this crate in `use module::*`.
fn globs<'a>(modules: &'a Modules, at: &'a [String]) -> impl Iterator<Item = &'a [String]> {
    let all = modules[at].uses.iter().filter(|found| found.alias == "*");
    all.map(|found| &found.path[..found.path.len() - 1]).filter(move |glob| {
        matches!(glob[0].as_str(), "crate" | "self" | "super") || modules.contains_key(&[at, &glob[..1]].concat())
    })
}
