//! The inspector: one page that shows the requests as they come, and what became of each.
//!
//! It reads the journal and nothing else; only *send again* goes through the gate. The page gets JSON from here and
//! shows it as text. Secrets are masked before they leave ([`secrets`]), and [`guard`] keeps other pages out.

mod body;
mod comparison;
mod curl;
mod detail;
mod document;
mod feed;
mod guard;
mod invoke;
mod page;
mod place;
mod plain_server;
mod posted;
mod reasons;
mod reply;
mod routes;
mod samples;
mod secrets;
mod sent;
mod stream;
mod summary;
mod times;
mod variables;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::gate::Gate;
use crate::cli::failure::Failure;
use feed::Feed;
use guard::Guard;
use routes::Site;

pub(super) use place::bind;

/// Serves the page in the background, and returns its address.
pub(super) fn start(listener: TcpListener, gate: Arc<Gate>) -> Result<String, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("cannot start the inspector: {error}"));
    let address = listener.local_addr().map_err(|error| failed(&error))?;
    let mut token = [0; 32];
    getrandom::fill(&mut token).map_err(|error| failed(&error))?;
    tokio::spawn(serve(listener, URL_SAFE_NO_PAD.encode(token), gate));
    Ok(format!("http://{address}/"))
}

/// Serves the page on a listener of the loopback interface, for ever. `token` is what the page shows with its calls.
async fn serve(listener: TcpListener, token: String, gate: Arc<Gate>) {
    // Fails only for a socket that is closed.
    let port = listener.local_addr().map_or(0, |address| address.port());
    let feed = Arc::new(Feed::new());
    let site = Site { guard: Guard { port, token }, gate: Arc::clone(&gate), feed: Arc::clone(&feed) };
    tokio::select! {
        () = accept(listener, Arc::new(site)) => {}
        () = feed.follow(gate.journal()) => {}
    }
}

/// Accepts connections for ever. They end with this task.
async fn accept(listener: TcpListener, site: Arc<Site>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(connection(stream, Arc::clone(&site)));
            } else {
                // Most likely out of file descriptors, which are free again when connections close.
                tokio::time::sleep(Duration::from_millis(10)).await;
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, site: Arc<Site>) {
    // Fails on a socket that is already closed; `serve_connection` notices that too.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let site = Arc::clone(&site);
        async { Ok::<_, Infallible>(routes::serve(site, request).await) }
    });
    // An error here is a page that went away.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(30))
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
