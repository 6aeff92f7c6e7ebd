//! `import` finds what Python finds, and who changes that is heard.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Makes, in the current folder, modules in every state in which a deployment can have them.
const MAKE: &str = r##"
import importlib.util, os, py_compile, zipfile
from py_compile import PycInvalidationMode as Mode

TAG = f".{importlib.util.cache_from_source('x.py').split('.', 1)[1]}"

def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as file:
        file.write(text)

def module(path, who="source"):
    write(path, f"WHO = {who!r}\ndef f(): pass\n")

def compiled(path, who, mode, target=None):
    "A .pyc that says something else than the source, so that one sees which was read."
    module(path, who)
    stat = os.stat(path)
    py_compile.compile(path, cfile=target or importlib.util.cache_from_source(path), invalidation_mode=mode, doraise=True)
    text = open(path).read()
    write(path, text.replace(who, "SOURCE"[:len(who)].ljust(len(who), "_")))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

module("plain.py")
compiled("timed.py", "fresh pyc", Mode.TIMESTAMP)
compiled("unchecked.py", "unchecked pyc", Mode.UNCHECKED_HASH)
compiled("checked.py", "checked pyc", Mode.CHECKED_HASH)
compiled("older.py", "outdated pyc", Mode.TIMESTAMP)
os.utime("older.py", (1_000_000_000, 1_000_000_000))
compiled("longer.py", "outdated pyc", Mode.TIMESTAMP)
stat = os.stat("longer.py")
write("longer.py", open("longer.py").read() + "# more\n")
os.utime("longer.py", ns=(stat.st_atime_ns, stat.st_mtime_ns))
for name, change in [("cut", lambda data: data[:40]), ("magic", lambda data: b"\0" + data[1:]), ("empty", lambda data: b""),
                     ("flags", lambda data: data[:4] + b"\x40" + data[5:]), ("no_code", lambda data: data[:16] + b"N")]:
    compiled(f"{name}.py", "broken pyc", Mode.TIMESTAMP)
    path = importlib.util.cache_from_source(f"{name}.py")
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(change(data))
for name, mode in [("alone", Mode.UNCHECKED_HASH), ("alone_timed", Mode.TIMESTAMP)]:
    compiled(f"{name}.py", "alone", mode, f"{name}.pyc")
    os.unlink(f"{name}.py")
write("alone_broken.pyc", "no byte code")
compiled("two_pycs.py", "in __pycache__", Mode.TIMESTAMP)
write("two_pycs.pyc", "never read")
module("package/__init__.py")
module("package/inner.py")
module("package/deeper/__init__.py")
compiled("packed/__init__.py", "packed", Mode.UNCHECKED_HASH, "packed/__init__.pyc")
os.unlink("packed/__init__.py")
module("namespace/inner.py")
module("twice.py", "the file")
module("twice/__init__.py", "the package")
module("thrice.py", "the file beside a folder")
module("thrice/other.py")
module("native.py")
write("native" + importlib.machinery.EXTENSION_SUFFIXES[0], "no library")
os.makedirs("folder.py")
module("calendar.py", "the application's own calendar")
module("json/other.py", "a folder named as a package of the standard library")
write("fails.py", "import plain\nraise RuntimeError('on purpose')\n")
write("syntax.py", "x = (\n")
os.symlink("plain.py", "linked.py")
module("later/second.py")
with zipfile.ZipFile("archive.zip", "w") as archive:
    archive.writestr("zipped.py", "WHO = 'zipped'\ndef f(): pass\n")
"##;

/// The application: imports everything while it is imported itself, and returns what came of it.
const APP: &str = r#"
import importlib, os, sys

here = os.path.dirname(os.path.abspath(__file__))

class Hook:
    "A path hook, as editable installations have them."
    def __init__(self, entry):
        if entry != "hooked:":
            raise ImportError

    def find_spec(self, name, target=None):
        if name == "hooked":
            return importlib.util.spec_from_file_location(name, os.path.join(here, "plain.py"))

import importlib.util
sys.path_hooks.append(Hook)
sys.path[1:1] = ["", "relative", os.path.join(here, "archive.zip"), os.path.join(here, "nowhere"), "hooked:", b"bytes",
                 os.path.join(here, "later/")]

