//! The server: accepts connections, queues invocations, lists the calls it received.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::call::{Call, Fault, Route};
use super::invocation::{Invocation, Outcome, Report, Running};
use super::routes;
use super::state::{Counted, Queued, State};

/// A running Runtime API on the loopback interface; dropping it closes every connection.
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    state: Arc<State>,
    server: JoinHandle<()>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
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

    /// Queues an invocation and waits for its outcome, without a limit: see `Environment::invoke` for one.
    pub async fn invoke(&self, invocation: Invocation) -> Outcome {
        self.submit(invocation).outcome().await
    }

    /// Queues an invocation and gives its steps as they happen.
    pub fn submit(&self, invocation: Invocation) -> Running {
        // Room for the start and one more step: a chunk that nobody takes holds the runtime back.
        let (sender, receiver) = mpsc::channel(2);
        let request_id = invocation.request_id.clone();
        self.state.push(Queued { invocation, steps: sender });
        Running { request_id, steps: receiver }
    }

    /// Waits until the runtime waits for an event: init is over, and so is the last invocation.
    pub async fn ready(&self) {
        self.reaches(&self.state.waiting, |waiting| waiting > 0).await;
    }

    /// Waits until no connection is open, as happens when the runtime's process ends.
    pub async fn disconnected(&self) {
        self.reaches(&self.state.connections, |open| open == 0).await;
    }

    /// Waits until the runtime has posted an init error.
    pub async fn init_error(&self) -> Report {
        let mut receiver = self.state.init_error.subscribe();
        loop {
            if let Some(report) = receiver.borrow_and_update().clone() {
                return report;
            }
            // The sender lives in `self.state`, so this cannot fail.
            let _ = receiver.changed().await;
        }
    }

    /// Arranges a fault for the next call of a route; for [`Route::Next`] also a poll that waits already.
    /// Several are used up in order.
    pub fn arrange(&self, route: Route, fault: Fault) {
        self.state.arrange(route, fault);
    }

    /// The last [`CALLS_KEPT`] calls, in order of their arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.state.calls()
    }

    /// How many invocations may run at once, `AWS_LAMBDA_MAX_CONCURRENCY`; 1 at the start.
    /// A poll beyond it is refused: 403 for a sequential function, 500 with several workers.
    pub fn set_concurrency(&self, workers: usize) {
        self.state.set_concurrency(workers);
    }

    /// Gives up a running invocation; its late answer is refused with 410, as on Managed Instances.
    pub fn expire(&self, request_id: &str) {
        self.state.expire(request_id);
    }

    /// Whether `/restore/next` returns. `false` holds the runtime where the snapshot would be taken.
    pub fn set_restored(&self, restored: bool) {
        self.state.restored.send_replace(restored);
    }

    async fn reaches(&self, count: &tokio::sync::watch::Sender<usize>, wanted: fn(usize) -> bool) {
        // Fails only when the sender is gone, and it lives in `self.state`.
        let _ = count.subscribe().wait_for(|count| wanted(*count)).await;
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Accepts for ever; the connections end with this task.
async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(connection(stream, number, Arc::clone(&state)));
                number += 1;
            } else {
                // Out of file descriptors, most likely: they come back when connections close.
                tokio::time::sleep(Duration::from_millis(10)).await;
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, number: u64, state: Arc<State>) {
    let _open = Counted::new(&state.connections);
    // Fails on a socket that is closed already, which `serve_connection` then finds as well.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| routes::answer(&state, number, request));
    // An error here is a client that went away or a fault that was arranged: `Call::status` tells of both.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
