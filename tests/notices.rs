//! The notices that are handed on with the programs: they name exactly the crates that are linked in. `make notices` writes
//! them.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::process::Command;

/// `name version` of each crate that Cargo links for these features, macros included.
fn linked(features: &[&str]) -> BTreeSet<String> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"]).args(features);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    // Such as `serde_derive v1.0.228 (proc-macro) (*)`.
    let crates = lines.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('v')?))
    });
    crates.filter(|name| !name.starts_with("wsgi-lambda ")).collect()
}

/// Those that the notices name, in lines such as `serde 1.0.228: MIT OR Apache-2.0, https://crates.io/crates/serde/1.0.228`.
fn noticed(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| line.contains(", https://crates.io/crates/"));
    lines.filter_map(|line| Some(line.split_once(": ")?.0.to_owned())).collect()
}

fn check(file: &str, text: &str, features: &[&str]) {
    let (linked, noticed) = (linked(features), noticed(text));
    assert!(linked.len() > 10, "{linked:?}");
    let missing: Vec<_> = linked.difference(&noticed).collect();
    let left_over: Vec<_> = noticed.difference(&linked).collect();
    assert!(
        missing.is_empty() && left_over.is_empty(),
        "{file} is not of today's Cargo.lock: `make notices` writes it again. Missing: {missing:?}. Left over: {left_over:?}"
    );
}

#[test]
fn a_layer_has_the_notices_of_what_the_runtime_links() {
    let text = include_str!("../layer/NOTICES.txt");
    check("layer/NOTICES.txt", text, &["--no-default-features", "--features", "python"]);
}

#[test]
fn the_wheel_has_the_notices_of_what_both_programs_link() {
    check("wheel/NOTICES.txt", include_str!("../wheel/NOTICES.txt"), &["--features", "python"]);
}

#[test]
fn each_licence_is_there_once_with_its_authors() {
    let text = include_str!("../layer/NOTICES.txt");
    assert!(text.contains("Permission is hereby granted, free of charge"));
    assert!(text.matches("Copyright").count() > 10, "the authors' lines are kept");
    let texts: Vec<&str> = text.split(&"-".repeat(78)).skip(2).step_by(2).collect();
    let once: BTreeSet<&&str> = texts.iter().collect();
    assert!(texts.len() > 5 && once.len() == texts.len(), "{} texts, {} of them differ", texts.len(), once.len());
}
