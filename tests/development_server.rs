//! Werkzeug's development server, which is left out until something of it is wanted, and everything that must be as if it
//! were not (`src/python/glue/imports/development_server.py`).

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write as _;

use support::{Function, root, source};

/// An application that runs the Python expression in its query, and returns its `repr`.
const PRELUDE: &str = r#"
from urllib.parse import unquote

def loaded():
    import sys
    return "http.server" in sys.modules

def app(environ, start_response):
    start_response("200 OK", [])
    try:
        return [repr(eval(unquote(environ["QUERY_STRING"]), globals())).encode()]
    except Exception as error:
        return [repr(error).encode()]
"#;

fn eval(function: &mut Function, expression: &str) -> String {
    let mut event = support::event("function-url-get");
    let mut query = String::new();
    expression.bytes().for_each(|byte| write!(query, "%{byte:02x}").unwrap());
    event["rawQueryString"] = query.into();
    function.invoke(event).text().to_owned()
}

fn started(imports: &str) -> Function {
    let venv = root().join(".cache/venv");
    source(&format!("{imports}\n{PRELUDE}")).env("WSGI_LAMBDA_VENV", venv.to_str().unwrap()).start()
}

/// Flask imports two functions by name. What it gets calls the real ones.
#[test]
fn it_is_there_when_it_is_wanted() {
    let mut function = started("import flask, werkzeug");
    assert_eq!(
        eval(&mut function, "loaded(), type(werkzeug.serving).__name__, type(werkzeug.serving.__loader__).__name__"),
        "(False, 'module', 'SourceFileLoader')"
    );
    assert_eq!(
        eval(&mut function, "werkzeug.run_simple.__name__, werkzeug.run_simple.__module__"),
        "('run_simple', 'werkzeug.serving')"
    );
    assert_eq!(eval(&mut function, "flask.app.is_running_from_reloader(), loaded()"), "(False, True)");
    let same = "werkzeug.run_simple is werkzeug.serving.run_simple, flask.cli.run_simple is werkzeug.run_simple, \
                flask.app.is_running_from_reloader is werkzeug.serving.is_running_from_reloader";
    assert_eq!(eval(&mut function, same), "(True, True, True)");
    let whole = "__import__('inspect').signature(werkzeug.run_simple).parameters['hostname'].name, \
                 __import__('pickle').loads(__import__('pickle').dumps(flask.cli.run_simple)) is werkzeug.run_simple, \
                 '__getattr__' in vars(werkzeug.serving), '__dir__' in vars(werkzeug.serving)";
    assert_eq!(eval(&mut function, whole), "('hostname', True, False, False)");

    let mut function = started("from werkzeug.serving import run_simple, WSGIRequestHandler\nimport flask");
    assert_eq!(
        eval(&mut function, "run_simple.__name__, run_simple is flask.cli.run_simple, loaded()"),
        "('run_simple', True, True)"
    );
}

#[test]
fn every_other_way_to_it_imports_it() {
    for (way, expected) in [
        ("werkzeug.serving.WSGIRequestHandler.__name__", "'WSGIRequestHandler'"),
        ("'make_server' in dir(werkzeug.serving)", "True"),
        ("importlib.reload(werkzeug.serving).make_server.__name__", "'make_server'"),
        ("hasattr(werkzeug.serving, 'no_such_name')", "False"),
        (
            "werkzeug.serving.no_such_name",
            r#"AttributeError("module 'werkzeug.serving' has no attribute 'no_such_name'")"#,
        ),
        ("exec('from werkzeug.serving import *', {})", "None"),
        (
            "importlib.util.find_spec('werkzeug.serving').loader.get_source('werkzeug.serving').count('def run_simple')",
            "1",
        ),
    ] {
        let mut function = started("import flask, importlib, importlib.util, werkzeug");
        assert_eq!(eval(&mut function, way), expected, "{way}");
        assert_eq!(eval(&mut function, "loaded()"), if way.contains("get_source") { "False" } else { "True" }, "{way}");
    }
}

/// While a request is served, when the finder is gone.
#[test]
fn a_reload_that_comes_late_is_a_whole_one() {
    let mut function = started("import flask, importlib, werkzeug");
    let whole = "importlib.reload(werkzeug.serving).make_server.__name__, hasattr(werkzeug.serving, 'no_such_name'), \
                 '__getattr__' in vars(werkzeug.serving), werkzeug.serving.run_simple.__code__.co_name";
    assert_eq!(eval(&mut function, whole), "('make_server', False, False, 'run_simple')");
}

