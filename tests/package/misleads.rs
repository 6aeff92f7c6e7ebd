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
        place.run(&["app"]).fails(2, &["required: nothing", way, "imports what nothing brings: flask (app.py)", "--no-requirements"]);
        assert!(!place.path("dist").exists(), "{file}");
        let said = place.run(&["app", "--no-requirements"]).fine();
        assert!(said.stdout.contains("nothing, as --no-requirements says"), "{}", said.stdout);
        assert!(place.unzipped("dist/app.zip").contains_key("app.py"));
    }
}

#[test]
fn an_application_that_needs_nothing_can_say_so() {
    let place = shop(&[("app/app.py", APP)]);
    place.run(&["app"]).fails(2, &["required: nothing. Looked for requirements.txt, uv.lock and pyproject.toml in app"]);
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
