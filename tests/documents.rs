//! The documents: each one can be reached from README, and no link leads to a file or a heading that is not there.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Markdown files below a folder, without what tools put there: hidden folders, but for GitHub's, and builds.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (name, kind) = (entry.file_name().into_string().unwrap(), entry.file_type().unwrap());
        let is_ours = name == ".github" || !name.starts_with('.') && !["target", "dist"].contains(&name.as_str());
        if kind.is_dir() && is_ours {
            found.extend(documents(&entry.path()));
        } else if kind.is_file() && Path::new(&name).extension().is_some_and(|ending| ending == "md") {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// The lines outside of fenced code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The targets of a document's `[…](…)` and `![…](…)`.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        let without_code: String = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        for rest in without_code.split("](").skip(1) {
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            found.push(target.trim_matches(['<', '>']).to_owned());
        }
    }
    found
}

/// The anchors that GitHub gives a document's headings: lower case, words joined by `-`, `-1` at the second of a name.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for title in prose(text).filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim()) {
        let kept = title.chars().filter(|char| char.is_alphanumeric() || " -_".contains(*char));
        let name = kept.collect::<String>().to_lowercase().replace(' ', "-");
        let numbered = (1..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|anchor| !found.contains(anchor));
        found.extend(free);
    }
    found
}

/// `a/b/../c` as `a/c`, so that two ways to one file compare equal.
fn tidy(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut tidied, part| {
        if part == Component::ParentDir {
            tidied.pop();
        } else {
            tidied.push(part);
        }
        tidied
    })
}

/// The file that a relative link leads to and the heading in it. `None` for addresses of the web.
fn target(document: &Path, link: &str) -> Option<(PathBuf, Option<String>)> {
    if link.contains(':') {
        return None;
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor.to_owned())));
    let path = if file.is_empty() { document.to_owned() } else { document.parent().unwrap().join(file) };
    Some((tidy(&path), anchor))
}

fn wrong(document: &Path, link: &str) -> Option<String> {
    let (path, anchor) = target(document, link)?;
    let at = document.strip_prefix(root()).unwrap().display();
    if !path.exists() {
        return Some(format!("{at} links to {link}, which does not exist"));
    }
    let is_there = anchor.is_none_or(|anchor| anchors(&read(&path)).contains(&anchor));
    (!is_there).then(|| format!("{at} links to {link}, and there is no such heading"))
}

#[test]
fn readme_links_every_document() {
    let readme = root().join("README.md");
    let linked: BTreeSet<PathBuf> =
        links(&read(&readme)).iter().filter_map(|link| Some(target(&readme, link)?.0)).collect();
    let at_the_top = |path: &PathBuf| path.parent() == Some(root());
    let ours = documents(root()).into_iter().filter(|path| at_the_top(path) || path.starts_with(root().join("docs")));
    let missing: Vec<String> = ours
        .filter(|path| *path != readme && !linked.contains(path))
        .map(|path| path.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    assert!(missing.is_empty(), "README.md does not link {}", missing.join(", "));
}

#[test]
fn links_lead_to_files_and_headings_that_exist() {
    let mut broken = Vec::new();
    for document in documents(root()) {
        broken.extend(links(&read(&document)).iter().filter_map(|link| wrong(&document, link)));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The names in backticks in the first cells of a section's tables.
fn rows(text: &str, section: &str) -> BTreeSet<String> {
    let after = text.split_once(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("no section {section}")).1;
    let cells =
        after.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix('|')?.split('|').next());
    let spans = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    spans.map(|span| span.split([':', '=']).next().unwrap().to_owned()).collect()
}

/// tests/migrate/settings.json is what Zappa's and serverless-wsgi's sources read; tests/migrate/test_table.py compares.
#[test]
fn each_setting_of_an_adapter_that_is_left_has_its_row() {
    let text = read(&root().join("docs/migrate.md"));
    let settings = read(&root().join("tests/migrate/settings.json"));
    let settings: BTreeMap<String, Vec<String>> = serde_json::from_str(&settings).unwrap();
    for (adapter, names) in settings {
        let rows = rows(&text, &adapter);
        let missing: Vec<_> = names.iter().filter(|name| !rows.contains(*name)).collect();
        assert!(missing.is_empty(), "docs/migrate.md has no row for these settings of {adapter}: {missing:?}");
    }
}

#[test]
fn rows_are_those_of_the_section() {
    let text = "# a\n\n## Zappa\n| `one`, `two: \"x\"` | `no` |\n| `A=b` | |\n\n## Other\n| `three` | |\n";
    assert_eq!(rows(text, "Zappa"), ["A", "one", "two"].map(str::to_owned).into());
}

#[test]
fn links_are_found_outside_of_code_alone() {
    let text = "a [b](c.md#d) and ![e](f.svg \"g\")\n`[h](i)` [`j`](k)\n```\n[l](m)\n```\n[n](o)";
    assert_eq!(links(text), ["c.md#d", "f.svg", "k", "o"]);
}

#[test]
fn anchors_are_those_of_github() {
    let expected = ["behind-cloudfront", "try-it", "try-it-1", "wsgi-lambda-package", "what-it-is-and-is-not"];
    let text = "# `wsgi-lambda package`\n## Behind CloudFront\n## Try it\n## Try it\n### What it is, and is not\n";
    assert_eq!(anchors(text), expected.map(str::to_owned).into());
}
