//! `replay --profile-init`, and the record that the runtime makes for it (`src/python/glue/init_profile.py`).

#![cfg(feature = "cli")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "profile_init/place.rs"]
mod place;
mod support;

use std::fs;
use std::path::Path;

use place::{Place, path};
use serde_json::{Value, json};
use support::{app, python, root, said};

#[test]
fn without_the_setting_nothing_of_it_is_there() {
    let place = Place::new(
        "import sys, _frozen_importlib\n\
         def answer(path): return [name for name in sys.modules if 'profile' in name], _frozen_importlib._find_and_load.__module__",
    );
    let mut function = app(place.0.path(), "app:app").start();
    assert_eq!(function.replay("function-url-get").text(), "([], '_frozen_importlib')");
}

#[test]
fn imports_nest_as_they_wait_for_each_other() {
    let place = Place::new("import outer.inner.leaf, other, own.part\ndef answer(path): return 1");
    place.write("outer/__init__.py", "import side").write("outer/inner/__init__.py", "from . import first");
    place.write("outer/inner/first.py", "").write("outer/inner/leaf.py", "import deep").write("deep.py", "");
    place.write("own/__init__.py", "from . import part").write("own/part.py", "");
    place.write("side.py", "").write("other.py", "import side, outer.inner.leaf");
    place.start();
    let record = place.record();
    record.check();
    for (name, parent) in [
        ("app", None),
        ("outer", Some("app")), // and not a part of `outer.inner.leaf`, which waited for it
        ("side", Some("outer")),
        ("outer.inner", Some("app")),
        ("outer.inner.first", Some("outer.inner")),
        ("outer.inner.leaf", Some("app")),
        ("deep", Some("outer.inner.leaf")),
        ("other", Some("app")),
        ("own.part", Some("own")), // once: `import own.part` found it there
        ("own", Some("app")),
    ] {
        assert_eq!(record.parent(name), parent, "{name}");
    }
    assert_eq!(record.one("side")["held_by"], json!(["other", "outer"]));
    assert_eq!((&record.0["complete"], &record.0["failed"]), (&json!(true), &Value::Null));
    assert!(record.0["phases"]["interpreter"].as_u64().unwrap() > 0);
}

#[test]
fn what_pth_files_and_sitecustomize_import_is_seen() {
    let place = Place::new("import graphlib\ndef answer(path): return 1");
    let venv = place.0.path().join("venv");
    said(python().args(["-m", "venv", "--without-pip"]).arg(&venv));
    let script = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let packages = said(std::process::Command::new(venv.join("bin/python")).args(["-c", script]));
    fs::write(Path::new(packages.trim()).join("traced.pth"), "import tracer\n").unwrap();
    place.write("site/sitecustomize.py", "import colorsys, decimal").write("site/tracer.py", "import this");
    let path = place.0.path().join("site").display().to_string();
    place.function().env("WSGI_LAMBDA_VENV", venv.to_str().unwrap()).env("PYTHONPATH", &path).start();
    let record = place.record();
    record.check();
    for (name, parent) in [
        ("site", None),
        ("sitecustomize", Some("site")),
        ("colorsys", Some("sitecustomize")),
        ("tracer", Some("site")),
        ("this", Some("tracer")),
        ("graphlib", Some("app")), // which nobody else has imported
        ("decimal", Some("sitecustomize")),
    ] {
        assert_eq!(record.parent(name), parent, "{name}");
    }
    assert!(record.all("logging").is_empty(), "what the runtime itself needs is not the application's");
}

