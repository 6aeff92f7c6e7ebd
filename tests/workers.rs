//! Managed Instances: several requests at once, each in a process of its own.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "figures of the tests that measure")]

mod support;

use std::collections::BTreeSet;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use http::HeaderName;
use serde_json::Value;
use support::{Function, Response, Setup, source};
use wsgi_lambda::emulator::{Outcome, Running, Submission};

const WORKERS: usize = 8;

const APP: &str = r#"
import gc, os, sys, time
imported_by = os.getpid()

def app(environ, start_response):
    path = environ["PATH_INFO"]
    start_response("200 OK", [])
    if path == "/meet":
        # Nobody leaves before all are there: it ends only if they are served at the same time.
        folder = os.environ["MEETING"]
        open(os.path.join(folder, str(os.getpid())), "w").close()
        while len(os.listdir(folder)) < int(os.environ["AWS_LAMBDA_MAX_CONCURRENCY"]):
            time.sleep(0.01)
    elif path == "/exit":
        os._exit(9)
    elif path == "/wait":
        while not os.path.exists(os.environ["MEETING"] + "/go"):
            time.sleep(0.01)
    print("served by", os.getpid())
    frozen = gc.get_freeze_count() > 0
    trace = os.environ["_X_AMZN_TRACE_ID"]
    return [repr((os.getpid(), imported_by, environ["wsgi.multiprocess"], frozen, os.getppid(), trace)).encode()]
"#;

fn get(path: &str) -> Value {
    let mut event = support::event("function-url-get");
    event["rawPath"] = path.into();
    event
}

fn workers(meeting: &std::path::Path) -> Setup {
    workers_of(APP, meeting)
}

fn workers_of(app: &str, meeting: &std::path::Path) -> Setup {
    source(app)
        .env("AWS_LAMBDA_MAX_CONCURRENCY", &WORKERS.to_string())
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances")
        .env("MEETING", meeting.to_str().unwrap())
}

fn submit(function: &Function, path: &str) -> Running {
    function.api().submit(Submission::new(get(path).to_string()).timeout(Duration::from_secs(30)))
}

fn finish(function: &mut Function, running: Vec<Running>) -> Vec<Response> {
    let mut responses = Vec::new();
    for one in running {
        responses.push(Response::new(function.with(async |_| one.outcome().await)));
    }
    responses
}

#[test]
fn as_many_requests_as_allowed_are_served_at_once_each_in_its_own_process() {
    let meeting = tempfile::tempdir().unwrap();
    let mut function = workers(meeting.path()).start();
    let traces: Vec<String> = (0..WORKERS).map(|at| format!("Root=1-6b0b75b0-{at:024x};Sampled=0")).collect();
    let meet = |trace: &String| {
        let submission = Submission::new(get("/meet").to_string()).timeout(Duration::from_secs(30));
        let name = HeaderName::from_static("lambda-runtime-trace-id");
        function.api().submit(submission.header(name, trace.parse().unwrap()))
    };
    let running: Vec<Running> = traces.iter().map(meet).collect();
    let responses = finish(&mut function, running);
    let pids: BTreeSet<&str> = responses.iter().map(|response| response.text().split(", ").next().unwrap()).collect();
    assert_eq!(pids.len(), WORKERS);
    let parents: BTreeSet<&str> =
        responses.iter().map(|response| response.text().split(", ").nth(1).unwrap()).collect();
    assert_eq!(parents.len(), 1, "the application is imported once, before the fork");
    let flags = responses.iter().all(|response| response.text().contains(", True, True, "));
    assert!(flags, "wsgi.multiprocess, and what was imported is frozen: {}", responses[0].text());
    for (response, trace) in responses.iter().zip(traces) {
        assert!(response.text().contains(&trace), "the trace of its own request: {}, {trace}", response.text());
    }
}

