//! `GET /runtime/invocation/next`, through AWS's own client.
//!
//! `lambda_runtime::Runtime` is not used for the loop: a client context it cannot parse ends its process, and an answer
//! without the expected headers panics it (its 1.5.0 `runtime.rs` and `types.rs`). Its `Context` is.

use std::fs::File;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, select};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::connect::HttpConnector;
use lambda_runtime::Context;
use lambda_runtime_api_client::PooledClient;
use lambda_runtime_api_client::body::Body;
use tokio::net::unix::pipe;

use super::{API_VERSION, USER_AGENT};
use crate::error::{Error, Result};
use crate::invocation::Invocation;

const CLIENT_CONTEXT: &str = "lambda-runtime-client-context";
const COGNITO_IDENTITY: &str = "lambda-runtime-cognito-identity";
const EXTENSION_API: &str = "/2020-01-01/extension";
const DEADLINE: &str = "lambda-runtime-deadline-ms";
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";

/// Asks for work. The tokio runtime is current-thread: it runs on the thread that waits.
#[derive(Debug)]
pub struct Poller {
    tokio: tokio::runtime::Runtime,
    client: PooledClient,
    config: Arc<lambda_runtime::Config>,
    wake: pipe::Receiver,
}

impl Poller {
    /// A poller of the API at `address` (host and port) whose wait is interrupted when `wake`, the reading end of a
    /// pipe, becomes readable.
    ///
    /// # Errors
    /// `Config` when the address is none; `RuntimeApi` when the kernel has no event queue to give.
    pub fn new(address: &str, wake: File) -> Result<Self> {
        let endpoint = format!("http://{address}").parse().map_err(|error: http::uri::InvalidUri| {
            Error::config(format!("AWS_LAMBDA_RUNTIME_API={address:?} is not `host:port`")).with_source(error)
        })?;
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::runtime_api(format!("tokio could not be started: {error}")).with_source(error))?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = PooledClient::builder().with_connector(connector).with_endpoint(endpoint).build();
        let wake = {
            let _entered = tokio.enter();
            pipe::Receiver::from_file(wake).map_err(|error| {
                Error::runtime_api(format!("the pipe for signals is none: {error}")).with_source(error)
            })?
        };
        Ok(Self { tokio, client, config: Arc::default(), wake })
    }

    /// Registers an internal extension without events, because of which the platform sends SIGTERM before it ends the
    /// sandbox (docs, "Lambda Extensions API"; the idea is that of `lambda_runtime`'s graceful shutdown).
    ///
    /// # Errors
    /// `RuntimeApi` when the platform refuses it.
    pub fn register_extension(&self) -> Result<()> {
        let register = Request::post(format!("{EXTENSION_API}/register"))
            .header("lambda-extension-name", "wsgi-lambda-shutdown")
            .body(Body::from(r#"{"events":[]}"#))
            .map_err(|error| lost(&error))?;
        let response = self.tokio.block_on(self.client.call(register)).map_err(|error| lost(&*error))?;
        let identifier = response.headers().get("lambda-extension-identifier").cloned();
        let identifier = identifier.ok_or_else(|| {
            let status = response.status();
            Error::runtime_api(format!("the platform refused the internal extension: {status}"))
        })?;
        let next = Request::get(format!("{EXTENSION_API}/event/next"))
            .header("lambda-extension-identifier", identifier)
            .body(Body::empty())
            .map_err(|error| lost(&error))?;
        // Open for as long as the process lives: that is all it has to do. It proceeds while `next` waits.
        self.tokio.spawn(self.client.call(next));
        Ok(())
    }

    /// Says that the process is ready for its snapshot, and waits until it has been restored from it. Connections of
    /// before are dead then.
    ///
    /// # Errors
    /// `RuntimeApi`, as [`Poller::next`].
    pub fn restore(&self) -> Result<()> {
        let request = Request::get(format!("{API_VERSION}/runtime/restore/next"))
            .header(http::header::USER_AGENT, USER_AGENT)
            .body(Body::empty())
            .map_err(|error| lost(&error))?;
        let status = self.tokio.block_on(self.client.call(request)).map_err(|error| lost(&*error))?.status();
        self.client.reset_pool();
        if status.is_success() {
            Ok(())
        } else {
            Err(Error::runtime_api(format!("the Runtime API answered {status} to the wait for the restore")))
        }
    }

    /// Waits for the next invocation, for as long as it takes: the sandbox is frozen meanwhile. Calls `on_wake` each
    /// time it is woken; the request goes on, since one that is dropped could lose an event.
    ///
    /// # Errors
    /// `RuntimeApi` when the connection is lost or the answer is not an invocation: the process has nothing left to do
    /// then. What `on_wake` gives.
    pub fn next(&self, on_wake: impl Fn() -> Result<()>) -> Result<Invocation> {
        self.tokio.block_on(async {
            let fetch = pin!(self.fetch());
            let woken = pin!(self.until_woken(on_wake));
            match select(fetch, woken).await {
                Either::Left((invocation, _)) => invocation,
                Either::Right((error, _)) => Err(error),
            }
        })
    }

    /// Ends only with an error of `on_wake`.
    async fn until_woken(&self, on_wake: impl Fn() -> Result<()>) -> Error {
        let mut drained = [0; 64];
        loop {
            if self.wake.readable().await.is_err() {
                return std::future::pending().await; // no signals any more, and still events
            }
            let _ = self.wake.try_read(&mut drained); // the bytes say no more than their coming
            if let Err(error) = on_wake() {
                return error;
            }
        }
    }

    async fn fetch(&self) -> Result<Invocation> {
        let request = Request::get(format!("{API_VERSION}/runtime/invocation/next"))
            .header(http::header::USER_AGENT, USER_AGENT)
            .body(Body::empty())
            .map_err(|error| lost(&error))?;
        let response = self.client.call(request).await.map_err(|error| lost(&*error))?;
        let (parts, body) = response.into_parts();
        if parts.status != StatusCode::OK {
            return Err(Error::runtime_api(format!(
                "the Runtime API answered {} to the request for the next event",
                parts.status
            )));
        }
        let event = body.collect().await.map_err(|error| lost(&error))?.to_bytes();
        self.invocation(parts.headers, event)
    }

    fn invocation(&self, mut headers: HeaderMap, event: bytes::Bytes) -> Result<Invocation> {
        // What a direct caller wrote is taken out before `Context` parses the rest: it fails on odd JSON.
        let mut take = |name: &str| headers.remove(name).map(|value| text(&value)).filter(|text| !text.is_empty());
        let client_context = take(CLIENT_CONTEXT);
        let cognito_identity = take(COGNITO_IDENTITY);
        let invocation_id = take(INVOCATION_ID);
        let request_id = take("lambda-runtime-aws-request-id").ok_or_else(|| {
            Error::runtime_api("the Runtime API sent an event without the header Lambda-Runtime-Aws-Request-Id")
        })?;
        // `Context` panics without a deadline and fails on one that is no number: neither is worth a request.
        let deadline = headers.get(DEADLINE).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if deadline.is_none() {
            headers.insert(DEADLINE, HeaderValue::from_static("0"));
        }
        let context = Context::new(&request_id, Arc::clone(&self.config), &headers).map_err(|error| {
            Error::runtime_api(format!("the Runtime API sent a header that cannot be read: {error}"))
        })?;
        let arn = headers.contains_key("lambda-runtime-invoked-function-arn");
        Ok(Invocation {
            request_id,
            invocation_id,
            deadline_ms: context.deadline,
            invoked_function_arn: if arn { context.invoked_function_arn } else { String::new() },
            trace_id: context.xray_trace_id.filter(|id| !id.is_empty()),
            tenant_id: context.tenant_id.filter(|id| !id.is_empty()),
            client_context,
            cognito_identity,
            event,
        })
    }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// The whole chain of causes in one line: hyper's outermost error says only "client error".
fn lost(error: &dyn std::error::Error) -> Error {
    let mut message = format!("the connection to the Runtime API is lost: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        message.extend([": ", &error.to_string()]);
        source = error.source();
    }
    Error::runtime_api(message)
}
