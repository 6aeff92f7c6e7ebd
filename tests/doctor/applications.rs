//! Applications that are started: what they raise, and how Django is set.

use std::path::Path;

use serde_json::Value;

use super::{findings, ids, root};

/// A folder with a template and the files of an application.
struct Place(tempfile::TempDir);

impl Place {
    fn new(properties: &str, files: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let template = format!(
            "Transform: AWS::Serverless-2016-10-31\nResources:\n  App:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
             Runtime: provided.al2023\n      CodeUri: src\n      Timeout: 29\n      \
             Layers: [\"arn:aws:lambda:eu-west-1:1:layer:wsgi-lambda:1\"]\n{properties}"
        );
        place.write("template.yaml", &template);
        for (name, text) in files {
            place.write(&format!("src/{name}"), text);
        }
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

    fn findings(&self, arguments: &[&str]) -> Vec<Value> {
        findings(&[&[self.path().to_str().unwrap()], arguments].concat())
    }
}

const HANDLER: &str = "      Handler: app.app\n";
const APP: &str = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'']\n";

/// One finding, its severity, and what its text and fix have in them.
#[track_caller]
fn assert_one(found: &[Value], id: &str, severity: &str, what: &str, fix: &str) {
    assert_eq!(ids(found), [id], "{found:#?}");
    let text = |key: &str| found[0][key].as_str().unwrap();
    assert_eq!(text("severity"), severity, "{found:#?}");
    assert!(text("what").contains(what) && text("fix").contains(fix), "{found:#?}");
}

#[test]
fn a_handler_that_is_not_there_is_found_with_the_one_that_is() {
    let place = Place::new("      Handler: ap.app\n", &[("app.py", APP)]);
    let found = place.findings(&[]);
    assert_one(&found, "handler-import", "error", "No module named 'ap'", "Handler: app.app");
    assert_eq!(found[0]["line"], 10);
    let place = Place::new("      Handler: app.application\n", &[("app.py", APP)]);
    assert_one(&place.findings(&[]), "handler-import", "error", "missing on module 'app'", "Handler: app.app");
    assert_eq!(ids(&Place::new(HANDLER, &[("app.py", APP)]).findings(&[])), Vec::<&str>::new());
}

#[test]
fn without_a_start_the_files_tell_what_they_can() {
    let place = |handler: &str, text: &str| Place::new(&format!("      Handler: {handler}\n"), &[("app.py", text)]);
    let found = place("ap.app", APP).findings(&["--no-run"]);
    assert_one(&found, "handler-import", "error", "There is no module ap", "Handler: app.app");
    let found = place("app.application", APP).findings(&["--no-run"]);
    assert_one(&found, "handler-import", "error", "app.py does not mention application", "Handler: app.app");
    // A path is the same name to the runtime.
    let found = place("./ap:app", APP).findings(&["--no-run"]);
    assert_one(&found, "handler-import", "error", "There is no module ap in", "Handler: app.app");
    for (handler, text) in
        [("app.app", APP), ("./app:app", APP), ("app.other", "from x import *\n"), ("app.app.method", APP)]
    {
        assert_eq!(ids(&place(handler, text).findings(&["--no-run"])), Vec::<&str>::new(), "{handler}");
    }
    // The requirements are missing here, and the name is wrong all the same.
    let other = place("app.other", &format!("import not_on_this_machine\n{APP}"));
    other.write("src/requirements.txt", "not-on-this-machine\n");
    assert_eq!(ids(&other.findings(&[])), ["handler-import", "handler-unchecked"]);
}

#[test]
fn what_a_build_step_makes_is_not_guessed() {
    let place = Place::new("      Handler: made.app\n    Metadata: {BuildMethod: makefile}\n", &[("app.py", APP)]);
    assert_eq!(ids(&place.findings(&["--no-run"])), Vec::<&str>::new());
    assert_one(&place.findings(&[]), "handler-unchecked", "note", "build step", "sam build");
    // What it has made is started.
    place.write(".aws-sam/build/App/made.py", "1 / 0\n");
    assert_one(&place.findings(&[]), "handler-import", "error", "division by zero", "");
    place.write(".aws-sam/build/App/made.py", APP);
    assert_eq!(ids(&place.findings(&[])), Vec::<&str>::new());
}

#[test]
fn a_package_that_is_compiled_for_another_python_is_not_judged() {
    let place = Place::new("      Handler: made.app\n", &[]);
    place.write("src/made.pyc", &"x".repeat(32));
    assert_one(&place.findings(&[]), "handler-unchecked", "note", "another Python", "--bootstrap");
}

#[test]
fn what_an_import_raises_is_told() {
    let raises = |text: &str| Place::new(HANDLER, &[("app.py", &format!("{text}\n{APP}"))]).findings(&[]);
    assert_one(&raises("1 / 0"), "handler-import", "error", "ZeroDivisionError: division by zero", "traceback");
    assert_one(&raises("x ="), "handler-import", "error", "Syntax error in module 'app'", "");
    assert_one(&raises("import os; os._exit(3)"), "handler-import", "error", "exit status 3", "");
    assert_one(&raises("raise ConnectionError('no db')"), "handler-import", "warning", "no db", "connect lazily");
    assert_one(&raises("import app.nothing"), "handler-import", "error", "app.nothing", "");
}

#[test]
fn a_variable_that_the_function_lacks_is_named() {
    let app = format!("import os\nos.environ['TABLE']\n{APP}");
    let lacks = Place::new(HANDLER, &[("app.py", &app)]);
    assert_one(&lacks.findings(&[]), "handler-import", "error", "TABLE, which is not set", "Variables: {TABLE: ");
    let has =
        Place::new(&format!("{HANDLER}      Environment: {{Variables: {{TABLE: orders}}}}\n"), &[("app.py", &app)]);
    assert_eq!(ids(&has.findings(&[])), Vec::<&str>::new());
    // The shell's variables are not the function's.
    let shell = app.replace("TABLE", "SECRET_FROM_THE_SHELL");
    let shell = Place::new(HANDLER, &[("app.py", &shell)]);
    assert_one(&shell.findings(&[]), "handler-import", "error", "SECRET_FROM_THE_SHELL", "");
}

#[test]
fn a_variable_that_only_the_deployment_knows_can_be_given() {
    let properties = format!("{HANDLER}      Environment: {{Variables: {{URL: !GetAtt Database.Endpoint}}}}\n");
    let app = format!("import os\nassert os.environ['URL'] == 'x'\n{APP}");
    let place = Place::new(&properties, &[("app.py", &app)]);
    assert_one(&place.findings(&[]), "handler-import", "warning", "KeyError", "--env URL=");
    assert_eq!(ids(&place.findings(&["--env", "URL=x"])), Vec::<&str>::new());
}

#[test]
fn a_requirement_is_missing_from_the_list_or_only_from_here() {
    let app = format!("import not_on_this_machine\n{APP}");
    let place = Place::new(HANDLER, &[("app.py", &app)]);
    assert_one(&place.findings(&[]), "handler-import", "error", "not_on_this_machine", "requirements.txt");
    place.write("src/requirements.txt", "not-on-this-machine==1.0\n");
    assert_one(&place.findings(&[]), "handler-unchecked", "note", "not-on-this-machine", "--venv");
    // A layer that is not made here may have it.
    let properties = format!("{HANDLER}      AutoPublishAlias: live\n");
    let layered = Place::new(&properties, &[("app.py", &app)]);
    let template = std::fs::read_to_string(layered.path().join("template.yaml")).unwrap();
    layered.write("template.yaml", &template.replace(":1\"]", ":1\", \"arn:aws:lambda:eu-west-1:1:layer:deps:4\"]"));
    assert_one(&layered.findings(&[]), "handler-unchecked", "note", "a layer", "");
}

#[test]
fn what_a_managed_runtime_brings_along_is_not_missed() {
    // Not the real name: it may be installed here.
    let app = format!("import jmespath.no_such_module_of_it\n{APP}");
    let properties =
        format!("{HANDLER}      Environment: {{Variables: {{AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap}}}}\n");
    let place = Place::new(&properties, &[("app.py", &app)]);
    let template = std::fs::read_to_string(place.path().join("template.yaml")).unwrap();
    place.write("template.yaml", &template.replace("provided.al2023", "python3.13"));
    assert_one(&place.findings(&[]), "handler-unchecked", "note", "the managed runtime may have it", "");
}

#[test]
fn packages_of_a_layer_of_these_files_are_importable() {
    let place = Place::new(HANDLER, &[("app.py", &format!("import shared_code\n{APP}"))]);
    let template = std::fs::read_to_string(place.path().join("template.yaml")).unwrap();
    let template = template.replace("1\"]", "1\", !Ref Shared]");
    let layer = "  Shared: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: shared}}\n";
    place.write("template.yaml", &(template + layer));
    place.write("shared/python/shared_code.py", "");
    assert_eq!(ids(&place.findings(&[])), Vec::<&str>::new());
}

const SETTINGS: &str = r#"
import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "x"
DEBUG = False
ALLOWED_HOSTS = [".amazonaws.com", ".on.aws"]
ROOT_URLCONF = "mysite.urls"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/tmp/db.sqlite3"}}
"#;

const WSGI: &str = "import os\nfrom django.core.wsgi import get_wsgi_application\n\
                    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\napplication = get_wsgi_application()\n";

fn django(change: &[(&str, &str)], more: &str) -> Vec<Value> {
    let venv = root().join(".cache/venv");
    assert!(venv.is_dir(), "no virtual environment: `make test` makes it");
    let started = django_with(change, more, &["--venv", venv.to_str().unwrap()]);
    // Plain values can be read without a start, and mean the same.
    let read = django_with(change, more, &["--no-run"]);
    let hosts = |found: &[Value]| ids(found).contains(&"django-allowed-hosts");
    assert_eq!(hosts(&started), hosts(&read), "{started:#?} {read:#?}");
    started
}

fn django_with(change: &[(&str, &str)], more: &str, arguments: &[&str]) -> Vec<Value> {
    let settings = change.iter().fold(SETTINGS.to_owned(), |text, (from, to)| {
        assert!(text.contains(from));
        text.replace(from, to)
    });
    let properties = format!("      Handler: mysite.wsgi.application\n{more}");
    let files = [
        ("mysite/__init__.py", ""),
        ("mysite/urls.py", "urlpatterns = []\n"),
        ("mysite/wsgi.py", WSGI),
        ("mysite/settings.py", &settings),
    ];
    Place::new(&properties, &files).findings(arguments)
}

const URL: &str = "      FunctionUrlConfig: {AuthType: NONE}\n";
const HTTP: &str = "      Events: {All: {Type: HttpApi}}\n";

#[test]
fn allowed_hosts_must_cover_the_front_end() {
    let hosts = "[\".amazonaws.com\", \".on.aws\"]";
    let found = django(&[(hosts, "[\"shop.example.com\"]")], URL);
    assert_one(&found, "django-allowed-hosts", "error", ".lambda-url.eu-central-1.on.aws", ".on.aws");
    assert!(found[0]["file"].as_str().unwrap().ends_with("mysite/settings.py"));
    assert_eq!(found[0]["line"], 8);
    // Each front end has a name of its own.
    assert_eq!(ids(&django(&[(hosts, "[\".amazonaws.com\"]")], URL)), ["django-allowed-hosts"]);
    assert_eq!(ids(&django(&[(hosts, "[\".amazonaws.com\"]")], HTTP)), Vec::<&str>::new());
    for fine in [hosts, "[\"*\"]"] {
        assert_eq!(ids(&django(&[(hosts, fine)], URL)), Vec::<&str>::new(), "{fine}");
    }
}

#[test]
fn a_custom_domain_is_the_name_that_counts() {
    let hosts = "[\".amazonaws.com\", \".on.aws\"]";
    let domain = "  Domain: {Type: \"AWS::ApiGatewayV2::DomainName\", Properties: {DomainName: shop.example.com}}\n";
    let with_domain = format!("{HTTP}{domain}");
    assert_eq!(ids(&django(&[(hosts, "[\"shop.example.com\"]")], &with_domain)), Vec::<&str>::new());
    let found = django(&[(hosts, "[\"www.example.com\"]")], &with_domain);
    assert_one(&found, "django-allowed-hosts", "error", "shop.example.com", "");
}

#[test]
fn debug_and_a_database_in_the_package_are_warned_of() {
    assert_one(
        &django(&[("DEBUG = False", "DEBUG = True")], URL),
        "django-debug",
        "warning",
        "DEBUG is on",
        "DEBUG = os",
    );
    let found = django(&[("\"/tmp/db.sqlite3\"", "BASE_DIR / \"db.sqlite3\"")], URL);
    assert_one(&found, "django-sqlite", "warning", "file db.sqlite3 in the package", "");
    assert_eq!(found[0]["line"], 11);
}

#[test]
fn debug_is_found_where_allowed_hosts_is_computed() {
    let debug = ("DEBUG = False", "DEBUG = True");
    let hosts = ("[\".amazonaws.com\", \".on.aws\"]", "os.environ.get(\"HOSTS\", \".on.aws\").split()");
    let found = django_with(&[debug, hosts], URL, &["--no-run"]);
    assert_one(&found, "django-debug", "warning", "DEBUG is True", "DEBUG = os");
    assert_eq!(found[0]["line"], 7);
    assert_eq!(ids(&django(&[debug, hosts], URL)), ["django-debug"]);
    // What something below changes is not known.
    let change = ("ROOT_URLCONF", "if os.environ.get(\"PROD\"):\n    DEBUG = False\nROOT_URLCONF");
    assert_eq!(django_with(&[debug, change], URL, &["--no-run"]), Vec::<Value>::new());
}

#[test]
fn debug_is_that_of_the_settings_module_in_use() {
    let place = |variable: &str| {
        let properties = format!(
            "      Handler: mysite.wsgi.application\n      Environment: {{Variables: {{DJANGO_SETTINGS_MODULE: {variable}}}}}\n"
        );
        let files = [
            ("mysite/wsgi.py", WSGI),
            ("mysite/settings/base.py", "DEBUG = True\n"),
            ("mysite/settings/prod.py", "from .base import *\nDEBUG = False\n"),
            ("mysite/settings/stage.py", "from .base import *\n"),
        ];
        Place::new(&properties, &files).findings(&["--no-run"])
    };
    assert_eq!(place("mysite.settings.prod"), Vec::<Value>::new());
    let found = place("mysite.settings.stage");
    assert_one(&found, "django-debug", "warning", "DEBUG is True", "");
    assert!(found[0]["file"].as_str().unwrap().ends_with("settings/base.py"));
}

#[test]
fn a_handler_for_events_is_found_without_a_template_too() {
    for text in [
        "def handler(event, context):\n    return {'statusCode': 200}\n",
        "import awsgi\n\n\ndef handler(e, context):\n    return awsgi.response(None, e, context)\n",
        "import serverless_wsgi\n\n\ndef handler(event, context):\n    pass\n",
        "from apig_wsgi import make_lambda_handler\nhandler = make_lambda_handler(app)\n",
        "from mangum import Mangum\nhandler = Mangum(app)\n",
    ] {
        let place = Place::new(HANDLER, &[("app.py", &format!("{APP}{text}"))]);
        let src = place.path().join("src");
        let of = |app: &str| findings(&[src.to_str().unwrap(), "--app", app]);
        assert_eq!(ids(&of("app:handler")), ["event-handler"], "{text}");
        assert_eq!(ids(&findings(&[src.to_str().unwrap(), "--no-run", "--app", "app:app"])), [""; 0], "{text}");
    }
}

#[test]
fn the_folder_in_a_fix_is_in_quotes() {
    let place = Place::new("      Handler: rest.prod.app\n", &[("rest/__init__.py", "")]);
    let found = place.findings(&[]);
    let fix = found[0]["fix"].as_str().unwrap();
    assert!(fix.ends_with("into the folder \"src\".") || fix.ends_with("/src\"."), "{found:#?}");
}

#[test]
fn a_factory_that_is_not_called_is_found() {
    let factory = format!("{APP}\n\ndef create_app(config=None):\n    return app\n");
    let files = [("app.py", factory.as_str())];
    let place = Place::new("      Handler: app.create_app\n", &files);
    let found = place.findings(&[]);
    assert_one(&found, "handler-factory", "error", "app.create_app", "Handler: \"app:create_app()\"");
    assert_eq!(found[0]["line"], 10);
    let src = place.path().join("src");
    let alone = findings(&[src.to_str().unwrap(), "--app", "app:create_app"]);
    assert_one(&alone, "handler-factory", "error", "app:create_app", "--app 'app:create_app()'");
    let variable = "      Handler: x.y\n      Environment: {Variables: {WSGI_LAMBDA_APP: app.create_app}}\n";
    let found = Place::new(variable, &files).findings(&[]);
    assert_one(&found, "handler-factory", "error", "app.create_app", "WSGI_LAMBDA_APP: \"app:create_app()\"");
    let called = Place::new("      Handler: app:create_app()\n", &files);
    assert_eq!(called.findings(&[]), Vec::<Value>::new());
}

#[test]
fn settings_are_read_when_the_import_fails() {
    let wsgi = "import os\nimport django_that_is_not_here\n\n\
                os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\napplication = None\n";
    let files = [("mysite/__init__.py", ""), ("mysite/wsgi.py", wsgi), ("mysite/settings.py", "DEBUG = True\n")];
    let place = Place::new("      Handler: mysite.wsgi.application\n", &files);
    let found = place.findings(&[]);
    assert_eq!(ids(&found), ["handler-import", "django-debug"], "{found:#?}");
}

#[test]
fn an_import_that_ends_the_process_is_an_error() {
    for end in ["import os\nos._exit(127)\n", "import sys\nsys.exit(0)\n"] {
        let place = Place::new(HANDLER, &[("app.py", &format!("{APP}{end}"))]);
        let src = place.path().join("src");
        let found = findings(&[src.to_str().unwrap(), "--app", "app:app"]);
        assert_one(&found, "handler-import", "error", "xit", "sys.exit, os._exit");
        assert_one(&place.findings(&[]), "handler-import", "error", "xit", "sys.exit, os._exit");
    }
}

#[test]
fn a_requirement_of_another_file_is_named_with_the_environment_that_has_it() {
    for file in ["requirements.in", "requirements/prod.txt"] {
        let place = Place::new(HANDLER, &[("app.py", &format!("import shopkit\n{APP}")), (file, "Shopkit>=1\n")]);
        let src = place.path().join("src");
        let arguments = [src.to_str().unwrap(), "--app", "app:app"];
        assert_one(&findings(&arguments), "handler-unchecked", "note", file, &format!("pip install -r {file}"));
        place.write("src/.venv/pyvenv.cfg", "");
        place.write("src/.venv/lib/python3.11/site-packages/shopkit/__init__.py", "");
        let fix = format!("--venv {}", src.join(".venv").display());
        assert_one(&findings(&arguments), "handler-unchecked", "note", file, &fix);
    }
}

#[test]
fn a_setting_that_is_refused_is_said_once() {
    let variable = "      Handler: app.app\n      Environment: {Variables: {WSGI_LAMBDA_RESPONSE_MODE: streaming}}\n";
    let place = Place::new(variable, &[("app.py", APP)]);
    assert_eq!(ids(&place.findings(&[])), ["setting-value"]);
}

#[test]
fn a_source_that_is_switched_off_is_no_mistake() {
    let with = |kind: &str, switch: &str| {
        let event = format!("{{Type: {kind}, Properties: {{Schedule: rate(5 minutes){switch}}}}}");
        let place = Place::new(&format!("{HANDLER}      Events: {{Tick: {event}}}\n"), &[("app.py", APP)]);
        place.findings(&["--no-run"])
    };
    for (kind, switch) in [("Schedule", ", Enabled: false"), ("ScheduleV2", ", State: DISABLED")] {
        assert_eq!(with(kind, switch), Vec::<Value>::new(), "{kind}");
        assert_eq!(ids(&with(kind, "")), ["trigger-not-http"], "{kind}");
    }
    let rule = "  Rule:\n    Type: AWS::Events::Rule\n    Properties:\n      ScheduleExpression: rate(5 minutes)\n      \
                Targets: [{Id: a, Arn: !GetAtt App.Arn}]\n      State: ";
    let permission = "  Permission:\n    Type: AWS::Lambda::Permission\n    Properties: {FunctionName: !Ref App, Action: \
                      'lambda:InvokeFunction', Principal: events.amazonaws.com}\n";
    let state = |state: &str| {
        Place::new(&format!("{HANDLER}{rule}{state}\n{permission}"), &[("app.py", APP)]).findings(&["--no-run"])
    };
    assert_eq!(state("DISABLED"), Vec::<Value>::new());
    assert_eq!(ids(&state("ENABLED")), ["trigger-not-http"]);
}
