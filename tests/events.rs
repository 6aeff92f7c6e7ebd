//! Events that are not HTTP requests, and commands: what reaches a function of the application, and what never does.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{Function, Setup, event, root, source};
use wsgi_lambda::emulator::StartError;

#[path = "gateway/client.rs"]
mod client;
#[path = "events/commands.rs"]
mod commands;
#[path = "events/forged.rs"]
mod forged;
#[path = "events/websocket.rs"]
mod websocket;

/// An application, and functions for events, which tell what they got.
const APP: &str = r#"
import decimal, json, time
import wsgi_lambda

calls = []

def app(environ, start_response):
    length = int(environ.get('CONTENT_LENGTH') or 0)
    body = environ['wsgi.input'].read(length)
    calls.append(environ['PATH_INFO'])
    answer = {key: environ.get(key) for key in
              ('REQUEST_METHOD', 'PATH_INFO', 'CONTENT_TYPE', 'wsgi_lambda.origin', 'wsgi_lambda.event_source')}
    answer['event'] = json.loads(body) if environ.get('wsgi_lambda.origin') == 'event' else None
    status = '500 Internal Server Error' if b'"fail"' in body else '200 OK'
    start_response(status, [('Content-Type', 'application/json')])
    return [b''] if b'"nothing"' in body else [b'plain text'] if b'"text"' in body else [json.dumps(answer).encode()]

def run(event, context):
    return {'run': event, 'id': context.aws_request_id, 'left': context.get_remaining_time_in_millis() > 0}

def queue(event, context):
    failed = [{'itemIdentifier': record['messageId']} for record in event['Records'] if 'bad' in record['body']]
    return {'batchItemFailures': failed}

def chat(event, context):
    return {'statusCode': 200, 'body': event['requestContext']['connectionId']}

def breaks(event, context):
    print('before')
    raise KeyError('order')

def odd(event, context):
    return {'decimal': [decimal.Decimal('19.90'), decimal.Decimal(4711)], 'text': 'Gr\u00fc\u00dfe \ud800', 'nothing': None}

def unfit(event, context):
    return {1, 2}

def slow(event, context):
    time.sleep(float(event['seconds']))
    return 'done'
"#;

fn with(handler: &str) -> Setup {
    source(APP).env("WSGI_LAMBDA_EVENT_HANDLER", handler)
}

/// Every sample event that is not an HTTP request, by name.
fn others() -> Vec<String> {
    let files = std::fs::read_dir(root().join("events/not-http")).unwrap();
    let mut names: Vec<String> =
        files.map(|file| format!("not-http/{}", file.unwrap().path().file_stem().unwrap().to_str().unwrap())).collect();
    names.sort();
    assert!(names.len() >= 18, "{names:?}");
    names
}

#[test]
fn one_function_takes_every_event_that_is_not_http() {
    let mut function = with("app:run").start();
    for name in others() {
        let sent = event(&name);
        let result = function.invoke(&sent).json;
        assert_eq!(result["run"], sent, "{name}");
        assert_eq!((&result["left"], result["id"].is_string()), (&json!(true), true), "{name}");
    }
    for sent in [json!([1, 2]), json!("text"), json!(4.5), json!(null), json!({})] {
        assert_eq!(function.invoke(&sent).json["run"], sent);
    }
    assert_eq!(function.replay("rest-get").body_json()["wsgi_lambda.origin"], "rest", "requests go to the application");
}

#[test]
fn each_source_has_its_function_and_the_rest_another_one() {
    let mut function = with("sqs=app:queue, websocket=app.chat, app:run").start();
    let mut records = event("not-http/sqs");
    records["Records"][0]["body"] = "bad".into();
    let id = records["Records"][0]["messageId"].clone();
    assert_eq!(function.invoke(&records).json, json!({ "batchItemFailures": [{ "itemIdentifier": id }] }));
    assert_eq!(function.replay("not-http/websocket-message").json["body"], "ExampleConnId=");
    assert_eq!(function.replay("not-http/direct-invoke").json["run"]["job"], "rebuild-index");
    let mut only = with("sqs=app:queue").start();
    let refused = only.replay("not-http/sns");
    let message = refused.error()["errorMessage"].as_str().unwrap();
    assert!(message.contains("WSGI_LAMBDA_EVENT_HANDLER"), "it says what to set: {message}");
}

#[test]
fn an_exception_is_an_error_of_the_invocation_with_its_stack() {
    let mut function = with("app:breaks").start();
    for _ in 0..2 {
        let response = function.replay("not-http/sqs");
        let error = response.error();
        assert_eq!((&error["errorType"], &error["errorMessage"]), (&json!("KeyError"), &json!("'order'")));
        let stack = error["stackTrace"].to_string();
        assert!(stack.contains("in breaks") && !stack.contains("wsgi_lambda/"), "{stack}");
    }
    assert!(function.logs().contains("before") && function.logs().contains("KeyError"), "{}", function.logs());
}