NAMES = """plain timed unchecked checked older longer cut magic empty flags no_code alone alone_timed alone_broken two_pycs
package package.inner package.deeper packed namespace namespace.inner twice thrice native folder calendar json json.decoder
json.other fails syntax linked second zipped hooked nowhere json.nowhere plain.nowhere email.message.nowhere email.mime.text
xml.etree.ElementTree logging.config sqlite3 _json array datetime""".split()

def look(name):
    try:
        module = importlib.import_module(name)
    except Exception as error:
        frames, trace = [], error.__traceback__
        while trace is not None:
            frames.append(os.path.basename(trace.tb_frame.f_code.co_filename))
            trace = trace.tb_next
        return [type(error).__name__, str(error), frames]
    spec, loader = module.__spec__, module.__loader__
    return {
        "who": getattr(module, "WHO", None),
        "file": getattr(module, "__file__", None),
        "cached": getattr(module, "__cached__", None),
        "path": list(getattr(module, "__path__", ())),
        "package": module.__package__,
        "spec": [spec.name, spec.origin, spec.cached, spec.has_location, spec.parent, spec.loader is loader],
        "inside": list(spec.submodule_search_locations or ()),
        "loader": [type(loader).__module__, type(loader).__qualname__, getattr(loader, "name", None),
                   getattr(loader, "path", None), sorted(getattr(loader, "__dict__", ()))],
        "code": module.f.__code__.co_filename if hasattr(module, "f") else None,
    }

SEEN = {name: look(name) for name in NAMES}

def app(environ, start_response):
    import json
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(SEEN).encode()]
"#;

fn python(folder: &Path, script: &str) -> String {
    support::said(support::python().args(["-I", "-S", "-B", "-c", script]).current_dir(folder))
}

#[test]
fn what_is_found_is_what_python_finds() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    fs::write(folder.join("app.py"), APP).unwrap();
    python(&folder, MAKE);
    let here = folder.to_str().unwrap();
    let script = format!("import sys; sys.path.insert(0, {here:?}); import json, app; print(json.dumps(app.SEEN))");
    let expected: Value = serde_json::from_str(&python(&folder, &script)).unwrap();
    let mut function = support::app(&folder, "app:app").env("WSGI_LAMBDA_DEFER_IMPORTS", "false").start();
    let seen = function.invoke(support::event("function-url-get")).body_json();
    let expected = expected.as_object().unwrap();
    assert!(expected.len() > 40);
    for (name, expected) in expected {
        assert_eq!(&seen[name], expected, "{name}");
    }
    for (name, who) in [
        ("timed", "fresh pyc"),
        ("unchecked", "unchecked pyc"),
        ("older", "SOURCE______"),
        ("longer", "SOURCE______"),
        ("calendar", "the application's own calendar"),
        ("thrice", "the file beside a folder"),
        ("twice", "the package"),
    ] {
        assert_eq!(seen[name]["who"], who, "{name}");
    }
}

#[test]
fn a_module_that_appears_while_the_application_is_imported_is_found() {
    let python = "import os, sys, time\n\
        here = os.path.dirname(__file__)\nsys.path.insert(0, os.path.join(here, 'made'))\n\
        os.mkdir(sys.path[0])\n\
        try:\n    import fresh\nexcept ImportError:\n    pass\n\
        time.sleep(0.02)\nopen(os.path.join(here, 'made', 'fresh.py'), 'w').write('WHO = 1')\n\
        import fresh\n\
        def app(environ, start_response):\n    start_response('200 OK', [])\n    return [str(fresh.WHO).encode()]\n";
    assert_eq!(support::source(python).start().invoke(support::event("function-url-get")).text(), "1");
}

