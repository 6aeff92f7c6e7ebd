//! Room: `runtime`, the Runtime API (docs, "Using the Lambda runtime API for custom runtimes").
//! In: nothing but the API's address; [`Error`]s and responses to post.
//! Out: [`Invocation`]s.
//! May use: `descriptor`, `error`, `invocation`, `log` (for bounds of messages), `sync`, `httparse`, `rustix`, `serde_json`, `bytes`, base64; tests also `lambda_runtime`, `http`,
//!   tempfile.
//! Must not: know HTTP proxying or Python.

mod connection;
mod poll;
mod reply;
mod respond;
mod stream;
mod watch;

pub use poll::{Twin, Wake};
pub use respond::Receipt;
pub use stream::Streamed;
pub use watch::{Alarm, Watch};

use std::sync::{Arc, Mutex};

use connection::Connection;

use crate::error::Error;

/// The version of the API that every path begins with.
const API_VERSION: &str = "/2018-06-01";

/// How this runtime introduces itself.
const USER_AGENT: &str = concat!("wsgi-lambda/", env!("CARGO_PKG_VERSION"));

/// The Runtime API as this process talks to it: in turns, on the thread that waits, over one blocking connection that
/// stays open. While the application runs, the deadline's alarm may talk through the same one ([`SharedApi`]), so that
/// it needs no descriptor of its own.
///
/// Ours, because AWS's crates have no init error, no stack traces, no TCP_NODELAY for responses and two connections
/// (platform facts: `lambda_runtime` 1.5.0), and because what waits in turns needs neither tasks nor channels:
/// docs/speed.md says what they cost.
#[derive(Debug)]
pub struct Api {
    connection: Connection,
    /// That of the internal extension: open for as long as the process lives, which is all it has to do.
    extension: Option<crate::descriptor::Socket>,
    /// What ends the process once the event that came at the same moment is served.
    ending: Option<Error>,
}

/// The API in the hands of the loop and of the alarm, of which one at a time has something to say.
pub type SharedApi = Arc<Mutex<Api>>;

impl Api {
    /// The API at `address` (host and port). Connects when it is first talked to.
    pub fn new(address: &str) -> Self {
        Self { connection: Connection::new(address), extension: None, ending: None }
    }

    /// Connects now, for a process that is going to be forked: it may [`Api::adopt`] the connection, and this one keeps a
    /// twin, with which it sees what the other leaves unread. `None` where there is no connection to be had.
    pub fn connect_for_child(&mut self) -> Option<Twin> {
        self.connection.open().map(Twin)
    }

    /// In the child: the connection is this process's from here on.
    pub fn adopt(&mut self) {
        self.connection.adopt();
    }
}
