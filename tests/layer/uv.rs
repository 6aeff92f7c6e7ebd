//! The real uv brings the Python, from a mirror on this machine that holds Pythons of ours in the layout of
//! python-build-standalone. The real ones are on GitHub.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use serde_json::{Value, json};
use wsgi_lambda::bundle::Elf;

use super::place::{Place, Seen};
use super::{support, tool};

/// A release of python-build-standalone.
const TAG: &str = "20261110";
const RELEASES: &str = "https://github.com/astral-sh/python-build-standalone/releases/download";
const SYSCONFIG: &str = "# system configuration generated and used by the sysconfig module\nbuild_time_vars = ";

/// The processor of this machine and the other one, under Lambda's names and uv's.
const PROCESSORS: [(&str, &str); 2] = if cfg!(target_arch = "aarch64") { [ARM64, X86_64] } else { [X86_64, ARM64] };
const X86_64: (&str, &str) = ("x86_64", "x86_64");
const ARM64: (&str, &str) = ("arm64", "aarch64");

/// The mirror's index, by the names of the downloads.
#[derive(Default)]
struct Mirror(serde_json::Map<String, Value>);

impl Mirror {
    /// Adds a folder with `bin` and `lib` as a Python for a processor, under uv's name of that.
    fn offer(&mut self, place: &Place, prefix: &str, processor: &str) {
        let version = support::said(support::python().args(["-c", "import sys; print(*sys.version_info[:3])"]));
        let [major, minor, patch] =
            version.split_whitespace().map(|part| part.parse::<u32>().unwrap()).collect::<Vec<_>>().try_into().unwrap();
        let version = format!("{major}.{minor}.{patch}");
        let file = format!("cpython-{version}+{TAG}-{processor}-unknown-linux-gnu-install_only_stripped.tar.gz");
        fs::create_dir_all(place.path("mirror").join(TAG)).unwrap();
        let mut tar = Command::new("tar");
        tar.arg("-czf").arg(place.path("mirror").join(TAG).join(&file)).arg("-C").arg(place.path("")).arg(prefix);
        assert!(tar.arg(format!("--transform=s,^{prefix},python,")).status().unwrap().success(), "{tar:?}");
        let download = json!({
            "name": "cpython", "arch": {"family": processor, "variant": null}, "os": "linux", "libc": "gnu",
            "major": major, "minor": minor, "patch": patch, "prerelease": "", "variant": null, "build": TAG,
            "url": format!("{RELEASES}/{TAG}/{}", file.replace('+', "%2B")), "sha256": null,
        });
        self.0.insert(format!("cpython-{version}-linux-{processor}-gnu"), download);
        place.write("downloads.json", Value::Object(self.0.clone()).to_string());
    }
}

/// Runs the command with uv on PATH and nothing else.
fn layer(place: &Place, arguments: &[&str]) -> Seen {
    let url = |name: &str| format!("file://{}", place.path(name).display());
    let folder = |name: &str| place.path(name).display().to_string();
    let settings = [
        ("UV_PYTHON_DOWNLOADS_JSON_URL", url("downloads.json")),
        ("UV_PYTHON_INSTALL_MIRROR", url("mirror")),
        ("UV_PYTHON_INSTALL_DIR", folder("uv")),
        ("UV_CACHE_DIR", folder("cache")),
        ("HOME", folder("home")),
    ];
    let version = ["--python", &place.python, "--max-glibc", "2.99", "--output", "out/"];
    place.layer_with(&settings, &[&version, arguments].concat())
}

/// Makes a prefix what a Python from uv has to be: `bin/python3.N`, and what configure was told.
fn complete(place: &Place, prefix: &str, processor: &str, program: &str, configured: &str) {
    let interpreter = format!("{prefix}/bin/python{}", place.python);
    let _ = fs::remove_file(place.path(&interpreter));
    place.write(&interpreter, format!("#!/bin/sh\n{program}\n"));
    fs::set_permissions(place.path(&interpreter), fs::Permissions::from_mode(0o755)).unwrap();
    let name = format!("{prefix}/lib/python{}/_sysconfigdata__linux_{processor}-linux-gnu.py", place.python);
    place.write(&name, format!("{SYSCONFIG}{{'CONFIG_ARGS': \"{configured}\"}}\n"));
}

/// A copy of a file of this machine's processor, as one of the other's.
fn for_the_other(place: &Place, from: &str, to: &str) {
    let mut bytes = fs::read(place.path(from)).unwrap();
    bytes[18] = if bytes[18] == 183 { 62 } else { 183 }; // e_machine
    place.write(to, bytes);
}

#[test]
fn uv_brings_the_python_for_either_processor() {
    let Some(uv) = tool::find("uv") else { return };
    let [(own, own_machine), (other, other_machine)] = PROCESSORS;
    let place = Place::new();
    fs::create_dir_all(place.path("bin")).unwrap();
    symlink(uv, place.path("bin/uv")).unwrap();
    let library = place.library();
    for_the_other(&place, &library, &library.replace("prefix/", "foreign/"));
    for_the_other(&place, "bootstrap", "bootstrap-other");
    let real = fs::canonicalize(place.interpreter()).unwrap();
    place.write(&format!("foreign/lib/python{}/os.py", place.python), "x = 1\n");
    complete(&place, "foreign", other_machine, "exit 1", "'--enable-optimizations' '--with-lto'");
    complete(&place, "prefix", own_machine, &format!("exec {} \"$@\"", real.display()), "'--enable-shared'");

    let mut mirror = Mirror::default();
    mirror.offer(&place, "foreign", other_machine);
    let arguments = ["--architecture", other, "--bootstrap", "bootstrap-other"];
    let seen = layer(&place, &arguments);
    assert_eq!(seen.status(), 1, "{}", seen.stdout());
    let version = &place.python;
    assert!(seen.stderr().contains(&format!("put uv or a python{version} on PATH")), "{}", seen.stderr());

    mirror.offer(&place, "prefix", own_machine);
    let seen = layer(&place, &arguments);
    assert_eq!(seen.status(), 0, "{}", seen.stderr());
    assert!(seen.stdout().contains(&format!("from .cache/layer-python/cpython-{version}")), "{}", seen.stdout());
    let files = place.zip(&format!("out/wsgi-lambda-python{version}-{other}.zip"));
    assert!(files.contains_key(&format!("lib/python{version}/os.pyc")), "{:?}", files.keys());
    let library = Elf::read(&files[&format!("lib/libpython{version}.so.1.0")]).unwrap().unwrap();
    assert_eq!(library.architecture.unwrap().to_string(), other);

    // Configured without optimisations.
    let seen = layer(&place, &[]);
    assert_eq!(seen.status(), 0, "{}", seen.stderr());
    assert!(seen.stderr().contains("without profile-guided optimisation"), "{}", seen.stderr());
    assert!(place.path(&format!("out/wsgi-lambda-python{version}-{own}-QUICK.zip")).is_file());
}
