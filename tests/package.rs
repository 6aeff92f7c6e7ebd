//! `wsgi-lambda package` from outside: real packages by a real pip, and what comes out served by the real runtime.
#![cfg(feature = "cli")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "package/collectstatic.rs"]
mod collectstatic;
#[path = "package/fixtures.rs"]
mod fixtures;
#[path = "package/misleads.rs"]
mod misleads;
#[path = "package/read_ahead.rs"]
mod read_ahead;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;
use wsgi_lambda::bundle::Architecture;

/// A folder for one test: the application in `app`, wheels in `wheels`, temporary files in `tmp`.
struct Place(TempDir);

const APP: &str = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'hello']\n";

impl Place {
    fn new(requirements: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for folder in ["app", "wheels", "tmp"] {
            fs::create_dir(place.path(folder)).unwrap();
        }
        place.write("app/app.py", APP);
        place.write("app/requirements.txt", requirements);
        place
    }

    /// Whose requirements can be had from the folder of wheels alone.
    fn offline(requirements: &str) -> Self {
        let place = Self::new("");
        let links = place.path("wheels");
        place.write("app/requirements.txt", &format!("--no-index\n--find-links {}\n{requirements}", links.display()));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    /// For the Python under test, so that what comes out can be served.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(arguments);
        if !arguments.contains(&"--python") {
            command.args(["--python", &format!("3.{}", minor())]);
        }
        command
    }

    /// Without a word on which Python it is for.
    fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wsgi-lambda"));
        command.arg("package").args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command.env("TMPDIR", self.path("tmp")).env("WSGI_LAMBDA_BOOTSTRAP", support::bootstrap());
        command.env_remove("ARTIFACTS_DIR").env("PIP_RETRIES", "1").env("NO_COLOR", "1");
        command
    }

    /// Runs the command with pip, and holds it to what always holds: no temporary file stays behind.
    fn run(&self, arguments: &[&str]) -> Said {
        let output = self.command(&[arguments, &["--installer", "pip"]].concat()).output().unwrap();
        self.has_no_leftovers();
        Said::of(&output)
    }

    fn has_no_leftovers(&self) {
        let left: Vec<_> = names(&self.path("tmp")).into_iter().filter(|name| name.contains("wsgi-lambda")).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// The files of a zip, by name.
    fn unzipped(&self, zip: &str) -> BTreeMap<String, Vec<u8>> {
        let mut archive = zip::ZipArchive::new(fs::File::open(self.path(zip)).unwrap()).unwrap();
        let mut files = BTreeMap::new();
        for index in 0..archive.len() {
            let mut file = archive.by_index(index).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            files.insert(file.name().unwrap().into_owned(), bytes);
        }
        files
    }
}

struct Said {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { status: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    #[track_caller]
    fn fine(self) -> Self {
        assert_eq!(self.status, Some(0), "{}{}", self.stdout, self.stderr);
        self
    }

