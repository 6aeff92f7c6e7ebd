//! `wsgi-lambda replay` from outside: the command line, the real runtime, and what both print.
//!
//! The snapshots are what a user sees; times, request ids and temporary folders are filtered.
#![cfg(feature = "cli")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "replay/checks.rs"]
mod checks;
#[path = "replay/mistakes.rs"]
mod mistakes;
#[path = "replay/pipes.rs"]
mod pipes;
#[path = "replay/requests.rs"]
mod requests;
mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use insta::assert_snapshot;
use serde_json::{Value, json};
use tempfile::TempDir;

const APP: &str = r#"
import os, sys, time
print("imported")

def app(environ, start_response):
    path = environ["PATH_INFO"]
    print("to stdout", path)
    print("to stderr", path, file=sys.stderr)
    if path == "/exit":
        sys.stdout.flush()
        os._exit(3)
    if path == "/slow":
        time.sleep(60)
    fields = [("Content-Type", "text/plain"), ("X-Variable", os.environ.get("KEY", "unset"))]
    start_response("200 OK", fields)
    if path == "/long":
        return [b"a line of text\n" * 500]
    if path == "/binary":
        return [bytes(range(256)) * 100]
    return [b"hello from " + path.encode() + b"\n"]
"#;

/// A folder with `tapp.py` and what a test puts beside it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("tapp.py", APP);
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn replay(&self, arguments: &[&str]) -> Seen {
        self.replay_with_input(arguments, "")
    }

    fn replay_with_input(&self, arguments: &[&str], input: &str) -> Seen {
        let mut command = command();
        command.arg("replay").args(arguments).current_dir(self.path());
        command.env("WSGI_LAMBDA_BOOTSTRAP", support::bootstrap()).env("PYTHONDONTWRITEBYTECODE", "1");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let written = child.stdin.take().unwrap().write_all(input.as_bytes());
        // Wrong options end the command before it reads.
        assert!(written.is_ok() || input.len() < 65_536, "the input was not taken");
        Seen(child.wait_with_output().unwrap())
    }
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wsgi-lambda"));
    for variable in ["AWS_REGION", "CLICOLOR_FORCE", "VIRTUAL_ENV", "WSGI_LAMBDA_BOOTSTRAP"] {
        command.env_remove(variable);
    }
    command
}

/// What a command left.
struct Seen(Output);

impl Seen {
    fn status(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    fn stdout(&self) -> &str {
        std::str::from_utf8(&self.0.stdout).unwrap()
    }

    fn stderr(&self) -> &str {
        std::str::from_utf8(&self.0.stderr).unwrap()
    }

    /// Everything, in the order of the streams.
    fn all(&self) -> String {
        format!("status: {}\n--- stdout\n{}--- stderr\n{}", self.status(), self.stdout(), self.stderr())
    }
}

/// A Lambda Function URL event.
fn get(path: &str) -> Value {
    json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "host": "abc.lambda-url.us-east-1.on.aws" },
        "requestContext": {
            "domainName": "abc.lambda-url.us-east-1.on.aws",
            "http": { "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.1" },
        },
        "isBase64Encoded": false,
    })
}

fn lines(events: &[Value]) -> String {
    events.iter().fold(String::new(), |lines, event| lines + &event.to_string() + "\n")
}

