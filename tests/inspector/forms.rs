//! What is told of a request, from its event to its last byte.

use serde_json::Value;

use crate::place::Place;
use crate::site::Site;

fn spans(detail: &Value) -> Vec<&str> {
    detail["times"]["spans"].as_array().unwrap().iter().map(|span| span["name"].as_str().unwrap()).collect()
}

#[test]
fn a_request_is_told_from_its_event_to_its_response() {
    let site = Site::new(&[]);
    let number = site.send("GET", "/products?page=2", &[], b"");
    let detail = site.logged(number, "serves /products");
    let event: Value = serde_json::from_str(detail["event"]["text"].as_str().unwrap()).unwrap();
    assert_eq!((event["rawPath"].as_str(), event["rawQueryString"].as_str()), (Some("/products"), Some("page=2")));
    assert_eq!(detail["posted"]["kind"], "envelope");
    let posted: Value = serde_json::from_str(detail["posted"]["document"]["text"].as_str().unwrap()).unwrap();
    assert_eq!(posted["statusCode"], 200);
    assert_eq!(detail["sent"]["status"], 200);
    assert_eq!(detail["sent"]["reason"], "OK");
    assert!(detail["sent"]["body"]["pretty"].as_str().unwrap().contains("\n  \"items\": ["));
    assert_eq!(detail["state"], "done");
    let marks: Vec<_> = detail["headers"].as_array().unwrap().iter().map(|row| (&row["name"], &row["mark"])).collect();
    assert!(marks.iter().any(|(name, mark)| *name == "cache-control" && *mark == "same"), "{marks:?}");
    assert!(marks.iter().any(|(name, mark)| *name == "x-amzn-requestid" && *mark == "added"), "{marks:?}");
    let spans = spans(&detail);
    assert!(spans.ends_with(&["application", "response"]) && spans[0] == "waiting", "{spans:?}");
    assert!(detail["times"]["total"].is_number());
    assert_eq!(detail["file"], format!("function-url-{number}.json"));
}

#[test]
fn a_stream_has_its_prelude_and_its_chunks() {
    let site = Site::new(&["--stream"]);
    let detail = site.detail(site.send("GET", "/stream", &[], b""));
    assert_eq!((detail["posted"]["kind"].as_str(), detail["state"].as_str()), (Some("prelude"), Some("done")));
    let prelude: Value = serde_json::from_str(detail["posted"]["document"]["text"].as_str().unwrap()).unwrap();
    assert_eq!(prelude["statusCode"], 200);
    assert_eq!(detail["sent"]["body"]["text"].as_str().unwrap().lines().count(), 10);
    assert!(detail["times"]["chunks"].as_array().unwrap().len() >= 10);
    // With a length, a server stops reading before the end of the stream: the response is whole all the same.
    assert_eq!(site.detail(site.send("GET", "/products", &[], b""))["state"], "done");
}

#[test]
fn what_fails_is_told_with_its_traceback() {
    let site = Site::new(&[]);
    let detail = site.logged(site.send("GET", "/error", &[], b""), "ValueError: no price for <b>pears</b>");
    assert_eq!(detail["status"], 500);
    assert!(detail["log"].to_string().contains("the price of a pear is missing"));
    let detail = site.detail(site.send("GET", "/exit", &[], b""));
    assert_eq!(detail["status"], 502);
    assert!(detail["trouble"].as_str().unwrap().contains("exit"), "{}", detail["trouble"]);
}

#[test]
fn an_application_that_does_not_import_is_told_with_its_traceback() {
    let place = Place::new();
    place.write("app.py", "import no_such_module\n");
    let site = Site::of(place, &[]);
    let detail = site.detail(site.send("GET", "/", &[], b""));
    assert_eq!(detail["posted"]["kind"], "error");
    assert_eq!(detail["error"]["type"], "Runtime.ImportModuleError");
    assert!(detail["error"]["message"].as_str().unwrap().contains("no_such_module"), "{}", detail["error"]);
    assert!(detail["error"]["trace"].to_string().contains("app.py"), "{}", detail["error"]);
    assert_eq!(spans(&detail), ["init"]);
}

#[test]
fn a_cold_start_has_its_parts() {
    let place = Place::new();
    place.write("app.py", &format!("import time\ntime.sleep(2)\n{}", crate::APP));
    let site = Site::of(place, &[]);
    let detail = site.detail(site.send("GET", "/", &[], b""));
    assert_eq!(spans(&detail), ["waiting", "init", "imports", "application", "response"]);
}

#[test]
fn a_request_that_the_front_end_refuses_has_no_event() {
    let site = Site::new(&["--front", "rest"]);
    let number = site.send("GET", "/nowhere", &[], b"");
    let detail = site.detail(number);
    assert_eq!(
        (detail["status"].as_u64(), &detail["event"], &detail["environ"]),
        (Some(403), &Value::Null, &Value::Null)
    );
    assert_eq!(spans(&detail), ["front end"]);
    assert_eq!(site.get(&format!("/requests/{number}/event")).status, 404);
}

#[test]
fn bodies_that_are_no_text_are_bytes_and_long_ones_are_cut() {
    let site = Site::new(&[]);
    let body = &site.detail(site.send("GET", "/binary", &[], b""))["sent"]["body"];
    assert_eq!((body["kind"].as_str(), body["bytes"].as_u64()), (Some("hex"), Some(5_120)));
    assert!(body["text"].as_str().unwrap().starts_with("00000000  00 01 02"));
    let detail = site.detail(site.send("GET", "/large", &[], b""));
    let body = &detail["sent"]["body"];
    assert_eq!((body["bytes"].as_u64(), body["shown"].as_u64()), (Some(150_000), Some(65_536)));
    assert_eq!(detail["posted"]["document"]["cut"], "body: first 64 kB of 146 kB");
    let detail = site.detail(site.send("POST", "/echo", &[("Content-Type", "text/plain")], &vec![b'x'; 2_000_000]));
    assert!(detail["event"]["cut"].as_str().unwrap().contains("first 64 kB of"), "{}", detail["event"]["cut"]);
    assert!(detail.to_string().len() < 600_000);
}

#[test]
fn markup_stays_text() {
    let site = Site::new(&[]);
    let reply = site.get(&format!("/requests/{}", site.send("GET", "/missing", &[], b"")));
    assert!(reply.head.contains("content-type: application/json") && reply.head.contains("nosniff"), "{}", reply.head);
    assert_eq!(reply.json()["sent"]["body"]["kind"], "text");
}

#[test]
fn an_event_file_is_one_that_replay_takes() {
    let site = Site::new(&["--front", "alb"]);
    let number = site.send("POST", "/echo?a=1", &[("Content-Type", "text/plain")], b"the body");
    let file = site.get(&format!("/requests/{number}/event")).text;
    let place = site.served.place();
    place.write("event.json", &file);
    let output = place.command(&["replay", "--app", "app:app", "event.json"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("the body"), "{text}");
}
