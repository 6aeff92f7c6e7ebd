//! Managed Instances: several requests at once, each in a process of its own.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use support::{Answer, Function, Setup, source};
use wsgi_lambda::emulator::{Invocation, Outcome, Running};

const WORKERS: usize = 8;

const APP: &str = r#"
import os, sys, time
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
    return [repr((os.getpid(), imported_by, environ["wsgi.multiprocess"], os.environ["_X_AMZN_TRACE_ID"])).encode()]
"#;

fn get(path: &str) -> Value {
    let mut event = support::event("function-url-get");
    event["rawPath"] = path.into();
    event
}

fn workers(meeting: &std::path::Path) -> Setup {
    source(APP)
        .env("AWS_LAMBDA_MAX_CONCURRENCY", &WORKERS.to_string())
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances")
        .env("MEETING", meeting.to_str().unwrap())
}

fn submit(function: &Function, path: &str) -> Running {
    function.api().submit(Invocation::new(get(path).to_string()).timeout(Duration::from_secs(30)))
}

fn finish(function: &mut Function, running: Vec<Running>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for one in running {
        answers.push(Answer::new(function.with(async |_| one.outcome().await)));
    }
    answers
}

#[test]
fn as_many_requests_as_allowed_are_served_at_once_each_in_its_own_process() {
    let meeting = tempfile::tempdir().unwrap();
    let mut function = workers(meeting.path()).start();
    let running = (0..WORKERS).map(|_| submit(&function, "/meet")).collect();
    let answers = finish(&mut function, running);
    let pids: BTreeSet<&str> = answers.iter().map(|answer| answer.text().split(", ").next().unwrap()).collect();
    assert_eq!(pids.len(), WORKERS);
    let parents: BTreeSet<&str> = answers.iter().map(|answer| answer.text().split(", ").nth(1).unwrap()).collect();
    assert_eq!(parents.len(), 1, "the application is imported once, before the fork");
    assert!(answers.iter().all(|answer| answer.text().contains(", True, ")), "wsgi.multiprocess");
    let traces: BTreeSet<&str> = answers.iter().map(|answer| answer.text().rsplit(", ").next().unwrap()).collect();
    assert_eq!(traces.len(), WORKERS, "each has its own trace id");
}

#[test]
fn a_worker_that_dies_is_replaced_and_nobody_elses_request_is_lost() {
    let meeting = tempfile::tempdir().unwrap();
    let mut function = workers(meeting.path()).start();
    let waiting: Vec<Running> = (0..WORKERS - 2).map(|_| submit(&function, "/wait")).collect();
    let dying = submit(&function, "/exit");
    // The invocation that died stays open at the platform until its time is over.
    let answers = {
        let after = submit(&function, "/after");
        finish(&mut function, vec![after])
    };
    assert_eq!(answers[0].status(), 200);
    std::fs::write(meeting.path().join("go"), "").unwrap();
    for answer in finish(&mut function, waiting) {
        assert_eq!(answer.status(), 200);
    }
    drop(dying);
    let said = "ended with exit status 9: a new one takes its place";
    for _ in 0..500 {
        // The parent says it beside the answers, in its own time.
        if function.logs().contains(said) {
            return;
        }
        function.with(async |_| tokio::time::sleep(Duration::from_millis(10)).await);
    }
    panic!("{}", function.logs());
}

#[test]
fn sigterm_to_the_parent_ends_all_of_them() {
    let meeting = tempfile::tempdir().unwrap();
    let mut function = workers(meeting.path()).start();
    let running = submit(&function, "/");
    let answer = finish(&mut function, vec![running]).remove(0);
    assert!(matches!(answer.outcome, Outcome::Response(_)));
    let parent = answer.text().split(", ").nth(1).unwrap().to_owned();
    assert!(std::process::Command::new("kill").args(["-TERM", &parent]).status().unwrap().success());
    for _ in 0..500 {
        function.with(async |environment| environment.settle().await);
        if let Some(exit) = function.environment().last_exit() {
            assert_eq!(exit.to_string(), "exit status 0");
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the process does not end: {}", function.logs());
}
