//! SnapStart: the protocol around a snapshot, and the hooks of an application.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{Setup, source};
use wsgi_lambda::emulator::{Launch, Route, StartError};

const APP: &str = r#"
import random
from snapshot_restore_py import register_after_restore, register_before_snapshot

events = []
random.seed(1)
frozen = random.Random(1).random()

@register_before_snapshot
def first():
    events.append("before 1")

register_before_snapshot(events.append, "before 2")
register_after_restore(events.append, "after 1")

@register_after_restore
def second():
    events.append("after 2")
    events.append("seeded again" if random.random() != frozen else "the same numbers")

def app(environ, start_response):
    start_response("200 OK", [])
    return [", ".join(events).encode()]
"#;

fn snap_start(app: &str) -> Setup {
    source(app).env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
}

#[test]
fn hooks_run_around_the_snapshot_in_the_managed_runtimes_order() {
    let mut function = snap_start(APP).start();
    assert_eq!(function.replay("rest-get").text(), "before 2, before 1, after 1, after 2, seeded again");
    let routes: Vec<Route> = function.calls().iter().map(|call| call.route).collect();
    assert_eq!(routes[..2], [Route::RestoreNext, Route::Next]);
}

#[test]
fn after_the_restore_connections_are_new() {
    let mut function = snap_start(APP).start();
    assert_eq!(function.replay("rest-get").status(), 200);
    let calls = function.calls();
    let connection = |route| calls.iter().find(|call| call.route == route).unwrap().connection;
    assert_ne!(connection(Route::RestoreNext), connection(Route::Next));
}

#[test]
fn the_command_that_the_exec_wrapper_of_a_managed_runtime_passes_is_not_run() {
    let wrapped = |launch: Launch| launch.argument("/var/lang/bin/python3.13").argument("/var/runtime/bootstrap.py");
    let mut function = snap_start(APP).launch(wrapped).start();
    assert_eq!(function.replay("rest-get").status(), 200);
}

#[test]
fn without_snap_start_hooks_are_registered_and_never_run() {
    let mut function = source(APP).start();
    assert_eq!(function.replay("rest-get").text(), "");
    assert!(function.calls().iter().all(|call| call.route != Route::RestoreNext));
}

#[test]
fn a_hook_that_fails_before_the_snapshot_is_an_init_error_with_status_64() {
    let app = APP.replace(r#"events.append("before 1")"#, r#"raise ValueError("no snapshot")"#);
    let (mut function, result) = snap_start(&app).try_start();
    let Err(StartError::Init(report)) = result else { panic!("{result:?}") };
    let error: serde_json::Value = serde_json::from_slice(&report.body).unwrap();
    assert_eq!(error["errorType"], "Runtime.BeforeSnapshotError");
    assert_eq!(error["errorMessage"], "ValueError: no snapshot");
    assert_eq!(function.sandbox().last_exit().unwrap().to_string(), "exit status 64");
}

#[test]
fn a_hook_that_fails_after_the_restore_is_a_restore_error_with_status_65() {
    let app = APP.replace(r#"events.append("after 2")"#, r#"raise ValueError("no connection")"#);
    let (mut function, result) = snap_start(&app).try_start();
    assert!(result.is_err());
    let calls = function.calls();
    let post = calls.iter().find(|call| call.route == Route::RestoreError).expect("a restore error");
    assert_eq!(post.headers["lambda-runtime-function-error-type"], "Runtime.AfterRestoreError");
    assert_eq!(function.sandbox().last_exit().unwrap().to_string(), "exit status 65");
}
