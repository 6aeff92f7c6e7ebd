//! The reader of modules and the finder of circles, tried on a small crate.

use std::fs;
use std::path::Path;

use crate::circles::circles;
use crate::resolve::{Target, resolve};
use crate::source::{Modules, Names, read};

/// `one` and `two` need each other, `two` by what the root exports again; `three` only passes on and is needed by none.
const FILES: [(&str, &str); 5] = [
    ("lib.rs", "pub mod one; pub mod two; pub mod three; pub use one::First; #[cfg(test)] mod tests { use four::F; }"),
    ("one.rs", "use crate::two::Second; pub struct First(Second);"),
    ("two/mod.rs", "pub struct Second; mod inner; fn f() -> usize { println!(\"{}\", five::six!()); 1 }"),
    ("two/inner.rs", "use super::super::First as Renamed; fn g(_: Renamed, _: seven::Eight<u8>) {}"),
    ("three.rs", "pub use crate::two::Second; fn h() { let _ = <u8 as nine::Ten>::max; let x = Vec::<u8>::new(); }"),
];

fn sample(files: &[(&str, &str)]) -> Modules {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    read(&folder.path().join("lib.rs"))
}

fn names(path: &str) -> Vec<String> {
    path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn crates_are_seen_in_line_and_in_macros() {
    let modules = sample(&FILES);
    let crates = |at: &str| {
        let at = names(at);
        let module = &modules[&at];
        let all = module.uses.iter().map(|found| &found.path).chain(&module.paths);
        let of = |path: &Names| if let Target::Crate(name) = resolve(&modules, &at, path) { Some(name) } else { None };
        all.filter_map(of).collect::<Vec<_>>()
    };
    assert!(crates("").is_empty(), "unit tests are left out");
    assert_eq!(crates("two"), ["five"]);
    assert_eq!(crates("two::inner"), ["seven"]);
    assert_eq!(crates("three"), ["nine"]);
}

#[test]
fn an_item_belongs_to_the_file_that_defines_it() {
    let modules = sample(&FILES);
    let first = Target::Item(names("one"), "First".to_owned());
    assert_eq!(resolve(&modules, &names("two::inner"), &names("Renamed")), first);
    assert_eq!(resolve(&modules, &names("three"), &names("crate::First")), first);
    assert_eq!(resolve(&modules, &names("one"), &names("super::two")), Target::Module(names("two")));
}

#[test]
fn a_circle_is_found_and_a_re_export_is_none() {
    let modules = sample(&FILES);
    assert!(circles(&modules).is_empty(), "`two` itself needs nobody");
    let back = ("two/mod.rs", "pub struct Second; mod inner; fn f() { inner::g(); }");
    let modules = sample(&[FILES[0], FILES[1], back, FILES[3], FILES[4]]);
    let found = circles(&modules);
    let (files, reasons) = found.first_key_value().unwrap();
    let ends = |name: &str| files.iter().any(|file| file.ends_with(Path::new(name)));
    assert!(found.len() == 1 && files.len() == 3, "{found:?}");
    assert!(ends("one.rs") && ends("two/mod.rs") && ends("two/inner.rs"), "{found:?}");
    assert_eq!(reasons.len(), 3, "{reasons:?}");
}
