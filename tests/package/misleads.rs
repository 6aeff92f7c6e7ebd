//! What a newcomer meets: the command says what it does, and never says *done* over something empty.

use std::fs;

use super::{APP, Place, Said, fixtures, support};

/// An application that imports Flask, with the files of its project.
fn shop(files: &[(&str, &str)]) -> Place {
    let place = Place::new("");
    fs::remove_file(place.path("app/requirements.txt")).unwrap();
    place.write("app/app.py", &format!("import flask\n{APP}"));
    for (name, text) in files {
        place.write(name, text);
    }
    place
}

#[test]
fn requirements_that_are_elsewhere_make_no_empty_package() {
    let setup = "from setuptools import setup\nsetup(install_requires=['flask'])\n";
    for (file, text, way) in [
        ("app/requirements/prod.txt", "flask\n", "--requirements app/requirements/prod.txt"),
        ("app/requirements/base.txt", "flask\n", "--requirements app/requirements/base.txt"),
        ("app/requirements-prod.txt", "flask\n", "--requirements app/requirements-prod.txt"),
        ("app/Pipfile", "[packages]\nflask = '*'\n", "app/Pipfile: export it (`pipenv lock"),
        ("app/Pipfile.lock", "{}", "app/Pipfile.lock: export it (`pipenv requirements"),
        ("app/poetry.lock", "", "poetry export"),
        ("app/setup.py", setup, "app/setup.py: export it"),
        ("app/setup.cfg", "[options]\ninstall_requires =\n  flask\n", "app/setup.cfg: export it"),
        ("app/environment.yml", "dependencies:\n- flask\n", "app/environment.yml: write the names"),
        ("app/pyproject.toml", "[project]\nname = 'x'\n", "app/pyproject.toml lists no [project] dependencies"),
        ("app/pyproject.toml", "[tool.black]\nline-length = 100\n", "lists no [project] dependencies"),
        ("app/pyproject.toml", "[project]\nname = 'x'\ndependencies = []\n", "lists no [project] dependencies"),
        ("app/requirements.txt", "# see prod.txt\n", "requirements.txt names none"),
        ("requirements.txt", "flask\n", "--requirements app/../requirements.txt"),
    ] {
        let place = shop(&[(file, text)]);
        place
            .run(&["app"])
            .fails(2, &["required: nothing", way, "imports what nothing brings: flask (app.py)", "--no-requirements"]);
        assert!(!place.path("dist").exists(), "{file}");
        let said = place.run(&["app", "--no-requirements"]).fine();
        assert!(said.stdout.contains("nothing, as --no-requirements says"), "{}", said.stdout);
        assert!(place.unzipped("dist/app.zip").contains_key("app.py"));
    }
}

#[test]
fn an_application_that_needs_nothing_can_say_so() {
    let place = shop(&[("app/app.py", APP)]);
    place
        .run(&["app"])
        .fails(2, &["required: nothing. Looked for requirements.txt, uv.lock and pyproject.toml in app"]);
    place.run(&["app", "--no-requirements"]).fine();
    // A file that says "nothing", as in examples/plain, is its author's word.
    place.write("app/requirements.txt", "# Nothing: the standard library is enough.\n");
    let said = place.run(&["app"]).fine();
    assert!(said.stdout.contains("nothing, as requirements.txt says"), "{}", said.stdout);
    place.write("app/requirements/prod.txt", "flask\n");
    place.run(&["app"]).fails(2, &["requirements.txt names none", "--requirements app/requirements/prod.txt"]);
    let example = support::root().join("examples/plain");
    place.run(&[example.to_str().unwrap()]).fine();
}

#[test]
fn the_named_file_is_installed_and_stays_out() {
    let place = Place::offline("one\n");
    fixtures::wheel(&place.path("wheels"), "one", "py3-none-any", &[]);
    fs::create_dir(place.path("app/lists")).unwrap();
    fs::rename(place.path("app/requirements.txt"), place.path("app/lists/prod.txt")).unwrap();
    place.run(&["app"]).fails(2, &["required: nothing"]);
    place.run(&["app", "--requirements", "app/lists/prod.txt"]).fine();
    let files = place.unzipped("dist/app.zip");
    assert!(files.contains_key("one/__init__.py") && !files.contains_key("lists/prod.txt"), "{:?}", files.keys());
    place.run(&["app", "-r", "app/lists"]).fails(2, &["--requirements app/lists: this is a folder"]);
    place.run(&["app", "-r", "app/none.txt"]).fails(2, &["--requirements app/none.txt: there is no such file"]);
    place.write("app/Pipfile.lock", "{}");
    place.run(&["app", "-r", "app/Pipfile.lock"]).fails(2, &["pipenv requirements > requirements.txt"]);
}

