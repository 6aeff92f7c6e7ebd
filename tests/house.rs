//! The house rules that a compiler does not know: cards, `unsafe`, file sizes, documents that keep up with the code.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, its unit tests included: one reads it in a sitting.
const MAX_LINES: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(files(&entry, ending));
        } else if entry.to_str().unwrap().ends_with(ending) {
            found.push(entry);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The code of a file without comments and without its unit tests.
fn code(path: &Path) -> String {
    let text = read(path);
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

struct Room {
    name: String,
    files: Vec<PathBuf>,
    may_use: BTreeSet<String>,
    all_but: bool,
}

/// Every module of the library is a room: a file, or a folder whose `mod.rs` (or namesake) has the card.
fn rooms() -> Vec<Room> {
    let lib = read(&root().join("src/lib.rs"));
    let names = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(room).collect()
}

fn room(name: &str) -> Room {
    let src = root().join("src");
    let (single, folder) = (src.join(format!("{name}.rs")), src.join(name));
    let first = if single.exists() { single.clone() } else { folder.join("mod.rs") };
    let mut all = if folder.exists() { files(&folder, ".rs") } else { Vec::new() };
    all.extend(single.exists().then_some(single));
    let card: Vec<String> =
        read(&first).lines().map_while(|line| Some(line.strip_prefix("//!")?.trim().to_owned())).collect();
    for part in ["Room:", "In:", "Out:", "May use:", "Must not:"] {
        assert!(card.iter().any(|line| line.starts_with(part)), "{}: its card lacks `{part}`", first.display());
    }
    let from = card.iter().position(|line| line.starts_with("May use:")).unwrap();
    let to = card.iter().position(|line| line.starts_with("Must not:")).unwrap();
    let text = card[from..to].join(" ");
    let words = text.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).map(str::to_owned);
    Room { name: name.to_owned(), files: all, may_use: words.collect(), all_but: text.contains("every room but") }
}

/// The first segment of every path that begins a `use` or stands after `crate::`.
fn used(code: &str) -> BTreeSet<String> {
    let ident =
        |text: &str| text.chars().take_while(|char| char.is_ascii_alphanumeric() || *char == '_').collect::<String>();
    let of_crate = code.split("crate::").skip(1).map(ident);
    let uses = code.lines().filter_map(|line| line.trim_start().strip_prefix("use "));
    let of_use = uses.filter(|rest| rest.contains("::") || rest.ends_with(';')).map(ident);
    of_crate
        .chain(of_use)
        .filter(|name| !["std", "core", "crate", "self", "super", ""].contains(&name.as_str()))
        .collect()
}

#[test]
fn rooms_use_only_what_their_cards_name() {
    let rooms = rooms();
    let names: BTreeSet<&str> = rooms.iter().map(|room| room.name.as_str()).collect();
    let mut wrong = Vec::new();
    for room in &rooms {
        for file in &room.files {
            let own = |name: &str| name == room.name || file.with_file_name(format!("{name}.rs")).exists();
            for name in used(&code(file)).iter().filter(|name| !own(name)) {
                let on_card = room.may_use.contains(name);
                let allowed = if room.all_but && names.contains(name.as_str()) { !on_card } else { on_card };
                if !allowed {
                    wrong.push(format!(
                        "{} uses `{name}`, which is not on the card of `{}`",
                        file.display(),
                        room.name
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_is_in_one_file() {
    let allowed = root().join("src/python/ffi.rs");
    for file in files(&root().join("src"), ".rs").iter().filter(|file| **file != allowed) {
        let code = code(file);
        assert!(!code.contains("unsafe ") && !code.contains("unsafe_code"), "{} has unsafe code", file.display());
    }
    let ffi = read(&allowed);
    assert_eq!(
        code(&allowed).matches("unsafe {").count(),
        ffi.matches("// SAFETY:").count(),
        "a block without its reason"
    );
}

#[test]
fn files_are_short() {
    let long: Vec<String> = ["src", "tests"]
        .iter()
        .flat_map(|folder| files(&root().join(folder), ".rs"))
        .map(|file| (read(&file).lines().count(), file))
        .filter(|(lines, file)| *lines > MAX_LINES && !file.ends_with("tests/pep3333.rs"))
        .map(|(lines, file)| format!("{}: {lines} lines", file.display()))
        .collect();
    assert!(long.is_empty(), "longer than {MAX_LINES} lines:\n{}", long.join("\n"));
}

#[test]
fn binaries_are_recipes() {
    for file in ["src/main.rs", "src/bin/wsgi-lambda.rs"] {
        let lines = read(&root().join(file)).lines().count();
        assert!(lines <= 60, "{file} has {lines} lines");
    }
}

#[test]
fn readme_lists_every_setting() {
    let readme = read(&root().join("README.md"));
    for setting in wsgi_lambda::config::SETTINGS {
        assert!(readme.contains(&format!("`{}`", setting.name)), "README.md does not list {}", setting.name);
    }
}

#[test]
fn every_event_has_its_golden_answer() {
    let golden = root().join("tests/golden");
    let events = fs::read_dir(root().join("events")).unwrap().map(|entry| entry.unwrap().path());
    for event in events.filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
        let answer = golden.join(event.file_name().unwrap());
        assert!(answer.exists(), "{} has no golden answer: run `make golden`", event.display());
    }
}

#[test]
fn nothing_is_left_to_do() {
    let marks = ["TO", "FIX", "XX"].map(|half| {
        half.to_owned()
            + if half == "TO" {
                "DO"
            } else if half == "FIX" {
                "ME"
            } else {
                "X"
            }
    });
    for file in ["src", "tests", "examples", "events"].iter().flat_map(|folder| files(&root().join(folder), "")) {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for mark in &marks {
            assert!(
                !text.split(|char: char| !char.is_ascii_alphanumeric()).any(|word| word == mark),
                "{}: {mark}",
                file.display()
            );
        }
    }
}
