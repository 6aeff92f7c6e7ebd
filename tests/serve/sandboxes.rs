//! Sandboxes: one request at a time each, more on demand, restarts, timeouts.

use rustix::process::{Pid, Signal, kill_process};

use crate::client;
use crate::place::Place;

#[test]
fn a_sandbox_stays_warm_and_serves_one_request_after_the_other() {
    let served = Place::app().serve(&["app:app"]);
    let first = served.get("/pid").text();
    for _ in 0..5 {
        assert_eq!(served.get("/pid").text(), first);
    }
    assert_eq!(served.get("/count").text(), "7");
    assert_eq!(served.shown().matches("imported by").count(), 1);
}

#[test]
fn requests_at_the_same_time_have_sandboxes_of_their_own_up_to_the_limit() {
    let served = Place::app().serve(&["app:app", "--concurrency", "2"]);
    let waiting = [served.get_beside("/wait"), served.get_beside("/wait")];
    served.shows_times("imported by", 2);
    // The third waits for one of them, and goes on when the file is there.
    let third = served.get_beside("/count");
    served.place().write("go", "");
    for one in waiting {
        assert_eq!(one.join().unwrap(), "hello from /wait\n");
    }
    assert_eq!(third.join().unwrap(), "2");
    assert_eq!(served.shown().matches("imported by").count(), 2);
}

#[test]
fn an_application_that_ends_is_told_and_starts_again() {
    let served = Place::app().serve(&["app:app"]);
    for (path, how) in [("/exit", "exit status 3"), ("/segfault", "signal: segmentation fault")] {
        assert_eq!(served.get(path).status, 502, "{path}");
        served.shows(&format!("Runtime exited with error: {how}"));
        assert_eq!(served.get("/count").text(), "1", "a new process");
    }
    served.shows_times("cold start", 2);
}

#[test]
fn a_sandbox_that_ends_without_a_request_fails_none() {
    let served = Place::app().serve(&["app:app"]);
    let process = served.get("/pid").text();
    served.shows("GET /pid  200"); // it rests
    kill_process(Pid::from_raw(process.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
    let stat = || std::fs::read_to_string(format!("/proc/{process}/stat"));
    let tasks = || std::fs::read_dir(format!("/proc/{process}/task")).map_or(0, Iterator::count);
    served.until("the process has ended", || stat().map_or(true, |stat| stat.contains(") Z ")) && tasks() <= 1);
    assert_eq!(served.get("/count").text(), "1", "a new process");
    served.shows("a sandbox without a request ended: signal: killed");
}

#[test]
fn the_function_has_its_timeout() {
    // The runtime answers 19 seconds before the deadline: on a busy machine, half a second can be too short.
    let margin = "WSGI_LAMBDA_DEADLINE_MARGIN_MS=19000";
    let served = Place::app().serve(&["app:app", "--timeout", "20", "--env", margin]);
    assert_eq!(served.get("/slow").status, 504);
    served.shows("the function's timeout is 19000 ms away");
    assert_eq!(served.get("/count").text(), "2", "the process goes on");
    let served = served.again(&["app:app", "--timeout", "1", "--env", "WSGI_LAMBDA_DEADLINE_MARGIN_MS=0"]);
    assert_eq!(served.get("/slow").status, 502);
    served.shows("Task timed out after 1.00 seconds");
    assert_eq!(served.get("/count").text(), "1", "a new process");
}

#[test]
fn a_client_that_leaves_does_not_stop_its_function() {
    let served = Place::app().serve(&["app:app", "--concurrency", "1"]);
    let client = served.connect(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    served.shows("GET /wait");
    drop(client);
    served.place().write("go", "");
    served.shows("GET /wait  the client left");
    assert_eq!(served.get("/count").text(), "2");
}

#[test]
fn a_long_request_is_shown_while_it_goes_on() {
    let served = Place::app().serve(&["app:app"]);
    let waiting = served.get_beside("/wait");
    served.shows("GET /wait  still at work");
    served.shows("│ serves /wait");
    served.place().write("go", "");
    waiting.join().unwrap();
    served.shows("GET /wait  200");
}

#[test]
fn two_hundred_connections_at_once_are_all_answered() {
    let served = Place::app().serve(&["app:app"]);
    let port = served.port();
    let clients: Vec<_> = (0..200)
        .map(|number: usize| {
            std::thread::spawn(move || {
                let body = number.to_string();
                client::request(port, "POST", "/echo", &[], body.as_bytes()).text()
                    == format!("hello from /echo\n{body}")
            })
        })
        .collect();
    assert_eq!(clients.into_iter().filter_map(|client| client.join().ok()).filter(|same| *same).count(), 200);
    served.shows_times("POST /echo  200", 200);
}
