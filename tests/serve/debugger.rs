//! `breakpoint()`, where standard input is a terminal.

use std::fs::File;
use std::io::Write as _;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::place::Place;
use crate::support;

const APP: &str = "
def app(environ, start_response):
    found = 41
    if environ['PATH_INFO'] == '/break':
        breakpoint()
    start_response('200 OK', [])
    return [str(found).encode()]
";

/// Both ends of a terminal.
fn terminal() -> (File, File) {
    let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&user).unwrap();
    unlockpt(&user).unwrap();
    let path = ptsname(&user, Vec::new()).unwrap().into_string().unwrap();
    (File::from(user), File::options().read(true).write(true).open(path).unwrap())
}

#[test]
fn a_debugger_works_in_the_terminal_and_the_time_limit_is_off() {
    if std::fs::read_to_string("/proc/self/syscall").is_err() {
        return support::skipped("this system does not tell what a process waits for");
    }
    let (mut user, input) = terminal();
    let place = Place::new();
    place.write("app.py", APP);
    let served = place.serve_with(&["app:app", "--timeout", "4"], |command| {
        command.stdin(Stdio::from(input));
    });
    assert_eq!(served.get("/").text(), "41");
    let stopped = served.get_beside("/break");
    served.shows("GET /break  a debugger waits for you");
    served.shows("(Pdb) ");
    // Longer than the timeout.
    std::thread::sleep(std::time::Duration::from_secs(6));
    user.write_all(b"p 'found is', found\n").unwrap();
    served.shows("('found is', 41)");
    user.write_all(b"found = 42\nc\n").unwrap();
    assert_eq!(stopped.join().unwrap(), "42");
    served.shows("GET /break  200");
    assert_eq!(served.get("/").text(), "41");
}

#[test]
fn without_a_terminal_a_breakpoint_is_an_error_and_does_not_hang() {
    let place = Place::new();
    place.write("app.py", APP);
    let served = place.serve(&["app:app"]);
    assert_eq!(served.get("/break").status, 500);
    served.shows("(Pdb)"); // what it raises then differs between versions of Python
    assert_eq!(served.get("/").text(), "41");
}
