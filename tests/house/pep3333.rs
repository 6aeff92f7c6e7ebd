//! `docs/pep3333.md` beside the tests that it names, and that name its rules.

use std::collections::{BTreeMap, BTreeSet};

use crate::{files, read, root};

/// What the document says of a rule.
struct Rule {
    tests: BTreeSet<String>,
    /// Why there is no test.
    reason: Option<String>,
}

fn document() -> String {
    read(&root().join("docs/pep3333.md"))
}

/// The rules by number: `**W54.** …`, and on a line of its own `Tests: …` or `No test: …`.
fn rules() -> BTreeMap<u32, Rule> {
    let text = document();
    let entries = text.split("\n**W").skip(1);
    entries
        .map(|entry| {
            let number = entry.split('.').next().unwrap().parse().unwrap();
            let after = |start: &str| entry.lines().find_map(|line| line.strip_prefix(start));
            let tests = after("Tests: ").unwrap_or_default().split('`').skip(1).step_by(2).map(str::to_owned).collect();
            (number, Rule { tests, reason: after("No test: ").map(str::to_owned) })
        })
        .collect()
}

/// The tests that are named after rules: `w54_…`, `w80_w95_…` after two, `w29_to_w37_…` after all from one to the other.
fn tests() -> BTreeMap<String, BTreeSet<u32>> {
    let sources = files(&root().join("tests"), ".rs");
    let code: Vec<String> = sources.iter().map(|file| read(file)).collect();
    let names =
        code.iter().flat_map(|code| code.lines().filter_map(|line| line.strip_prefix("fn w")?.split('(').next()));
    let with_numbers = names.map(|name| (format!("w{name}"), numbers(&format!("w{name}"))));
    with_numbers.filter(|(_, numbers)| !numbers.is_empty()).collect()
}

fn numbers(name: &str) -> BTreeSet<u32> {
    let parts: Vec<&str> = name.split('_').collect();
    let number = |part: &str| part.strip_prefix('w')?.parse::<u32>().ok();
    let leading: Vec<u32> = parts.iter().map_while(|part| number(part)).collect();
    match (leading.as_slice(), parts.get(1), parts.get(2).and_then(|part| number(part))) {
        ([first], Some(&"to"), Some(last)) => (*first..=last).collect(),
        _ => leading.into_iter().collect(),
    }
}

/// The numbers after `mark` in what tests and their applications say: `W54`, `row 12`.
fn said(mark: &str) -> BTreeSet<u32> {
    let folders = ["tests/pep3333", "tests/apps/pep3333"];
    let files = folders.iter().flat_map(|folder| files(&root().join(folder), ""));
    let texts = files.filter(|file| file.extension().is_some_and(|ending| ending == "rs" || ending == "py"));
    let numbers = |text: String| {
        let number = |part: &str| part.split(|char: char| !char.is_ascii_digit()).next().unwrap().parse().ok();
        text.split(mark).skip(1).filter_map(number).collect::<Vec<_>>()
    };
    texts.flat_map(|file| numbers(read(&file))).collect()
}

#[test]
fn every_rule_has_its_tests_or_a_reason() {
    let (rules, tests) = (rules(), tests());
    assert_eq!(rules.keys().copied().collect::<Vec<_>>(), (1..=96).collect::<Vec<_>>());
    for (number, rule) in &rules {
        let found = tests.iter().filter(|(_, numbers)| numbers.contains(number)).map(|(name, _)| name.clone());
        assert_eq!(rule.tests, found.collect(), "docs/pep3333.md, W{number}: the tests named, and those there are");
        assert_eq!(rule.reason.is_none(), !rule.tests.is_empty(), "W{number}: tests, or the reason why there is none");
        assert!(rule.reason.as_ref().is_none_or(|reason| reason.len() > 20), "W{number}: a reason");
    }
}

#[test]
fn what_tests_cite_is_in_the_document() {
    let rules = rules();
    let tests = tests();
    assert!(tests.len() > 100, "only {} tests are named after rules", tests.len());
    for (name, numbers) in tests {
        assert!(numbers.iter().all(|number| rules.contains_key(number)), "{name} is named after no rule");
    }
    let cited = said("W");
    assert!(cited.len() > 20 && cited.iter().all(|number| rules.contains_key(number)), "{cited:?}");
    let text = document();
    let rows = &said("ow ") | &said("ows ");
    let known = |row: &u32| text.contains(&format!("\n| {row} | "));
    assert!(rows.len() > 20 && rows.iter().all(known), "{:?}", rows.iter().find(|row| !known(row)));
}
