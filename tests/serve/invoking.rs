//! Direct invocations: events that are not HTTP and commands, sent by AWS's own command line and by ours.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::place::{Place, Served};
use crate::support;

const JOBS: &str = r#"

def run(event, context):
    if event == "break":
        raise ValueError("broken")
    return {"got": event}
"#;

fn served() -> Served {
    let place = Place::new();
    place.write("app.py", &format!("{}{JOBS}", crate::APP));
    let variables = ["--env", "WSGI_LAMBDA_COMMANDS=true", "--env", "WSGI_LAMBDA_EVENT_HANDLER=app:run"];
    place.serve(&[&["app:app"], &variables[..]].concat())
}

/// The folder of the `aws` command, which `make test` installs.
fn tools() -> PathBuf {
    let tools = support::root().join(".cache/venv-tools/bin");
    assert!(tools.join("aws").is_file(), "no aws in {}: `make test` installs it", tools.display());
    tools
}

/// With credentials that nobody checks.
fn with_aws(command: &mut Command) -> Output {
    #[allow(clippy::disallowed_methods, reason = "a setting of the tests, not of the program")]
    let path = std::env::var("PATH").unwrap_or_default();
    let settings = [
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ];
    command.env("PATH", format!("{}:{path}", tools().display())).envs(settings).output().unwrap()
}

fn endpoint(served: &Served) -> String {
    format!("http://127.0.0.1:{}", inspector(served))
}

fn inspector(served: &Served) -> u16 {
    *served.ports().last().unwrap()
}

