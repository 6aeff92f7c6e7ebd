//! The log of a function: the managed Python runtime's forms, one record an event, nothing kept for later.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use support::{Function, Setup, event, source};
use wsgi_lambda::emulator::{Launch, Submission};

const APP: &str = r#"
import logging, sys
log = logging.getLogger("shop")
log.info("loaded")

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/levels":
        for level in ("debug", "info", "warning", "error", "critical"):
            getattr(log, level)("at %s", level)
    elif path == "/exception":
        try:
            {}["key"]
        except KeyError:
            log.exception("no such key")
    elif path == "/extra":
        log.error("with extra", extra={"order": 42, "odd": object})
        log.error({"a": 1})
    elif path == "/print":
        print("printed")
        print("to stderr", file=sys.stderr)
        sys.stdout.write("no newline")
        environ["wsgi.errors"].write("\ud800 and euro \u20ac, no newline")
    elif path == "/basic-config":
        logging.basicConfig(level=logging.DEBUG)
        log.error("once")
    elif path == "/root-level":
        logging.getLogger().setLevel(logging.INFO)
        log.info("now visible")
    elif path == "/uncaught":
        secret = environ["HTTP_AUTHORIZATION"]
        raise RuntimeError("uncaught")
    elif path == "/note":
        error = RuntimeError("noted")
        error.add_note("note one")
        error.add_note("note two")
        raise error
    elif path == "/surrogate":
        log.error("lone \ud800 surrogate")
    elif path == "/closed":
        sys.stdout.close()
        log.error("after close")
    elif path == "/chained":
        try:
            {}["inner"]
        except KeyError as error:
            raise RuntimeError("outer") from error
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
"#;

fn get(path: &str) -> Value {
    let mut event = event("function-url-get");
    event["rawPath"] = path.into();
    event["headers"]["authorization"] = "Bearer s3cr3t".into();
    event
}

fn text() -> Setup {
    source(APP).env("AWS_LAMBDA_LOG_FORMAT", "Text").env("AWS_LAMBDA_LOG_LEVEL", "")
}

/// The lines that one request logged.
fn lines(function: &mut Function, path: &str) -> Vec<String> {
    let before = function.log_lines().len();
    function.send(Submission::new(get(path).to_string()).request_id("id-7"));
    function.log_lines().into_iter().skip(before).map(|line| line.text).collect()
}

