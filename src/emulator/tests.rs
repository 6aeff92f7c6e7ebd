//! The Runtime API seen by a runtime: a plain client, byte by byte, against every call.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

/// One keep-alive connection that writes requests and reads replies of known length.
struct Client(TcpStream);

impl Client {
    async fn connect(api: &RuntimeApi) -> Self {
        Self(TcpStream::connect(api.address()).await.unwrap())
    }

    async fn get(&mut self, path: &str) -> (u16, String, String) {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await
    }

    async fn post(&mut self, path: &str, headers: &str, body: &[u8]) -> (u16, String, String) {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n", body.len());
        self.send(&[head.as_bytes(), body].concat()).await
    }

    async fn send(&mut self, request: &[u8]) -> (u16, String, String) {
        self.0.write_all(request).await.unwrap();
        self.reply().await.expect("a reply")
    }

    async fn reply(&mut self) -> Option<(u16, String, String)> {
        let mut got = Vec::new();
        loop {
            let text = got.iter().map(|&byte| char::from(byte)).collect::<String>();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                let length = head.split_once("content-length: ").map_or("0", |(_, rest)| rest);
                let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
                if body.len() >= length {
                    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                    return Some((status, head, body.to_owned()));
                }
            }
            if self.0.read_buf(&mut got).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
}

const NEXT: &str = "/2018-06-01/runtime/invocation/next";

fn response_path(id: &str) -> String {
    format!("/2018-06-01/runtime/invocation/{id}/response")
}

fn error_path(id: &str) -> String {
    format!("/2018-06-01/runtime/invocation/{id}/error")
}

fn response(outcome: Outcome) -> FunctionResponse {
    match outcome {
        Outcome::Response(response) => response,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_buffered_response_and_the_states_around_it() {
    let api = RuntimeApi::start().await.unwrap();
    let mut client = Client::connect(&api).await;
    let odd = HeaderValue::from_bytes(b"caf\xe9").unwrap();
    let submission = Submission::new("{\"a\":1}")
        .request_id("one")
        .timeout(Duration::from_secs(3))
        .header(HeaderName::from_static("lambda-runtime-client-context"), odd)
        .without(HeaderName::from_static("lambda-runtime-trace-id"));
    let running = api.submit(submission);
    let (status, head, body) = client.get(NEXT).await;
    assert_eq!((status, body.as_str()), (200, "{\"a\":1}"));
    assert!(head.contains("lambda-runtime-aws-request-id: one\r\n"), "{head}");
    assert!(head.contains("lambda-runtime-deadline-ms: "), "{head}");
    assert!(head.contains("lambda-runtime-client-context: caf\u{e9}\r\n"), "{head}");
    assert!(head.contains("lambda-runtime-invocation-id: "), "{head}");
    assert!(!head.contains("trace-id"), "{head}");

    assert_eq!(client.get(NEXT).await.0, 403, "a poll before the response");
    assert_eq!(client.post(&response_path("two"), "", b"{}").await.0, 400, "a foreign id");
    let mode = "lambda-runtime-function-response-mode: buffered\r\n";
    let (status, _, body) = client.post(&response_path("one"), mode, b"{}").await;
    assert_eq!(status, 400);
    assert!(body.contains("InvalidFunctionResponseMode"), "{body}");
    let stale = "lambda-runtime-invocation-id: stale\r\n";
    assert_eq!(client.post(&response_path("one"), stale, b"{}").await.0, 410);

    let (status, _, body) = client.post(&response_path("one"), "x-y: z\r\n", b"{\"b\":2}").await;
    assert_eq!((status, body.as_str()), (202, "{\"status\":\"OK\"}\n"));
    assert_eq!(client.post(&response_path("one"), "", b"{}").await.0, 403, "a second response");
    assert_eq!(client.post(&error_path("one"), "", b"{}").await.0, 403, "an error after a response");
    let response = response(running.outcome().await);
    assert_eq!(response.body, "{\"b\":2}");
    assert_eq!(response.headers["x-y"], "z");
    assert!(response.stream.is_none());
    let calls = api.calls();
    assert_eq!(calls.len(), 8);
    assert!(calls.iter().all(|call| call.connection == 0), "keep-alive");
    assert_eq!(calls[5].status, Some(StatusCode::ACCEPTED));
    assert_eq!(client.get("/else").await.0, 404);
}

#[tokio::test]
async fn an_error_and_a_poll_that_waits() {
    let api = RuntimeApi::start().await.unwrap();
    let mut client = Client::connect(&api).await;
    let runtime = async {
        assert_eq!(client.get(NEXT).await.0, 200);
        let kind = "Lambda-Runtime-Function-Error-Type: Runtime.X\r\n";
        assert_eq!(client.post(&error_path("id"), kind, b"{\"errorType\":\"E\"}").await.0, 202);
    };
    let caller = async {
        api.ready().await;
        api.invoke(Submission::new("{}").request_id("id")).await
    };
    let ((), outcome) = tokio::join!(runtime, caller);
    let Outcome::Error(report) = outcome else { panic!("{outcome:?}") };
    assert_eq!(report.headers["lambda-runtime-function-error-type"], "Runtime.X");
    assert_eq!(report.body, "{\"errorType\":\"E\"}");
}

const STREAMING: &str = "host: x\r\nlambda-runtime-function-response-mode: streaming\r\n\
                         transfer-encoding: chunked\r\n";

#[tokio::test]
async fn a_streamed_response_keeps_chunks_and_trailers() {
    let api = RuntimeApi::start().await.unwrap();
    let mut client = Client::connect(&api).await;
    let running = api.submit(Submission::new("{}").request_id("id"));
    client.get(NEXT).await;
    let runtime = async {
        let head = format!(
            "POST {} HTTP/1.1\r\n{STREAMING}trailer: Lambda-Runtime-Function-Error-Type\r\n\r\n3\r\none\r\n",
            response_path("id")
        );
        client.0.write_all(head.as_bytes()).await.unwrap();
        let rest = "3\r\ntwo\r\n0\r\nLambda-Runtime-Function-Error-Type: Runtime.Y\r\n\
                    Lambda-Runtime-Function-Error-Body: e30=\r\n\r\n";
        client.send(rest.as_bytes()).await
    };
    let ((status, ..), outcome) = tokio::join!(runtime, running.outcome());
    assert_eq!(status, 202);
    let response = response(outcome);
    assert_eq!(response.body, "onetwo");
    let stream = response.stream.unwrap();
    assert!(stream.complete);
    assert_eq!(stream.chunks.len(), 2);
    assert!(stream.chunks[1].after >= stream.chunks[0].after, "{:?}", stream.chunks);
    assert_eq!(stream.error(), Some(("Runtime.Y".to_owned(), Bytes::from_static(b"{}"))));
}

#[tokio::test]
async fn a_cut_is_told_from_an_end() {
    let api = RuntimeApi::start().await.unwrap();
    let mut client = Client::connect(&api).await;
    let running = api.submit(Submission::new("{}").request_id("id"));
    client.get(NEXT).await;
    let head = format!("POST {} HTTP/1.1\r\n{STREAMING}\r\n3\r\none\r\n", response_path("id"));
    client.0.write_all(head.as_bytes()).await.unwrap();
    drop(client);
    let stream = response(running.outcome().await).stream.unwrap();
    assert!(!stream.complete);
    api.disconnected().await;

    let mut client = Client::connect(&api).await;
    let running = api.submit(Submission::new("{}").request_id("id"));
    client.get(NEXT).await;
    let head = format!("POST {} HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{{", response_path("id"));
    client.0.write_all(head.as_bytes()).await.unwrap();
    drop(client);
    let outcome = running.outcome().await;
    assert!(matches!(&outcome, Outcome::Platform(error) if error.error_type == "Runtime.TruncatedResponse"));
}

#[tokio::test]
async fn the_payload_limit_is_exact() {
    let api = RuntimeApi::start().await.unwrap();
    let mut client = Client::connect(&api).await;
    for (length, expected) in [(MAX_PAYLOAD_BYTES, 202), (MAX_PAYLOAD_BYTES + 1, 413)] {
        let running = api.submit(Submission::new("{}").request_id("id"));
        client.get(NEXT).await;
        let (status, _, body) = client.post(&response_path("id"), "", &vec![b'x'; length]).await;
        assert_eq!(status, expected, "{body}");
        match running.outcome().await {
            Outcome::Response(response) => assert_eq!(response.body.len(), length),
            Outcome::Platform(error) => assert_eq!(error.error_type, "Function.ResponseSizeTooLarge"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_init_error_ends_what_is_queued() {
    let api = RuntimeApi::start().await.unwrap();
    let mut client = Client::connect(&api).await;
    let running = api.submit(Submission::new("{}"));
    let path = "/2018-06-01/runtime/init/error";
    assert_eq!(client.post(path, "", b"{\"errorType\":\"I\"}").await.0, 202);
    assert_eq!(client.post(path, "", b"{}").await.0, 403);
    assert_eq!(api.init_error().await.body, "{\"errorType\":\"I\"}");
    let outcome = running.outcome().await;
    assert!(matches!(outcome, Outcome::InitError(_)), "{outcome:?}");
}

#[tokio::test]
async fn faults_happen_once_and_in_order() {
    let api = RuntimeApi::start().await.unwrap();
    let mut client = Client::connect(&api).await;
    api.arrange(Route::Next, Fault::Status(StatusCode::SERVICE_UNAVAILABLE));
    api.arrange(Route::Response, Fault::Status(StatusCode::PAYLOAD_TOO_LARGE));
    let running = api.submit(Submission::new("{}").request_id("id"));
    assert_eq!(client.get(NEXT).await.0, 503);
    assert_eq!(client.get(NEXT).await.0, 200);
    assert_eq!(client.post(&response_path("id"), "", b"{}").await.0, 413);
    let outcome = running.outcome().await;
    assert!(matches!(outcome, Outcome::Platform(error) if error.error_type == "Function.ResponseSizeTooLarge"));

    // A poll that is already waiting gets the fault too.
    let close = async {
        api.ready().await;
        api.arrange(Route::Next, Fault::Close);
    };
    let request = format!("GET {NEXT} HTTP/1.1\r\nhost: x\r\n\r\n");
    client.0.write_all(request.as_bytes()).await.unwrap();
    let ((), reply) = tokio::join!(close, client.reply());
    assert!(reply.is_none());
    assert_eq!(api.calls().last().unwrap().status, None);
}

#[tokio::test]
async fn a_dead_poll_takes_no_invocation() {
    let api = RuntimeApi::start().await.unwrap();
    let mut dead = Client::connect(&api).await;
    dead.0.write_all(format!("GET {NEXT} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    api.ready().await;
    drop(dead);
    api.disconnected().await;
    let running = api.submit(Submission::new("{}").request_id("id"));
    let mut client = Client::connect(&api).await;
    assert_eq!(client.get(NEXT).await.0, 200);
    assert_eq!(client.post(&response_path("id"), "", b"{}").await.0, 202);
    response(running.outcome().await);
}

#[tokio::test]
async fn restore_waits_for_the_snapshot_and_expired_responses_are_gone() {
    let api = RuntimeApi::start().await.unwrap();
    let mut client = Client::connect(&api).await;
    api.set_restored(false);
    let restore = client.get("/2018-06-01/runtime/restore/next");
    let (reply, ()) = tokio::join!(restore, async {
        while !api.calls().iter().any(|call| call.route == Route::RestoreNext) {
            tokio::task::yield_now().await;
        }
        assert_eq!(api.calls()[0].status, None, "it waits");
        api.set_restored(true);
    });
    assert_eq!(reply.0, 200);
    assert_eq!(client.post("/2018-06-01/runtime/restore/error", "", b"{}").await.0, 202);

    let _running = api.submit(Submission::new("{}").request_id("id"));
    client.get(NEXT).await;
    api.expire("id");
    assert_eq!(client.post(&response_path("id"), "", b"{}").await.0, 410);
}

fn shell(script: &str) -> (Sandbox, Arc<Mutex<Vec<LogLine>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&lines);
    let launch = Launch::new("/bin/sh", std::env::temp_dir()).env("ENV", "").env("SCRIPT", script);
    let launch = launch.argument("-c").argument("eval \"$SCRIPT\"");
    (Sandbox::new(launch, Arc::new(move |line| into.lock().unwrap().push(line))), lines)
}

#[tokio::test]
async fn a_process_that_ends_is_reported_with_its_last_words() {
    let (mut sandbox, lines) = shell("echo out; echo err >&2; printf open; exit 3");
    let outcome = sandbox.invoke(Submission::new("{}")).await;
    let Outcome::Platform(error) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.error_type, "Runtime.ExitError");
    assert!(error.message.ends_with("exit status 3"), "{}", error.message);
    let mut texts: Vec<_> = lines.lock().unwrap().iter().map(|line| line.text.clone()).collect();
    texts.sort();
    assert_eq!(texts, ["err", "open", "out"]);

    let (mut sandbox, _) = shell("kill -9 $$");
    let error = sandbox.start().await.unwrap_err();
    assert!(error.to_string().ends_with("signal: killed"), "{error}");
}

#[tokio::test]
async fn init_has_a_limit() {
    let (sandbox, _) = shell("exec sleep 60");
    let mut sandbox = sandbox.init_timeout(Duration::from_millis(50));
    let error = sandbox.start().await.unwrap_err();
    assert_eq!(error.to_string(), "Error: init timed out after 0.05 seconds");
    assert_eq!(sandbox.last_exit().unwrap().to_string(), "signal: killed");
}

#[tokio::test]
async fn each_invocation_has_a_trace_of_its_own() {
    let api = RuntimeApi::start().await.unwrap();
    let mut client = Client::connect(&api).await;
    let mut traces = Vec::new();
    for _ in 0..2 {
        // The request id is the same, as of a retry or of `replay --repeat`.
        let running = api.submit(Submission::new("{}").request_id("id"));
        let head = client.get(NEXT).await.1.to_ascii_lowercase();
        client.post(&response_path("id"), "", b"{}").await;
        response(running.outcome().await);
        let line = head.lines().find_map(|line| line.strip_prefix("lambda-runtime-trace-id: ")).unwrap().to_owned();
        traces.push(line);
    }
    for trace in &traces {
        let parts: Vec<&str> = trace.split([';', '=', '-']).collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        assert_eq!(lengths, ["root".len(), 1, 8, 24, "parent".len(), 16, "sampled".len(), 1], "{trace}");
        assert!([2, 3, 5].iter().all(|&index| parts[index].bytes().all(|byte| byte.is_ascii_hexdigit())), "{trace}");
    }
    assert_ne!(traces[0].split(['-', ';']).nth(2), traces[1].split(['-', ';']).nth(2), "{traces:?}");
}
