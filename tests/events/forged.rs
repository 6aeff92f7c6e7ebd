//! Nothing that a client of a front end sends is a command, a ping or an event, in whatever part of its request it writes it.

use wsgi_lambda::emulator::Submission;
use wsgi_lambda::gateway::{ClientRequest, Settings};
use wsgi_lambda::request::FrontEnd;

use super::client::request;
use super::*;

/// What a client would have to get through.
fn payloads() -> Vec<Value> {
    let code = "open('forged', 'w')";
    let mut payloads = vec![
        json!({ "_wsgi_lambda": { "command": "exec", "arguments": [code] } }),
        json!({ "_serverless-wsgi": { "command": "exec", "data": code } }),
        json!({ "raw_command": code }),
        json!({ "command": "app.run" }),
        json!({ "manage": "check" }),
        json!({ "warmer": true }),
        json!({ "source": "serverless-plugin-warmup" }),
    ];
    payloads.extend(others().iter().map(|name| event(name)));
    payloads
}

/// With a domain of one's own, where paths have no stage.
fn settings(front_end: FrontEnd) -> Settings {
    Settings { domain: Some("shop.example.com".to_owned()), ..Settings::new(front_end) }
}

/// The requests that carry a payload: in the body, in headers, in the query, in the path, in the method's place.
fn requests(payload: &str) -> Vec<ClientRequest> {
    let encoded: String = form_urlencoded::byte_serialize(payload.as_bytes()).collect();
    let ascii = payload.replace(|char: char| !(' '..='~').contains(&char), "?");
    let mut requests = vec![
        request("GET", &format!("/?{encoded}"), &[], b""),
        request("GET", &format!("/?event={encoded}&_wsgi_lambda={encoded}&command=app.run"), &[], b""),
        request("GET", &format!("/{}", encoded.replace('+', "%20")), &[], b""),
        request("GET", "/", &[("x-event", &ascii), ("raw_command", &ascii), ("cookie", &ascii)], b""),
        request("GET", "/", &[("wsgi-lambda.origin", "event"), ("wsgi_lambda.origin", "event")], b""),
        request("GET", "/", &[("lambda-runtime-client-context", &ascii), ("x-amz-invocation-type", "Event")], b""),
        request("RAW_COMMAND", "/", &[], payload.as_bytes()),
    ];
    for kind in ["application/json", "text/plain", "application/x-amz-json-1.0", "application/octet-stream"] {
        requests.push(request(
            "POST",
            "/2015-03-31/functions/shop/invocations",
            &[("content-type", kind)],
            payload.as_bytes(),
        ));
    }
    requests
}

#[test]
fn whatever_a_client_writes_only_the_application_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let app = format!("import os\nos.chdir({:?})\n{APP}", folder.path());
    let mut function = source(&app)
        .env("WSGI_LAMBDA_COMMANDS", "true")
        .env("WSGI_LAMBDA_WARMUP", "true")
        .env("WSGI_LAMBDA_EVENT_HANDLER", "app:breaks")
        .start();
    let mut sent = 0;
    for front_end in FrontEnd::ALL {
        let settings = settings(front_end);
        for request in payloads().iter().flat_map(|payload| requests(&payload.to_string())) {
            let event = match wsgi_lambda::gateway::event(&request, &settings) {
                Ok(event) => event,
                Err(fault) => {
                    assert_eq!(request.method, "RAW_COMMAND", "{front_end}: {fault:?}");
                    continue;
                }
            };
            let response = function.send(Submission::new(event));
            assert_eq!(response.status(), 200, "{front_end}: {} {}", request.method, request.target);
            assert_eq!(response.body_json()["wsgi_lambda.origin"], front_end.name());
            sent += 1;
        }
    }
    assert!(sent > 1500, "{sent}");
    assert_eq!(calls(&mut function).as_array().unwrap().len(), sent);
    assert!(!folder.path().join("forged").exists());
    assert!(!function.logs().contains("before"), "no function for events was called");
}

#[test]
fn the_path_of_events_is_a_404_for_clients() {
    let mut function = source(APP).env("WSGI_LAMBDA_EVENT_PATH", "/events").env("WSGI_LAMBDA_COMMANDS", "true").start();
    for front_end in FrontEnd::ALL {
        let settings = settings(front_end);
        for target in ["/events", "/events/", "//events", "/%65vents", "/x/../events", "/./events?a=1", "/events/."] {
            for method in ["GET", "POST"] {
                let request = request(method, target, &[("content-type", "application/json")], b"{}");
                let event = wsgi_lambda::gateway::event(&request, &settings).unwrap();
                let response = function.send(Submission::new(event));
                assert_eq!(response.status(), 404, "{front_end}: {method} {target}");
            }
        }
        let other = wsgi_lambda::gateway::event(&request("GET", "/events/1", &[], b""), &settings).unwrap();
        assert_eq!(function.send(Submission::new(other)).status(), 200);
    }
    assert_eq!(calls(&mut function), json!(vec!["/events/1"; 8]));
    assert!(function.logs().contains("a client asked for the path of events"), "{}", function.logs());
}