#[test]
fn how_each_module_came() {
    let source = "import sys, json\n\
                  def optional(name):\n    try: return __import__(name)\n    except Exception: return None\n\
                  native = [optional(name) for name in ('_decimal', '_sqlite3', '_uuid', '_bisect', '_csv', 'errno')]\n\
                  import with_bytecode, source_only, folder, faulty.sub\n\
                  optional('not_there.sub'), optional('breaks')\n\
                  def answer(path):\n    if path == '/compile':\n        import py_compile; return py_compile.compile('with_bytecode.py')\n    \
                  return json.dumps({module.__name__: getattr(module, '__file__', None) for module in native if module})";
    let place = Place::new(source);
    place.write("with_bytecode.py", "value = 1").write("source_only.py", "value = 1").write("folder/x.py", "");
    place
        .write("faulty/__init__.py", "try:\n    from . import missing\nexcept ImportError: pass")
        .write("faulty/sub.py", "");
    place.write("breaks.py", "import source_only\n1 / 0");
    let mut first = app(place.0.path(), "app:app").start();
    assert!(first.invoke(path("/compile")).text().contains("with_bytecode"));
    let mut function = place.start();
    let answer = function.invoke(path("/native"));
    let native: Value = serde_json::from_str(answer.text().trim_matches('\'')).unwrap();
    let record = place.record();
    record.check();
    for (name, how) in [
        ("with_bytecode", "pyc"),
        ("source_only", "compiled"),
        ("folder", "namespace"),
        ("faulty.missing", "not found"),
        ("not_there.sub", "not found"),
        ("breaks", "failed"),
    ] {
        assert_eq!(record.one(name)["how"], how, "{name}");
        assert_eq!(record.one(name)["compile_ns"].is_u64(), matches!(name, "source_only" | "breaks"), "{name}");
    }
    assert_eq!(record.one("breaks")["error"], "ZeroDivisionError");
    for (name, file) in native.as_object().unwrap() {
        for import in record.all(name) {
            assert_eq!(import["how"], if file.is_string() { "extension" } else { "built in" }, "{name}");
        }
    }
    assert!(native.as_object().unwrap().keys().any(|name| !record.all(name).is_empty()), "{native}");
}

#[test]
fn what_was_deferred_and_who_made_it_run() {
    let place = Place::new("import werkzeug\ndef answer(path): return werkzeug.serving.make_server and 1");
    place.write("werkzeug/__init__.py", "from .serving import run_simple");
    let serving =
        "import needed\ndef run_simple(): pass\ndef is_running_from_reloader(): pass\ndef make_server(): pass";
    place.write("werkzeug/serving.py", serving).write("needed.py", "");
    let mut function = place.start();
    let record = place.record();
    assert_eq!(record.one("werkzeug.serving")["how"], "deferred");
    function.replay("function-url-get");
    let record = place.record();
    let [asleep, awake] = record.all("werkzeug.serving")[..] else { panic!("{:?}", record.all("werkzeug.serving")) };
    assert_eq!((&asleep["how"], &asleep["touched_by"]), (&json!("deferred"), &Value::Null));
    assert_eq!((&awake["touched_by"], &awake["event"]), (&json!("app"), &json!(true)));
    assert_eq!(record.parent("needed"), Some("werkzeug.serving"));
    record.check();

    place.write("app.py", "from werkzeug import serving, taker\ndef app(environ, start_response): pass");
    place.write("werkzeug/taker.py", "from .serving import make_server");
    fs::remove_file(place.file()).unwrap();
    place.start();
    let record = place.record();
    let [_, awake] = record.all("werkzeug.serving")[..] else { panic!("{:?}", record.all("werkzeug.serving")) };
    assert_eq!((&awake["touched_by"], &awake["event"]), (&json!("werkzeug.taker"), &json!(false)));
}

#[test]
fn what_the_events_use() {
    let source = "import queue, threading, used, unused, by_class, constants, late_user, by_thread\n\
                  asked, given = queue.Queue(), queue.Queue()\n\
                  def work():\n    while True: given.put(by_thread.function(asked.get()))\n\
                  threading.Thread(target=work, daemon=True).start()\n\
                  def answer(path):\n    if path == '/more': return unused.function()\n    asked.put(6)\n    \
                  return used.function(), by_class.Class().method(), constants.VALUE, late_user.function(), given.get()";
    let place = Place::new(source);
    for (name, text) in [
        ("used.py", "def function(): return 1\nfunction()"),
        ("unused.py", "def function(): return 2\nfunction()"),
        ("by_class.py", "class Class:\n    def method(self): return 3"),
        ("constants.py", "VALUE = 4"),
        ("late_user.py", "def function():\n    import late\n    return late.value"),
        ("late.py", "value = 5"),
        ("by_thread.py", "def function(value): return value"),
    ] {
        place.write(name, text);
    }
    let mut function = place.start();
    let used = |name: &str| place.record().one(name)["used"].clone();
    assert_eq!([used("used"), used("unused")], [json!(false), json!(false)], "what ran in the init is not counted");
    assert_eq!(function.invoke(path("/")).text(), "(1, 3, 4, 5, 6)");
    let names = ["used", "unused", "by_class", "by_thread", "constants"];
    assert_eq!(names.map(used), [json!(true), json!(false), json!(true), json!(true), Value::Null]);
    assert_eq!(place.record().one("late")["event"], true);
    assert_eq!(function.invoke(path("/more")).text(), "2");
    assert_eq!(used("unused"), true, "it is written again when there is news");
}

