//! The packages that are downloaded most, imported plainly and by the runtime: the same modules, types and exceptions.
//! `make test-imports` runs this, for a quarter of an hour; `make test` does not.

#![allow(clippy::print_stdout, reason = "what was compared")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::Deserialize;
use support::{python, root, said};

/// What the runtime itself has imported, and what differs because it is another program.
const OURS: [&str; 5] = ["__main__", "__mp_main__", "app", "wsgi_lambda", "snapshot_restore_py"];

#[derive(Deserialize)]
struct Seen {
    error: Option<String>,
    modules: BTreeMap<String, Look>,
    environment: BTreeMap<String, String>,
    path: Vec<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Look {
    kinds: Vec<String>,
    names: BTreeSet<String>,
}

#[test]
#[ignore = "make test-imports"]
fn packages_are_imported_as_by_python() {
    let version = said(python().args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]));
    let folder = root().join(".cache").join(format!("packages-{}", version.trim()));
    let installed = said(python().arg(root().join("tests/packages/install.py")).arg(&folder));
    print!("{installed}");
    let list = fs::read_to_string(root().join("tests/packages/packages.txt")).unwrap();
    let packages: Vec<(String, String)> = list
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .filter(|(requirement, _)| folder.join(".installed").join(requirement).exists())
        .map(|(requirement, module)| (requirement.to_owned(), module.to_owned()))
        .collect();
    assert!(packages.len() > 100, "only {} packages could be installed", packages.len());
    let folders: Vec<PathBuf> = packages.iter().map(|(requirement, _)| folder.join(requirement)).collect();
    let wrong = Mutex::new(Vec::new());
    let next = Mutex::new(packages.iter());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((_, module)) = { next.lock().unwrap().next() } {
                    for switch in ["true", "false"] {
                        wrong.lock().unwrap().extend(compare(module, switch, &folders));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    println!("{} packages compared, {} differences", packages.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What differs between the two ways to import a module.
fn compare(module: &str, switch: &str, folders: &[PathBuf]) -> Vec<String> {
    let place = tempfile::tempdir().unwrap();
    let (ours, theirs) = (place.path().join("ours.json"), place.path().join("theirs.json"));
    let path = std::env::join_paths(folders).unwrap();
    let (_function, started) = support::app("tests/packages", "app:app")
        .env("WSGI_LAMBDA_DEFER_IMPORTS", switch)
        .env("IMPORTED", module)
        .env("LOOK", ours.to_str().unwrap())
        .env("HOME", place.path().to_str().unwrap())
        .env("PYTHONPATH", path.to_str().unwrap())
        .try_start();
    let Ok(seen) = read(&ours) else { return vec![format!("{module}: no look at all: {started:?}")] };
    let paths = format!("import sys; sys.path[:] = {:?}; import app", seen.path);
    let mut plain = python();
    plain.env_clear().envs(&seen.environment).env("LOOK", &theirs).args(["-X", "utf8", "-c", &paths]);
    said(&mut plain);
    let plain = read(&theirs).unwrap();
    let mut wrong = Vec::new();
    if seen.error != plain.error {
        wrong.push(format!("{module}: {:?}, by Python {:?}", seen.error, plain.error));
    }
    let waits = switch == "true" && seen.modules.contains_key("werkzeug.serving");
    for (name, look) in plain.modules.iter().filter(|(name, _)| !OURS.contains(&name.as_str())) {
        match seen.modules.get(name) {
            None if waits => {} // the development server has it imported
            Some(_) if waits && name == "werkzeug.serving" => {}
            None => wrong.push(format!("{module}: {name} is missing")),
            Some(ours) if ours.kinds != look.kinds => {
                wrong.push(format!("{module}: {name} is {:?}, by Python {:?}", ours.kinds, look.kinds));
            }
            Some(ours) => {
                let differ = ours.names.symmetric_difference(&look.names);
                // A package has its submodules among its names.
                let differ = differ.filter(|name| !waits || !name.ends_with(": builtins.module"));
                wrong.extend(differ.map(|differs| format!("{module}: {name} has {differs} in one of the two")));
            }
        }
    }
    wrong
}

fn read(file: &Path) -> Result<Seen, Box<dyn std::error::Error>> {
    Ok(serde_json::from_slice(&fs::read(file)?)?)
}