fn records(setup: Setup, path: &str) -> Vec<Value> {
    let mut function = setup.env("AWS_LAMBDA_LOG_FORMAT", "JSON").start();
    let lines = lines(&mut function, path);
    lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn text_records_have_level_time_and_request_id() {
    let lines = lines(&mut text().start(), "/levels");
    let levels: Vec<&str> = lines.iter().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(levels, ["[WARNING]", "[ERROR]", "[CRITICAL]"]);
    let parts: Vec<&str> = lines[0].split('\t').collect();
    assert_eq!((parts.len(), parts[2], parts[3]), (4, "id-7", "at warning"));
    assert!(parts[1].len() == 24 && parts[1].ends_with('Z'), "{}", parts[1]);
}

#[test]
fn the_level_of_the_function_is_the_root_loggers() {
    let mut function = text().env("AWS_LAMBDA_LOG_LEVEL", "INFO").start();
    assert!(function.logs().contains("\tloaded"), "{}", function.logs());
    assert_eq!(lines(&mut function, "/levels").len(), 4);
    let mut function = text().env("AWS_LAMBDA_LOG_LEVEL", "FATAL").start();
    assert_eq!(lines(&mut function, "/levels").len(), 1);
}

#[test]
fn setting_the_root_level_alone_is_enough_and_basic_config_doubles_nothing() {
    let mut function = text().start();
    assert_eq!(lines(&mut function, "/root-level").len(), 1);
    assert_eq!(lines(&mut function, "/basic-config").len(), 1);
}

#[test]
fn a_traceback_is_one_event() {
    let logged = lines(&mut text().start(), "/exception");
    assert_eq!(logged.len(), 1, "{logged:?}");
    assert!(logged[0].contains("no such key\rTraceback (most recent call last):\r\u{a0}\u{a0}File"), "{logged:?}");
    let uncaught = lines(&mut text().start(), "/uncaught");
    assert_eq!(uncaught.len(), 1, "{uncaught:?}");
    assert!(uncaught[0].starts_with("[ERROR] RuntimeError: uncaught\rTraceback"), "{uncaught:?}");
    let chained = lines(&mut text().start(), "/chained");
    assert!(chained[0].contains("KeyError: 'inner'") && chained[0].contains("direct cause"), "{chained:?}");
}

#[test]
fn notes_stay_and_no_record_is_lost() {
    let mut function = text().start();
    let noted = lines(&mut function, "/note").join("\n");
    assert!(noted.contains("note one") && noted.contains("note two"), "{noted}");
    assert_eq!(noted.matches("RuntimeError: noted").count(), 1, "{noted}");
    assert!(lines(&mut function, "/surrogate")[0].contains("lone \\ud800 surrogate"));
    assert!(lines(&mut function, "/closed")[0].contains("after close"));
}

#[test]
fn looking_for_the_logging_module_without_importing_it_does_no_harm() {
    let app = r#"
import importlib.util
assert importlib.util.find_spec("logging")
def app(environ, start_response):
    import logging
    logging.getLogger("x").error("said")
    start_response("200 OK", [])
    return []
"#;
    let mut function = source(app).start();
    function.replay("rest-get");
    assert!(function.logs().contains("[ERROR]\t") && function.logs().contains("\tsaid"), "{}", function.logs());
}

#[test]
fn what_is_printed_belongs_to_this_invocation_even_without_a_newline() {
    let mut function = text().start();
    let lines = lines(&mut function, "/print").join("\n");
    for expected in ["printed", "to stderr", "no newline", "\\ud800 and euro €, no newline"] {
        assert!(lines.contains(expected), "{expected}: {lines}");
    }
}

#[test]
fn header_values_stay_out_of_the_log() {
    let mut function = text().env("WSGI_LAMBDA_ACCESS_LOG", "true").start();
    for path in ["/uncaught", "/levels"] {
        lines(&mut function, path);
    }
    assert!(!function.logs().contains("s3cr3t"), "{}", function.logs());
}

#[test]
fn json_records_have_the_managed_runtimes_keys_in_its_order() {
    let records = records(text(), "/exception");
    let keys: Vec<&str> = records[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["timestamp", "level", "message", "logger", "stackTrace", "errorType", "errorMessage", "requestId", "location"]
    );
    assert_eq!(records[0]["errorType"], "KeyError");
    assert_eq!(records[0]["requestId"], "id-7");
    assert!(records[0]["location"].as_str().unwrap().contains("app.py:app:"), "{records:?}");
}

#[test]
fn json_records_take_extra_values_and_dicts() {
    let records = records(text(), "/extra");
    assert_eq!((&records[0]["order"], &records[1]["message"]), (&json!(42), &json!({"a": 1})));
    assert_eq!(records[0]["odd"], "<class 'object'>");
}

#[test]
fn an_uncaught_exception_is_one_json_record() {
    let records = records(text(), "/uncaught");
    assert_eq!(records.len(), 1);
    assert_eq!((&records[0]["level"], &records[0]["errorMessage"]), (&json!("ERROR"), &json!("uncaught")));
    assert_eq!((&records[0]["errorType"], &records[0]["requestId"]), (&json!("RuntimeError"), &json!("id-7")));
    assert!(records[0]["stackTrace"].to_string().contains("raise RuntimeError"));
}

#[test]
fn the_access_log_is_one_line_a_request_without_the_query() {
    let mut function = text().env("WSGI_LAMBDA_ACCESS_LOG", "true").start();
    let mut event = get("/path%20x");
    event["rawQueryString"] = "token=s3cr3t".into();
    function.invoke(event);
    let logs = function.logs();
    let line = logs.lines().find(|line| line.contains("GET /path%20x")).expect("an access line");
    assert!(line.starts_with("[INFO]\t") && line.contains("GET /path%20x 200 2 ") && line.ends_with("ms"), "{line}");
    assert!(!logs.contains("s3cr3t"), "{logs}");
}

#[test]
fn a_telemetry_descriptor_gets_frames_and_is_hidden_from_children() {
    let folder = tempfile::tempdir().unwrap();
    let (frames, wrapper) = (folder.path().join("frames"), folder.path().join("wrapper"));
    let script = "#!/bin/sh\nexec 7>>\"$FRAMES\"\nexec \"$BOOTSTRAP\"\n";
    fs::write(&wrapper, script).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(
        folder.path().join("app.py"),
        format!("import os\nassert '_LAMBDA_TELEMETRY_LOG_FD' not in os.environ\n{APP}"),
    )
    .unwrap();
    let launch = Launch::new(wrapper, folder.path().to_owned())
        .handler("app:app")
        .env("FRAMES", frames.to_str().unwrap())
        .env("BOOTSTRAP", support::bootstrap().to_str().unwrap())
        .env("_LAMBDA_TELEMETRY_LOG_FD", "7");
    let mut function = text().launch(|_| launch).start();
    assert!(lines(&mut function, "/exception").is_empty(), "{}", function.logs());
    lines(&mut function, "/uncaught");
    function.stop();
    let frames = parse_frames(&fs::read(&frames).unwrap());
    assert_eq!(frames.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [0xA55A_0017, 0xA55A_0017]);
    assert!(frames[0].1.contains("no such key\nTraceback"), "{frames:?}");
    assert!(frames[1].1.starts_with("[ERROR] RuntimeError: uncaught\nTraceback"), "{frames:?}");
}

/// Type, length, microseconds, payload (awslambdaric, `lambda_runtime_log_utils.py`).
fn parse_frames(mut bytes: &[u8]) -> Vec<(u32, String)> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let (kind, length) = (number(0), usize::try_from(number(4)).unwrap());
        frames.push((kind, String::from_utf8(bytes[16..16 + length].to_vec()).unwrap()));
        bytes = &bytes[16 + length..];
    }
    frames
}