#[test]
fn the_layers_python_is_the_default_and_a_template_is_better() {
    let place = Place::new("");
    let run = |arguments: &[&str]| {
        let mut command = place.bare(&[&["app", "--no-compile"], arguments].concat());
        Said::of(&command.env_remove("PYTHON").output().unwrap()).fine().stdout
    };
    let said = run(&[]);
    assert!(said.contains("for Python 3.13 on") && said.contains("3.13  the layer's by default; --python"), "{said}");
    place.write("template.yaml", "Resources:\n  App:\n    Properties:\n      Runtime: python3.12\n");
    let said = run(&[]);
    assert!(said.contains("for Python 3.12 on") && said.contains("3.12  template.yaml says so"), "{said}");
    assert!(run(&["--python", "3.14"]).contains("for Python 3.14 on"));
    assert!(run(&["--json"]).contains("\"python_because\":\"template.yaml says so"));
}

#[test]
fn a_wrong_folder_is_answered_with_the_right_call() {
    let place = Place::new("");
    place.run(&["app/app.py"]).fails(2, &["app/app.py is a file", "wsgi-lambda package app --handler app.app"]);
    place.run(&["app:app"]).fails(2, &["no application folder app:app", "wsgi-lambda package . --handler app:app"]);
}

#[test]
fn every_step_has_a_line_and_quiet_has_none() {
    let place = Place::offline("one\ntwo\n");
    for name in ["one", "two"] {
        fixtures::wheel(&place.path("wheels"), name, "py3-none-any", &[]);
    }
    let said = place.run(&["app", "--json"]).fine();
    let mut rest = said.stderr.as_str();
    let reason = "resolving requirements.txt with pip, as --installer says\n";
    for step in [reason, "installing 2 of 2\n", "checking\n", "compiling\n", "writing "] {
        let Some((_, after)) = rest.split_once(step) else { panic!("no {step:?} in order in:\n{}", said.stderr) };
        rest = after;
    }
    assert!(said.stdout.contains("\"installer_because\":\"as --installer says\""), "{}", said.stdout);
    assert_eq!(said.stderr.matches("installing 2 of 2").count(), 1, "{}", said.stderr);
    let said = place.run(&["app", "--quiet"]).fine();
    assert_eq!(said.stderr, "");
}

