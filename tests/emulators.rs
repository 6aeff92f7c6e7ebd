//! Emulators that others wrote serve applications through us: AWS's own Runtime Interface Emulator and `cargo lambda
//! watch`, which streams. Both come from PyPI (`tests/tools-requirements.txt`); `make test` installs them.
//!
//! The Runtime Interface Emulator answers 200 to its caller whatever the function said; what tells a response from an
//! error is the payload.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

#[path = "emulators/client.rs"]
mod client;
#[path = "emulators/tool.rs"]
mod tool;

use std::path::Path;
use std::process::Command;

use client::{Reply, invoke, request};
use serde_json::{Value, json};
use support::{bootstrap, event, root};
use tempfile::TempDir;
use tool::{Tool, find, free_port, function};

const EXAMPLES: [(&str, &str); 2] = [("examples/plain", "app:application"), ("examples/flask", "app:app")];

/// An application that the examples are not.
fn source(python: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.py"), python).unwrap();
    folder
}

fn get(path: &str) -> Value {
    let mut event = event("function-url-get");
    event["rawPath"] = path.into();
    event
}

/// AWS's emulator with a function of ours.
struct Rie {
    tool: Tool,
    port: u16,
}

impl Rie {
    fn start(task_root: &Path, handler: &str, timeout: u32) -> Option<Self> {
        let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        let program = find(&format!("aws-lambda-rie-{arch}"))?;
        let (port, api) = (free_port(), free_port());
        let mut command = Command::new(program);
        command
            .args(["--runtime-interface-emulator-address", &format!("127.0.0.1:{port}")])
            .args(["--runtime-api-address", &format!("127.0.0.1:{api}")])
            .arg(bootstrap())
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", timeout.to_string());
        let mut tool = Tool::start(function(&mut command, task_root, handler));
        tool.listens(port);
        Some(Self { tool, port })
    }

    fn invoke(&self, event: &Value) -> Value {
        invoke(self.port, event)
    }
}

#[test]
fn rie_serves_the_examples() {
    for (example, handler) in EXAMPLES {
        let Some(rie) = Rie::start(&root().join(example), handler, 30) else { return };
        let home = rie.invoke(&get("/"));
        assert_eq!((&home["statusCode"], &home["isBase64Encoded"]), (&json!(200), &json!(false)), "{example}: {home}");
        assert!(home["body"].as_str().unwrap().contains("Grüße"), "{example}: {home}");
        let mut echo = get("/echo");
        echo["requestContext"]["http"]["method"] = "POST".into();
        echo["headers"]["content-type"] = "application/octet-stream".into();
        (echo["body"], echo["isBase64Encoded"]) = ("AP/+gA==".into(), true.into());
        let echo = rie.invoke(&echo);
        assert_eq!((&echo["body"], &echo["isBase64Encoded"]), (&json!("AP/+gA=="), &json!(true)), "{example}: {echo}");
        assert_eq!(rie.invoke(&get("/error"))["statusCode"], 500, "{example}");
        assert!(rie.tool.logs().contains("Traceback"), "{example}: {}", rie.tool.logs());
        let refused = rie.invoke(&json!({"Records": [{"eventSource": "aws:sqs"}]}));
        assert_eq!(refused["errorType"], "Runtime.UnsupportedEvent", "{example}: {refused}");
        assert_eq!(rie.invoke(&get("/cookies"))["cookies"].as_array().unwrap().len(), 2, "{example}");
    }
}

#[test]
fn rie_shows_an_init_error() {
    let app = source("raise ValueError('no start')");
    let Some(rie) = Rie::start(app.path(), "app:app", 30) else { return };
    let error = rie.invoke(&get("/"));
    assert_eq!((&error["errorType"], &error["errorMessage"]), (&json!("ValueError"), &json!("no start")));
    assert!(error["stackTrace"][0].as_str().unwrap().contains("app.py"), "{error}");
}

#[test]
fn rie_shows_timeouts_and_exits_and_the_next_request_is_served() {
    let app = source(
        r#"
import os, time
def app(environ, start_response):
    if environ["PATH_INFO"] == "/sleep":
        time.sleep(60)
    elif environ["PATH_INFO"] == "/in-c":
        sum(range(10 ** 12))
    elif environ["PATH_INFO"] == "/exit":
        os._exit(7)
    start_response("200 OK", [])
    return [b"ok"]
"#,
    );
    let Some(rie) = Rie::start(app.path(), "app:app", 3) else { return };
    let next = || assert_eq!(rie.invoke(&get("/"))["body"], "ok", "{}", rie.tool.logs());
    next();
    assert_eq!(rie.invoke(&get("/sleep"))["statusCode"], 504);
    assert!(!rie.tool.logs().contains("Task timed out"), "{}", rie.tool.logs());
    next();
    // The runtime has answered with 504 when this emulator ends it; it passes a response on with the next poll only.
    assert_eq!(rie.invoke(&get("/in-c")), "Task timed out after 3.00 seconds");
    assert!(rie.tool.logs().contains("the caller was answered with 504"), "{}", rie.tool.logs());
    next();
    let error = rie.invoke(&get("/exit"));
    assert_eq!(error["errorType"], "Runtime.ExitError", "{error}");
    next();
}