    /// It ended with this status, and standard error says all of this.
    #[track_caller]
    fn fails(self, status: i32, texts: &[&str]) {
        assert_eq!(self.status, Some(status), "{}{}", self.stdout, self.stderr);
        for text in texts {
            assert!(self.stderr.contains(text), "no {text:?} in:\n{}", self.stderr);
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        walk(folder).iter().map(|path| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// `cp311-cp311-linux_x86_64`, of the Python under test and this machine.
fn native_tag() -> String {
    let minor = minor();
    format!("cp3{minor}-cp3{minor}-linux_{}", Architecture::of_this_machine().unwrap().machine())
}

/// `11` of the Python under test.
fn minor() -> String {
    let version = Command::new(support::bootstrap()).arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    version.split("(python3.").nth(1).unwrap().split(')').next().unwrap().to_owned()
}

fn other_architecture() -> &'static str {
    if Architecture::of_this_machine() == Some(Architecture::X86_64) { "arm64" } else { "x86_64" }
}

/// Serves a package whose sources would fail, so its bytecode is what runs. Returns the response to `/json`.
fn serve(folder: &Path, handler: &str) -> Value {
    let before = names(folder);
    for source in walk(folder).iter().filter(|path| path.extension().is_some_and(|ending| ending == "py")) {
        fs::write(source, "raise SystemError('this was compiled at the start')\n").unwrap();
    }
    let setup = support::app(folder, handler).launch(|launch| launch.without("PYTHONDONTWRITEBYTECODE"));
    let mut function = setup.env("ALLOWED_HOSTS", "*").start();
    let mut event = support::event("http-api-v2-get");
    event["rawPath"] = "/json".into();
    let response = function.invoke(event);
    assert_eq!(response.status(), 200, "{}", function.logs());
    assert_eq!(names(folder), before, "a start wrote into the task root");
    response.body_json()
}

#[test]
fn flask_in_a_zip_is_served_from_its_bytecode() {
    let place = Place::new("");
    let app = support::root().join("examples/flask");
    let said = place.run(&[app.to_str().unwrap(), "--handler", "app.app", "--measure"]).fine();
    assert!(said.stdout.contains("Flask 3.") && said.stdout.contains("cold start"), "{}", said.stdout);
    let task = place.path("task");
    for (name, bytes) in place.unzipped("dist/flask.zip") {
        fs::create_dir_all(task.join(&name).parent().unwrap()).unwrap();
        fs::write(task.join(name), bytes).unwrap();
    }
    let all = names(&task);
    assert!(all.iter().any(|name| name.ends_with(".dist-info/METADATA")), "{all:?}");
    for gone in ["RECORD", "bin/flask", "requirements.txt"] {
        assert!(!all.iter().any(|name| name.ends_with(gone)), "{gone}");
    }
    assert_eq!(serve(&task, "app:app")["method"], "GET");
}

#[test]
fn django_goes_into_the_folder_that_sam_has_made() {
    let place = Place::new("");
    let folder = place.path("artifacts");
    fs::create_dir(&folder).unwrap();
    let example = support::root().join("examples/django");
    let mut command = place.command(&["--handler", "mysite.wsgi.application", "--installer", "pip"]);
    let output = command.arg(example).env("ARTIFACTS_DIR", &folder).output().unwrap();
    Said::of(&output).fine();
    let all = names(&folder);
    assert!(!all.iter().any(|name| name.ends_with("/django.po")), "sources of translations");
    assert!(all.iter().any(|name| name == "django/test/client.py"), "a public module called test");
    let response = serve(&folder, "mysite.wsgi:application");
    assert_eq!(response["method"], "GET");
    let mut again = place.command(&["--no-install", "--no-compile"]);
    let output = again.arg(support::root().join("examples/django")).env("ARTIFACTS_DIR", &folder).output().unwrap();
    Said::of(&output).fails(1, &["mysite is there already"]);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let zip = |modified: SystemTime, mode: u32| {
        let place = Place::offline("one\n");
        fixtures::wheel(&place.path("wheels"), "one", "py3-none-any", &[("one/data.txt", b"x")]);
        fs::set_permissions(place.path("app/app.py"), fs::Permissions::from_mode(mode)).unwrap();
        fs::File::open(place.path("app/app.py")).unwrap().set_modified(modified).unwrap();
        // The path of the folder with the wheels is in it, and differs; it is not packed.
        let said = place.run(&["app", "--output", "x.zip", "--json"]).fine();
        let json: BTreeMap<String, String> = serde_json::from_str(&said.stdout).expect("an object of strings");
        assert_eq!((json["packages"].as_str(), json["compiled"].as_str()), ("one==1.0", "2"));
        (fs::read(place.path("x.zip")).unwrap(), json["sha256"].clone())
    };
    let now = SystemTime::now();
    let (one, two) = (zip(now, 0o600), zip(now - Duration::from_secs(1_000_000), 0o644));
    assert_eq!(one.1, two.1);
    assert!(one.0 == two.0, "the bytes differ");
}

#[test]
fn what_cannot_be_had_for_the_target_is_listed_and_pure_sources_are_built() {
    let place = Place::offline("pure\nnative\nforeign\n");
    fixtures::source(&place.path("wheels"), "pure", "py3-none-any");
    fixtures::source(&place.path("wheels"), "native", &native_tag());
    fixtures::wheel(&place.path("wheels"), "foreign", &native_tag(), &[]);
    place.run(&["app", "--architecture", other_architecture()]).fails(
        1,
        &["2 requirements", "  native\n", "built from source here, it is for cp3", "  foreign\n", "What helps"],
    );
    assert!(!place.path("dist").exists());
    place.run(&["app", "--no-build"]).fails(1, &["  pure\n    no wheel"]);

    place.write("app/requirements.txt", &format!("--no-index\n-f {}\npure\n", place.path("wheels").display()));
    let said = place.run(&["app", "--architecture", other_architecture()]).fine();
    assert!(said.stdout.contains("built here") && said.stdout.contains("pure==1.0"), "{}", said.stdout);
    assert!(place.unzipped("dist/app.zip").contains_key("pure/__init__.py"));
}

/// The folder of uv, or `None` after a line that says what is not tested.
fn uv() -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods, reason = "a setting of the tests, not of the program")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([support::root().join(".cache/venv-tools/bin")]);
    let found = folders.into_iter().find(|folder| folder.join("uv").is_file());
    if found.is_none() {
        // Past the capture of the test harness, so that it is seen.
        let _ = writeln!(std::io::stderr(), "SKIPPED: uv is neither on the PATH nor in .cache/venv-tools");
    }
    found
}

#[test]
fn uv_does_the_same() {
    let Some(uv) = uv() else { return };
    let place = Place::offline("pure\nnative\n");
    fixtures::source(&place.path("wheels"), "pure", "py3-none-any");
    fixtures::source(&place.path("wheels"), "native", &native_tag());
    let run = |arguments: &[&str]| {
        let mut command = place.command(&[&["app", "--installer", "uv"], arguments].concat());
        #[allow(clippy::disallowed_methods, reason = "a setting of the tests, not of the program")]
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([uv.clone()].into_iter().chain(std::env::split_paths(&path))).unwrap();
        Said::of(&command.env("PATH", path).output().unwrap())
    };
    let texts = ["1 requirement", "  native==1.0\n", "built from source here, it is native-1.0-cp3"];
    run(&["--architecture", other_architecture()]).fails(1, &texts);
    run(&["--no-build"]).fails(1, &["--no-build forbids"]);
    let said = run(&[]).fine();
    assert!(said.stdout.contains("native==1.0, pure==1.0"), "{}", said.stdout);
    assert!(place.unzipped("dist/app.zip").contains_key("native/__init__.py"));
}

#[test]
fn every_binary_is_read_whatever_its_wheel_says() {
    let place = Place::offline("one\n");
    let program = fs::read("/bin/true").unwrap();
    fixtures::wheel(&place.path("wheels"), "one", "py3-none-any", &[("one/_m.abi3.so", &program)]);
    place.run(&["app", "--glibc", "2.1"]).fails(1, &["one 1.0: one/_m.abi3.so needs glibc 2.", "(symbol "]);
    place.run(&["app", "--architecture", other_architecture()]).fails(1, &["one/_m.abi3.so is for", "--exclude"]);
    let said = place.run(&["app", "--architecture", other_architecture(), "--exclude", "one/_m.abi3.so"]).fine();
    assert!(said.stdout.contains("--exclude"), "{}", said.stdout);
}

#[test]
fn secrets_stay_out_and_surprises_are_told() {
    let place = Place::offline("one\n");
    let tests: (&str, &[u8]) = ("one/tests/test_one.py", b"");
    fixtures::wheel(&place.path("wheels"), "one", "py3-none-any", &[tests, ("logging/__init__.py", b"")]);
    place.write("app/.env", "PASSWORD=1");
    place.write("app/.git/HEAD", "");
    place.write("app/old.py", "print 'two'\n");
    place.write("app/tests/mine.py", "");
    let said = place.run(&["app", "-o", "x.zip"]).fine();
    for text in [".env is left out", "old.py does not compile", "logging hides the standard library's"] {
        assert!(said.stderr.contains(text), "no {text:?} in:\n{}", said.stderr);
    }
    let files = place.unzipped("x.zip");
    assert!(files.contains_key("tests/mine.py") && !files.contains_key("one/tests/test_one.py"), "{:?}", files.keys());
    assert!(!files.contains_key(".env") && !files.contains_key(".git/HEAD"));
    place.run(&["app", "-o", "x.zip", "--keep", "/.env", "--keep-tests", "--no-source"]).fine();
    let files = place.unzipped("x.zip");
    for kept in [".env", "one/tests/test_one.pyc", "app.pyc", "old.py"] {
        assert!(files.contains_key(kept), "{kept}: {:?}", files.keys());
    }
    assert!(!files.contains_key("app.py"));
}

#[test]
fn a_failure_leaves_what_was_there_and_says_no_password() {
    let place = Place::new("--index-url https://me:s3cret@127.0.0.1:9/simple\nflask\n");
    place.write("dist/app.zip", "the last one");
    let said = place.run(&["app", "--verbose"]);
    assert!(!said.stderr.contains("s3cret") && !said.stdout.contains("s3cret"), "{}", said.stderr);
    said.fails(1, &["pip could not install", "https://***@127.0.0.1:9/simple", "connection to an index failed"]);
    assert_eq!(fs::read_to_string(place.path("dist/app.zip")).unwrap(), "the last one");
    place.write("app/requirements.txt", "");
    place.run(&["app", "--handler", "main.app"]).fails(1, &["there is no main.py"]);
    place.run(&["app", "--output", ".", "--no-install"]).fails(2, &["the application is in it"]);
    let mut command = place.command(&["app", "--python", "3.99", "--installer", "pip"]);
    let output = command.env_remove("PYTHON").output().unwrap(); // which `make test PYTHON=...` sets
    Said::of(&output).fails(1, &["no Python 3.99 here", "--no-compile"]);
    place.run(&["nowhere"]).fails(2, &["no application folder nowhere"]);
    assert_eq!(names(&place.path("dist")), ["app.zip"]);
}

#[test]
fn an_interrupt_leaves_nothing_behind() {
    let index = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::new(&format!("--index-url http://{}/simple\nflask\n", index.local_addr().unwrap()));
    let mut command = place.command(&["app", "--installer", "pip"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    index.set_nonblocking(true).unwrap();
    let _asked = loop {
        match index.accept() {
            Ok(asked) => break asked, // pip waits for a response now
            Err(_) => assert!(child.try_wait().unwrap().is_none(), "it ended before it asked the index"),
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let status = support::kill("INT", child.id()).status().unwrap();
    assert!(status.success());
    Said::of(&child.wait_with_output().unwrap()).fails(130, &["interrupted"]);
    place.has_no_leftovers();
    assert!(!place.path("dist").exists());
}
