//! One function per call of the Runtime API.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

use super::api_call::{ApiCall, Fault, MAX_PAYLOAD_BYTES, Route};
use super::outcome::{FunctionResponse, Outcome, PlatformError, Report};
use super::replies::{self, Reply};
use super::running::{Progress, Steps};
use super::state::{Counted, Poll, Queued, Rejection, State};
use super::submission::Submission;
use super::uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE_MS: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const FUNCTION_ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");
const INVOCATION_ID: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");
const RESPONSE_MODE: HeaderName = HeaderName::from_static("lambda-runtime-function-response-mode");
const EXTENSION_ID: HeaderName = HeaderName::from_static("lambda-extension-identifier");

/// Ends a connection without a reply.
#[derive(Debug)]
pub(super) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the emulator closed the connection")
    }
}

impl std::error::Error for Closed {}

/// Replies to one call.
pub(super) async fn serve(state: &State, connection: u64, request: Request<Incoming>) -> Result<Reply, Closed> {
    let (route, id) = route(request.method(), request.uri().path());
    let call = state.record(|| ApiCall {
        route,
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        headers: request.headers().clone(),
        status: None,
        connection,
        at: Instant::now(),
    });
    // `/next` looks for its faults itself, because they may be arranged while it waits.
    let fault = if route == Route::Next { None } else { state.fault(route) };
    let reply = match fault {
        None => dispatch(state, call, route, &id, request).await?,
        Some(Fault::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            dispatch(state, call, route, &id, request).await?
        }
        Some(fault) => fail(state, fault, &id, request).await?,
    };
    state.replied(call, reply.status());
    Ok(reply)
}

fn route(method: &Method, path: &str) -> (Route, String) {
    let known = |route| (route, String::new());
    match (method, path) {
        (&Method::POST, "/2020-01-01/extension/register") => return known(Route::ExtensionRegister),
        (&Method::GET, "/2020-01-01/extension/event/next") => return known(Route::ExtensionNext),
        _ => {}
    }
    let Some(path) = path.strip_prefix("/2018-06-01/runtime/") else { return known(Route::Unknown) };
    match (method, path) {
        (&Method::GET, "invocation/next") => known(Route::Next),
        (&Method::POST, "init/error") => known(Route::InitError),
        (&Method::GET, "restore/next") => known(Route::RestoreNext),
        (&Method::POST, "restore/error") => known(Route::RestoreError),
        (&Method::POST, path) => match path.strip_prefix("invocation/").and_then(|rest| rest.split_once('/')) {
            Some((id, "response")) => (Route::Response, id.to_owned()),
            Some((id, "error")) => (Route::Error, id.to_owned()),
            _ => known(Route::Unknown),
        },
        _ => known(Route::Unknown),
    }
}

async fn dispatch(
    state: &State,
    call: usize,
    route: Route,
    id: &str,
    request: Request<Incoming>,
) -> Result<Reply, Closed> {
    match route {
        Route::Next => next(state).await,
        Route::Response => Ok(response(state, call, id, request).await),
        Route::Error => Ok(error(state, call, id, request).await),
        Route::InitError => Ok(init_error(state, request).await),
        Route::RestoreNext => {
            // Cannot fail: the state has the sender.
            let _ = state.restored.subscribe().wait_for(|restored| *restored).await;
            Ok(replies::json(StatusCode::OK, Bytes::new()))
        }
        Route::RestoreError => {
            drain(request.into_body()).await;
            Ok(replies::accepted())
        }
        Route::ExtensionRegister => {
            state.extension.store(true, Ordering::Relaxed);
            Ok(register_extension())
        }
        // An internal extension registers for no events; the end of the sandbox reaches it as SIGTERM.
        Route::ExtensionNext => std::future::pending().await,
        Route::Unknown => Ok(replies::not_found()),
    }
}

