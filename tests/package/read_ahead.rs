//! `--read-ahead`: a package that says which files a start reads, and a runtime that has the kernel read them.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{Advice, fadvise, fsync};

use super::{APP, Place, minor, other_architecture, support};

const LIST: &str = ".wsgi-lambda-read-ahead";

/// An application of two modules, which uses the standard library.
fn shop() -> Place {
    let place = Place::new("");
    place.write("app/app.py", &format!("import shop.models\n{APP}"));
    place.write("app/shop/__init__.py", "");
    place.write("app/shop/models.py", "import wave\n");
    place.write("app/shop/never.py", "");
    place
}

#[test]
fn the_files_of_a_start_are_listed_in_the_order_of_their_use() {
    let place = shop();
    // What the application writes when it starts is no part of the package, and no old list is.
    place.write("app/jobs.py", &format!("open(__file__ + '.log', 'w').write('a secret')\n{APP}"));
    place.write(&format!("app/{LIST}"), "an old list");
    let arguments = ["app", "--no-requirements", "--read-ahead", "app:app", "--read-ahead", "jobs.app"];
    let said = place.run(&arguments[..]).fine();
    assert!(said.stdout.contains("read ahead"), "{}", said.stdout);
    let first = place.unzipped("dist/app.zip");
    let list = String::from_utf8(first[LIST].clone()).unwrap();
    let at = |line: &str| list.lines().position(|other| other == line).unwrap_or_else(|| panic!("no {line} in {list}"));
    assert_eq!(at(&format!("wsgi-lambda read-ahead 1 python3.{}", minor())), 0);
    let lines =
        ["handler app.app", "package app.py", "package shop/__init__.py", "package shop/models.py", "library wave.py"];
    assert!(lines.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{list}");
    assert!(at("library wave.py") < at("handler jobs.app") && at("handler jobs.app") < at("package jobs.py"), "{list}");
    assert!(
        !list.contains("never") && !list.contains("lib-dynload") && !list.contains(place.0.path().to_str().unwrap()),
        "{list}"
    );
    assert!(!first.keys().any(|name| name.contains("jobs.py.log")), "{:?}", first.keys());
    place.run(&["app", "--no-requirements", "--output", "without.zip"]).fine();
    assert!(!place.unzipped("without.zip").contains_key(LIST));
    place.run(&arguments).fine();
    assert!(place.unzipped("dist/app.zip") == first, "the same input makes the same bytes");
}

/// Takes a file out of the kernel's cache; false where it stays there, as on a file system in memory.
fn forget(path: &Path) -> bool {
    let file = File::open(path).unwrap();
    fsync(&file).unwrap(); // what is not on the disk yet cannot be forgotten
    fadvise(&file, 0, None, Advice::DontNeed).unwrap();
    !is_cached(path)
}

/// Whether the kernel has any of it. `fincore` of util-linux looks without reading.
fn is_cached(path: &Path) -> bool {
    let output = Command::new("fincore").args(["--raw", "--noheadings", "--output", "PAGES"]).arg(path).output();
    output.is_ok_and(|output| output.stdout.trim_ascii() != b"0")
}

#[test]
fn a_cold_start_reads_them_before_python_asks() {
    let place = shop();
    place.run(&["app", "--no-requirements", "--read-ahead", "app.app", "--output", "task"]).fine();
    // Not where temporary files are, which may be in memory.
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for name in super::names(&place.path("task")) {
        fs::create_dir_all(disk.path().join(&name).parent().unwrap()).unwrap();
        fs::copy(place.path("task").join(&name), disk.path().join(&name)).unwrap();
    }
    // Files that no import reads: only the runtime can have read them.
    let (listed, unlisted) = (disk.path().join("listed.so"), disk.path().join("unlisted.so"));
    for file in [&listed, &unlisted] {
        fs::write(file, vec![1; 100_000]).unwrap();
    }
    let list = fs::read_to_string(disk.path().join(LIST)).unwrap() + "package listed.so\npackage gone.py\n";
    fs::write(disk.path().join(LIST), list).unwrap();
    if !forget(&listed) || !forget(&unlisted) {
        let _ =
            std::io::Write::write_all(&mut std::io::stderr(), b"SKIPPED: files stay in memory on this file system\n");
        return;
    }
    let mut function = support::app(disk.path(), "app.app").start();
    assert_eq!(function.invoke(support::event("http-api-v2-get")).status(), 200, "{}", function.logs());
    let begin = Instant::now();
    while !is_cached(&listed) {
        assert!(begin.elapsed() < Duration::from_secs(30), "the file was not read");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!is_cached(&unlisted));
    // Another handler's start reads nothing of it.
    assert!(forget(&listed));
    fs::write(disk.path().join("other.py"), APP).unwrap();
    let mut function = support::app(disk.path(), "other.app").start();
    assert_eq!(function.invoke(support::event("http-api-v2-get")).status(), 200, "{}", function.logs());
    assert!(!is_cached(&listed));
}

#[test]
fn an_application_that_does_not_start_here_is_an_error() {
    let place = Place::new("");
    place.write("app/app.py", "import os\nDATABASE = os.environ['SHOP_DATABASE']\n");
    place
        .run(&["app", "--no-requirements", "--read-ahead", "app.app"])
        .fails(1, &["--read-ahead: the application does not start", "KeyError: 'SHOP_DATABASE'"]);
    assert!(!place.path("dist").exists());
    let other = ["app", "--no-requirements", "--read-ahead", "app.app", "--architecture", other_architecture()];
    place.run(&other).fails(2, &["--read-ahead starts the application here", "--bootstrap"]);
}
