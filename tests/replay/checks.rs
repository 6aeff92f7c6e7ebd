//! Replay as a check: statuses, `--fail-on`, `--ignore`, the end of a sandbox, traces.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Place, get, lines, support};

const STATUS: &str = r#"
import os
def app(environ, start_response):
    with open("traces", "a") as traces:
        print(os.environ["_X_AMZN_TRACE_ID"], file=traces)
    start_response(environ["PATH_INFO"][1:] + " Status", [("Content-Type", "text/plain")])
    return [b"x"]
"#;

fn statuses(arguments: &[&str]) -> super::Seen {
    let place = Place::new();
    place.write("status.py", STATUS);
    let sqs = support::event("not-http/sqs");
    let input = lines(&[get("/200"), get("/404"), get("/200"), get("/503"), sqs]);
    place.replay_with_input(&[&["-", "--app", "status:app", "--quiet"], arguments].concat(), &input)
}

#[test]
fn the_last_line_counts_statuses() {
    let seen = statuses(&[]);
    let last = seen.stdout().lines().last().unwrap();
    assert!(last.starts_with("5 events: 4 answered, 1 failed; 2 × 200, 1 × 404, 1 × 503  "), "{last}");
}

#[test]
fn statuses_to_fail_on_are_named() {
    for (asked, named) in [
        (&["--fail-on", "404"][..], "--fail-on: stdin-2 (404)\n"),
        (&["--fail-on", "5xx,404"], "--fail-on: stdin-2 (404), stdin-4 (503)\n"),
        (&["--fail-on", "error", "--fail-on", "503"], "--fail-on: stdin-4 (503), stdin-5 (error)\n"),
    ] {
        let seen = statuses(asked);
        assert_eq!(seen.status(), 1);
        assert!(seen.stdout().contains(named), "{asked:?}: {}", seen.stdout());
    }
    assert!(!statuses(&["--fail-on", "500"]).stdout().contains("--fail-on"));
    let place = Place::new();
    for (asked, status) in [("404", 0), ("200", 1), ("2xx", 1), ("error", 0), ("2yy", 2)] {
        let seen = place.replay_with_input(&["-", "--app", "tapp:app", "--fail-on", asked], &get("/").to_string());
        assert_eq!(seen.status(), status, "{asked}: {}", seen.all());
    }
}

#[test]
fn ignored_values_are_not_compared_but_their_presence_is() {
    let place = Place::new();
    place.write(
        "change.py",
        "import os, time\ndef app(environ, start_response):\n    fields = [('Date', str(time.time_ns())), \
         ('Set-Cookie', f'session={time.time_ns()}; Path=/'), ('X-Fixed', os.environ['FIXED'])]\n    \
         start_response('200 OK', fields[int(os.environ['FROM']):])\n    return []\n",
    );
    place.write("e.json", &get("/").to_string());
    let replay = |fixed: &str, from: &str, more: &[&str]| {
        let variables = [format!("FIXED={fixed}"), format!("FROM={from}")];
        let base =
            ["e.json", "--app", "change:app", "--expect", "responses", "--env", &variables[0], "--env", &variables[1]];
        place.replay(&[&base[..], more].concat())
    };
    let ignore = ["--ignore", "header:date,cookie:session"];
    assert_eq!(replay("1", "0", &["--update"]).status(), 0);
    assert_eq!(replay("1", "0", &[]).status(), 1);
    assert_eq!(replay("1", "0", &["--ignore", "header:date"]).status(), 1, "the cookie differs");
    let same = replay("1", "0", &ignore);
    assert_eq!(same.status(), 0, "{}", same.stdout());
    let stored = place.read("responses/e.json");
    assert_eq!(replay("1", "0", &["--update", "--ignore", "header:date", "--ignore", "cookie:session"]).status(), 0);
    assert_eq!(place.read("responses/e.json"), stored, "nothing else differs, so nothing is stored");
    let differs = replay("2", "0", &ignore);
    assert_eq!(differs.status(), 1);
    assert!(!differs.stdout().contains("- ") || !differs.stdout().contains("-   \"Date\""), "{}", differs.stdout());
    assert_eq!(replay("1", "1", &ignore).status(), 1, "no Date at all");
    assert_eq!(replay("1", "0", &["--ignore", "date"]).status(), 2);
}

const HOOKS: &str = r#"
import atexit, os, time, wsgi_lambda
wsgi_lambda.on_shutdown(lambda: print("hook runs", flush=True))
if "HANG" in os.environ:
    wsgi_lambda.on_shutdown(lambda: time.sleep(60))
atexit.register(lambda: print("atexit runs", flush=True))
def app(environ, start_response):
    start_response("200 OK", [])
    return []
"#;

#[test]
fn shutdown_hooks_can_be_tried() {
    let place = Place::new();
    place.write("hooks.py", HOOKS);
    let replay =
        |more: &[&str]| place.replay_with_input(&[&["-", "--app", "hooks:app"], more].concat(), &get("/").to_string());
    let without = replay(&[]);
    assert!(!without.stderr().contains("runs"), "{}", without.stderr());
    let with = replay(&["--env", "WSGI_LAMBDA_SHUTDOWN=true"]);
    assert_eq!(with.status(), 0);
    assert!(with.stderr().contains("shutdown  SIGTERM: exit status 0\n"), "{}", with.stderr());
    assert!(with.stderr().contains("hook runs\n") && with.stderr().contains("atexit runs\n"), "{}", with.stderr());
    let hangs = replay(&["--env", "WSGI_LAMBDA_SHUTDOWN=true", "--env", "HANG=1"]);
    assert!(hangs.stderr().contains("took more than 500 ms"), "{}", hangs.stderr());
    assert!(!hangs.stderr().contains("atexit runs"), "{}", hangs.stderr());
}

#[test]
fn each_invocation_has_a_trace_in_the_platforms_form() {
    let place = Place::new();
    place.write("status.py", STATUS);
    let arguments = ["-", "--app", "status:app", "--repeat", "3"];
    assert_eq!(place.replay_with_input(&arguments, &get("/200").to_string()).status(), 0);
    let traces = place.read("traces");
    let roots: BTreeSet<&str> = traces.lines().filter_map(|trace| trace.split(';').next()).collect();
    assert_eq!(roots.len(), 3, "{traces}");
    let shape =
        |text: &str| text.chars().map(|char| if char.is_ascii_hexdigit() { 'x' } else { char }).collect::<String>();
    for trace in traces.lines() {
        let (root, rest) = trace.strip_prefix("Root=1-").unwrap().split_once(";Parent=").unwrap();
        let (parent, sampled) = rest.split_once(";Sampled=").unwrap();
        assert_eq!((shape(root), shape(parent)), (format!("{}-{}", "x".repeat(8), "x".repeat(24)), "x".repeat(16)));
        assert!(["0", "1"].contains(&sampled), "{trace}");
    }
}

#[test]
fn a_front_end_that_does_not_stream_is_not_told_to() {
    let place = Place::new();
    place.write(
        "large.py",
        "def app(e, start_response):\n    start_response('200 OK', [])\n    return [b'x' * 1_000_000]\n",
    );
    place.write("e.json", &json!(support::event("alb-get")).to_string());
    let seen = place.replay(&["e.json", "--app", "large:app"]);
    assert!(seen.stderr().contains("serve large bodies from S3 (this front end does not stream)"), "{}", seen.stderr());
}
