//! The environ that the inspector shows is the one that the application gets, and what it shows beside it is gunicorn's.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::client;
use crate::place::{PATIENCE, within};
use crate::site::Site;
use crate::support::{root, skipped};

type Variables = BTreeMap<String, String>;

/// The rows of a column that are set.
fn column(detail: &Value, name: &str) -> Variables {
    let rows = detail["environ"]["rows"].as_array().unwrap_or_else(|| panic!("no environ: {detail}"));
    let set = rows.iter().filter_map(|row| Some((row["name"].as_str()?.to_owned(), row[name].as_str()?.to_owned())));
    set.collect()
}

const HEADERS: [(&str, &str); 5] = [
    ("Accept", "text/html"),
    ("Cookie", "a=1; b=2"),
    ("X-Forwarded-For", "192.0.2.7"),
    ("X-Empty", ""),
    ("Content-Type", "text/plain"),
];

#[test]
fn it_is_what_the_application_gets_on_every_front_end() {
    let site = Site::new(&["--env", "WSGI_LAMBDA_TRUSTED_HOPS=1", "--stage", "dev"]);
    let first = site.send("POST", "/caf%C3%A9/a%20b?q=1&q=%2F&empty=", &HEADERS, b"a body");
    let mut seen = Vec::new();
    for (name, label) in front_ends(&site) {
        let sent = site.post(&format!("/requests/{first}/again?front_end={name}")).json();
        let detail = site.whole_detail(sent["number"].as_u64().unwrap());
        assert_eq!((detail["status"].as_u64(), detail["front_end"].as_str()), (Some(200), Some(&*label)), "{detail}");
        let body: Variables = serde_json::from_str(detail["sent"]["body"]["text"].as_str().unwrap()).unwrap();
        let objects = |name: &str| name.starts_with("wsgi_lambda.");
        let theirs: Variables = body.into_iter().filter(|(name, _)| !objects(name)).collect();
        assert_eq!(column(&detail, "here"), theirs, "{name}");
        seen.push(name);
    }
    assert_eq!(seen.len(), 8, "{seen:?}");
    let numbers: Vec<String> = (first..=site.newest()).map(|number| number.to_string()).collect();
    let comparison = site.get(&format!("/comparison?of={}", numbers.join(","))).json();
    let row = |of: &str, name: &str| {
        let rows = comparison[of].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    assert_eq!(row("environ", "REQUEST_METHOD")["same"], true);
    assert_eq!(row("environ", "SCRIPT_NAME")["same"], false, "REST has its stage there");
    assert_eq!(row("response", "status")["same"], true);
    assert_eq!(row("environ", "HTTP_X_AMZN_TRACE_ID")["by_chance"], true);
    let events = site.get(&format!("/events?of={first},{}", site.newest())).json();
    let kinds: Vec<&str> = events.as_array().unwrap().iter().map(|line| line[0].as_str().unwrap()).collect();
    assert!(kinds.contains(&"same") && kinds.contains(&"changed"), "{kinds:?}");
}

fn front_ends(site: &Site) -> Vec<(String, String)> {
    let about = site.get("/about").json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    about["front_ends"].as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

#[test]
fn the_functions_settings_are_those_of_its_next_start() {
    let site = Site::new(&["--env", "WSGI_LAMBDA_BASE_PATH=/shop"]);
    let detail = site.detail(site.send("GET", "/shop/a", &[], b""));
    let here = column(&detail, "here");
    assert_eq!((here["SCRIPT_NAME"].as_str(), here["PATH_INFO"].as_str()), ("/shop", "/a"));
}

#[test]
fn differences_are_marked_and_told_why() {
    let site = Site::new(&[]);
    let detail = site.detail(site.send("POST", "/a", &[("Keep-Alive", "timeout=5"), ("Proxy", "evil")], b"x"));
    let rows = detail["environ"]["rows"].as_array().unwrap();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(row("REQUEST_METHOD")["mark"], "same");
    assert_eq!(row("HTTP_X_FORWARDED_FOR")["mark"], "added");
    assert_eq!(row("HTTP_PROXY")["mark"], "missing");
    assert_eq!(row("REMOTE_PORT")["mark"], "changed");
    for row in rows.iter().filter(|row| row["mark"] != "same") {
        assert!(row["why"].is_string(), "no reason: {row}");
    }
    let differences = rows.iter().filter(|row| row["mark"] != "same").count();
    assert_eq!(detail["environ"]["differences"], differences);
}

/// The real gunicorn with the same application. Its own address is what the inspector takes from `Host`.
#[test]
fn beside_it_is_what_gunicorn_makes_of_the_request() {
    let python = root().join(".cache/venv-inspector/bin/python");
    if !python.exists() {
        return skipped("gunicorn is not compared: `make test-inspector` installs it");
    }
    let site = Site::new(&[]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(python);
    command.args(["-m", "gunicorn", "--bind", &format!("127.0.0.1:{port}"), "--log-level", "critical", "app:app"]);
    command.current_dir(site.served.place().path()).stdout(Stdio::null()).env("PYTHONDONTWRITEBYTECODE", "1");
    let mut gunicorn = command.spawn().unwrap();
    assert!(within(PATIENCE, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()), "gunicorn does not start");
    // What differs from run to run, and what the client of these tests names in the same way for each server.
    let own = |name: &str| ["REMOTE_PORT", "SERVER_NAME", "SERVER_PORT", "SERVER_SOFTWARE"].contains(&name);
    let requests = [
        ("GET", "/caf%C3%A9/a%20b?q=1&q=%2F&empty=", &b""[..]),
        ("POST", "/a//b/../c;d", b"a body"),
        ("PUT", "/%zz%2", b""),
        ("DELETE", "/?", b""),
    ];
    for (method, target, body) in requests {
        let theirs = client::request(port, method, target, &HEADERS, body).text();
        let theirs: Variables = serde_json::from_str(&theirs).unwrap_or_else(|error| panic!("{error}: {theirs}"));
        let theirs: Variables = theirs.into_iter().filter(|(name, _)| !own(name)).collect();
        let detail = site.whole_detail(site.send(method, target, &HEADERS, body));
        let shown: Variables = column(&detail, "there").into_iter().filter(|(name, _)| !own(name)).collect();
        assert_eq!(shown, theirs, "{method} {target}");
    }
    gunicorn.kill().unwrap();
    gunicorn.wait().unwrap();
}
