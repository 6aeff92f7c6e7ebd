//! Saved files, and applications that do not start.

use crate::place::Place;

const BEFORE: &str = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'before']\n";

#[test]
fn a_saved_file_is_served() {
    let place = Place::new();
    place.write("app.py", BEFORE);
    let served = place.serve(&["app:app"]);
    assert_eq!(served.get("/").text(), "before");
    served.place().write("app.py", &BEFORE.replace("before", "after it"));
    served.shows("app.py was saved");
    assert_eq!(served.get("/").text(), "after it");
}

#[test]
fn a_request_in_flight_ends_with_the_old_code() {
    let served = Place::app().serve(&["app:app"]);
    let old = served.get("/pid").text();
    let waiting = served.get_beside("/wait");
    served.shows("GET /wait  still at work");
    served.place().write("app.py", &crate::APP.replace("hello", "new hello"));
    served.shows("app.py was saved");
    assert_eq!(served.get("/x").text(), "new hello from /x\n");
    served.place().write("go", "");
    assert_eq!(waiting.join().unwrap(), "hello from /wait\n");
    assert_ne!(served.get("/pid").text(), old);
    let gone = format!("/proc/{old}");
    served.until("the old process has ended", || !std::path::Path::new(&gone).exists());
}

#[test]
fn without_reload_nothing_changes() {
    let place = Place::new();
    place.write("app.py", BEFORE);
    let served = place.serve(&["app:app", "--no-reload"]);
    assert_eq!(served.get("/").text(), "before");
    served.place().write("app.py", "raise ValueError\n");
    assert_eq!(served.get("/").text(), "before");
}

#[test]
fn an_application_that_does_not_start_is_shown_and_heals_when_it_is_saved() {
    let place = Place::new();
    place.write("app.py", "def broken():\n    raise ValueError('<not> ready')\nbroken()\n");
    let served = place.serve(&["app:app"]);
    served.shows("the application does not start");
    served.shows("ValueError: <not> ready");
    let browser = served.get_with("/page", &[("Accept", "text/html,*/*")]);
    assert_eq!((browser.status, browser.all("content-type")), (502, vec!["text/html; charset=utf-8"]));
    let page = browser.text();
    assert!(page.contains("&lt;not&gt; ready") && !page.contains("<not>"), "{page}");
    assert!(page.contains("in broken") && page.contains("app.py&quot;, line 2"), "{page}");
    let program = served.get("/page");
    assert_eq!(program.status, 502);
    assert!(!program.text().contains("ready"), "a client that is no browser has the front end's own body");
    // What the page asks until it loads again.
    let probe = served.get_with("/page", &[("X-Wsgi-Lambda-Serve-Probe", "1")]);
    assert_eq!(probe.status, 503);
    served.place().write("app.py", BEFORE);
    served.until("the page loads again", || {
        served.get_with("/page", &[("X-Wsgi-Lambda-Serve-Probe", "1")]).status == 204
    });
    assert_eq!(served.get("/page").text(), "before");
}

#[test]
fn an_application_that_breaks_and_heals() {
    let place = Place::new();
    place.write("app.py", BEFORE);
    let served = place.serve(&["app:app"]);
    assert_eq!(served.get("/").text(), "before");
    served.place().write("app.py", "import nothing_of_that_name\n");
    served.shows("No module named 'nothing_of_that_name'");
    assert_eq!(served.get("/").status, 502);
    served.place().write("app.py", BEFORE);
    served.until("it heals", || served.get("/").status == 200);
}

#[test]
fn a_file_of_variables_is_read_again() {
    let place = Place::app();
    place.write("vars.txt", "KEY=one\n");
    let served = place.serve(&["app:app", "--env-file", "vars.txt"]);
    assert_eq!(served.get("/variable").text(), "one");
    served.place().write("vars.txt", "KEY=two\n");
    served.shows("vars.txt was saved");
    assert_eq!(served.get("/variable").text(), "two");
    served.place().write("vars.txt", "nonsense\n");
    served.shows("vars.txt:1: write it as KEY=VALUE");
    assert_eq!(served.get("/variable").text(), "two");
}