#[test]
fn other_threads_stand_apart() {
    let source = "import threading\ndef work():\n    import beside\n\
                  thread = threading.Thread(target=work); thread.start(); import slow; thread.join()\n\
                  def answer(path): return 1";
    let place = Place::new(source);
    place.write("beside.py", "import time; time.sleep(0.05); import within").write("within.py", "");
    place.write("slow.py", "import time; time.sleep(0.1)");
    place.start();
    let record = place.record();
    record.check();
    assert_eq!((record.parent("beside"), &record.one("beside")["thread"]), (None, &json!(true)));
    assert_eq!((record.parent("within"), record.parent("slow")), (Some("beside"), Some("app")));
}

#[test]
fn an_init_that_fails_leaves_its_record_and_the_same_stack_trace() {
    let place = Place::new("import fine, wrong");
    place
        .write("fine.py", "")
        .write("wrong.py", "import inner")
        .write("inner.py", "import json\nraise ValueError('no')");
    let (_function, plain) = app(place.0.path(), "app:app").try_start();
    let (_function, profiled) = place.function().try_start();
    assert_eq!(profiled.unwrap_err().to_string(), plain.unwrap_err().to_string());
    let record = place.record();
    record.check();
    assert_eq!((&record.0["failed"], &record.0["complete"]), (&json!("ValueError"), &json!(true)));
    assert_eq!((record.parent("inner"), &record.one("inner")["how"]), (Some("wrong"), &json!("failed")));
    assert_eq!(record.one("fine")["how"], "compiled");
    let mut roots = record.imports().iter().filter(|import| import["parent"].is_null());
    assert_eq!(roots.next_back().unwrap()["name"], "app", "what describes the error is none of its imports");
}

/// The limit is a thousand frames. Python takes seven for an import; the profile takes one of its own.
#[test]
fn what_nests_deep_passes_here_too() {
    let place = Place::new("import m0, sys\ndef answer(path): return sys.getrecursionlimit()");
    for number in 0..135 {
        place.write(&format!("m{number}.py"), &format!("import m{}", number + 1));
    }
    place.write("m135.py", "");
    let mut plain = app(place.0.path(), "app:app").start();
    let mut profiled = place.start();
    assert_eq!(profiled.replay("function-url-get").text(), plain.replay("function-url-get").text());
    assert_eq!(place.record().parent("m135"), Some("m134"));
}

#[test]
fn an_init_that_is_killed_leaves_what_it_had_come_to() {
    let place = Place::new("import fine, hangs");
    place.write("fine.py", "").write("hangs.py", "import os, time; time.sleep(1.5); os._exit(1)");
    let (_function, result) = place.function().try_start();
    assert!(result.is_err());
    let record = place.record();
    record.check();
    assert_eq!((&record.0["complete"], record.parent("hangs")), (&json!(false), Some("app")));
}

#[test]
fn the_first_start_counts() {
    let source = "import os\nif os.path.exists('second'): import only_in_the_second\n\
                  def answer(path): open('second', 'w'); os._exit(0)";
    let place = Place::new(source);
    place.write("only_in_the_second.py", "");
    let mut function = place.start();
    let before = fs::read(place.file()).unwrap();
    function.replay("function-url-get");
    function.with(async |sandbox| sandbox.start().await.map(|_| ()).unwrap());
    assert_eq!(fs::read(place.file()).unwrap(), before);
}

#[test]
fn a_file_that_cannot_be_written_costs_a_warning() {
    let place = Place::new("def answer(path): return 1");
    let mut function = app(place.0.path(), "app:app").env("WSGI_LAMBDA_PROFILE_INIT", "/no/such/folder/file").start();
    assert_eq!(function.replay("function-url-get").text(), "1");
    let (logs, warning) = (function.logs(), "WSGI_LAMBDA_PROFILE_INIT: no profile is written: ");
    assert_eq!(logs.matches(warning).count(), 1, "{logs}");
    assert!(logs.starts_with("[WARNING]\t"), "{logs}");
}

