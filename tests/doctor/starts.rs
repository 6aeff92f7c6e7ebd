//! Applications that were not started, and processes that end by themselves: each says why, and blames whom it should.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{doctor, findings, ids, support, text};

const APP: &str = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'']\n";
const PROPERTIES: &str = "      Runtime: provided.al2023\n      CodeUri: src\n      Handler: app.app\n";

/// A folder with an application of this text, and a template with these properties.
fn place(properties: &str, app: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("src/app.py"), app).unwrap();
    template(folder.path(), properties);
    folder
}

fn template(folder: &Path, properties: &str) {
    let text = format!(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  App:\n    Type: AWS::Serverless::Function\n    Properties:\n\
         {properties}      Timeout: 29\n      Environment: {{Variables: {{WSGI_LAMBDA_ACCESS_LOG: 'true'}}}}\n"
    );
    let with_layer = if properties.contains("PackageType") {
        text
    } else {
        text + "      Layers: [\"arn:aws:lambda:eu-west-1:1:layer:wsgi-lambda:1\"]\n"
    };
    std::fs::write(folder.join("template.yaml"), with_layer).unwrap();
}

fn found(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    findings(&[&[folder.to_str().unwrap()], arguments].concat())
}

/// One note that the handler was not tried, with this in its text.
#[track_caller]
fn assert_untried(found: &[Value], reason: &str) {
    assert_eq!(ids(found), ["handler-unchecked"], "{found:#?}");
    assert_eq!(found[0]["severity"], "note");
    assert!(found[0]["what"].as_str().unwrap().contains(reason), "{found:#?}");
}

/// A program in the place of the runtime.
fn program(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("bootstrap-of-another-kind");
    std::fs::write(&path, bytes).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn an_application_that_was_not_tried_is_a_note() {
    let folder = place(PROPERTIES, APP);
    let output = doctor(&["--no-run", folder.path().to_str().unwrap()]);
    assert!(text(&output.stdout).contains("--no-run was given"), "{}", text(&output.stdout));
    assert!(text(&output.stdout).ends_with("(1 function): 1 note\n"), "{}", text(&output.stdout));
    for (properties, reason) in [
        (
            "      Runtime: provided.al2023\n      CodeUri: s3://bucket/key\n      Handler: app.app\n",
            "where the code is",
        ),
        ("      Runtime: provided.al2023\n      CodeUri: app.zip\n      Handler: app.app\n", "app.zip is not there"),
        ("      Runtime: provided.al2023\n      CodeUri: src\n      Handler: !ImportValue H\n", "knows the handler"),
        ("      PackageType: Image\n", "in a container image"),
    ] {
        template(folder.path(), properties);
        assert_untried(&found(folder.path(), &[]), reason);
    }
}

#[test]
fn an_application_that_a_variable_names_is_tried() {
    let folder = place("      Runtime: provided.al2023\n      CodeUri: src\n", "1 / 0\n");
    let path = folder.path().join("template.yaml");
    let text =
        std::fs::read_to_string(&path).unwrap().replace("WSGI_LAMBDA_ACCESS_LOG: 'true'", "WSGI_LAMBDA_APP: 'app:app'");
    std::fs::write(path, text).unwrap();
    assert_eq!(ids(&found(folder.path(), &[])), ["handler-import"]);
}

/// `app.run()` without the guard: the import never ends.
#[test]
fn a_line_that_starts_a_server_is_named() {
    let app = format!(
        "{APP}import wsgiref.simple_server as server\nserver.make_server('127.0.0.1', 0, app).serve_forever()\n"
    );
    let folder = place(PROPERTIES, &app);
    let found = found(&folder.path().join("src"), &["--app", "app:app"]);
    assert_eq!((ids(&found), &found[0]["severity"]), (vec!["handler-import"], &Value::from("error")), "{found:#?}");
    let (what, fix) = (found[0]["what"].as_str().unwrap(), found[0]["fix"].as_str().unwrap());
    assert!(what.contains("does not return") && what.contains("serve_forever()"), "{what}");
    assert!(fix.contains("__main__"), "{fix}");
}

#[test]
fn a_runtime_that_does_not_run_here_is_not_the_applications_fault() {
    let folder = place(PROPERTIES, &format!("{APP}1 / 0\n"));
    let bootstrap = std::fs::read(support::bootstrap()).unwrap();
    let mut other = bootstrap.clone();
    // e_machine: 62 is x86-64, 183 AArch64.
    other[18] = if other[18] == 62 { 183 } else { 62 };
    let mut without_library = bootstrap;
    let name = b"libpython3.";
    let at = without_library.windows(name.len()).position(|bytes| bytes == name).unwrap();
    without_library[at + name.len()..at + name.len() + 2].copy_from_slice(b"88");
    for (bytes, reason) in [
        (without_library.as_slice(), "libpython3.88.so"),
        (other.as_slice(), ", this machine is "),
        (b"no program", "for another architecture, or no program"),
        (b"#!/bin/sh\nexit 127\n", "exit status 127"),
        (b"#!/bin/sh\nexit 126\n", "exit status 126"),
        (b"#!/bin/sh\nkill -SEGV $$\n", "signal: segmentation fault"),
        (b"#!/no/such/loader\n", "the program loader that it names"),
    ] {
        let path = program(folder.path(), bytes);
        let found = found(folder.path(), &["--bootstrap", path.to_str().unwrap()]);
        assert_untried(&found, reason);
        assert!(found[0]["fix"].as_str().unwrap().contains("The application is not the reason"), "{found:#?}");
    }
}

#[test]
fn a_runtime_that_does_not_run_is_an_error_if_the_start_is_all_there_is() {
    let folder = place(PROPERTIES, APP);
    let path = program(folder.path(), b"#!/bin/sh\nexit 127\n");
    let src = folder.path().join("src");
    let found = found(&src, &["--app", "app:app", "--bootstrap", path.to_str().unwrap()]);
    assert_eq!((ids(&found), &found[0]["severity"]), (vec!["handler-unchecked"], &Value::from("error")), "{found:#?}");
    assert!(found[0]["what"].as_str().unwrap().contains("exit status 127"), "{found:#?}");
}

#[test]
fn a_runtime_that_is_not_there_is_an_error_if_the_start_is_all_there_is() {
    let folder = place(PROPERTIES, APP);
    let program = folder.path().join("wsgi-lambda");
    std::fs::copy(env!("CARGO_BIN_EXE_wsgi-lambda"), &program).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(&program);
        command.env_remove("WSGI_LAMBDA_BOOTSTRAP").env_remove("VIRTUAL_ENV").current_dir(folder.path());
        command.arg("doctor").args(arguments).output().unwrap()
    };
    let alone = run(&["src", "--app", "app:app"]);
    assert_eq!(alone.status.code(), Some(1), "{}", text(&alone.stdout));
    assert!(text(&alone.stdout).contains("error handler-unchecked"), "{}", text(&alone.stdout));
    // A template has more to check, and --no-run says that nothing is to be started.
    assert!(run(&[]).status.success() && run(&["src", "--app", "app:app", "--no-run"]).status.success());
}

