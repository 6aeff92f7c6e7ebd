//! The Runtime API as this process talks to it. What can be asked of it is in `poll.rs`, `respond.rs` and
//! `extension.rs`.

use std::sync::{Arc, Mutex};

use super::connection::{Connection, request_head};
use super::twin::Twin;
use crate::descriptor::Socket;
use crate::error::Error;

/// The version of the API, with which every path begins.
pub(super) const API_VERSION: &str = "/2018-06-01";

/// The client of the Runtime API. It sends one request at a time over one blocking connection that stays open. While
/// the application runs, the deadline's alarm may use the same connection ([`SharedApi`]), so that it needs no
/// descriptor of its own.
///
/// This is code of our own because AWS's crates have no init error, no stack traces, no TCP_NODELAY for responses, and
/// use two connections (`lambda_runtime` 1.5.0). One request at a time needs neither tasks nor channels: docs/speed.md
/// says what they cost.
#[derive(Debug)]
pub struct Api {
    pub(super) connection: Connection,
    /// The internal extension's connection. All it has to do is to stay open while the process lives.
    pub(super) extension: Option<Socket>,
    /// Why the process ends, if an event that arrived at the same moment has to be served first.
    pub(super) ending: Option<Error>,
}

/// The client, shared by the loop and by the alarm. They never have something to send at the same time.
pub type SharedApi = Arc<Mutex<Api>>;

impl Api {
    /// A client of the API at `address`: host and port, and with emulators a path. Connects at the first request.
    pub fn new(address: &str) -> Self {
        Self { connection: Connection::new(address), extension: None, ending: None }
    }

    /// Connects now, for a child that is about to be forked and then calls [`Api::adopt`]. The parent keeps the
    /// [`Twin`], with which it sees what the child has left unread. `None` if no connection can be made.
    pub fn connect_for_child(&mut self) -> Option<Twin> {
        self.connection.open().map(Twin)
    }

    /// Called in the child: makes the connection this process's own.
    pub fn adopt(&mut self) {
        self.connection.adopt();
    }

    /// The head of a GET.
    pub(super) fn get(&self, path: &str, headers: &[(&str, &str)]) -> String {
        request_head("GET", self.connection.address(), path, &[headers])
    }
}
