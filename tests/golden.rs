//! Every sample event through the real runtime into the demo app, compared with the stored responses.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::process::Command;

#[test]
fn every_event_gives_its_golden_answer() {
    let replay = Command::new(env!("CARGO_BIN_EXE_wsgi-lambda"))
        .args(["replay", "--quiet", "--expect", "tests/golden", "--bootstrap"])
        .arg(support::bootstrap())
        .current_dir(support::root())
        .output()
        .expect("wsgi-lambda starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        replay.status.success(),
        "{}{}\nIf the change is meant: `make golden`, then read the diff.",
        text(&replay.stdout),
        text(&replay.stderr)
    );
}
