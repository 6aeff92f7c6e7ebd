//! Which application is served when none is named, or only half of its name.

use crate::place::Place;

fn app(says: &str) -> String {
    format!("def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'{says}']\n")
}

#[test]
fn an_application_is_found_in_the_usual_files() {
    let place = Place::new();
    place.write("wsgi.py", &app("wsgi"));
    let served = place.serve(&[]);
    served.shows("wsgi:app");
    assert_eq!(served.get("/").text(), "wsgi");
    let place = served.stop();
    place.write("app.py", "def create_app():\n    return app\n\ndef app(environ, start_response):\n    pass\n");
    place.write("shop/wsgi.py", &app("shop").replace("app", "application"));
    for named in ["shop.wsgi", "shop/wsgi.py", "shop.wsgi:application", "shop.wsgi.application"] {
        let served = Place::serve(Place::new(), &[named, "--dir", place.path().to_str().unwrap()]);
        assert_eq!(served.get("/").text(), "shop", "{named}");
    }
}

#[test]
fn django_says_which_application_it_has() {
    let place = Place::new();
    place.write("manage.py", "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_.settings')\n");
    place.write("site_/__init__.py", "");
    place.write("site_/settings.py", "DEBUG = True\nWSGI_APPLICATION = 'site_.entry.application'\n");
    place.write("site_/entry.py", &app("django").replace("app", "application"));
    let served = place.serve(&[]);
    served.shows("site_.entry:application");
    served.shows("named by ./manage.py");
    assert_eq!(served.get("/").text(), "django");
}

const TEMPLATE: &str = "
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Web:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Handler: web.app
      Runtime: provided.al2023
      Timeout: 7
      Layers: [arn:aws:lambda:us-east-1:123456789012:layer:wsgi-lambda:1]
      Environment:
        Variables:
          KEY: of the template
          TABLE: !Ref Orders
          GIVEN: !GetAtt Orders.Arn
  Orders:
    Type: AWS::DynamoDB::Table
";

#[test]
fn a_template_names_the_application_and_its_variables() {
    let place = Place::new();
    place.write("template.yaml", TEMPLATE);
    place.write("src/web.py", &crate::APP.replace("wait_for(\"go\")", "wait_for('go')"));
    let served = place.serve(&["--env", "GIVEN=here"]);
    served.shows("web.app");
    served.shows("not set, because only the deployment knows their values: TABLE; set them with --env");
    assert_eq!(served.get("/variable").text(), "of the template");
    let place = served.stop();
    let inherited = place.command(&["exec", "--local", "1"]).env("TABLE", "the shell's").output().unwrap();
    let said = String::from_utf8(inherited.stderr).unwrap();
    assert!(said.contains("their values: GIVEN; set them with --env"), "TABLE is the shell's: {said}");
    place.write(
        "template.yaml",
        &(TEMPLATE.to_owned()
            + &TEMPLATE[TEMPLATE.find("  Web").unwrap()..].replace("Web", "Other").replace("  Orders:", "  Others:")),
    );
    let seen = place.fails(&[]);
    assert!(seen.contains("several applications") && seen.contains("Other (web.app --dir src)"), "{seen}");
}

#[test]
fn options_that_mean_nothing_are_refused() {
    let place = Place::app();
    for (arguments, expected) in [
        (["--stage", "a/b"], "such as --stage prod"),
        (["--domain", "http://x/"], "write a host name alone"),
        (["--concurrency", "0"], "1 or more"),
    ] {
        let seen = place.fails(&[&["app:app"], &arguments[..]].concat());
        assert!(seen.contains(expected), "{arguments:?}: {seen}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let place = Place::new();
    let seen = place.fails(&[]);
    assert!(seen.contains("no application in .") && seen.contains("wsgi-lambda serve app:app"), "{seen}");
    place.write("app.py", "def create_app():\n    pass\n");
    let seen = place.fails(&["app:create_app"]);
    assert!(seen.contains("write 'app:create_app()'"), "{seen}");
    assert!(place.fails(&["not a name!"]).contains("not a name!"));
    assert!(place.fails(&["app:app", "--dir", "nowhere"]).contains("--dir nowhere is no folder"));
    assert!(place.fails(&["app:app", "--front", "sqs"]).contains("function-url"));
    let seen = place.fails(&["app:app", "--base-path", "shop"]);
    assert!(seen.contains("write it as /PATH"), "{seen}");
}

#[test]
fn a_virtual_environment_beside_the_application_is_used() {
    let place = Place::new();
    place.write("app.py", &app("x").replace("b'x'", "__import__('only_there').NAME"));
    let version = crate::support::said(
        crate::support::python().args(["-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]),
    );
    place.write(".venv/pyvenv.cfg", &format!("home = /usr/bin\nversion = {}\n", version.trim()));
    let version = crate::support::said(
        crate::support::python().args(["-c", "import sys; print('python%d.%d' % sys.version_info[:2])"]),
    );
    place.write(&format!(".venv/lib/{}/site-packages/only_there.py", version.trim()), "NAME = b'of the environment'\n");
    let served = place.serve(&["app:app"]);
    assert_eq!(served.get("/").text(), "of the environment");
}