/// Does what was arranged. If the call was to end an invocation, the invocation is over, so its caller does not wait.
async fn fail(state: &State, fault: Fault, id: &str, request: Request<Incoming>) -> Result<Reply, Closed> {
    let steps = state.accept(id, None).ok();
    let mut body = request.into_body();
    let (reply, error) = match fault {
        Fault::Close => (Err(Closed), fault_error("closed the connection")),
        Fault::CloseAfter(bytes) => {
            let read = read(&mut body, bytes).await;
            (Err(Closed), fault_error(&format!("closed the connection after {read} bytes")))
        }
        Fault::Status(StatusCode::PAYLOAD_TOO_LARGE) => (Ok(replies::too_large()), size_error()),
        Fault::Status(status) => (Ok(replies::fault(status)), fault_error(&format!("replied with {status}"))),
        Fault::Reply(reply) => (Ok(reply.map(Full::new)), fault_error("replied as arranged")),
        Fault::Delay(_) => return Ok(replies::not_found()),
    };
    if reply.is_ok() {
        drain(body).await;
    }
    if let Some(steps) = steps {
        pass_on(&steps, Progress::Done(Outcome::Platform(error))).await;
    }
    reply
}

fn fault_error(what: &str) -> PlatformError {
    PlatformError::new("Emulator.Fault", format!("The emulator {what}: a fault that was arranged"))
}

fn size_error() -> PlatformError {
    PlatformError::new("Function.ResponseSizeTooLarge", replies::too_large_message())
}

/// `GET /next`: waits for an invocation.
async fn next(state: &State) -> Result<Reply, Closed> {
    let _waiting = Counted::new(&state.waiting);
    loop {
        match state.poll() {
            Poll::Nothing => state.work.notified().await,
            Poll::Event(queued) if queued.steps.is_closed() => {}
            Poll::Event(queued) => return Ok(hand_over(state, *queued).await),
            Poll::Rejected(reply) => return Ok(reply),
            Poll::Fault(Fault::Close | Fault::CloseAfter(_)) => return Err(Closed),
            Poll::Fault(Fault::Status(status)) => return Ok(replies::fault(status)),
            Poll::Fault(Fault::Reply(reply)) => return Ok(reply.map(Full::new)),
            Poll::Fault(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
        }
    }
}

async fn hand_over(state: &State, queued: Queued) -> Reply {
    let steps = queued.steps.clone();
    let headers = next_headers(&queued.submission);
    let mut in_transit = InTransit { state, queued: Some(queued) };
    pass_on(&steps, Progress::Started).await;
    let Some(Queued { submission, steps }) = in_transit.queued.take() else { return replies::accepted() };
    state.taken(&submission.request_id, steps, headers.get(INVOCATION_ID).cloned());
    let mut reply = replies::json(StatusCode::OK, submission.event);
    reply.headers_mut().extend(headers);
    reply
}

/// An event that goes back to the queue if the poll that was to receive it hangs up.
struct InTransit<'s> {
    state: &'s State,
    queued: Option<Queued>,
}

impl Drop for InTransit<'_> {
    fn drop(&mut self) {
        if let Some(queued) = self.queued.take() {
            self.state.push_back_first(queued);
        }
    }
}

