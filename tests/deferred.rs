//! Imports that are put off, and everything that must be as if they were not.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write as _;
use std::fs;

use support::{Function, app, root, source};

/// An application that runs the Python expression in its query, and gives its `repr`.
const PRELUDE: &str = r#"
from urllib.parse import unquote

def loaded(name):
    "Whether a module's code has run: asked without touching the module."
    import sys, types
    return type(sys.modules[name]) is types.ModuleType if name in sys.modules else None

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

fn started(python: &str) -> Function {
    source(&format!("{python}\n{PRELUDE}")).start()
}

#[test]
fn a_module_runs_when_something_of_it_is_touched_and_then_is_an_ordinary_one() {
    let mut function = started("import decimal, csv, decimal\nfrom shutil import which");
    assert_eq!(eval(&mut function, "loaded('decimal'), loaded('csv'), loaded('shutil')"), "(False, False, True)");
    assert_eq!(eval(&mut function, "decimal.Decimal('1.10') + 1"), "Decimal('2.10')");
    assert_eq!(eval(&mut function, "loaded('decimal'), loaded('csv')"), "(True, False)");
    let ordinary =
        "type(decimal).__name__, type(decimal.__loader__).__module__, decimal.__spec__.loader is decimal.__loader__";
    let loader = eval(&mut function, ordinary);
    assert!(loader.starts_with("('module', '_frozen_importlib") && loader.ends_with("True)"), "{loader}");
    assert_eq!(
        eval(&mut function, "csv.no_such_name"),
        r#"AttributeError("module 'csv' has no attribute 'no_such_name'")"#
    );
}

#[test]
fn looking_at_all_of_a_module_loads_it() {
    let mut function = started("import decimal, csv, hmac, glob, importlib, pickle");
    assert_eq!(
        eval(&mut function, "'Decimal' in vars(decimal), 'reader' in dir(csv), loaded('csv')"),
        "(True, True, True)"
    );
    assert_eq!(eval(&mut function, "setattr(hmac, 'mine', 1), hmac.mine, hmac.new.__name__"), "(None, 1, 'new')");
    assert_eq!(eval(&mut function, "importlib.reload(glob).glob.__name__, loaded('glob')"), "('glob', True)");
    assert_eq!(
        eval(&mut function, "pickle.loads(pickle.dumps(__import__('uuid').UUID(int=1)))"),
        "UUID('00000000-0000-0000-0000-000000000001')"
    );
}

#[test]
fn a_submodule_does_not_load_its_package_nor_get_lost() {
    let mut function = started("import importlib.metadata\nimport email.policy, email.parser");
    assert_eq!(eval(&mut function, "loaded('importlib.metadata'), loaded('email.policy')"), "(False, False)");
    assert_eq!(eval(&mut function, "importlib.metadata.version.__name__"), "'version'");
    assert_eq!(eval(&mut function, "importlib.metadata._meta.__name__"), "'importlib.metadata._meta'");
    assert_eq!(eval(&mut function, "email.policy.default.__class__.__name__"), "'EmailPolicy'");
}

#[test]
fn many_threads_that_touch_a_module_at_once_all_see_the_whole_of_it() {
    let mut function = started(
        "import threading, sys, decimal, ipaddress, zipfile, uuid\n\
         sys.setswitchinterval(1e-6)\n\
         def race():\n    \
             got, names = [], [(decimal, 'ROUND_UP'), (ipaddress, 'collapse_addresses'), (zipfile, 'ZipFile'), (uuid, 'uuid5')]\n    \
             def touch(module, name):\n        \
                 try: got.append(getattr(module, name) is not None)\n        \
                 except BaseException as error: got.append(repr(error))\n    \
             threads = [threading.Thread(target=touch, args=pair) for pair in names * 8]\n    \
             [thread.start() for thread in threads], [thread.join() for thread in threads]\n    \
             return set(got), len(got)",
    );
    assert_eq!(eval(&mut function, "race()"), "({True}, 32)");
}

