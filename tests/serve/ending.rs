//! The end: by Ctrl-C and SIGTERM, with nothing left; and ports that are taken.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use crate::place::Place;

/// An application that starts a child of its own.
const WITH_CHILD: &str = "
import os, subprocess
child = subprocess.Popen(['sleep', '600'])
print('child', child.pid)
def app(environ, start_response):
    start_response('200 OK', [])
    if environ['PATH_INFO'] == '/slow':
        import time
        time.sleep(600)
    return [f'{os.getpid()} {child.pid}'.encode()]
";

#[test]
fn ctrl_c_ends_everything() {
    for signal in ["INT", "TERM"] {
        let place = Place::new();
        place.write("app.py", WITH_CHILD);
        let mut served = place.serve(&["app:app"]);
        let text = served.get("/").text();
        let pids: Vec<&str> = text.split(' ').collect();
        let is_there = |pid: &&&str| Path::new(&format!("/proc/{pid}")).exists();
        assert_eq!(pids.iter().filter(is_there).count(), 2);
        let busy = served.connect(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
        served.shows("GET /slow  still at work");
        served.signal(signal);
        assert_eq!(served.ends().code(), Some(0), "{}", served.shown());
        served.until("no process is left", || !pids.iter().any(|pid| is_there(&pid) && !is_zombie(pid)));
        drop(busy);
    }
}

/// Where nobody collects the dead, as in a container without an init.
fn is_zombie(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

#[test]
fn what_a_function_does_at_its_end_is_shown() {
    let place = Place::new();
    place.write(
        "app.py",
        "import atexit\natexit.register(lambda: open('ended', 'w').close())\n\
         def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'ok']\n",
    );
    let served = place.serve(&["app:app", "--env", "WSGI_LAMBDA_SHUTDOWN=true"]);
    served.get("/").text();
    let place = served.stop();
    assert!(place.path().join("ended").exists());
}

#[test]
fn a_port_that_is_taken_is_named_with_what_to_do() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let seen = Place::app().fails(&["app:app", "--port", &port.to_string()]);
    assert!(seen.contains(&format!("127.0.0.1:{port}")) && seen.contains("--port 0"), "{seen}");
}