/// Runs a test's snapshots with what changes from run to run filtered out.
fn filtered(test: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d+(\.\d+)? (ms|s)\b", "[TIME]");
    settings.add_filter(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[REQUEST ID]");
    settings.add_filter(r"/\S+/\.tmp\w+", "[DIR]");
    settings.bind(test);
}

#[test]
fn help_teaches() {
    let output = command().args(["replay", "--help"]).output().unwrap();
    assert_snapshot!(String::from_utf8(output.stdout).unwrap());
}

#[test]
fn the_demo_app_answers_every_event_that_comes_along() {
    let seen = Place::new().replay(&["--json"]);
    assert_eq!(seen.status(), 0, "{}", seen.stderr());
    let files = std::fs::read_dir(support::root().join("events")).unwrap();
    let events = files.filter(|file| file.as_ref().unwrap().path().extension().is_some()).count();
    assert_eq!(seen.stdout().lines().count(), events);
    for line in seen.stdout().lines() {
        let answer: Value = serde_json::from_str(line).unwrap();
        assert!(matches!(answer["statusCode"].as_u64(), Some(200 | 201)), "{line}");
    }
}

#[test]
fn an_answer_for_the_eye_and_logs_apart() {
    let place = Place::new();
    let arguments = ["-", "--app", "tapp:app", "--env", "KEY=value"];
    let events = lines(&[get("/one"), get("/binary"), get("/two")]);
    let seen = place.replay_with_input(&arguments, &events);
    filtered(|| assert_snapshot!(seen.all()));
}

#[test]
fn a_long_text_is_cut_unless_verbose() {
    let place = Place::new();
    let event = get("/long").to_string();
    let brief = place.replay_with_input(&["-", "--app", "tapp:app"], &event);
    assert!(brief.stdout().contains("more, --verbose shows all"), "{}", brief.stdout());
    assert_eq!(brief.stdout().matches("a line of text").count(), 40);
    let whole = place.replay_with_input(&["-", "--app", "tapp:app", "--verbose"], &event);
    assert_eq!(whole.stdout().matches("a line of text").count(), 500);
}

#[test]
fn a_demo_answer_lays_json_out() {
    let place = Place::new();
    let event = support::root().join("events/function-url-cookies.json");
    let seen = place.replay(&[event.to_str().unwrap()]);
    filtered(|| assert_snapshot!(seen.all()));
}

#[test]
fn json_is_what_lambda_receives_and_nothing_else() {
    let place = Place::new();
    place.write("events/b.json", &get("/b").to_string());
    place.write("events/a/a.json", &get("/a").to_string());
    let seen = place.replay(&["events", "--app", "tapp:app", "--json"]);
    filtered(|| assert_snapshot!(seen.all()));
}

#[test]
fn an_invocation_error_is_shown_and_fails() {
    let event = support::root().join("events/not-http/sqs.json");
    let seen = Place::new().replay(&[event.to_str().unwrap()]);
    assert_eq!(seen.status(), 1);
    assert!(seen.stdout().contains("sqs  not an HTTP request\n  invocation error Runtime."), "{}", seen.stdout());
    assert!(seen.stdout().contains("1 event: 0 answered, 1 failed"), "{}", seen.stdout());
}

#[test]
fn an_init_error_ends_the_replay() {
    let place = Place::new();
    let seen = place.replay_with_input(&["-", "--app", "no_such_module:app"], &lines(&[get("/a"), get("/b")]));
    assert_eq!(seen.status(), 1);
    assert_snapshot!(seen.stdout());
    let seen = place.replay_with_input(&["-", "--json", "--app", "no_such_module:app"], &get("/").to_string());
    let error: Value = serde_json::from_str(seen.stdout()).unwrap();
    assert_eq!((seen.status(), &error["errorType"]), (1, &json!("Runtime.ImportModuleError")));
}

#[test]
fn a_timeout_and_an_exit_are_told_and_the_runtime_starts_again() {
    let place = Place::new();
    let events = lines(&[get("/slow"), get("/after-slow"), get("/exit"), get("/after-exit")]);
    let seen = place.replay_with_input(
        &["-", "--app", "tapp:app", "--timeout", "0.5", "--env", "WSGI_LAMBDA_DEADLINE_MARGIN_MS=0"],
        &events,
    );
    filtered(|| assert_snapshot!(seen.all()));
}

#[test]
fn expected_answers_are_stored_and_compared() {
    let place = Place::new();
    place.write("events/a.json", &get("/a").to_string());
    place.write("events/sub/b.json", &get("/b").to_string());
    let replay = |more: &[&str]| {
        let base = ["events", "--app", "tapp:app", "--expect", "responses", "--quiet"];
        place.replay(&[&base[..], more].concat())
    };
    let missing = replay(&[]);
    assert_eq!(missing.status(), 1);
    assert!(missing.stdout().contains("no expected response responses/a.json: store it with --update"));
    let stored = replay(&["--update"]);
    assert_eq!(stored.status(), 0);
    assert!(stored.stdout().starts_with("2 events: 2 stored, 0 unchanged"), "{}", stored.stdout());
    let answer: Value = serde_json::from_str(&place.read("responses/sub/b.json")).unwrap();
    assert_eq!(answer["body"], "hello from /b\n");
    let same = replay(&[]);
    assert_eq!(same.status(), 0);
    assert!(same.stdout().starts_with("2 events: 2 as expected"), "{}", same.stdout());
    place.write("responses/a.json", &place.read("responses/a.json").replace("hello", "good bye"));
    let differs = replay(&[]);
    assert_eq!(differs.status(), 1);
    filtered(|| assert_snapshot!(differs.stdout()));
}

#[test]
fn repeating_gives_times() {
    let seen = Place::new().replay_with_input(&["-", "--app", "tapp:app", "--repeat", "20"], &get("/").to_string());
    assert_eq!(seen.status(), 0);
    filtered(|| assert_snapshot!(seen.stdout()));
    assert_eq!(seen.stderr().matches("to stdout /").count(), 1, "the log of one run: {}", seen.stderr());
}

#[test]
fn the_application_is_found_in_its_folder() {
    let place = Place::new();
    place.write("src/other.py", APP);
    let seen = place.replay_with_input(&["-", "--app", "other:app", "--dir", "src"], &get("/x").to_string());
    assert_eq!(seen.status(), 0, "{}", seen.all());
    let seen = place.replay(&["--app", "other:app", "--dir", "nowhere"]);
    assert_eq!(seen.status(), 2);
    assert!(seen.stderr().contains("correct --dir"), "{}", seen.stderr());
}

#[test]
fn wrong_usage_says_what_to_do() {
    let place = Place::new();
    place.write("broken.json", "{");
    place.write("empty/read.me", "");
    place.write("other/broken.json", "{}");
    let complaint = |arguments: &[&str]| {
        let seen = place.replay(arguments);
        assert_eq!((seen.status(), seen.stdout()), (2, ""), "{}", seen.all());
        seen.stderr().lines().next().unwrap().to_owned()
    };
    let complaints = [
        complaint(&["no-such-file.json"]),
        complaint(&["broken.json"]),
        complaint(&["empty"]),
        complaint(&["other", "other/broken.json"]),
        complaint(&["-"]),
        complaint(&["--bootstrap", "no-such-bootstrap"]),
        complaint(&["--env", "novalue"]),
        complaint(&["--timeout", "0"]),
        complaint(&["--update"]),
        complaint(&["--dir", "."]),
        complaint(&["--app", "tapp:app", "--venv", "no-such-venv"]),
    ];
    assert_snapshot!(complaints.join("\n"));
}

#[test]
fn a_handler_name_that_the_runtime_cannot_read_is_wrong_usage() {
    let seen = Place::new().replay(&["--app", "tapp:app("]);
    assert_eq!((seen.status(), seen.stdout()), (2, ""), "{}", seen.all());
    assert!(seen.stderr().contains("`module.attribute` or `module:attribute`"), "{}", seen.stderr());
}
