//! The HTTP server: accepts connections, queues submissions, lists the calls that it received.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::api_call::{ApiCall, Fault, Route};
use super::outcome::{Outcome, Report};
use super::routes;
use super::running::Running;
use super::state::{Counted, Queued, State};
use super::submission::Submission;

/// A running Runtime API on the loopback interface; dropping it closes every connection.
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    state: Arc<State>,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    /// Starts the server on a free port. It runs on the current tokio runtime.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new());
        let server = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self { address, state, server })
    }

    /// The value for `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Queues an event and waits for the outcome, however long it takes. `Sandbox::invoke` has a time limit.
    pub async fn invoke(&self, submission: Submission) -> Outcome {
        self.submit(submission).outcome().await
    }

    /// Queues an event; returns what delivers its steps as they happen.
    pub fn submit(&self, submission: Submission) -> Running {
        let (steps, running) = Running::new(submission.request_id.clone());
        self.state.push(Queued { submission, steps });
        running
    }

    /// Waits until the runtime asks for an event: init and the last invocation are over.
    pub async fn ready(&self) {
        self.reaches(&self.state.waiting, |waiting| waiting > 0).await;
    }

    /// Waits until no connection is open, as happens when the runtime's process ends.
    pub async fn disconnected(&self) {
        // One that was not accepted yet counts, too. This one comes after it.
        if let Ok(last) = TcpStream::connect(self.address).await
            && let Ok(address) = last.local_addr()
        {
            let _ = self.state.newest.subscribe().wait_for(|newest| *newest == Some(address)).await;
        }
        self.reaches(&self.state.connections, |open| open == 0).await;
    }

    /// Waits until the runtime has posted an init error.
    pub async fn init_error(&self) -> Report {
        let mut receiver = self.state.init_error.subscribe();
        loop {
            if let Some(report) = receiver.borrow_and_update().clone() {
                return report;
            }
            // Cannot fail: `self.state` has the sender.
            let _ = receiver.changed().await;
        }
    }

    /// Arranges a fault for the next call of a route. For [`Route::Next`] this can be a poll that is already waiting.
    /// Several faults happen in order, one for each call.
    pub fn arrange(&self, route: Route, fault: Fault) {
        self.state.arrange(route, fault);
    }

    /// The last `CALLS_KEPT` calls, in order of their arrival.
    pub fn calls(&self) -> Vec<ApiCall> {
        self.state.calls()
    }

    /// Sets whether calls are remembered. They are, unless a long-running program has no use for them.
    pub fn keep_calls(&self, keep: bool) {
        self.state.keep_calls(keep);
    }

    /// Sets how many invocations may run at once, `AWS_LAMBDA_MAX_CONCURRENCY`; the default is 1.
    /// A poll above it is rejected: with 403 for a single worker, with 500 for several.
    pub fn set_concurrency(&self, workers: usize) {
        self.state.set_concurrency(workers);
    }

    /// Gives up a running invocation; its late response is rejected with 410, as on Managed Instances.
    pub fn expire(&self, request_id: &str) {
        self.state.expire(request_id);
    }

    /// Whether the runtime has registered an extension, so that the platform sends SIGTERM before it ends the sandbox.
    pub fn has_extension(&self) -> bool {
        self.state.extension.load(Ordering::Relaxed)
    }

    /// Sets whether `/restore/next` returns. With `false` the runtime waits where the snapshot would be taken.
    pub fn set_restored(&self, restored: bool) {
        self.state.restored.send_replace(restored);
    }

    async fn reaches(&self, count: &watch::Sender<usize>, wanted: fn(usize) -> bool) {
        // Fails only when the sender is gone, and `self.state` has it.
        let _ = count.subscribe().wait_for(|count| wanted(*count)).await;
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Accepts connections for ever. They end with this task.
async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, peer)) = accepted {
                connections.spawn(connection(stream, peer, number, Arc::clone(&state)));
                number += 1;
            } else {
                // Most likely out of file descriptors, which are free again when connections close.
                tokio::time::sleep(Duration::from_millis(10)).await;
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, number: u64, state: Arc<State>) {
    let _open = Counted::new(&state.connections);
    state.newest.send_replace(Some(peer));
    // Fails on a socket that is already closed; `serve_connection` notices that too.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| routes::serve(&state, number, request));
    // An error here is a client that went away or an arranged fault; `ApiCall::status` shows both.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