#[test]
fn results_are_written_as_awss_runtime_writes_them() {
    let text = |handler: &str| {
        let response = with(handler).start().replay("not-http/direct-invoke");
        String::from_utf8(response.outcome.payload().to_vec()).unwrap()
    };
    let written = text("app:odd");
    let read: Value = serde_json::from_str(&written.replace("\\ud800", "?")).unwrap();
    assert_eq!(read, json!({ "decimal": [19.9, 4711], "text": "Grüße ?", "nothing": null }));
    let error = with("app:unfit").start().replay("not-http/direct-invoke").error().clone();
    assert_eq!(error["errorType"], "Runtime.MarshalError");
    assert_eq!(error["errorMessage"], "Unable to marshal response: Object of type set is not JSON serializable");
}

#[test]
fn a_function_that_is_not_there_is_an_init_error() {
    for (handler, expected) in [
        ("app:missing", "Handler 'missing' missing on module 'app'"),
        ("nowhere:run", "Unable to import module 'nowhere'"),
        ("app:calls", "Handler 'app:calls' is not a function for events: list objects cannot be called"),
        ("sqq=app:run", "\"sqq\" is no source of events"),
    ] {
        let (_, started) = with(handler).try_start();
        let Err(StartError::Init(report)) = started else { panic!("{handler}: {started:?}") };
        let error: Value = serde_json::from_slice(&report.body).unwrap();
        assert!(error["errorMessage"].as_str().unwrap().contains(expected), "{handler}: {error}");
    }
}

#[test]
fn near_its_timeout_a_function_is_shown_and_goes_on() {
    let mut function = with("app:slow").timeout(Duration::from_secs(3)).start();
    let response = function.invoke(json!({ "seconds": 2.8 }));
    assert_eq!(response.json, json!("done"));
    let logs = function.logs();
    assert!(
        logs.contains("the function's timeout is 500 ms away: the function goes on") && logs.contains("in slow"),
        "{logs}"
    );
    assert_eq!(function.invoke(json!({ "seconds": 0 })).json, json!("done"));
}

#[test]
fn pings_are_answered_without_the_application() {
    let pings = [json!({ "warmer": true }), event("not-http/warmup-plugin"), event("not-http/zappa-keep-warm")];
    let mut function = with("app:run").env("WSGI_LAMBDA_WARMUP", "true").start();
    for ping in &pings {
        assert_eq!(function.invoke(ping).json, Value::Null, "{ping}");
    }
    let schedule = event("not-http/scheduled");
    assert_eq!(function.invoke(&schedule).json["run"], schedule, "a schedule that has a function goes to it");
    let mut alone = source(APP).env("WSGI_LAMBDA_WARMUP", "true").start();
    assert_eq!(alone.invoke(&schedule).json, Value::Null);
    alone.replay("not-http/sqs").error();
    let mut without = source(APP).start();
    for ping in &pings {
        without.invoke(ping).error();
    }
}

#[test]
fn a_path_of_the_application_takes_events() {
    let mut function = source(APP).env("WSGI_LAMBDA_EVENT_PATH", "/events").start();
    for name in others() {
        let sent = event(&name);
        let result = function.invoke(&sent).json;
        assert_eq!(result["event"], sent, "{name}");
        assert_eq!(result["REQUEST_METHOD"], "POST");
        assert_eq!((&result["PATH_INFO"], &result["CONTENT_TYPE"]), (&json!("/events"), &json!("application/json")));
        assert_eq!(result["wsgi_lambda.origin"], "event");
    }
    assert_eq!(function.replay("not-http/sqs").json["wsgi_lambda.event_source"], "sqs");
    assert_eq!(function.invoke(json!({ "answer": "text" })).json, json!("plain text"), "what is not JSON is its text");
    assert_eq!(function.invoke(json!({ "answer": "nothing" })).json, Value::Null);
    let refused = function.invoke(json!({ "answer": "fail" }));
    assert_eq!(refused.error()["errorType"], "Runtime.EventRefused");
    assert_eq!(refused.error()["errorMessage"], "the application answered the event with 500");
}

/// The paths that the application has been called with.
fn calls(function: &mut Function) -> Value {
    let reads = json!({ "_wsgi_lambda": { "command": "exec", "arguments": ["import app, json\nprint(json.dumps(app.calls))"] } });
    let output = function.invoke(reads).json["output"].clone();
    serde_json::from_str(output.as_str().unwrap()).unwrap()
}