/// `logging.basicConfig` at import: the level is set, and records come once, in the platform's form.
#[test]
fn basic_config_does_what_it_says() {
    let serve = "\nlogging.getLogger('mine').info('at import')\n\
        def app(environ, start_response):\n    \
            logging.info('in the request')\n    start_response('200 OK', [])\n    \
            return [type(logging.getLogger().handlers[0]).__name__.encode()]\n";
    for (call, handler, text) in [
        ("level=logging.INFO, format='FMT %(message)s'", "LambdaHandler", Some("[INFO]\t")),
        ("level='INFO', stream=sys.stderr", "LambdaHandler", Some("[INFO]\t")),
        ("level=logging.INFO, force=True, format='FMT %(message)s'", "StreamHandler", Some("FMT in")),
        ("level=logging.INFO, handlers=[logging.NullHandler()]", "NullHandler", None),
        ("level=logging.INFO, filename='/dev/null'", "FileHandler", None),
        ("", "LambdaHandler", None),
        ("level=logging.INFO, handlers=None", "LambdaHandler", Some("[INFO]\t")),
    ] {
        let mut function = source(&format!("import logging, sys\nlogging.basicConfig({call})\n{serve}")).start();
        assert_eq!(function.invoke(event("function-url-get")).text(), handler, "{call}");
        let logs = function.logs();
        let count = usize::from(text.is_some());
        assert_eq!(
            (logs.matches("in the request").count(), logs.matches("at import").count()),
            (count, count),
            "{call}: {logs}"
        );
        assert!(text.is_none_or(|text| logs.contains(text)), "{call}: {logs}");
    }
}

#[test]
fn every_line_of_a_json_log_is_json_and_of_bearable_length() {
    let app = "def app(environ, start_response):\n    \
        environ['wsgi_lambda.context'].client_context\n    start_response('200 OK', [])\n    return [b'ok']\n";
    let mut function = source(app).env("AWS_LAMBDA_LOG_FORMAT", "JSON").env("WSGI_LAMBDA_ACCESS_LOG", "true").start();
    let mut odd = event("function-url-get");
    odd["rawPath"] = "/a\r\n\u{1b}[2J\0".into();
    let invocation = Submission::new(odd.to_string()).header(
        http::HeaderName::from_static("lambda-runtime-client-context"),
        http::HeaderValue::from_static("not json"),
    );
    assert_eq!(function.send(invocation).status(), 200, "{}", function.logs());
    let long = json!({"x".repeat(6_000_000): 1}).to_string();
    function.send(Submission::new(long));
    let logs = function.logs();
    for line in logs.lines() {
        assert!(
            serde_json::from_str::<Value>(line).is_ok() && line.len() < 10_000,
            "{} bytes: {:.200}",
            line.len(),
            line
        );
    }
    assert!(logs.contains("is not JSON: ignored") && logs.contains("GET /a%0D%0A%1B[2J%00 200"), "{logs:.2000}");
}

#[test]
fn streams_that_are_deleted_or_raise_are_mended_before_each_request() {
    let app = "import sys\n\
        class Odd:\n    \
            @property\n    \
            def closed(self): raise ValueError('no')\n    \
            def write(self, text): raise ValueError('no')\n\
        def app(environ, start_response):\n    \
            path = environ['PATH_INFO']\n    \
            print('before', path)\n    \
            if path == '/deleted': del sys.stdout, sys.stderr\n    \
            if path == '/raises': sys.stdout = sys.stderr = Odd()\n    \
            if path == '/object': sys.stdout = object()\n    \
            start_response('200 OK', [])\n    return [b'ok']\n";
    let mut function = source(app).start();
    for path in ["/deleted", "/raises", "/object"] {
        for path in [path, "/next"] {
            let mut request = event("function-url-get");
            request["rawPath"] = path.into();
            assert_eq!(function.invoke(request).status(), 200, "{path}: {}", function.logs());
        }
    }
    assert_eq!(function.logs().matches("before /next").count(), 3, "{}", function.logs());
}

/// As applications do that want what they print in their log.
#[test]
fn standard_output_may_become_a_logger() {
    let app = "import logging, sys\n\
        class Writer:\n    \
            def write(self, text):\n        if text.strip(): logging.getLogger('printed').warning(text.strip())\n    \
            def flush(self): pass\n\
        sys.stdout = Writer()\n\
        def app(environ, start_response):\n    print('from print')\n    start_response('200 OK', [])\n    return [b'ok']\n";
    let mut function = source(app).start();
    assert_eq!(function.invoke(event("function-url-get")).text(), "ok", "{}", function.logs());
    assert!(function.logs().matches("from print").count() <= 2, "{}", function.logs());
}
