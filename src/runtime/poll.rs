//! `GET /runtime/invocation/next`, through AWS's own client.
//!
//! `lambda_runtime::Runtime` is not used for the loop: a client context it cannot parse ends its process, and an answer
//! without the expected headers panics it (its 1.5.0 `runtime.rs` and `types.rs`). Its `Context` is.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::connect::HttpConnector;
use lambda_runtime::Context;
use lambda_runtime_api_client::PooledClient;
use lambda_runtime_api_client::body::Body;

use super::{API_VERSION, USER_AGENT};
use crate::error::{Error, Result};
use crate::invocation::Invocation;

const CLIENT_CONTEXT: &str = "lambda-runtime-client-context";
const COGNITO_IDENTITY: &str = "lambda-runtime-cognito-identity";
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";

/// Asks for work. The tokio runtime is current-thread: it runs on the thread that waits.
#[derive(Debug)]
pub struct Poller {
    tokio: tokio::runtime::Runtime,
    client: PooledClient,
    config: Arc<lambda_runtime::Config>,
}

impl Poller {
    /// A poller of the API at `address` (host and port).
    ///
    /// # Errors
    /// `Config` when the address is none; `RuntimeApi` when the kernel has no event queue to give.
    pub fn new(address: &str) -> Result<Self> {
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
        Ok(Self { tokio, client, config: Arc::default() })
    }

    /// Waits for the next invocation, for as long as it takes: the sandbox is frozen meanwhile.
    ///
    /// # Errors
    /// `RuntimeApi` when the connection is lost or the answer is not an invocation. The process has nothing left to
    /// do then.
    pub fn next(&self) -> Result<Invocation> {
        self.tokio.block_on(self.fetch())
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
        let request_id = take("lambda-runtime-aws-request-id").ok_or_else(|| missing("Aws-Request-Id"))?;
        if !headers.contains_key("lambda-runtime-deadline-ms") {
            return Err(missing("Deadline-Ms"));
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

fn missing(header: &str) -> Error {
    Error::runtime_api(format!("the Runtime API sent an event without the header Lambda-Runtime-{header}"))
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
