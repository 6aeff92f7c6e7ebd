//! `import` means what Python means by it: of what the import system consists, and which kinds of objects come of it.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use serde_json::Value;

/// What the import system consists of, and each module with the kinds of its parts.
const SYSTEM: &str = r#"
import colorsys, csv, decimal, email.policy, importlib.metadata, json, logging, platform, re, secrets, shutil, sys, uuid

def kind(value):
    named = value if isinstance(value, type) else type(value)
    return f"{named.__module__}.{named.__qualname__}"

def look():
    modules = {}
    for name, module in sorted(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        loader = getattr(module, "__loader__", None)
        modules[name] = [kind(module), kind(loader), kind(spec), getattr(spec, "loader", None) is loader,
                         getattr(module, "__file__", None), getattr(spec, "cached", None)]
    return {
        "finders": [kind(finder) for finder in sys.meta_path],
        "hooks": [hook.__qualname__ for hook in sys.path_hooks],
        "caches": sorted({kind(finder) for finder in sys.path_importer_cache.values()}),
        "compile": re._compiler.compile.__module__,
        "flags": list(sys.flags),
        "modules": modules,
    }

SEEN = look()

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([SEEN, look()]).encode()]
"#;

/// What plain Python and a function see.
fn systems(settings: &[(&str, &str)]) -> (Value, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("app.py"), SYSTEM).unwrap();
    let script = "import app; print(app.app({}, lambda *given: None)[0].decode())";
    let mut plain = support::python();
    let plain = plain.args(["-B", "-X", "utf8", "-c", script]).current_dir(&folder).env("PYTHONUNBUFFERED", "1");
    let plain: Value = serde_json::from_str(&support::said(plain)).unwrap();
    let mut setup = support::app(&folder, "app:app").env("PYTHONUNBUFFERED", "1");
    for (name, value) in settings {
        setup = setup.env(name, value);
    }
    let seen = setup.start().invoke(support::event("function-url-get")).body_json();
    fs::remove_dir_all(&folder).unwrap();
    (plain[0].clone(), seen.as_array().unwrap().clone())
}

#[test]
fn with_the_switch_off_the_import_system_is_pythons_own() {
    for (name, value) in [("WSGI_LAMBDA_DEFER_IMPORTS", "false"), ("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")] {
        let (plain, seen) = systems(&[(name, value)]);
        assert_eq!(seen.len(), 2, "{name}: in the import, and in a request");
        for seen in &seen {
            for part in ["finders", "hooks", "caches", "compile", "flags"] {
                assert_eq!(seen[part], plain[part], "{name}, {part}");
            }
            same_modules(&plain["modules"], &seen["modules"]);
        }
    }
}

/// Nothing but the finder of Werkzeug's development server, and the standard library's patterns.
#[test]
fn by_default_one_finder_is_there_while_the_application_is_imported() {
    let (plain, seen) = systems(&[]);
    let finders = seen[0]["finders"].as_array().unwrap();
    let ours: Value = "_wsgi_lambda_development_server.Finder".into();
    assert_eq!((&finders[0], &finders[1..]), (&ours, &plain["finders"].as_array().unwrap()[..]));
    assert_eq!(seen[1]["finders"], plain["finders"]);
    for seen in &seen {
        same_modules(&plain["modules"], &seen["modules"]);
    }
}

fn same_modules(plain: &Value, seen: &Value) {
    let ours = ["app", "__main__", "wsgi_lambda", "snapshot_restore_py"];
    let plain = plain.as_object().unwrap();
    assert!(plain.len() > 100, "{}", plain.len());
    for (name, module) in plain.iter().filter(|(name, _)| !ours.contains(&name.as_str())) {
        assert_eq!(&seen[name], module, "{name}");
    }
    for name in seen.as_object().unwrap().keys() {
        let known = [&ours[..], &["faulthandler", "gc"]].concat(); // which the runtime uses itself
        let known = plain.contains_key(name) || known.contains(&name.as_str()) || name.starts_with("_wsgi_lambda_");
        assert!(known, "{name} is not there in plain Python");
    }
}

