//! The Runtime API as a measuring instrument: one thread, `poll(2)`, blocking sockets without Nagle's delay,
//! keep-alive.
//!
//! `src/emulator` of the main package is the faithful one, for tests; this one does the least between an event and its
//! response, and nothing on another thread, so that what it measures is the subject. Routes: `/next`, `/response`,
//! `/error`, `/init/error`, and of the Extensions API what the Web Adapter asks for.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::AsFd as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::clock::{Nanos, now};

mod posted;
mod wire;

pub(crate) use posted::Posted;
pub(crate) use wire::TIMEOUT;
use wire::{Head, Wire};

const ACCEPTED: &[u8] =
    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"status\":\"OK\"}\n";
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
const REGISTERED: &str = "{\"functionName\":\"bench\",\"functionVersion\":\"$LATEST\",\"handler\":\"bench\"}";

/// What a call of the subject came to.
#[derive(Debug)]
pub(crate) enum Step {
    /// A poll of `/next` waits for an event, since this moment.
    Polled(Nanos),
    /// The invocation with this number was answered; the response is in the given place.
    Answered(u64),
    /// A call that no measure needs, or a connection that opened or closed.
    Other,
    /// Nothing came in the time given.
    Silence,
}

/// One listener with its connections, for one subject.
#[derive(Debug)]
pub(crate) struct Api {
    listener: TcpListener,
    address: SocketAddr,
    connections: Vec<Wire>,
    invocations: u64,
}

impl Api {
    /// Listens on a free port of the loopback.
    pub(crate) fn new() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port on the loopback")?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, connections: Vec::new(), invocations: 0 })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many polls of `/next` wait.
    pub(crate) fn waiting(&self) -> usize {
        self.connections.iter().filter(|wire| wire.parked).count()
    }

    /// Gives an event to the poll that waits; returns the invocation's number and the moment before the first byte.
    pub(crate) fn deliver(&mut self, event: &[u8], response_bytes: usize) -> Result<(u64, Nanos)> {
        self.invocations += 1;
        let id = self.invocations;
        let head = next_head(id, event.len(), response_bytes);
        let Some(wire) = self.connections.iter_mut().find(|wire| wire.parked) else {
            bail!("no poll of /next waits for the event");
        };
        wire.parked = false;
        // Small events leave in one segment; large ones are not copied for that.
        let (with_head, rest) = event.split_at(event.len().min(32 * 1024));
        let first = [head.as_bytes(), with_head].concat();
        let start = now();
        wire.send(&first)?;
        wire.send(rest)?;
        Ok((id, start))
    }

    /// Waits for the subject's next call and serves it.
    pub(crate) fn step(&mut self, wait: Duration, posted: &mut Posted) -> Result<Step> {
        let Some(index) = self.readable(wait)? else { return Ok(Step::Silence) };
        if index == self.connections.len() {
            let (stream, _) = self.listener.accept()?;
            self.connections.push(Wire::new(stream)?);
            return Ok(Step::Other);
        }
        let Some(head) = self.connections[index].head()? else {
            self.connections.swap_remove(index);
            return Ok(Step::Other);
        };
        self.serve(index, &head, posted)
    }

    /// The index of a connection that can be read, or the number of connections if there is a new one.
    fn readable(&self, wait: Duration) -> Result<Option<usize>> {
        let wires = self.connections.iter().map(|wire| wire.stream().as_fd());
        let mut fds: Vec<PollFd> =
            wires.chain([self.listener.as_fd()]).map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        match poll(&mut fds, PollTimeout::try_from(wait)?) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error).context("poll"),
        }
        Ok(fds.iter().position(|fd| fd.any() == Some(true)))
    }

    fn serve(&mut self, index: usize, head: &Head, posted: &mut Posted) -> Result<Step> {
        let wire = &mut self.connections[index];
        if head.path.ends_with("/invocation/next") {
            wire.parked = true;
            return Ok(Step::Polled(now()));
        }
        if head.path.ends_with("/event/next") {
            return Ok(Step::Other); // an extension without events waits for ever
        }
        wire.body(head, posted)?;
        if head.path.ends_with("/extension/register") {
            let text = format!(
                "HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: 7b0e4d3c-6f0a-4d55-9f7e-1d2c3b4a5968\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{REGISTERED}",
                REGISTERED.len()
            );
            wire.send(text.as_bytes())?;
            return Ok(Step::Other);
        }
        if head.path.ends_with("/init/error") {
            wire.send(ACCEPTED)?;
            bail!("it reported an init error: {}", posted.excerpt());
        }
        let Some(id) = invocation(&head.path) else {
            wire.send(NOT_FOUND)?;
            return Ok(Step::Other);
        };
        wire.send(ACCEPTED)?;
        if head.path.ends_with("/error") {
            bail!("it answered with a function error: {}", function_error(posted));
        }
        Ok(Step::Answered(id))
    }
}

/// `KeyError: 'path'`, of the error's JSON.
fn function_error(posted: &Posted) -> String {
    let error: serde_json::Value = serde_json::from_slice(posted.body()).unwrap_or_default();
    match (error["errorType"].as_str(), error["errorMessage"].as_str()) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        _ => posted.excerpt(),
    }
}

fn next_head(id: u64, event_bytes: usize, response_bytes: usize) -> String {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + TIMEOUT;
    format!(
        "HTTP/1.1 200 OK\r\n\
         Content-Type: application/json\r\n\
         Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-{id:012x}\r\n\
         Lambda-Runtime-Deadline-Ms: {}\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:bench\r\n\
         Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n\
         Bench-Response-Bytes: {response_bytes}\r\n\
         Content-Length: {event_bytes}\r\n\r\n",
        deadline.as_millis()
    )
}

/// The number in `/2018-06-01/runtime/invocation/{request id}/response`.
fn invocation(path: &str) -> Option<u64> {
    let (rest, _) = path.rsplit_once('/')?;
    u64::from_str_radix(rest.rsplit_once('-')?.1, 16).ok()
}

/// A port that is free at this moment, for the web servers behind the Web Adapter.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
