//! Wrong calls as newcomers make them: the first answer names the right one.

use serde_json::json;

use super::{APP, Place, get};

/// The last line of a refusal.
fn refused(place: &Place, arguments: &[&str]) -> String {
    let seen = place.replay(arguments);
    assert_eq!((seen.status(), seen.stdout()), (2, ""), "{}", seen.all());
    seen.stderr().to_owned()
}

#[test]
fn a_file_is_not_an_application() {
    let place = Place::new();
    place.write("app.py", APP);
    place.write("src/other.py", "def create_app(config=None):\n    return None\n");
    place.write("shop/__init__.py", "");
    place.write("shop/wsgi.py", "application = object()\n");
    for (given, suggested) in [
        ("app.py", "write --app app:app\n"),
        ("app", "write --app app:app\n"),
        ("./app.py", "write --app app:app\n"),
        ("none.py", "there is none in .: write --app app:app\n"),
        ("src/other.py", "write --app 'other:create_app()' --dir src\n"),
        ("shop/", "write --app shop.wsgi:application\n"),
        ("shop/wsgi.py", "write --app shop.wsgi:application\n"),
        ("src/other:create_app", "write --app 'src/other:create_app()'\n"),
        ("src/other.create_app", "write --app 'src/other:create_app()'\n"),
    ] {
        let said = refused(&place, &["--app", given]);
        assert!(said.ends_with(suggested), "{given}: {said}");
    }
    // Lambda reads `odd.py` as the name `py` in the module `odd`, and here there is one.
    place.write("odd.py", &APP.replace("def app(", "def py("));
    place.write("e.json", &get("/").to_string());
    assert_eq!(place.replay(&["e.json", "--app", "odd.py"]).status(), 0);
}

#[test]
fn an_application_is_not_an_event() {
    let place = Place::new();
    place.write("src/app.py", APP);
    for (arguments, suggested) in [
        (&["tapp:app"][..], "write --app tapp:app"),
        (&["tapp.app"], "write --app tapp.app"),
        (&["site.wsgi:make()"], "write --app 'site.wsgi:make()'"),
        (&["tapp.py"], "write --app tapp:app"),
        (&["src", "--app", "app:app"], "write --app app:app --dir src"),
        (&["--app", "app:app", "--dir", "src/app.py"], "write --dir src --app app:app"),
    ] {
        let said = refused(&place, arguments);
        assert!(said.trim_end().ends_with(suggested), "{arguments:?}: {said}");
    }
}

#[test]
fn the_right_name_and_folder_are_named_after_the_import() {
    let place = Place::new();
    place.write("src/app.py", APP);
    place.write("e.json", &get("/").to_string());
    let wrong_name = place.replay(&["e.json", "--app", "tapp:application"]);
    assert_eq!(wrong_name.status(), 1);
    assert!(wrong_name.stderr().contains("hint: tapp.py has another name"), "{}", wrong_name.stderr());
    assert!(wrong_name.stderr().ends_with("--app tapp:app\n"), "{}", wrong_name.stderr());
    let wrong_folder = place.replay(&["e.json", "--app", "app:app"]);
    assert!(wrong_folder.stderr().ends_with("--app app:app --dir src\n"), "{}", wrong_folder.stderr());
}

#[test]
fn a_forgotten_virtual_environment_is_named() {
    let place = Place::new();
    place.write("needs.py", "import package_of_a_test\n");
    place.write("e.json", &get("/").to_string());
    let without = place.replay(&["e.json", "--app", "needs:app"]);
    assert!(without.stderr().contains("if package_of_a_test is in a virtual environment"), "{}", without.stderr());
    place.write(".venv/pyvenv.cfg", "");
    place.write(".venv/lib/python3.11/site-packages/package_of_a_test/__init__.py", "");
    let with = place.replay(&["e.json", "--app", "needs:app"]);
    assert_eq!(with.status(), 1);
    assert!(
        with.stderr().ends_with("virtual environment .venv, and none is in use: add --venv .venv\n"),
        "{}",
        with.stderr()
    );
    let said = refused(&place, &["e.json", "--app", "needs:app", "--venv", "."]);
    assert!(said.contains("no pyvenv.cfg"), "{said}");
}