/// What an application may do with the import system, or expect of it, and what the runtime once did otherwise.
#[test]
fn applications_that_look_closely_see_what_python_shows() {
    let lazy = "import importlib.util, sys, threading\n\
         class Lazy:\n    \
             def __init__(self, finder): self.finder = finder\n    \
             def find_spec(self, name, path=None, target=None):\n        \
                 spec = self.finder.find_spec(name, path, target)\n        \
                 if spec is not None and hasattr(spec.loader, 'exec_module'):\n            \
                     spec.loader = importlib.util.LazyLoader(spec.loader)\n        \
                 return spec\n\
         sys.meta_path[:] = [Lazy(finder) for finder in sys.meta_path]\n\
         import helper\n\
         ANSWER = helper.ANSWER\n";
    let helper = "import logging, platform\nANSWER = platform.python_implementation(), logging.getLevelName(30)";
    let pickled = "import copyreg, decimal, io, pickle, types\n\
         class Pickler(pickle.Pickler):\n    \
             dispatch_table = {types.ModuleType: lambda module: (__import__, (module.__name__,))}\n\
         file = io.BytesIO()\n\
         Pickler(file).dump(decimal)\n\
         ANSWER = pickle.loads(file.getvalue()).Decimal('2.5')\n";
    let shadowed = "import os, secrets\nANSWER = os.environ.get('DB_PASSWORD')";
    let shadow = "import os\nos.environ['DB_PASSWORD'] = 'from-secrets-manager'";
    let in_c = "import ctypes, uuid\n\
         get = ctypes.pythonapi.PyObject_GenericGetDict\n\
         get.restype, get.argtypes = ctypes.py_object, (ctypes.py_object, ctypes.c_void_p)\n\
         ANSWER = 'UUID' in get(uuid, None)";
    for (python, name, text, expected) in [
        (lazy, "helper.py", helper, "('CPython', 'WARNING')"),
        (pickled, "none.py", "", "Decimal('2.5')"),
        (shadowed, "secrets.py", shadow, "'from-secrets-manager'"),
        (in_c, "none.py", "", "True"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let serve = "\ndef app(environ, start_response):\n    \
            start_response('200 OK', [])\n    return [repr(ANSWER).encode()]\n";
        fs::write(folder.path().join("app.py"), format!("{python}{serve}")).unwrap();
        fs::write(folder.path().join(name), text).unwrap();
        for switch in ["true", "false"] {
            let setup = support::app(folder.path(), "app:app").env("WSGI_LAMBDA_DEFER_IMPORTS", switch);
            let response = setup.start().invoke(support::event("function-url-get"));
            assert_eq!(response.text(), expected, "{switch}: {python}");
        }
    }
}

/// The standard library's patterns were compiled when the runtime was built (`expressions.rs` holds them beside what `re`
/// makes). All others, and what is none, are for `re` as ever.
#[test]
fn patterns_made_ahead_are_found_and_others_are_compiled() {
    let check = "import json.decoder, re, sys\n\
                 calls = []\n\
                 re._parser.parse = lambda *given, parse=re._parser.parse: calls.append(given[0]) or parse(*given)\n\
                 def parsed(pattern, flags=0):\n    \
                     re.purge()\n    \
                     calls.clear()\n    \
                     re.compile(pattern, flags)\n    \
                     return list(calls)\n\
                 def failed(pattern):\n    \
                     try: re.compile(pattern)\n    \
                     except Exception as error: return repr(error)\n\
                 known = json.decoder.STRINGCHUNK\n\
                 def app(environ, start_response):\n    \
                     start_response('200 OK', [('Content-Type', 'application/json')])\n    \
                     return [json.dumps([re._compiler.compile.__module__, parsed(known.pattern, known.flags & ~32), parsed('of nobody'),\n        \
                         re.compile(r'(?P<a>x)|b').match('x').groupdict(), failed('('), failed([])]).encode()]\n";
    let mut function = support::source(check).start();
    let seen = function.invoke(support::event("function-url-get")).body_json();
    assert_eq!(seen[0], "_wsgi_lambda_expressions");
    assert_eq!((&seen[1], &seen[2]), (&serde_json::json!([]), &serde_json::json!(["of nobody"])));
    assert_eq!(seen[3], serde_json::json!({"a": "x"}));
    // A `PatternError` since Python 3.13.
    let error = seen[4].as_str().unwrap();
    assert!(error.ends_with("rror('missing ), unterminated subpattern at position 0')"), "{error}");
    assert!(seen[5].as_str().unwrap().contains("unhashable type: 'list'"), "{}", seen[5]); // 3.14 says more
}