/// Tools for monitoring and patching stand before the loaders of modules that they wait for.
#[test]
fn a_tool_that_waits_for_a_module_sees_it_and_so_does_the_application() {
    let mut function = started(
        "import sys, importlib.util\n\
         seen = []\n\
         class Loader:\n    \
             def __init__(self, loader): self.loader = loader\n    \
             def create_module(self, spec): return self.loader.create_module(spec)\n    \
             def exec_module(self, module):\n        \
                 self.loader.exec_module(module)\n        \
                 seen.append(module.__name__)\n        \
                 if module.__name__ == 'uuid': module.mine = module.UUID(int=1).int\n\
         class Finder:\n    \
             looking = False\n    \
             def find_spec(self, name, path=None, target=None):\n        \
                 if self.looking or name not in ('decimal', 'uuid', 'hmac'): return None\n        \
                 self.looking = True\n        \
                 try: spec = importlib.util.find_spec(name)\n        \
                 finally: self.looking = False\n        \
                 spec.loader = Loader(spec.loader)\n        \
                 return spec\n\
         sys.meta_path.insert(0, Finder())\n\
         import decimal, uuid\n\
         from hmac import compare_digest",
    );
    assert_eq!(
        eval(&mut function, "seen, loaded('decimal'), loaded('uuid'), loaded('hmac')"),
        "(['decimal', 'uuid', 'hmac'], False, True, True)"
    );
    let of_both = "uuid.mine, decimal.Decimal(1), type(decimal.__spec__.loader).__name__, importlib.reload(uuid).mine";
    assert_eq!(eval(&mut function, of_both), "(1, Decimal('1'), 'Loader', 1)");
}

/// As eventlet does to have a second one of its own, and as cleaners of namespaces do.
#[test]
fn a_module_that_was_taken_out_of_the_system_is_still_a_whole_one() {
    let mut function = started(
        "import sys, decimal, uuid, hmac\n\
         first = decimal\n\
         del sys.modules['decimal'], sys.modules['uuid']\n\
         import decimal\n\
         hmac.__spec__ = hmac.__loader__ = None",
    );
    assert_eq!(eval(&mut function, "first is decimal, first.Decimal is decimal.Decimal"), "(False, True)");
    assert_eq!(eval(&mut function, "uuid.UUID(int=1).int, 'uuid' in sys.modules"), "(1, False)");
    assert_eq!(
        eval(&mut function, "hmac.compare_digest(b'1', b'1'), hmac.__loader__, hmac.__spec__"),
        "(True, None, None)"
    );
}

/// Its own kind of module is not put off, and nothing that its loader does is left out.
#[test]
fn a_tool_that_makes_modules_itself_makes_these_too() {
    let tools = tempfile::tempdir().unwrap();
    let customize = "import sys, types\n\
         from importlib.machinery import PathFinder\n\
         class Module(types.ModuleType): pass\n\
         class Loader:\n    \
             def __init__(self, loader): self.loader = loader\n    \
             def create_module(self, spec): return Module(spec.name)\n    \
             def exec_module(self, module): self.loader.exec_module(module)\n\
         class Finder:\n    \
             def find_spec(name, path=None, target=None):\n        \
                 if name != 'decimal': return None\n        \
                 spec = PathFinder.find_spec(name, path)\n        \
                 spec.loader = Loader(spec.loader)\n        \
                 return spec\n\
         sys.meta_path.insert(0, Finder)\n";
    std::fs::write(tools.path().join("sitecustomize.py"), customize).unwrap();
    let mut function = source(&format!("import sys, decimal, uuid\n{PRELUDE}"))
        .env("PYTHONPATH", tools.path().to_str().unwrap())
        .start();
    let kinds = "type(decimal).__name__, type(decimal.__spec__.loader).__name__, decimal.Decimal(1), loaded('uuid')";
    assert_eq!(eval(&mut function, kinds), "('Module', 'Loader', Decimal('1'), False)");
}