#[test]
fn what_an_application_sets_on_it_stays() {
    let mut function = started(
        "import flask, werkzeug\n\
         werkzeug.serving.run_simple = lambda *given: 'mine'\n\
         werkzeug.serving.can_fork = 'mine'",
    );
    let seen = "loaded(), werkzeug.serving.LISTEN_QUEUE > 0, loaded(), werkzeug.serving.run_simple(), \
                werkzeug.serving.can_fork, werkzeug.run_simple.__wrapped__.__name__";
    assert_eq!(eval(&mut function, seen), "(False, True, True, 'mine', 'mine', 'run_simple')");
}

#[test]
fn many_threads_that_want_it_at_once_all_see_the_whole_of_it() {
    let mut function = started(
        "import flask, sys, threading, werkzeug\n\
         sys.setswitchinterval(1e-6)\n\
         def race():\n    \
             got, names = [], ('run_simple', 'make_server', 'is_ssl_error', 'WSGIRequestHandler')\n    \
             def touch(name):\n        \
                 try: got.append(getattr(werkzeug.serving, name) is not None)\n        \
                 except BaseException as error: got.append(repr(error))\n    \
             threads = [threading.Thread(target=touch, args=(name,)) for name in names * 8]\n    \
             [thread.start() for thread in threads], [thread.join() for thread in threads]\n    \
             return set(got), len(got)",
    );
    assert_eq!(eval(&mut function, "race()"), "({True}, 32)");
}

#[test]
fn one_that_failed_to_load_is_tried_again() {
    let mut function = started(
        "import sys, flask, werkzeug\n\
         sys.modules['http.server'] = None",
    );
    for _ in 0..2 {
        let error = eval(&mut function, "werkzeug.serving.make_server"); // 3.15 shows the name as well
        assert!(
            error.starts_with("ModuleNotFoundError('import of http.server halted; None in sys.modules'"),
            "{error}"
        );
    }
    let after = "__import__('sys').modules.pop('http.server'), werkzeug.serving.make_server.__name__, \
                 werkzeug.run_simple is werkzeug.serving.run_simple";
    assert_eq!(eval(&mut function, after), "(None, 'make_server', True)");
}

/// Tools for monitoring and patching stand before the loaders of modules that they wait for.
#[test]
fn a_tool_that_waits_for_it_sees_it_and_so_does_the_application() {
    let mut function = started(
        "import sys, importlib.util\n\
         seen = []\n\
         class Loader:\n    \
             def __init__(self, loader): self.loader = loader\n    \
             def create_module(self, spec): return self.loader.create_module(spec)\n    \
             def exec_module(self, module):\n        \
                 self.loader.exec_module(module)\n        \
                 seen.append(module.__name__)\n        \
                 module.mine = module.run_simple.__name__\n\
         class Finder:\n    \
             looking = False\n    \
             def find_spec(self, name, path=None, target=None):\n        \
                 if self.looking or name != 'werkzeug.serving': return None\n        \
                 self.looking = True\n        \
                 try: spec = importlib.util.find_spec(name)\n        \
                 finally: self.looking = False\n        \
                 spec.loader = Loader(spec.loader)\n        \
                 return spec\n\
         sys.meta_path.insert(0, Finder())\n\
         import flask, werkzeug",
    );
    let seen = "seen, werkzeug.serving.mine, werkzeug.serving.make_server.__name__, seen";
    assert_eq!(eval(&mut function, seen), "(['werkzeug.serving'], 'run_simple', 'make_server', ['werkzeug.serving'])");
}

#[test]
fn the_switch_imports_it_at_once() {
    let venv = root().join(".cache/venv");
    let setup = source(&format!("import flask, werkzeug\n{PRELUDE}")).env("WSGI_LAMBDA_VENV", venv.to_str().unwrap());
    let mut function = setup.env("WSGI_LAMBDA_DEFER_IMPORTS", "false").start();
    assert_eq!(eval(&mut function, "loaded(), werkzeug.run_simple.__code__.co_name"), "(True, 'run_simple')");
}