/// What `wsgi-lambda` does with these arguments and this endpoint: exit code, standard output, standard error.
fn ran(served: &Served, arguments: &[&str]) -> (i32, String, String) {
    let endpoint = endpoint(served);
    let (command, rest) = arguments.split_first().unwrap();
    let before = [command, "--function", "shop", "--endpoint-url", &endpoint, "--"];
    let output = with_aws(served.place().command(&[&before[..], rest].concat()).env_remove("WSGI_LAMBDA_BOOTSTRAP"));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn awss_command_line_invokes_the_function() {
    let served = served();
    let endpoint = endpoint(&served);
    let invoke = |payload: &str, more: &[&str]| {
        served.place().write("event.json", payload);
        let mut command = Command::new(tools().join("aws"));
        command.current_dir(served.place().path()).args(["lambda", "invoke", "--function-name", "shop"]);
        command.args(["--payload", "fileb://event.json", "--endpoint-url", &endpoint, "--output", "json"]).args(more);
        let output = with_aws(command.arg("response.json"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        (said, served.place().read("response.json"))
    };
    let (said, response) = invoke(r#"{"job": 1}"#, &[]);
    assert_eq!((&said["StatusCode"], &said["FunctionError"]), (&json!(200), &Value::Null));
    assert_eq!(serde_json::from_str::<Value>(&response).unwrap(), json!({ "got": { "job": 1 } }));
    let (said, response) = invoke(r#""break""#, &[]);
    assert_eq!(said["FunctionError"], "Unhandled");
    assert!(response.contains("ValueError"), "{response}");
    assert_eq!(invoke("{}", &["--invocation-type", "Event"]).0["StatusCode"], 202);
    assert_eq!(invoke("{}", &["--invocation-type", "DryRun"]).0["StatusCode"], 204);
    let (_, response) = invoke(&support::event("function-url-get").to_string(), &[]);
    assert!(response.contains("hello from"), "an HTTP event goes to the application: {response}");
    served.shows("event  ");
    served.shows("ValueError: broken");
}

#[test]
fn commands_of_ours_have_the_exit_code_and_the_output_of_what_they_run() {
    let served = served();
    assert_eq!(ran(&served, &["exec", "print('one')\n6 * 7"]), (0, "one\n42\n".to_owned(), String::new()));
    assert_eq!(ran(&served, &["run", "sh", "-c", "echo out; exit 7"]), (7, "out\n".to_owned(), String::new()));
    served.place().write("report.py", "import os\nprint(sorted(os.environ)[0] != '')\n");
    assert_eq!(ran(&served, &["exec", "@report.py"]).1, "True\n");
    let (code, _, said) = ran(&served, &["exec", "a", "b"]);
    assert!(code == 2 && said.contains("exec takes one argument"), "{said}");
    let (code, shown, _) = ran(&served, &["exec", "1 / 0"]);
    assert!(code == 1 && shown.contains("ZeroDivisionError"), "{shown}");
}

#[test]
fn what_goes_wrong_is_said() {
    let served = Place::app().serve(&["app:app"]);
    let (code, _, said) = ran(&served, &["exec", "1"]);
    assert!(code == 1 && said.contains("set WSGI_LAMBDA_COMMANDS=true"), "{said}");
    let handled = served.again(&["app:app", "--env", "WSGI_LAMBDA_EVENT_HANDLER=json:dumps"]);
    let (code, _, said) = ran(&handled, &["exec", "1"]);
    assert!(code == 1 && said.contains("dumps()"), "the function takes it for an event: {said}");
    let place = handled.stop();
    let gone =
        with_aws(&mut place.command(&["run", "--function", "shop", "--endpoint-url", "http://127.0.0.1:9", "ls"]));
    let said = String::from_utf8(gone.stderr).unwrap();
    assert!(gone.status.code() == Some(1) && said.contains("the function could not be invoked"), "{said}");
    let without = place.command(&["run", "--function", "shop", "ls"]).env("PATH", "/nowhere").output().unwrap();
    let said = String::from_utf8(without.stderr).unwrap();
    assert!(said.contains("the `aws` command is not installed"), "{said}");
    let misplaced = place.command(&["run", "--function", "shop", "--dir", ".", "ls"]).output().unwrap();
    let said = String::from_utf8(misplaced.stderr).unwrap();
    assert!(misplaced.status.code() == Some(2) && said.contains("--dir is for a function on this machine"), "{said}");
    assert_eq!(place.command(&["manage", "check"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn commands_run_in_a_local_function_too() {
    let place = Place::app();
    let local = |arguments: &[&str]| {
        let output = place.command(&[&["exec", "--local"], arguments].concat()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let (code, shown, said) = local(&["--", "callable(app)"]);
    assert_eq!((code, shown.as_str()), (0, "True\n"), "{said}");
    assert_eq!(local(&["--app", "app:app", "--env", "KEY=value", "import os; os.environ['KEY']"]).1, "'value'\n");
    let (code, shown, _) = local(&["--timeout", "2", "import time; print('begun'); time.sleep(60)"]);
    assert!(code == 124 && shown.starts_with("begun\n"), "{shown}");
    place.write("app.py", "raise ValueError('at import')");
    let (code, _, said) = local(&["--app", "app:app", "1"]);
    assert!(code == 1 && said.contains("ValueError: at import"), "{said}");
}

/// The status of a POST with these headers alone.
fn status(port: u16, path: &str, headers: &[(&str, &str)]) -> String {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let mut request = format!("POST {path} HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    connection.write_all(format!("{request}\r\n{{}}").as_bytes()).unwrap();
    let mut reply = String::new();
    connection.read_to_string(&mut reply).unwrap();
    reply.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn other_pages_invoke_nothing() {
    const FUNCTION: &str = "/2015-03-31/functions/shop/invocations";
    const SIGNED: (&str, &str) = ("Authorization", "AWS4-HMAC-SHA256 Credential=x");
    let served = served();
    let port = inspector(&served);
    let host = format!("127.0.0.1:{port}");
    let host = ("Host", host.as_str());
    assert_eq!(status(port, FUNCTION, &[host, SIGNED]), "200");
    for (path, headers) in [
        (FUNCTION, &[host][..]),
        (FUNCTION, &[host, ("Authorization", "Basic eDp4")]),
        (FUNCTION, &[host, ("Content-Type", "text/plain"), ("Origin", "http://evil.test")]),
        (FUNCTION, &[("Host", "evil.test"), SIGNED]),
        ("/_events", &[host]),
        ("/_events", &[host, SIGNED]),
    ] {
        assert_eq!(status(port, path, headers), "403", "{path} {headers:?}");
    }
}