#[test]
fn a_server_in_the_module_is_named() {
    let place = Place::new();
    let server = "import wsgiref.simple_server\n\ndef app(environ, start_response):\n    return []\n\n\
                  wsgiref.simple_server.make_server('127.0.0.1', 0, app).serve_forever()\n";
    place.write("runs.py", server);
    place.write("e.json", &get("/").to_string());
    let options = ["e.json", "--app", "runs:app", "--timeout", "0.5", "--env", "WSGI_LAMBDA_INIT_STACKS_MS=300"];
    let seen = place.replay(&options);
    assert_eq!(seen.status(), 1);
    assert!(seen.stderr().contains("the application is not imported after 10 s; its log so far:"), "{}", seen.stderr());
    let hint = seen.stderr().lines().last().unwrap();
    assert!(hint.contains("runs.py, line 6, does not return: `wsgiref.simple_server.make_server"), "{hint}");
    assert!(hint.ends_with("Put it below `if __name__ == \"__main__\":`"), "{hint}");
}

#[test]
fn files_that_are_no_events_are_told_apart() {
    let place = Place::new();
    place.write("empty.json", "\n");
    place.write("lines.json", "{}\n{}\n");
    place.write("log.json", "2026-01-01 INFO {\"a\": 1}\n");
    place.write("big.json", &json!({ "body": "x".repeat(6 * 1024 * 1024) }).to_string());
    place.write("bom.json", &format!("\u{feff}{}", get("/")));
    for (file, reason) in [
        ("empty.json", "is empty"),
        ("lines.json", "wsgi-lambda replay - < FILE"),
        ("log.json", "begins at byte 17"),
        ("big.json", "Lambda takes events of at most 6 MB"),
    ] {
        let said = refused(&place, &[file]);
        assert!(said.contains(reason), "{file}: {said}");
    }
    assert_eq!(place.replay(&["bom.json", "--app", "tapp:app"]).status(), 0);
}

#[test]
fn an_event_in_a_log_entry_is_found() {
    let place = Place::new();
    place.write("wrapped.json", &json!({ "event": get("/") }).to_string());
    place.write("log.json", &json!({ "events": [{ "message": get("/").to_string() }] }).to_string());
    place.write("list.json", &json!([get("/")]).to_string());
    for (file, filter) in
        [("wrapped", "jq -c '.event'"), ("log", "jq -c '.events[].message | fromjson?'"), ("list", "jq -c '.[]'")]
    {
        let seen = place.replay(&[&format!("{file}.json"), "--app", "tapp:app"]);
        assert_eq!(seen.status(), 1);
        assert!(seen.stderr().contains(filter), "{}", seen.stderr());
    }
}

#[test]
fn a_missing_field_is_named() {
    let place = Place::new();
    let mut event = get("/");
    event.as_object_mut().unwrap().remove("requestContext");
    place.write("e.json", &event.to_string());
    let seen = place.replay(&["e.json", "--app", "tapp:app"]);
    assert_eq!(seen.status(), 1);
    let expected = "nearly a Function URL or HTTP API (payload 2.0) event, but `requestContext` is missing";
    assert!(seen.stdout().contains(expected), "{}", seen.stdout());
    let mut event = get("/");
    event.as_object_mut().unwrap().remove("rawPath");
    place.write("e.json", &event.to_string());
    let seen = place.replay(&["e.json", "--app", "tapp:app"]);
    assert!(seen.stderr().contains("hint: the event has no `rawPath`"), "{}", seen.stderr());
}

#[test]
fn the_demo_application_is_not_taken_for_ones_own() {
    let place = Place::new();
    place.write("e.json", &get("/").to_string());
    assert_eq!(place.replay(&["e.json"]).stderr(), "");
    place.write("app.py", APP);
    let note = "without --app the demo application answers, not yours; for yours add --app app:app\n";
    assert_eq!(place.replay(&["e.json"]).stderr(), note);
}

#[test]
fn folders_of_packages_hold_no_events() {
    let place = Place::new();
    place.write("e.json", &get("/").to_string());
    place.write("venv/pyvenv.cfg", "");
    place.write("venv/x.json", "{}");
    place.write("node_modules/x.json", "{}");
    place.write(".git/x.json", "{}");
    let seen = place.replay(&[".", "--app", "tapp:app", "--quiet"]);
    assert!(seen.stdout().starts_with("1 event: 1 answered; 1 × 200"), "{}", seen.all());
}