#[test]
fn a_module_that_failed_to_load_is_tried_again() {
    // An application's own module of that name wins by its place in sys.path, as always.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app.py"), format!("import calendar\n{PRELUDE}")).unwrap();
    let module = "import os\nif 'READY' not in os.environ: raise OSError('not ready')\nvalue = 1\n";
    fs::write(folder.path().join("calendar.py"), module).unwrap();
    let mut function = app(folder.path(), "app:app").start();
    assert_eq!(eval(&mut function, "calendar.value"), "OSError('not ready')");
    assert_eq!(eval(&mut function, "calendar.value"), "OSError('not ready')");
    assert_eq!(eval(&mut function, "__import__('os').environ.update(READY='1'), calendar.value"), "(None, 1)");
}

#[test]
fn the_switch_and_snapshots_import_everything_at_once() {
    for (name, value) in [("WSGI_LAMBDA_DEFER_IMPORTS", "false"), ("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")] {
        let mut function = source(&format!("import decimal\n{PRELUDE}")).env(name, value).start();
        assert_eq!(eval(&mut function, "loaded('decimal')"), "True", "{name}");
    }
}

/// Flask imports the development server by two names. What the packages hold stands in for the functions until they
/// are called; everybody else gets the real ones, and so do the packages from then on.
#[test]
fn the_development_server_is_there_when_it_is_wanted() {
    let with_flask = |imports: &str| {
        let venv = root().join(".cache/venv");
        source(&format!("{imports}\n{PRELUDE}")).env("WSGI_LAMBDA_VENV", venv.to_str().unwrap()).start()
    };
    let mut function = with_flask("import flask, werkzeug");
    assert_eq!(
        eval(&mut function, "loaded('werkzeug.serving'), 'http.server' in __import__('sys').modules"),
        "(False, False)"
    );
    assert_eq!(
        eval(&mut function, "werkzeug.run_simple.__name__, werkzeug.run_simple.__module__"),
        "('run_simple', 'werkzeug.serving')"
    );
    assert_eq!(
        eval(&mut function, "flask.app.is_running_from_reloader(), loaded('werkzeug.serving')"),
        "(False, True)"
    );
    let same = "werkzeug.run_simple is werkzeug.serving.run_simple, flask.cli.run_simple is werkzeug.run_simple, \
                flask.app.is_running_from_reloader is werkzeug.serving.is_running_from_reloader";
    assert_eq!(eval(&mut function, same), "(True, True, True)");

    let mut function = with_flask("from werkzeug.serving import run_simple, WSGIRequestHandler\nimport flask");
    assert_eq!(
        eval(&mut function, "run_simple.__code__.co_name, run_simple is flask.cli.run_simple"),
        "('run_simple', True)"
    );
}

/// The standard library's patterns were compiled when the runtime was built (`patterns.rs` holds them beside what `re`
/// makes). All others, and what is none, are for `re` as ever.
#[test]
fn patterns_made_ahead_are_found_and_others_are_compiled() {
    let check = "import re, string\n\
                 calls = []\n\
                 re._parser.parse = lambda *given, parse=re._parser.parse: calls.append(given[0]) or parse(*given)\n\
                 def parsed(pattern, flags=0):\n    \
                     re.purge()\n    \
                     calls.clear()\n    \
                     re.compile(pattern, flags)\n    \
                     return list(calls)";
    let mut function = started(check);
    assert_eq!(eval(&mut function, "re._compiler.compile.__module__"), "'_wsgi_lambda_patterns'");
    assert_eq!(
        eval(&mut function, "parsed(string.Template.pattern.pattern, string.Template.pattern.flags & ~32)"),
        "[]"
    );
    assert_eq!(eval(&mut function, "parsed('of nobody'), parsed(b'of nobody')"), "(['of nobody'], [b'of nobody'])");
    assert_eq!(eval(&mut function, "re.compile(r'(?P<a>x)|b').match('x').groupdict()"), "{'a': 'x'}");
    let error = eval(&mut function, "re.compile('(')"); // a `PatternError` since Python 3.13
    assert!(error.ends_with("rror('missing ), unterminated subpattern at position 0')"), "{error}");
    assert_eq!(eval(&mut function, "re.compile([])"), r#"TypeError("unhashable type: 'list'")"#);
}
