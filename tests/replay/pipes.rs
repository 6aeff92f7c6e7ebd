//! `replay -`, driven by another program through pipes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::Value;

use super::{Place, command, get, lines, support};

/// Longer than any start of the runtime; a response that waits for the end of input never comes.
const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn each_event_is_answered_as_soon_as_it_has_come() {
    let place = Place::new();
    let mut command = command();
    command.args(["replay", "-", "--app", "tapp:app", "--json"]).current_dir(place.path());
    command.env("WSGI_LAMBDA_BOOTSTRAP", support::bootstrap()).env("PYTHONDONTWRITEBYTECODE", "1");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, answers) = channel();
    std::thread::spawn(move || output.lines().try_for_each(|line| sender.send(line.unwrap())));
    for path in ["/one", "/two"] {
        // The document alone, without an end of line, and in two parts.
        let event = get(path).to_string();
        let (first, rest) = event.split_at(20);
        input.write_all(first.as_bytes()).unwrap();
        input.write_all(rest.as_bytes()).unwrap();
        let line = answers.recv_timeout(LIMIT);
        if line.is_err() {
            child.kill().unwrap();
        }
        let answer: Value = serde_json::from_str(&line.unwrap()).unwrap();
        assert_eq!(answer["body"], format!("hello from {path}\n"));
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_came_before_a_broken_document_is_answered() {
    let input = lines(&[get("/one"), get("/two")]) + "{\"a\": oops}\n";
    let seen = Place::new().replay_with_input(&["-", "--app", "tapp:app", "--brief"], &input);
    assert_eq!(seen.status(), 2);
    assert!(seen.stdout().contains("2 events: 2 answered; 2 × 200"), "{}", seen.stdout());
    assert!(
        seen.stderr().ends_with("standard input is not JSON: expected value at line 3 column 7\n"),
        "{}",
        seen.stderr()
    );
}

#[test]
fn standard_input_is_read_once_and_in_its_place() {
    let place = Place::new();
    place.write("a.json", &get("/a").to_string());
    place.write("z.json", &get("/z").to_string());
    let seen =
        place.replay_with_input(&["a.json", "-", "z.json", "--app", "tapp:app", "-b"], &lines(&[get("/b"), get("/c")]));
    let names: Vec<&str> = seen.stdout().lines().filter_map(|line| line.split_whitespace().nth(1)).take(4).collect();
    assert_eq!(names, ["a", "stdin-1", "stdin-2", "z"], "{}", seen.stdout());
    let twice = place.replay(&["-", "-"]);
    assert_eq!((twice.status(), twice.stderr()), (2, "error: - is given twice: standard input can be read once\n"));
}