#[test]
fn a_layer_is_not_a_bootstrap() {
    let place = Place::new();
    place.write("layer/bootstrap", "x");
    place.write("layer.zip", "x");
    assert!(refused(&place, &["--bootstrap", "layer"]).ends_with("write --bootstrap layer/bootstrap\n"));
    assert!(refused(&place, &["--bootstrap", "layer.zip"]).contains("unzip -d layer layer.zip"));
    let seen = place.replay(&["--bootstrap", "layer/bootstrap"]);
    assert!(seen.stderr().contains("chmod +x"), "{}", seen.stderr());
}

#[test]
fn a_package_on_a_layer_uses_no_environment() {
    let place = Place::new();
    place.write("needs.py", "import package_of_a_test\n");
    place.write("e.json", &get("/").to_string());
    place.write(".venv/pyvenv.cfg", "home = /nowhere\n");
    place.write(".venv/lib/python3.11/site-packages/package_of_a_test/__init__.py", "");
    place.write("layer/lib/libpython3.99.so.1.0", "");
    std::fs::copy(super::support::bootstrap(), place.path().join("layer/bootstrap")).unwrap();
    let options = ["e.json", "--bootstrap", "layer/bootstrap"];
    let lacks = place.replay(&[&options[..], &["--app", "needs:app"]].concat());
    let hint = "package_of_a_test is not in .: add it to the requirements, and package again\n";
    assert!(lacks.stderr().ends_with(hint), "{}", lacks.stderr());
    let with = place.replay(&[&options[..], &["--app", "tapp:app", "--venv", ".venv"]].concat());
    assert!(with.stderr().contains(".venv are used too, which Lambda does not have"), "{}", with.stderr());
}

#[test]
fn a_zip_is_not_the_applications_folder() {
    let place = Place::new();
    place.write("x.zip", "x");
    let said = refused(&place, &["--app", "tapp:app", "--dir", "x.zip"]);
    assert!(said.contains("is a zip: unzip -d build x.zip") && said.ends_with("then write --dir build\n"), "{said}");
}

#[test]
fn a_module_in_a_package_is_not_the_application() {
    let place = Place::new();
    place.write("rest/__init__.py", "");
    place.write("rest/wsgi.py", "application = object()\n");
    place.write("e.json", &get("/").to_string());
    let seen = place.replay(&["e.json", "--app", "rest.wsgi"]);
    assert_eq!(seen.status(), 1);
    assert!(seen.stderr().ends_with("seems to be --app rest.wsgi:application\n"), "{}", seen.stderr());
}

#[test]
fn the_words_of_other_tools_are_understood() {
    let place = Place::new();
    place.write("e.json", &get("/").to_string());
    let seen = place.replay(&["--event", "e.json", "--handler", "tapp.app"]);
    assert_eq!(seen.status(), 0, "{}", seen.all());
    assert!(seen.stdout().contains("1 event: 1 answered"), "{}", seen.all());
}

#[test]
fn a_wrong_variable_has_no_hint_on_environments() {
    let place = Place::new();
    place.write("e.json", &get("/").to_string());
    place.write(".venv/pyvenv.cfg", "");
    let seen = place.replay(&["e.json", "--app", "tapp:app", "--env", "WSGI_LAMBDA_SHUTDOWN=maybe"]);
    assert_eq!(seen.status(), 1);
    assert!(seen.stdout().contains("WSGI_LAMBDA_SHUTDOWN") && !seen.stderr().contains("hint:"), "{}", seen.all());
}

#[test]
fn a_shutdown_without_callbacks_has_a_line() {
    let place = Place::new();
    place.write("quiet.py", APP.replace("print(", "(lambda *given, **named: None)(").as_str());
    place.write("e.json", &get("/").to_string());
    let seen = place.replay(&["e.json", "--app", "quiet:app", "--env", "WSGI_LAMBDA_SHUTDOWN=true"]);
    assert!(seen.stderr().contains("SIGTERM: exit status 0\n  it ended in order and logged nothing"), "{}", seen.all());
}

#[test]
fn an_output_that_cannot_be_written_is_told() {
    let place = Place::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = super::command();
    command.arg("replay").env("WSGI_LAMBDA_BOOTSTRAP", super::support::bootstrap()).stdout(full);
    let output = command.current_dir(place.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.ends_with("error: cannot write the output: No space left on device (os error 28)\n"), "{said}");
}