#[test]
fn snapshots_and_workers_have_records_too() {
    let place = Place::new("import decimal, sys\ndef answer(path): return 1");
    let mut function = place.function().env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start").start();
    function.replay("function-url-get");
    let record = place.record();
    assert_eq!((&record.0["deferral"], &record.0["events"]), (&json!(false), &json!(1)));
    assert_ne!(record.one("decimal")["how"], "deferred");
    fs::remove_file(place.file()).unwrap();
    let mut function = place.function().env("AWS_LAMBDA_MAX_CONCURRENCY", "2").start();
    function.replay("function-url-get");
    assert_eq!((&place.record().0["complete"], &place.record().0["events"]), (&json!(true), &Value::Null));
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

const REPORTED: &str = "import json, heavy, heavier.sub\ndef answer(path): return json.dumps(1)";

fn reported() -> Place {
    let place = Place::new(REPORTED);
    place.write("heavy.py", "import time; time.sleep(0.02)\ndef function(): pass");
    // Much more, so that it stays the heavier one on a machine that is busy with something else.
    place.write("heavier/__init__.py", "import time; time.sleep(0.5)\nfrom .sub import function");
    place.write("heavier/sub.py", "import time; time.sleep(0.1)\ndef function(): pass");
    place
}

#[test]
fn the_report_says_what_to_change() {
    let place = reported();
    let seen = place.replay(&["--app", "app:app", "--brief", "--profile-init"]);
    let report = text(&seen.stdout);
    assert!(seen.status.success(), "{report}\n{}", text(&seen.stderr));
    assert!(report.find("1 event: 1 answered").unwrap() < report.find("Cold start of app:app with Python 3.").unwrap());
    assert!(report.contains("Compiled at every cold start: 4 modules"), "{report}");
    let (yours, _) = report.split_once("Not used by this event").unwrap().1.split_once("\n\n").unwrap();
    let heavier = yours.find("heavier (2 modules)  by app").unwrap_or_else(|| panic!("{report}"));
    let heavy = yours.find("heavy  by app").unwrap_or_else(|| panic!("{report}"));
    assert!(heavier < heavy, "the most expensive first: {report}");
    assert!(report.contains("Flame graph: init-profile.svg"));
    let picture = fs::read_to_string(place.0.path().join("init-profile.svg")).unwrap();
    assert!(["heavy (compiled)", "heavier.sub (compiled)", "Python starts"].iter().all(|name| picture.contains(name)));
    let parser =
        Place::new("import xml.etree.ElementTree as etree\ndef answer(path): return etree.parse(path).getroot().tag");
    let file = place.0.path().join("init-profile.svg");
    let mut parser = app(parser.0.path(), "app:app").start();
    assert_eq!(parser.invoke(path(file.to_str().unwrap())).text(), "'{http://www.w3.org/2000/svg}svg'");
}

#[test]
fn json_stays_alone_on_standard_output() {
    let place = reported();
    let seen = place.replay(&["--app", "app:app", "--json", "--profile-init=start.svg"]);
    let answer: Value = serde_json::from_slice(&seen.stdout).unwrap();
    assert_eq!(answer["statusCode"], 200);
    assert!(text(&seen.stderr).contains("heavy  by app") && Path::exists(&place.0.path().join("start.svg")));
}

#[test]
fn the_demo_and_a_failed_init_are_reported_and_wrong_paths_refused() {
    let place = Place::new("import json, no_such_module");
    let seen = place.replay(&["--quiet", "--profile-init"]);
    assert!(text(&seen.stdout).contains("Cold start of demo_app:app"), "{}", text(&seen.stdout));
    let seen = place.replay(&["--app", "app:app", "--quiet", "--profile-init"]);
    let report = text(&seen.stdout);
    assert_eq!(seen.status.code(), Some(1));
    assert!(report.contains("to its failure, Runtime.ImportModuleError"), "{report}");
    assert!(report.contains("no_such_module  not found") && report.contains("no event was answered"), "{report}");
    let seen = place.replay(&["--profile-init", "start.svg"]);
    assert!(
        text(&seen.stderr).contains("start.svg is not an event; for the flame graph write --profile-init=start.svg")
    );
    let seen = place.replay(&["--profile-init=no/such/folder.svg"]);
    assert_eq!(seen.status.code(), Some(2));
    assert!(text(&seen.stderr).contains("no folder no/such for the flame graph"));
    let seen = place.replay(&["--app", "app:app", "--profile-init=app.py"]);
    assert_eq!(seen.status.code(), Some(2));
    assert!(text(&seen.stderr).contains("--profile-init=app.py: the flame graph is an SVG, name it .svg"));
}

#[test]
fn flasks_development_server_is_deferred() {
    let place = Place::new("");
    let (example, venv) = (root().join("examples/flask"), root().join(".cache/venv"));
    let (example, venv) = (example.to_str().unwrap(), venv.to_str().unwrap());
    let arguments = ["--app", "app:app", "--dir", example, "--venv", venv, "--quiet", "--profile-init"];
    let seen = place.replay(&arguments);
    let report = text(&seen.stdout);
    let deferred = report.lines().find(|line| line.starts_with("Deferred by wsgi-lambda, and never needed: "));
    assert!(deferred.is_some_and(|line| line.contains("werkzeug.serving")), "{report}\n{}", text(&seen.stderr));
}
