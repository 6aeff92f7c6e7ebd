//! `wsgi-lambda doctor` from outside: planted mistakes are found where they stand, repaired ones are not, and what comes
//! with this repository is clean.
//!
//! `tests/doctor/<check>/` has a template with the mistake, whose line ends in `# here: <check>`, and the repaired one.
#![cfg(feature = "cli")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

#[path = "doctor/applications.rs"]
mod applications;
#[path = "doctor/packages.rs"]
mod packages;
#[path = "doctor/projects.rs"]
mod projects;
#[path = "doctor/starts.rs"]
mod starts;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use insta::assert_snapshot;
use serde_json::Value;
use support::root;

fn doctor(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wsgi-lambda"));
    command.env_remove("VIRTUAL_ENV").env_remove("CLICOLOR_FORCE").env("WSGI_LAMBDA_BOOTSTRAP", support::bootstrap());
    // What a shell happens to have must not reach the application.
    command.env("SECRET_FROM_THE_SHELL", "1").current_dir(root());
    command.arg("doctor").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The findings of a run, whose exit status must fit.
fn findings(arguments: &[&str]) -> Vec<Value> {
    let output = doctor(&[&["--json"], arguments].concat());
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", text(&output.stdout), text(&output.stderr)));
    let errors = document["errors"].as_u64().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(errors > 0)), "{document:#}");
    let found = document["findings"].as_array().unwrap().clone();
    if arguments.contains(&"--no-run") { without_notes_of_no_run(found, &document) } else { found }
}

/// Every function that is not started is told of, and nothing but that is left out here.
fn without_notes_of_no_run(found: Vec<Value>, document: &Value) -> Vec<Value> {
    let is_note = |finding: &Value| {
        finding["id"] == "handler-unchecked" && finding["what"].as_str().unwrap().contains("--no-run was given")
    };
    let notes = found.iter().filter(|finding| is_note(finding)).count() as u64;
    assert_eq!(document["functions"].as_u64().unwrap(), notes, "{document:#}");
    found.into_iter().filter(|finding| !is_note(finding)).collect()
}

/// Findings as `id`.
fn ids(findings: &[Value]) -> Vec<&str> {
    findings.iter().map(|finding| finding["id"].as_str().unwrap()).collect()
}

fn fixtures() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(root().join("tests/doctor")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> =
        folders.filter(|path| path.is_dir() && !path.ends_with("app") && !path.ends_with("clean")).collect();
    folders.sort();
    assert!(folders.len() > 40, "{}", folders.len());
    folders
}

/// Mistake and repair of a fixture, as arguments and the file that has the marks.
fn sides(folder: &Path) -> [(Vec<String>, PathBuf); 2] {
    let relative = folder.strip_prefix(root()).unwrap();
    ["template.yaml", "repaired.yaml"].map(|name| {
        if folder.join(name).exists() {
            let path = relative.join(name);
            (vec!["--template".to_owned(), path.display().to_string()], path)
        } else {
            let path = relative.join(if name == "template.yaml" { "wrong" } else { "repaired" });
            (vec!["--terraform".to_owned(), path.display().to_string()], path.join("main.tf"))
        }
    })
}

/// `file:line id` of each finding.
fn places(arguments: &[String]) -> BTreeSet<String> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--no-run"]).collect();
    let place = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().unwrap().to_owned();
        assert!(!text("fix").is_empty() && !text("why").is_empty() && !text("resource").is_empty(), "{finding:#}");
        format!("{}:{} {}", text("file"), finding["line"], text("id"))
    };
    findings(&arguments).iter().map(place).collect()
}

#[test]
fn each_planted_mistake_is_found_where_it_stands() {
    for folder in fixtures() {
        let [(arguments, file), _] = sides(&folder);
        let source = std::fs::read_to_string(root().join(&file)).unwrap();
        let marks =
            source.lines().enumerate().filter_map(|(index, line)| Some((index + 1, line.split_once("# here: ")?.1)));
        let expected: BTreeSet<_> = marks.map(|(line, id)| format!("{}:{line} {id}", file.display())).collect();
        assert!(!expected.is_empty(), "{}", file.display());
        assert_eq!(places(&arguments), expected, "{}", file.display());
    }
}