/// The headers of `/next`: the defaults, without those that the submission replaces or leaves out.
fn next_headers(submission: &Submission) -> HeaderMap {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let deadline = (now + submission.timeout).as_millis();
    let trace = trace(now.as_secs());
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:wsgi-lambda";
    let defaults = [
        (REQUEST_ID, submission.request_id.clone()),
        (DEADLINE_MS, deadline.to_string()),
        (FUNCTION_ARN, arn.to_owned()),
        (TRACE_ID, trace),
        (INVOCATION_ID, uuid::random()),
        (header::CONTENT_TYPE, "application/json".to_owned()),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in defaults {
        let omitted = submission.omitted.contains(&name);
        // A request id that no header can carry is left out, and the runtime has to cope with that too.
        if let (false, Ok(value)) = (omitted, HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    for (name, _) in &submission.headers {
        headers.remove(name);
    }
    for (name, value) in &submission.headers {
        headers.append(name.clone(), value.clone());
    }
    headers
}

/// A trace header in X-Ray's form, another one for each invocation. X-Ray's SDK makes no segments without a parent. Not
/// sampled, because there is no daemon that would take the segments.
fn trace(seconds: u64) -> String {
    format!("Root=1-{seconds:08x}-{};Parent={};Sampled=0", uuid::random_hex(24), uuid::random_hex(16))
}

/// `POST /response`, buffered or streamed.
async fn response(state: &State, call: usize, id: &str, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    let streaming = match parts.headers.get(RESPONSE_MODE).map(HeaderValue::as_bytes) {
        None => false,
        Some(mode) if mode.eq_ignore_ascii_case(b"streaming") => true,
        Some(_) => {
            drain(body).await;
            return replies::invalid_response_mode();
        }
    };
    match state.accept(id, parts.headers.get(INVOCATION_ID)) {
        Err(rejection) => reject(rejection, body).await,
        Ok(steps) if streaming => streamed(state, call, &steps, parts.headers, body).await,
        Ok(steps) => {
            let outcome = |body| Outcome::Response(FunctionResponse { body, headers: parts.headers, stream: None });
            buffered(state, call, steps, body, outcome).await
        }
    }
}

/// `POST /error` of an invocation.
async fn error(state: &State, call: usize, id: &str, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    match state.accept(id, parts.headers.get(INVOCATION_ID)) {
        Err(rejection) => reject(rejection, body).await,
        Ok(steps) => {
            let outcome = |body| Outcome::Error(Report { body, headers: parts.headers });
            buffered(state, call, steps, body, outcome).await
        }
    }
}

async fn reject(rejection: Rejection, body: Incoming) -> Reply {
    drain(body).await;
    rejection.reply()
}

/// Reads a whole body, of which `outcome` makes the outcome.
async fn buffered(
    state: &State,
    call: usize,
    steps: Steps,
    body: Incoming,
    outcome: impl FnOnce(Bytes) -> Outcome,
) -> Reply {
    let (outcome, reply) = match collect(body).await {
        // Dropping `steps` reports the cut to the caller. The runtime has gone and gets no reply.
        Err(Unread::Cut) => return replies::truncated_request(),
        Err(Unread::TooLarge) => (Outcome::Platform(size_error()), replies::too_large()),
        Ok(body) => (outcome(body), replies::accepted()),
    };
    state.replied(call, reply.status());
    // The reply does not wait until the caller has the outcome: a caller that asks again at once would wait for the next poll.
    pass_on(&steps, Progress::Done(outcome)).await;
    reply
}

async fn streamed(state: &State, call: usize, steps: &Steps, headers: HeaderMap, mut body: Incoming) -> Reply {
    pass_on(steps, Progress::Head(headers)).await;
    let mut trailers: Option<HeaderMap> = None;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return replies::truncated_request() };
        match frame.into_data() {
            Ok(bytes) => pass_on(steps, Progress::Chunk(bytes)).await,
            Err(frame) => trailers = frame.into_trailers().ok().or(trailers),
        }
    }
    state.replied(call, StatusCode::ACCEPTED);
    pass_on(steps, Progress::End(trailers)).await;
    replies::accepted()
}

/// `POST /init/error`.
async fn init_error(state: &State, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    match collect(body).await {
        Err(Unread::Cut) => replies::truncated_request(),
        Err(Unread::TooLarge) => replies::too_large(),
        Ok(body) => {
            if state.fail_init(body, parts.headers) {
                replies::accepted()
            } else {
                replies::invalid_state("init is over")
            }
        }
    }
}

/// The part of the Extensions API that an internal extension needs in order to get SIGTERM.
fn register_extension() -> Reply {
    let body = r#"{"functionName":"wsgi-lambda","functionVersion":"$LATEST","handler":""}"#;
    let mut reply = replies::json(StatusCode::OK, body);
    if let Ok(id) = HeaderValue::from_str(&uuid::random()) {
        reply.headers_mut().insert(EXTENSION_ID, id);
    }
    reply
}

enum Unread {
    Cut,
    TooLarge,
}

/// Reads a body up to the payload limit. The rest is read and thrown away, so that a client which writes everything
/// before it reads still sees the 413.
async fn collect(mut body: Incoming) -> Result<Bytes, Unread> {
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unread::Cut)?;
        let Ok(bytes) = frame.into_data() else { continue };
        if collected.len() + bytes.len() > MAX_PAYLOAD_BYTES {
            drain(body).await;
            return Err(Unread::TooLarge);
        }
        collected.extend_from_slice(&bytes);
    }
    Ok(collected.freeze())
}

/// Reads this much of a body; returns how much it was, which is less if the body ends before.
async fn read(body: &mut Incoming, bytes: usize) -> usize {
    let mut read = 0;
    while read < bytes {
        let Some(Ok(frame)) = body.frame().await else { break };
        read += frame.data_ref().map_or(0, Bytes::len);
    }
    read
}

/// Reads to the end, so that the connection can be used again.
async fn drain(mut body: Incoming) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// Passes a step on. If the channel is closed, nobody waits for the outcome; the runtime does not notice.
async fn pass_on(steps: &Steps, step: Progress) {
    let _ = steps.send((Instant::now(), step)).await;
}
