//! `--read-ahead`: a package that says which files a start reads, and a runtime that has the kernel read them.

use std::fs::{self, File};
use std::path::Path;
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

/// Prints whether the kernel has any of a file in memory, as mincore(2) says: it looks without reading.
const IN_MEMORY: &str = r"
import ctypes, mmap, sys
with open(sys.argv[1], 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as memory:
    first = ctypes.c_char.from_buffer(memory)
    pages = ctypes.create_string_buffer(len(memory) // mmap.PAGESIZE + 1)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mincore(ctypes.byref(first), ctypes.c_size_t(len(memory)), pages):
        sys.exit(f'mincore: errno {ctypes.get_errno()}')
    print(any(ord(page) & 1 for page in pages))
    del first
";

fn is_cached(path: &Path) -> bool {
    support::said(support::python().args(["-S", "-c", IN_MEMORY]).arg(path)).trim() == "True"
}

/// Takes a file out of the kernel's cache; false where it stays there, as on a file system in memory.
fn forget(path: &Path) -> bool {
    let file = File::open(path).unwrap();
    fsync(&file).unwrap(); // what is not on the disk yet cannot be forgotten
    fadvise(&file, 0, None, Advice::DontNeed).unwrap();
    !is_cached(path)
}

/// Has the kernel read a file; false where it does not do so when it is told to.
fn read_ahead(path: &Path) -> bool {
    fadvise(File::open(path).unwrap(), 0, None, Advice::WillNeed).unwrap();
    soon_cached(path)
}

/// Reads that are under way are given their time.
fn soon_cached(path: &Path) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(30) {
        if is_cached(path) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
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
    // At the front: the first file is one of those that tell the runtime whether the disk has been read already.
    let begin = "handler app.app\n";
    let list = fs::read_to_string(disk.path().join(LIST)).unwrap();
    assert!(list.contains(begin), "{list}");
    let list = list.replace(begin, &format!("{begin}package listed.so\npackage gone.py\n"));
    fs::write(disk.path().join(LIST), list).unwrap();
    if !forget(&unlisted) {
        return support::skipped("files stay in memory on this file system");
    }
    if !read_ahead(&unlisted) {
        return support::skipped("the kernel reads nothing ahead on this file system");
    }
    assert!(forget(&listed) && forget(&unlisted));
    let mut function = support::app(disk.path(), "app.app").start();
    assert_eq!(function.invoke(support::event("http-api-v2-get")).status(), 200, "{}", function.logs());
    assert!(soon_cached(&listed), "the file was not read");
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