#[test]
fn what_is_repaired_is_clean() {
    for folder in fixtures() {
        let [_, (arguments, file)] = sides(&folder);
        assert_eq!(places(&arguments), BTreeSet::new(), "{}", file.display());
    }
}

#[test]
fn what_only_looks_like_a_mistake_is_clean() {
    for entry in std::fs::read_dir(root().join("tests/doctor/clean")).unwrap() {
        let path = entry.unwrap().path();
        let option = if path.is_dir() { "--terraform" } else { "--template" };
        let arguments = [option.to_owned(), path.display().to_string()];
        assert_eq!(places(&arguments), BTreeSet::new(), "{}", path.display());
    }
}

#[test]
fn an_api_without_functions_beside_it_is_somebody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let api = folder.path().join("api.yaml");
    std::fs::write(&api, "Resources: {Api: {Type: \"AWS::ApiGateway::RestApi\", Properties: {Name: api}}}\n").unwrap();
    let ours = "tests/doctor/clean/conditions.yaml".to_owned();
    let arguments = ["--template".to_owned(), ours, "--template".to_owned(), api.display().to_string()];
    assert_eq!(places(&arguments), BTreeSet::new());
}

/// Checks that take more than a template are in the other files.
#[test]
fn every_check_has_a_mistake_planted_for_it() {
    let mut planted: BTreeSet<String> = BTreeSet::new();
    for folder in fixtures() {
        let [(_, file), _] = sides(&folder);
        let source = std::fs::read_to_string(root().join(file)).unwrap();
        planted.extend(source.lines().filter_map(|line| Some(line.split_once("# here: ")?.1.to_owned())));
    }
    let sources = ["applications.rs", "packages.rs", "projects.rs", "starts.rs"]
        .map(|name| std::fs::read_to_string(root().join("tests/doctor").join(name)).unwrap());
    let list = doctor(&["--list"]).stdout;
    let listed = text(&list).lines().filter(|line| !line.starts_with(' ') && !line.is_empty());
    for id in listed.map(|line| line.split_whitespace().next().unwrap()) {
        let in_code = sources.iter().any(|source| source.contains(&format!("\"{id}\"")));
        assert!(planted.contains(id) || in_code, "{id}");
    }
}

#[test]
fn this_repository_is_clean() {
    let venv = root().join(".cache/venv");
    let venv = venv.to_str().unwrap();
    let check = |arguments: &[&str]| {
        let mut found = findings(&[&["--venv", venv], arguments].concat());
        // The Terraform module takes its function from who calls it.
        let is_of_module = |one: &Value| one["id"] == "handler-unchecked" && one["file"] == "terraform/main.tf";
        let notes = found.extract_if(.., |one| is_of_module(one)).count();
        assert_eq!((notes, found), (1, Vec::new()), "{arguments:?}");
    };
    check(&[]);
    check(&["--parameter", "Flavour=managed"]);
    check(&["--parameter", "Architecture=arm64"]);
}

#[test]
fn the_terraform_example_is_clean() {
    // Its package is made by hand, and is not there.
    let notes = findings(&["--terraform", "terraform/example", "--ignore", "handler-unchecked"]);
    assert_eq!(notes, Vec::<Value>::new());
}