/// `cargo lambda watch` with a function of ours.
struct Watch {
    // Dropped in this order: the runtime would complain of an emulator that has gone.
    function: Tool,
    _emulator: Tool,
    port: u16,
    _package: TempDir,
}

impl Watch {
    fn start(task_root: &Path, handler: &str, mode: &str) -> Option<Self> {
        let program = find("cargo-lambda")?;
        // It wants a cargo package, though it does not start what is in it; a workspace, as cargo looks above it for one.
        let package = tempfile::tempdir().unwrap();
        std::fs::create_dir(package.path().join("src")).unwrap();
        std::fs::write(package.path().join("src/main.rs"), "fn main() {}").unwrap();
        let manifest = "[package]\nname = \"function\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
        std::fs::write(package.path().join("Cargo.toml"), manifest).unwrap();
        let port = free_port();
        let mut emulator = Tool::start(
            Command::new(program)
                .args(["lambda", "watch", "--only-lambda-apis", "--invoke-address", "127.0.0.1"])
                .args(["--invoke-port", &port.to_string()])
                .current_dir(package.path()),
        );
        emulator.listens(port);
        let mut command = Command::new(bootstrap());
        command
            .env("AWS_LAMBDA_RUNTIME_API", format!("http://127.0.0.1:{port}/.rt/function"))
            .env("WSGI_LAMBDA_RESPONSE_MODE", mode);
        let function = Tool::start(function(&mut command, task_root, handler));
        Some(Self { function, _emulator: emulator, port, _package: package })
    }

    fn get(&self, path: &str) -> Reply {
        request(self.port, "GET", &format!("/lambda-url/function{path}"), &[], b"")
    }
}

#[test]
fn cargo_lambda_serves_the_examples_buffered_and_streamed() {
    for (example, handler) in EXAMPLES {
        for mode in ["buffered", "stream"] {
            let at = format!("{example} {mode}");
            let Some(watch) = Watch::start(&root().join(example), handler, mode) else { return };
            let home = watch.get("/");
            let streamed = home.all("transfer-encoding") == ["chunked"];
            assert_eq!((home.status, streamed), (200, mode == "stream"), "{at}: {}", watch.function.logs());
            assert!(home.text().contains("Grüße"), "{at}");
            assert_eq!(watch.get("/cookies").all("set-cookie").len(), 2, "{at}");
            let redirect = watch.get("/redirect");
            assert_eq!(redirect.status, 302, "{at}");
            assert!(redirect.all("location")[0].ends_with("/json"), "{at}");
            assert_eq!(watch.get("/binary").body(), (0..=255).collect::<Vec<u8>>(), "{at}");
            assert_eq!(watch.get("/error").status, 500, "{at}");
            let octets = [("Content-Type", "application/octet-stream")];
            let echo = request(watch.port, "POST", "/lambda-url/function/echo", &octets, &[0, 255, 254, 128]);
            assert_eq!((echo.status, echo.body()), (200, vec![0, 255, 254, 128]), "{at}");
        }
    }
}

const STREAMS: &str = r#"
import os, time

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/waits":
        return waits()
    if environ["PATH_INFO"] == "/endless":
        return endless()
    return [b"ok"]

def waits():
    yield b"first"
    while not os.path.exists("go"):
        time.sleep(0.01)
    yield b"second"

def endless():
    try:
        while True:
            yield b"x" * 65536
    finally:
        open("closed", "w").close()
"#;

#[test]
fn cargo_lambda_passes_each_chunk_on_when_it_is_yielded() {
    let app = source(STREAMS);
    let Some(watch) = Watch::start(app.path(), "app:app", "stream") else { return };
    let mut reply = watch.get("/waits");
    assert_eq!((reply.status, reply.chunk()), (200, b"first".to_vec()));
    // The generator goes on only when it sees this: a runtime that held the chunk back would hang here.
    std::fs::write(app.path().join("go"), "").unwrap();
    assert_eq!(reply.text(), "second");
}

#[test]
fn a_client_of_cargo_lambda_that_goes_away_ends_the_iteration() {
    let app = source(STREAMS);
    let Some(watch) = Watch::start(app.path(), "app:app", "stream") else { return };
    let mut reply = watch.get("/endless");
    assert!(!reply.chunk().is_empty());
    drop(reply);
    assert_eq!(watch.get("/").text(), "ok", "{}", watch.function.logs());
    assert!(app.path().join("closed").exists());
    assert!(watch.function.logs().contains("could not be delivered"), "{}", watch.function.logs());
}