#[test]
fn each_worker_writes_to_a_stream_of_its_own() {
    let meeting = tempfile::tempdir().unwrap();
    let path = meeting.path().join("logs");
    let provider = UnixListener::bind(&path).unwrap();
    let mut function =
        workers(meeting.path()).env("_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET", path.to_str().unwrap()).start();
    // One for standard output and one for standard error of each.
    let mut streams: Vec<UnixStream> = (0..2 * WORKERS).map(|_| provider.accept().unwrap().0).collect();
    std::fs::remove_file(&path).unwrap(); // else it would be counted as one who has come to the meeting
    let running = (0..WORKERS).map(|_| submit(&function, "/meet")).collect();
    let responses = finish(&mut function, running);
    let mut expected: Vec<String> = responses.iter().map(|response| format!("served by {}\n", pid(response))).collect();
    function.stop();
    let mut written: Vec<String> = streams.iter_mut().map(|stream| std::io::read_to_string(stream).unwrap()).collect();
    written.retain(|text| !text.is_empty());
    expected.sort();
    written.sort();
    assert_eq!(written, expected);
}

/// Waits until something was logged: the parent does its work apart from the responses, in its own time.
fn await_log(function: &mut Function, text: &str) {
    for _ in 0..6000 {
        if function.logs().contains(text) {
            return;
        }
        function.with(async |_| tokio::time::sleep(Duration::from_millis(10)).await);
    }
    panic!("{text} is not in {}", function.logs());
}

fn pid(response: &Response) -> &str {
    response.text().trim_start_matches('(').split(", ").next().unwrap()
}

#[test]
fn a_worker_that_dies_is_replaced_and_nobody_elses_request_is_lost() {
    let meeting = tempfile::tempdir().unwrap();
    let mut function = workers(meeting.path()).start();
    // All are busy: the one that dies leaves nobody to serve what comes, but the one that takes its place.
    let waiting: Vec<Running> = (1..WORKERS).map(|_| submit(&function, "/wait")).collect();
    let dying = submit(&function, "/exit");
    await_log(&mut function, "ended with exit status 9: a new one takes its place");
    // The caller need not wait for the function's timeout: the parent has told the platform.
    let died = finish(&mut function, vec![dying]).remove(0);
    let Outcome::Error(report) = &died.outcome else { panic!("{:?}", died.outcome) };
    let report = String::from_utf8_lossy(&report.body).into_owned();
    assert!(report.contains("Runtime.ExitError") && report.contains("ended with exit status 9"), "{report}");
    let mut served = BTreeSet::new();
    for _ in 0..3 {
        let after = submit(&function, "/after");
        let response = finish(&mut function, vec![after]).remove(0);
        assert_eq!(response.status(), 200, "{}", function.logs());
        served.insert(pid(&response).to_owned());
    }
    assert_eq!(served.len(), 1, "one new worker");
    std::fs::write(meeting.path().join("go"), "").unwrap();
    for response in finish(&mut function, waiting) {
        assert_eq!(response.status(), 200);
        served.insert(pid(&response).to_owned());
    }
    assert_eq!(served.len(), WORKERS, "the others are who they were");
    assert_eq!(function.logs().matches("ended with exit status 9").count(), 1, "{}", function.logs());
}

#[test]
fn sigterm_to_the_parent_ends_all_of_them() {
    // Again and again: the last workers are still being started, each time at another point.
    let thread = "import threading, time\nthreading.Thread(target=time.sleep, args=[1000], daemon=True).start()\n";
    let threaded = format!("{thread}{APP}"); // a signal may come to any thread
    (0..15).for_each(|_| [APP, &threaded].into_iter().for_each(sigterm_to_the_parent));
}

fn sigterm_to_the_parent(app: &str) {
    let meeting = tempfile::tempdir().unwrap();
    let mut function = workers_of(app, meeting.path()).start();
    let running = submit(&function, "/");
    let response = finish(&mut function, vec![running]).remove(0);
    assert!(matches!(response.outcome, Outcome::Response(_)));
    let parent = response.text().split(", ").nth(4).unwrap().to_owned();
    assert!(support::kill("TERM", &parent).status().unwrap().success());
    assert_eq!(function.ended(Duration::from_secs(60)), "exit status 0");
}