#[test]
fn site_is_what_python_makes_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let venv = folder.join("venv");
    support::said(support::python().args(["-m", "venv", "--without-pip"]).arg(&venv));
    fs::write(folder.join("sitecustomize.py"), "order = ['sitecustomize']").unwrap();
    let look = "import builtins, json, os, site, subprocess, sys\n\
         import sitecustomize\n\
         def app(environ, start_response):\n    \
             start_response('200 OK', [])\n    \
             return [json.dumps([\n        \
                 sorted(vars(builtins)), site.PREFIXES, site.ENABLE_USER_SITE, site.__spec__.origin, site.__loader__.__name__,\n        \
                 [sys.flags.no_site, '-S' in subprocess._args_from_interpreter_flags()], sitecustomize.order,\n        \
                 [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.executable],\n        \
                 [path for path in sys.path if path.startswith(sys.prefix) or path == os.path.dirname(os.__file__)],\n    \
             ]).encode()]\n";
    fs::write(folder.join("app.py"), look).unwrap();
    let by_python = "import app; print(app.app({}, lambda *given: None)[0].decode())";
    let mut python = std::process::Command::new(venv.join("bin/python3"));
    let python = python.env("PYTHONPATH", &folder).args(["-B", "-c", by_python]);
    let expected: Value = serde_json::from_str(&support::said(python)).unwrap();
    let setup = support::app(&folder, "app:app").env("PYTHONPATH", folder.to_str().unwrap());
    let mut function = setup.env("WSGI_LAMBDA_VENV", venv.to_str().unwrap()).start();
    let seen = function.invoke(support::event("function-url-get")).body_json();
    assert!(expected.as_array().is_some_and(|parts| !parts.is_empty()), "{expected}");
    assert_eq!(seen, expected);
}

#[test]
fn what_a_tool_sets_in_sitecustomize_stays() {
    let folder = tempfile::tempdir().unwrap();
    let tool = "import gc, importlib.machinery, sys\n\
         class Finder:\n    \
             def find_spec(self, name, path=None, target=None):\n        \
                 if name == 'not_there': return importlib.machinery.ModuleSpec(name, Finder())\n    \
             def create_module(self, spec): pass\n    \
             def exec_module(self, module): module.who = 'the tool'\n\
         sys.meta_path.insert(0, Finder())\n\
         sys.pycache_prefix = '/nowhere'\n\
         gc.set_threshold(123)\n\
         import decimal\n";
    fs::write(folder.path().join("sitecustomize.py"), tool).unwrap();
    let look = "import gc, sys, not_there\n\
         DURING = [getattr(finder, '__module__', None) for finder in sys.meta_path]\n\
         def app(environ, start_response):\n    \
             start_response('200 OK', [])\n    \
             return [repr((not_there.who, gc.get_threshold()[0], type(sys.modules['decimal']).__name__, DURING[:2])).encode()]\n";
    fs::write(folder.path().join("app.py"), look).unwrap();
    let setup = support::app(folder.path(), "app:app").env("PYTHONPATH", folder.path().to_str().unwrap());
    let response = setup.start().invoke(support::event("function-url-get"));
    let finders = "['_wsgi_lambda_development_server', 'sitecustomize']";
    assert_eq!(response.text(), format!("('the tool', 123, 'module', {finders})"));
}