#[test]
fn a_crash_names_the_signal_and_where_to_look() {
    let crash = "import os, signal\n\n\ndef f():\n    os.kill(os.getpid(), signal.SIGSEGV)\n\n\nf()\n";
    let folder = place(PROPERTIES, crash);
    let found = found(folder.path(), &[]);
    assert_eq!(ids(&found), ["import-crash"], "{found:#?}");
    let text = |key: &str| found[0][key].as_str().unwrap();
    assert!(text("what").contains("segmentation fault") && text("what").contains("line 5 in f"), "{found:#?}");
    assert!(text("why").contains("extension module") && text("why").contains("runtime itself"), "{found:#?}");
    assert!(text("fix").contains("wsgi-lambda replay"), "{found:#?}");
}

#[test]
fn a_process_that_is_killed_from_outside_is_a_warning() {
    let folder = place(PROPERTIES, "import os\nos.kill(os.getpid(), 9)\n");
    let found = found(folder.path(), &[]);
    assert_eq!((ids(&found), &found[0]["severity"]), (vec!["import-crash"], &Value::from("warning")));
    assert!(found[0]["fix"].as_str().unwrap().contains("memory"), "{found:#?}");
}

#[test]
fn equal_findings_have_one_explanation() {
    let function = |number| {
        format!(
            "  F{number}:\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: provided.al2023\n      \
             Handler: app.app\n      CodeUri: src\n      Layers: [\"arn:aws:lambda:eu-west-1:1:layer:wsgi-lambda:1\"]\n"
        )
    };
    let functions = (1..=7).map(function).collect::<Vec<_>>().concat();
    let folder = place(PROPERTIES, APP);
    std::fs::write(
        folder.path().join("template.yaml"),
        format!("Transform: AWS::Serverless-2016-10-31\nResources:\n{functions}"),
    )
    .unwrap();
    let output = doctor(&["--no-run", folder.path().to_str().unwrap()]);
    let shown = text(&output.stdout);
    let (defaults, _) = shown.split_once("note handler-unchecked").unwrap();
    assert!(defaults.contains("timeout-default  7 places"), "{shown}");
    let count = |part: &str| defaults.matches(part).count();
    assert_eq!(
        (count("No timeout is set"), count("Why: "), count("Fix: "), count("template.yaml:")),
        (1, 1, 1, 7),
        "{shown}"
    );
    for number in 1..=7 {
        assert!(defaults.contains(&format!("  F{number}\n")), "{shown}");
    }
    assert!(shown.ends_with("(7 functions): 7 warnings, 7 notes\n"), "{shown}");
}

#[test]
fn the_label_of_an_image_has_one_value() {
    let image =
        "      PackageType: Image\n      SnapStart: {ApplyOn: PublishedVersions}\n      AutoPublishAlias: live\n";
    let folder = place(image, APP);
    let path = folder.path().join("template.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, text + "    Metadata: {DockerContext: src, Dockerfile: Dockerfile}\n").unwrap();
    let with = |label: &str| {
        std::fs::write(folder.path().join("src/Dockerfile"), format!("FROM scratch\n{label}\n")).unwrap();
        found(folder.path(), &["--ignore", "handler-unchecked"])
    };
    let wrong = with("LABEL com.amazonaws.lambda.feature.snapstart=\"true\"");
    assert_eq!((ids(&wrong), wrong[0]["line"].as_u64()), (vec!["snapstart-label"], Some(2)));
    for right in [
        "LABEL com.amazonaws.lambda.feature.snapstart=\"Allow\"",
        "LABEL com.amazonaws.lambda.feature.snapstart=Allow",
        "",
    ] {
        assert_eq!(with(right), Vec::<Value>::new(), "{right}");
    }
}

#[test]
fn snapstart_of_an_image_needs_a_version_too() {
    let folder = place("      PackageType: Image\n      SnapStart: {ApplyOn: PublishedVersions}\n", APP);
    assert_eq!(ids(&found(folder.path(), &["--ignore", "handler-unchecked"])), ["snapstart-unpublished"]);
}