#[test]
fn sigterm_during_the_import_is_not_forgotten() {
    let meeting = tempfile::tempdir().unwrap();
    let app = format!("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n{APP}");
    let (_, started) = workers_of(&app, meeting.path()).try_start();
    assert!(started.unwrap_err().to_string().ends_with("exit status 0"));
}

#[test]
fn an_application_that_ignores_its_children_still_has_workers_replaced() {
    let meeting = tempfile::tempdir().unwrap();
    let app = format!("import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n{APP}");
    let mut function = workers_of(&app, meeting.path()).start();
    let (dying, after) = (submit(&function, "/exit"), submit(&function, "/"));
    assert_eq!(finish(&mut function, vec![after]).remove(0).status(), 200);
    function
        .until(Duration::from_secs(60), |function| function.logs().contains("ended with exit status 9").then_some(()));
    function.api().expire(dying.id());
}

/// The application's own processes: those that serve, and with several the one that watches over them.
fn processes(function: &mut Function) -> Vec<u32> {
    let first = function.process_id().unwrap();
    let children = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children")).unwrap();
    [first].into_iter().chain(children.split_whitespace().map(|pid| pid.parse().unwrap())).collect()
}

/// Memory in MB, of which what several processes share is counted once.
fn memory(pids: &[u32]) -> f64 {
    let shared = |pid: &u32| {
        let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap()
    };
    pids.iter().map(shared).sum::<f64>() / 1024.0
}

/// Serves requests, as many at once as there are workers.
fn serve(function: &mut Function, count: usize, at_once: usize) {
    for _ in 0..count / at_once {
        let running = (0..at_once).map(|_| submit(function, "/json")).collect();
        for response in finish(function, running) {
            assert_eq!(response.status(), 200, "{}", function.logs());
        }
    }
}

#[test]
#[ignore = "figures, no checks: make measure-workers"]
fn memory_of_eight_workers_beside_eight_processes() {
    let venv = support::root().join(".cache/venv");
    for (example, handler) in
        [("plain", "app:application"), ("flask", "app:app"), ("django", "mysite.wsgi:application")]
    {
        let setup = || {
            support::app(format!("examples/{example}"), handler)
                .env("WSGI_LAMBDA_VENV", venv.to_str().unwrap())
                .env("ALLOWED_HOSTS", "*")
                .env("DJANGO_ALLOWED_HOSTS", "*")
        };
        let mut together = setup()
            .env("AWS_LAMBDA_MAX_CONCURRENCY", &WORKERS.to_string())
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances")
            .start();
        serve(&mut together, 400, WORKERS);
        let pids = processes(&mut together);
        let workers = memory(&pids);
        drop(together);
        let mut apart: Vec<Function> = (0..WORKERS).map(|_| setup().start()).collect();
        for function in &mut apart {
            serve(function, 400 / WORKERS, 1);
        }
        let alone: Vec<u32> = apart.iter_mut().flat_map(processes).collect();
        let processes = memory(&alone);
        println!(
            "{example}: {} processes with {WORKERS} workers {workers:.1} MB, {} processes of their own {processes:.1} MB, \
             ratio {:.2}",
            pids.len(),
            alone.len(),
            workers / processes
        );
    }
}

#[test]
#[ignore = "figures, no checks: make measure-workers"]
fn work_for_the_processor_uses_every_core() {
    let app = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [str(sum(range(10_000_000))).encode()]\n";
    for workers in [1, 2, WORKERS] {
        let mut function = source(app)
            .env("AWS_LAMBDA_MAX_CONCURRENCY", &workers.to_string())
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances")
            .start();
        serve(&mut function, workers, workers);
        let start = Instant::now();
        serve(&mut function, 3 * WORKERS, workers);
        println!("{workers} workers: {} requests in {:.2?}", 3 * WORKERS, start.elapsed());
    }
    println!("{} cores", std::thread::available_parallelism().unwrap());
}
