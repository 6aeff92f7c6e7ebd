//! The layer in a sandbox like Lambda's: a root without any Python or compiler, `/opt` and `/var/task` read-only, an
//! unprivileged user, Lambda's environment, and AWS's own Runtime Interface Emulator in it.
//!
//! The layer is the one that `make layer` has left in `layer/dist`, or else one made here from the Python at hand; the
//! functions are what `wsgi-lambda package` makes. Needs root and namespaces. `tests/arm64` runs it with the layer for arm64.
#![cfg(feature = "cli")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

#[allow(dead_code, reason = "the tests of the emulators use all of it")]
#[path = "emulators/client.rs"]
mod client;
#[path = "sandbox/root.rs"]
mod jail;
#[path = "sandbox/layer.rs"]
mod layer;
#[path = "sandbox/machine.rs"]
mod machine;
#[allow(dead_code, reason = "the tests of the layer use all of it")]
#[path = "layer/place.rs"]
mod place;
#[allow(dead_code, reason = "as above")]
#[path = "emulators/tool.rs"]
mod tool;

use jail::{Flavour, Sandbox};
use layer::Layer;
use serde_json::{Value, json};
use support::event;

fn get(path: &str) -> Value {
    let mut event = event("function-url-get");
    event["rawPath"] = path.into();
    event
}

/// A package made of the sources of an application: `app.py` alone.
fn source(layer: &Layer, python: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.py"), python).unwrap();
    layer.package(folder.path(), &["--no-requirements"])
}

#[test]
fn the_examples_are_served() {
    let Some(layer) = Layer::find() else { return };
    let examples = [("plain", "app.application"), ("flask", "app.app"), ("django", "mysite.wsgi.application")];
    for (name, handler) in examples {
        let package = layer.package(&support::root().join("examples").join(name), &[]);
        for flavour in [Flavour::SelfContained, Flavour::Managed] {
            let at = format!("{name}, {flavour:?}");
            let sandbox = Sandbox::start(layer, flavour, package.path(), handler, 30);
            let home = sandbox.invoke(&get("/"));
            assert_eq!(home["statusCode"], 200, "{at}: {home} {}", sandbox.logs());
            assert!(home["body"].as_str().unwrap().contains("Grüße"), "{at}: {home}");
            let mut echo = get("/echo");
            echo["requestContext"]["http"]["method"] = "POST".into();
            echo["headers"]["content-type"] = "application/octet-stream".into();
            (echo["body"], echo["isBase64Encoded"]) = ("AP/+gA==".into(), true.into());
            assert_eq!(sandbox.invoke(&echo)["body"], "AP/+gA==", "{at}");
            assert_eq!(sandbox.invoke(&get("/error"))["statusCode"], 500, "{at}");
            assert!(sandbox.logs().contains("Traceback"), "{at}: {}", sandbox.logs());
        }
    }
}

const PROBE: &str = r#"
import importlib, os, ssl, sys, sysconfig, threading, time

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    import json
    name = environ["PATH_INFO"].strip("/")
    return [json.dumps(globals()[name]()).encode()]

def modules():
    "Imports every extension module and names those that do not load."
    folder = next(path for path in sys.path if path.endswith("lib-dynload"))
    failed = {}
    names = sorted(file.partition(".")[0] for file in os.listdir(folder) if file.endswith(".so"))
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            failed[name] = repr(error)
    return [len(names), failed]

def tls():
    return ssl.create_default_context().cert_store_stats()["x509_ca"]

def uses():
    "What applications use of the standard library beyond pure Python."
    import bz2, ctypes, decimal, hashlib, lzma, sqlite3, uuid, zlib, zoneinfo
    return [
        sqlite3.connect(":memory:").execute("select 6 * 7").fetchone()[0],
        hashlib.new("sha3_256", b"x").hexdigest()[:8],
        lzma.decompress(lzma.compress(b"a")) + bz2.decompress(bz2.compress(b"b")) + zlib.decompress(zlib.compress(b"c")) == b"abc",
        ctypes.CDLL(None).getpid() == os.getpid(),
        str(decimal.Decimal("0.1") * 3),
    ]

def place():
    refused = []
    for folder in ("/opt", "/var/task", "/"):
        try:
            open(folder + "/written", "w")
        except OSError:
            refused.append(folder)
    open("/tmp/written", "w").close()
    pythons = [name for folder in ("/bin", "/usr/bin", "/usr/local/bin") if os.path.isdir(folder)
               for name in os.listdir(folder) if "python" in name or "cc" in name]
    return [refused, pythons, os.getuid() != 0, sys.prefix, sys.flags.utf8_mode, sys.dont_write_bytecode]

def sleep():
    time.sleep(60)
"#;

#[test]
fn nothing_but_the_layer_is_needed() {
    let Some(layer) = Layer::find() else { return };
    let package = source(layer, PROBE);
    for (flavour, prefix) in [(Flavour::SelfContained, "/opt"), (Flavour::Managed, "/var/lang")] {
        let sandbox = Sandbox::start(layer, flavour, package.path(), "app.app", 3);
        let ask = |name: &str| -> Value {
            let response = sandbox.invoke(&get(&format!("/{name}")));
            let body = response["body"].as_str().unwrap_or_else(|| panic!("{response} {}", sandbox.logs()));
            serde_json::from_str(body).unwrap_or_else(|_| panic!("{body} {}", sandbox.logs()))
        };
        let modules = ask("modules");
        assert_eq!(modules[1], json!({}), "{flavour:?}");
        assert!(modules[0].as_u64().unwrap() > 10 || layer.is_static(), "{flavour:?}: {modules}");
        assert!(ask("tls").as_u64().unwrap() > 50, "{flavour:?}: {}", sandbox.logs());
        assert_eq!(ask("uses"), json!([42, "741efa31", true, true, "0.3"]), "{flavour:?}");
        assert_eq!(ask("place"), json!([["/opt", "/var/task", "/"], [], true, prefix, 1, true]), "{flavour:?}");
    }
}

#[test]
fn init_errors_and_timeouts_are_told() {
    let Some(layer) = Layer::find() else { return };
    let broken = source(layer, "import no_such_module\n");
    let sandbox = Sandbox::start(layer, Flavour::SelfContained, broken.path(), "app.app", 10);
    let error = sandbox.invoke(&get("/"));
    assert_eq!(error["errorType"], "Runtime.ImportModuleError", "{error}");
    let message = "Unable to import module 'app': No module named 'no_such_module'";
    assert_eq!(error["errorMessage"], message);
    assert!(error["stackTrace"][0].as_str().unwrap().contains("/var/task/app.py"), "{error}");

    let package = source(layer, PROBE);
    let sandbox = Sandbox::start(layer, Flavour::SelfContained, package.path(), "app.app", 3);
    assert_eq!(sandbox.invoke(&get("/sleep"))["statusCode"], 504, "{}", sandbox.logs());
    assert_eq!(sandbox.invoke(&get("/tls"))["statusCode"], 200, "{}", sandbox.logs());
}