#[test]
fn modules_that_terraform_has_installed_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let fixture = std::fs::read_to_string(root().join("tests/doctor/unknown-setting-terraform/wrong/main.tf")).unwrap();
    write("main.tf", "module \"shop\" {\n  source = \"example/shop/aws\"\n  role   = \"r\"\n}\n");
    write("modules/shop/main.tf", &fixture);
    let path = folder.path().to_str().unwrap();
    let output = doctor(&["--no-run", "--terraform", path]);
    assert!(text(&output.stderr).contains("terraform init"), "{}", text(&output.stderr));
    let manifest = "{\"Modules\": [{\"Key\": \"\", \"Dir\": \".\"}, {\"Key\": \"shop\", \"Dir\": \"modules/shop\"}]}";
    write(".terraform/modules/modules.json", manifest);
    let found = findings(&["--no-run", "--terraform", path]);
    assert_eq!(ids(&found), ["unknown-setting"]);
    assert_eq!(found[0]["resource"], "module.shop.aws_lambda_function.app");
}

#[test]
fn every_example_is_clean() {
    let venv = root().join(".cache/venv");
    for example in std::fs::read_dir(root().join("examples")).unwrap() {
        let path = example.unwrap().path();
        let arguments = [path.to_str().unwrap(), "--venv", venv.to_str().unwrap()];
        assert_eq!(findings(&arguments), Vec::<Value>::new(), "{}", path.display());
    }
}

#[test]
fn a_finding_says_what_why_and_the_fix() {
    let template = "tests/doctor/rest-binary-types/template.yaml";
    let output = doctor(&["--no-run", "--ignore", "handler-unchecked", "--template", template]);
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(text(&output.stdout), @r#"
    error rest-binary-types  tests/doctor/rest-binary-types/template.yaml:19  Api
      The REST API has no binary media types.
      Why: REST APIs decode base64 only for media types they know as binary, by the first type of the
           client's Accept header. Without */* images, fonts, downloads and compressed responses reach
           the client as base64 text, and uploads arrive damaged. Streamed responses are not affected.
      Fix: BinaryMediaTypes: ["*~1*"]

    tests/doctor/rest-binary-types/template.yaml (1 function): 1 error
    "#);
}

#[test]
fn broken_files_are_named_with_their_position() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).display().to_string()
    };
    let yaml = write("t.yaml", "Resources:\n  App: [1, 2\n  B: 3\n");
    let json = write("t.json", "{\n  \"Resources\": {]\n}\n");
    write("main.tf", "resource \"a\" \"b\" {\n  x = \n}\n");
    for (arguments, expected) in [
        (["--template", &yaml], "t.yaml:3:4: not YAML: "),
        (["--template", &json], "t.json:2:17: not YAML: "),
        (["--terraform", folder.path().to_str().unwrap()], "main.tf:2:7: not HCL: "),
    ] {
        let output = doctor(&arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
}

#[test]
fn wrong_usage_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = folder.path().join("bucket.yaml");
    std::fs::write(&bucket, "Resources: {Bucket: {Type: \"AWS::S3::Bucket\"}}\n").unwrap();
    for (arguments, expected) in [
        (vec!["--ignore", "timeout-defualt"], "a similar value exists: 'timeout-default'"),
        (vec!["no-such-folder"], "correct APP_DIR"),
        (vec![folder.path().to_str().unwrap()], "name one with --template, --terraform or --app"),
        (vec!["--template", bucket.to_str().unwrap()], "no function on wsgi-lambda"),
        (vec!["--template", "Cargo.toml"], "not YAML"),
    ] {
        let output = doctor(&arguments);
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{arguments:?}: {}", text(&output.stderr));
    }
}

