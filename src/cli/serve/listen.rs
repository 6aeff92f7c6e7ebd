//! The HTTP servers: one port a front end. hyper speaks HTTP; nothing of its parsing is ours.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};

use super::deliver::{self, Delivery};
use super::front::Front;
use super::gate::Gate;
use super::receive::{self, Unread};
use super::reporter::Reporter;
use crate::gateway;

/// How many header fields a request may have. Front ends limit their bytes; more of them than this do not fit.
const HEADERS: usize = 1000;
/// How many bytes the head of a request may have. The largest limit of a front end is the load balancer's, 64 kB.
const HEAD: usize = 128 * 1024;

/// What serves the requests of one port.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) front: Front,
    pub(super) gate: Arc<Gate>,
    pub(super) reporter: Arc<Reporter>,
    /// How long a client may stay silent while it sends a request.
    pub(super) idle: Duration,
}

/// No response: the connection is closed.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the client did not send its request")
    }
}

impl std::error::Error for Closed {}

impl Listener {
    /// Accepts connections for ever.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    tokio::spawn(Arc::clone(&self).connection(stream, peer));
                }
                // Most likely out of file descriptors, which are free again when connections close.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true); // fails on a socket that is closed already, which hyper notices too
        // Browsers open connections that they may never use. These end without a word.
        if !matches!(tokio::time::timeout(self.idle, stream.peek(&mut [0])).await, Ok(Ok(1..))) {
            return;
        }
        let has_asked = Arc::new(AtomicBool::new(false));
        let (listener, asked) = (Arc::clone(&self), Arc::clone(&has_asked));
        let service = service_fn(move |request| {
            asked.store(true, Ordering::Relaxed);
            Arc::clone(&listener).request(request, peer)
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(self.idle).max_headers(HEADERS).max_buf_size(HEAD);
        builder.http2().timer(TokioTimer::new()).max_header_list_size(64 * 1024);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            // hyper's own limit begins when it knows the version of HTTP.
            () = tokio::time::sleep(self.idle), if !has_asked.load(Ordering::Relaxed) => {
                if has_asked.load(Ordering::Relaxed) { connection.await } else { return self.silent(peer) }
            }
        };
        if let Err(error) = ended {
            self.ended(peer, has_asked.load(Ordering::Relaxed), &*error);
        }
    }

    async fn request(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response<Delivery>, Closed> {
        let settings = &self.front.settings;
        let line = format!("{} {}", request.method(), request.uri().path());
        match receive::read(request, peer, &gateway::limits(settings), self.idle).await {
            Ok((request, fault)) => {
                let is_last = fault.is_some();
                let reply = self.gate.answer(request, settings, fault).await;
                Ok(if is_last { deliver::last(reply) } else { deliver::response(reply) })
            }
            Err(unread) => {
                let what = match unread {
                    Unread::Silent => "the client stopped sending its body: the connection was closed",
                    Unread::Broken => "the client left before the end of its body",
                };
                self.reporter.say(format!("{line}  {what}"));
                Err(Closed)
            }
        }
    }

    fn silent(&self, peer: SocketAddr) {
        self.reporter.say(format!("{peer}  no request came: the connection was closed"));
    }

    /// Says why a connection ended, if that is worth a line. `asked`: it had a request before.
    fn ended(&self, peer: SocketAddr, asked: bool, error: &(dyn std::error::Error + Send + Sync + 'static)) {
        let Some(error) = error.downcast_ref::<hyper::Error>() else {
            if !asked
                && error.downcast_ref::<io::Error>().is_none_or(|error| error.kind() != io::ErrorKind::UnexpectedEof)
            {
                self.reporter.say(format!("{peer}  {error}"));
            }
            return;
        };
        if error.is_parse() {
            self.reporter.say(format!("{peer}  not a request that HTTP allows: {error}"));
        } else if error.is_timeout() && !asked {
            self.silent(peer);
        }
        // Others are clients that left, and connections that were kept and are not used any more.
    }
}