/// Each in the way of a tool that people use: ddtrace, beartype, and those that change Python's own loaders.
#[test]
fn tools_that_change_what_is_imported_do_so() {
    let serve = "def app(environ, start_response):\n    \
             start_response('200 OK', [])\n    \
             return [repr((module.WHO, module.__loader__.__class__.__name__)).encode()]\n";
    let tools = [
        // Gives each loader a `get_code` of its own, which calls the one that it had.
        "import importlib.util\n\
         class Loader:\n    \
             def __init__(self, loader): self.loader = loader\n    \
             def create_module(self, spec): return self.loader.create_module(spec)\n    \
             def exec_module(self, module):\n        \
                 get_code = self.loader.get_code\n        \
                 self.loader.get_code = lambda name: get_code(name).replace(co_consts=('the tool', None))\n        \
                 self.loader.exec_module(module)\n\
         class Finder:\n    \
             looking = False\n    \
             def find_spec(self, name, path=None, target=None):\n        \
                 if self.looking: return None\n        \
                 self.looking = True\n        \
                 try: spec = importlib.util.find_spec(name)\n        \
                 finally: self.looking = False\n        \
                 spec.loader = Loader(spec.loader)\n        \
                 return spec\n\
         sys.meta_path.insert(0, Finder())\n",
        "from importlib.machinery import FileFinder, SourceFileLoader\n\
         class Loader(SourceFileLoader):\n    \
             def get_code(self, name): return super().get_code(name).replace(co_consts=('the tool', None))\n\
         sys.path_hooks.insert(0, FileFinder.path_hook((Loader, ['.py'])))\n\
         sys.path_importer_cache.clear()\n",
        "from importlib.machinery import SourceFileLoader as loader\n\
         get_code = loader.get_code\n\
         loader.get_code = lambda self, name: get_code(self, name).replace(co_consts=('the tool', None))\n",
        "from importlib.machinery import SourceFileLoader as loader\n\
         get_data = loader.get_data\n\
         loader.get_data = lambda self, path: get_data(self, path).replace(b'the file', b'the tool')\n",
        "from importlib.machinery import FileFinder, SourceFileLoader\n\
         class Loader(SourceFileLoader):\n    \
             def exec_module(self, module): module.WHO = 'the tool'\n\
         find_spec = FileFinder.find_spec\n\
         def find(self, name, target=None):\n    \
             spec = find_spec(self, name, target)\n    \
             if name == 'module': spec.loader = Loader(name, spec.origin)\n    \
             return spec\n\
         FileFinder.find_spec = find\n",
        // Two finders of its own: directly before Python's, and in its place.
        "from importlib.machinery import PathFinder, SourceFileLoader\n\
         class Loader(SourceFileLoader):\n    \
             def exec_module(self, module): module.WHO = 'the tool'\n\
         class Finder(PathFinder):\n    \
             @classmethod\n    \
             def find_spec(cls, name, path=None, target=None):\n        \
                 spec = PathFinder.find_spec(name, path) if name == 'module' else None\n        \
                 if spec: spec.loader = Loader(name, spec.origin)\n        \
                 return spec\n\
         sys.meta_path.insert(sys.meta_path.index(PathFinder), Finder)\n",
        "from importlib.machinery import PathFinder, SourceFileLoader\n\
         class Loader(SourceFileLoader):\n    \
             def exec_module(self, module): module.WHO = 'the tool'\n\
         class Wrapper:\n    \
             def __init__(self, finder): self.finder = finder\n    \
             def find_spec(self, name, path=None, target=None):\n        \
                 spec = self.finder.find_spec(name, path, target)\n        \
                 if spec and name == 'module': spec.loader = Loader(name, spec.origin)\n        \
                 return spec\n\
         sys.meta_path[:] = [Wrapper(finder) for finder in sys.meta_path]\n",
    ];
    let loaders = ["Loader", "Loader", "SourceFileLoader", "SourceFileLoader", "Loader", "Loader", "Loader"];
    assert_eq!(tools.len(), loaders.len());
    for (tool, loader) in tools.into_iter().zip(loaders) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("app.py"), format!("import sys\n{tool}import module\n{serve}")).unwrap();
        fs::write(folder.path().join("module.py"), "WHO = 'the file'").unwrap();
        for _ in ["from source", "from bytecode"] {
            let mut function = support::app(folder.path(), "app:app").start();
            let response = function.invoke(support::event("function-url-get"));
            assert_eq!(response.text(), format!("('the tool', '{loader}')"), "{tool}");
            support::said(support::python().args(["-m", "compileall", "-q"]).arg(folder.path()));
        }
    }
}

/// With `PYTHONOPTIMIZE` Python reads other bytecode, and a tool may multiply the collector's threshold.
#[test]
fn optimised_code_and_thresholds_are_what_they_are_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let module = "'the doc'\nassert False, 'asserts do not run'\n";
    let look = "import gc, module\ngc.set_threshold(gc.get_threshold()[0] * 10)\n\
         def app(environ, start_response):\n    \
             start_response('200 OK', [])\n    \
             return [repr((module.__doc__, module.__spec__.cached.split('.')[-2])).encode()]\n";
    fs::write(folder.path().join("module.py"), module).unwrap();
    fs::write(folder.path().join("app.py"), look).unwrap();
    support::said(support::python().args(["-m", "compileall", "-q"]).arg(folder.path()));
    let mut function = support::app(folder.path(), "app:app").env("PYTHONOPTIMIZE", "2").start();
    assert_eq!(function.invoke(support::event("function-url-get")).text(), "(None, 'opt-2')");
}