#[test]
fn why_it_is_pip_or_uv_is_said() {
    let place = Place::offline("one\n");
    fixtures::wheel(&place.path("wheels"), "one", "py3-none-any", &[]);
    let mut command = place.command(&["app"]);
    // A program that is not uv: the first on the PATH counts.
    place.write("bin/uv", "#!/bin/sh\nexit 1\n");
    fs::set_permissions(place.path("bin/uv"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    #[allow(clippy::disallowed_methods, reason = "a setting of the tests, not of the program")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([place.path("bin")].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let said = Said::of(&command.env("PATH", path).output().unwrap()).fine();
    assert!(said.stderr.contains("with pip, as uv, which is faster, is not on the PATH\n"), "{}", said.stderr);
    assert!(said.stdout.contains("1 package, requirements.txt, by pip, as uv"), "{}", said.stdout);
}

#[test]
fn what_our_own_commands_wrote_stays_out() {
    let place = Place::new("");
    let response = r#"{"statusCode": 200, "headers": {}, "body": "ok"}"#;
    for (name, text) in [
        ("app/answers/get.json", response),
        ("app/what/deep/post.json", r#"{"streamed": {"prelude": {}, "body": "", "complete": true}}"#),
        ("app/events/get.json", r#"{"requestContext": {}, "rawPath": "/"}"#),
        (
            "app/init-profile.svg",
            "<svg><text>Cold start of app:app</text><text>1 s, time from left to right</text></svg>",
        ),
        ("app/logo.svg", "<svg/>"),
        ("app/dist/app.zip", "an earlier one"),
        ("app/wsgi-lambda-python3.13-x86_64.zip", "the layer"),
    ] {
        place.write(name, text);
    }
    let said = place.run(&["app", "--verbose", "--no-compile"]).fine();
    assert!(said.stderr.contains("answers (stored by `replay --expect`)"), "{}", said.stderr);
    let files: Vec<_> = place.unzipped("dist/app.zip").into_keys().collect();
    assert_eq!(files, ["app.py", "events/get.json", "logo.svg"]);
    place.run(&["app", "--no-compile", "--keep", "answers"]).fine();
    assert!(place.unzipped("dist/app.zip").contains_key("answers/get.json"), "the user's word counts");
}

#[test]
fn keys_and_databases_are_named_and_certificates_of_packages_are_not() {
    let place = Place::offline("certifi\n");
    let certificate = b"-----BEGIN CERTIFICATE-----\n";
    fixtures::wheel(&place.path("wheels"), "certifi", "py3-none-any", &[("certifi/cacert.pem", certificate)]);
    let key = "-----BEGIN RSA PRIVATE KEY-----\n";
    for (name, text) in [
        ("app/keys/server.pem", key),
        ("app/keys/id_rsa", key),
        ("app/credentials.json", "{}"),
        ("app/db.sqlite3", "x"),
        ("app/data.db", "x"),
        ("app/meant.db", "x"),
        ("app/firebase.json", r#"{"type": "service_account", "private_key": "x"}"#),
        ("app/.env-prod", "x"),
    ] {
        place.write(name, text);
    }
    let said = place.run(&["app", "--json", "--keep", "/meant.db"]).fine();
    for text in [
        "warning: keys/server.pem is packed, and looks like a private key: --exclude '/keys/server.pem' leaves it out",
        "warning: keys/id_rsa is packed, and looks like a private key",
        "warning: credentials.json is packed, and looks like credentials",
        "warning: db.sqlite3 is packed, and looks like a database",
        "warning: data.db is packed, and looks like a database",
        "warning: firebase.json is packed, and looks like the key of a service account",
        "warning: .env-prod is left out",
    ] {
        assert!(said.stderr.contains(text), "no {text:?} in:\n{}", said.stderr);
    }
    assert!(!said.stderr.contains("cacert.pem") && !said.stderr.contains("meant.db"), "{}", said.stderr);
    let json: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let list = "credentials.json\ndata.db\ndb.sqlite3\nfirebase.json\nkeys/id_rsa\nkeys/server.pem";
    assert_eq!(json["looks_secret"], list);
    assert!(json["warnings"].as_str().unwrap().contains("db.sqlite3 is packed"), "{json}");
    place.run(&["app", "--exclude", "/db.sqlite3"]).fine();
    assert!(!place.unzipped("dist/app.zip").contains_key("db.sqlite3"));
}

#[test]
fn advice_fits_the_failure_and_no_path_is_told_twice() {
    let place = Place::offline("no-such-package==1\n");
    let said = place.run(&["app"]);
    assert!(!said.stderr.contains("psycopg2") && !said.stderr.contains("pip wheel"), "{}", said.stderr);
    said.fails(1, &["no such package where pip looks", "another spelling of the name"]);
    place.write("app/requirements.txt", "-e .\n");
    place.run(&["app"]).fails(1, &["has the line `-e .`", "packed anyway"]);
    place.write("app/requirements.txt", "");
    let said = place.run(&["app", "--output", "/proc/x.zip"]);
    assert_eq!(said.stderr.matches("/proc/").count(), 2, "in the step and in the error: {}", said.stderr);
    said.fails(1, &["cannot write /proc/x.zip"]);
}

#[test]
fn a_module_with_a_requirements_name_is_told_once() {
    let place = Place::offline("one\n");
    fixtures::wheel(&place.path("wheels"), "one", "py3-none-any", &[("one/more.py", b"")]);
    place.write("app/one/__init__.py", "");
    let said = place.run(&["app"]).fine();
    let warnings: Vec<_> = said.stderr.lines().filter(|line| line.contains("warning:")).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("one/__init__.py is yours") && warnings[0].contains("mixed"), "{warnings:?}");
}

#[test]
fn an_empty_folder_makes_no_package() {
    let place = Place::new("#\n");
    fs::remove_file(place.path("app/app.py")).unwrap();
    place.run(&["app"]).fails(2, &["nothing to package: app has no file that goes in"]);
    fs::remove_file(place.path("app/requirements.txt")).unwrap();
    place.run(&["app", "--no-requirements"]).fails(2, &["nothing to package: app"]);
    assert!(!place.path("dist").exists());
}

#[test]
fn a_handlers_module_has_to_compile() {
    let place = Place::new("");
    place.write("app/shop/__init__.py", "");
    place.write("app/shop/wsgi.py", APP);
    place.write("app/app.py", "def app(:\n");
    place.run(&["app", "--handler", "app.app"]).fails(1, &["this would not run on Lambda: app.py does not compile: "]);
    assert!(!place.path("dist").exists());
    let said = place.run(&["app", "--handler", "shop.wsgi:app"]).fine();
    assert!(said.stderr.contains("warning: app.py does not compile"), "{}", said.stderr);
    place.write("app/shop/__init__.py", "import\n");
    place.run(&["app", "--handler", "shop.wsgi:app"]).fails(1, &["shop/__init__.py does not compile"]);
}

#[test]
fn a_handler_that_cannot_be_right_is_answered_with_what_is_there() {
    let place = Place::new("");
    place.run(&["app", "--handler", "app.py"]).fails(2, &["names a file", "write app.app or app:app\n"]);
    let said = place.run(&["app", "--handler", "app.nope"]).fine();
    assert!(said.stderr.contains("warning: app.py has no nope, and has app: correct --handler"), "{}", said.stderr);
    place.write("app/app.py", &format!("{APP}globals()['n' + 'ope'] = nope = app\n"));
    let said = place.run(&["app", "--handler", "app.nope"]).fine();
    assert!(!said.stderr.contains("nope"), "{}", said.stderr);
    place.write("app/app.py", &APP.replace("def app(", "def py("));
    place.run(&["app", "--handler", "app.py"]).fine();
}