/// A file in the place of a folder, or of a name: what to write instead.
#[test]
fn what_names_a_file_is_told_the_option_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let app = "from flask import Flask\n\napp = Flask(__name__)\n";
    std::fs::create_dir(folder.path().join("rest")).unwrap();
    for (name, text) in [
        ("template.yaml", "Parameters: {T: {Type: Number, Default: 29}}\nResources: {}\n"),
        ("serverless.yml", "service: shop\n"),
        ("serverless.ts", "const x = {\n"),
        ("app.py", app),
        ("rest/wsgi.py", app),
        ("main.tf", ""),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let here = folder.path().display().to_string();
    let at = |name: &str| format!("{here}/{name}");
    for (arguments, expected) in [
        (vec![at("template.yaml")], format!("--template {here}/template.yaml")),
        (vec![at("serverless.yml")], "sls package".to_owned()),
        (vec![at("app.py")], format!("{here} --app app:app")),
        (vec![at("main.tf")], format!("--terraform {here}")),
        (vec!["--terraform".to_owned(), at("main.tf")], format!("--terraform {here}")),
        (vec!["--template".to_owned(), at("serverless.yml")], "sls package".to_owned()),
        (vec!["--template".to_owned(), at("serverless.ts")], "sls package".to_owned()),
        (vec![here.clone(), "--app".to_owned(), "app.py".to_owned()], "write --app app:app".to_owned()),
        (vec![here.clone(), "--app".to_owned(), "rest/wsgi.py".to_owned()], "write --app rest.wsgi:app".to_owned()),
        (
            vec!["--template".to_owned(), at("template.yaml"), "--parameter".to_owned(), "Tt=10".to_owned()],
            "no parameter Tt; did you mean T?".to_owned(),
        ),
        (
            vec!["--template".to_owned(), at("template.yaml"), "--parameter".to_owned(), "Stage=10".to_owned()],
            "no parameter Stage; there are T".to_owned(),
        ),
        (
            vec![here.clone(), "--app".to_owned(), "app:app".to_owned(), "--parameter".to_owned(), "T=10".to_owned()],
            "there are no parameters".to_owned(),
        ),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = doctor(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stdout));
        assert!(text(&output.stderr).contains(&expected), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn variables_of_terraform_are_parameters() {
    let fixture = "tests/doctor/timeout-limit-terraform/repaired";
    let folder = tempfile::tempdir().unwrap();
    let source = std::fs::read_to_string(root().join(fixture).join("main.tf")).unwrap();
    std::fs::write(folder.path().join("main.tf"), format!("variable \"stage\" {{}}\n{source}")).unwrap();
    let arguments = ["--no-run", "--terraform", folder.path().to_str().unwrap(), "--parameter"];
    assert!(doctor(&[&arguments[..], &["stage=x"]].concat()).status.success());
    let output = doctor(&[&arguments[..], &["stag=x"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("did you mean stage?"), "{}", text(&output.stderr));
}

#[test]
fn what_is_ignored_is_not_said_and_does_not_fail() {
    let arguments =
        ["--no-run", "--template", "tests/doctor/rest-binary-types/template.yaml", "--ignore", "rest-binary-types"];
    assert_eq!(findings(&arguments), Vec::<Value>::new());
}

#[test]
fn several_checks_are_left_out_with_commas() {
    let template = "tests/doctor/rest-binary-types/template.yaml";
    let output = doctor(&["--no-run", "--template", template, "--ignore", "rest-binary-types,handler-unchecked"]);
    assert!(output.status.success() && !text(&output.stdout).contains("Fix:"), "{}", text(&output.stdout));
}

#[test]
fn json_templates_are_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.json");
    let app = root().join("tests/doctor/app");
    let template = format!(
        "{{\n\t\"Resources\": {{\n\t\t\"App\": {{\n\t\t\t\"Type\": \"AWS::Lambda::Function\",\n\t\t\t\"Properties\": {{\n\
         \t\t\t\t\"Runtime\": \"provided.al2\",\n\t\t\t\t\"Handler\": \"app.app\",\n\t\t\t\t\"Timeout\": 29,\n\
         \t\t\t\t\"Code\": \"{}\",\n\t\t\t\t\"Layers\": [{{\"Fn::Sub\": \"arn:aws:lambda:${{AWS::Region}}:1:layer:wsgi-lambda:1\"}}]\n\
         \t\t\t}}\n\t\t}}\n\t}}\n}}\n",
        app.display()
    );
    std::fs::write(&path, template).unwrap();
    // Found by itself, in the folder.
    let found = findings(&["--no-run", folder.path().to_str().unwrap()]);
    assert_eq!((ids(&found), found[0]["line"].as_u64()), (vec!["runtime-too-old"], Some(6)));
}
