//! What `serve` remembers of each request: the last ones, for the terminal, the inspector and `--record`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::broadcast;

use crate::emulator::LogLine;
use crate::gateway::{ClientRequest, Head, Settings};
use crate::sync::lock;

/// How many exchanges are kept. The oldest are forgotten first.
pub(super) const KEPT: usize = 200;

/// How many bytes of a streamed body are kept.
pub(super) const BODY_KEPT: usize = 256 * 1024;

/// One request and all that is known of it so far.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// 1, 2, 3 … in the order of arrival.
    pub(super) number: u64,
    pub(super) request: ClientRequest,
    pub(super) settings: Arc<Settings>,
    /// The event; empty if the front end refused the request before.
    pub(super) event: Bytes,
    /// What the sandbox logged while it served the request.
    pub(super) log: Vec<LogLine>,
    pub(super) posted: Option<Posted>,
    /// The response as the client got it.
    pub(super) sent: Option<Sent>,
    pub(super) times: Times,
    /// The number of the sandbox; `None` if none has taken the event.
    pub(super) sandbox: Option<u64>,
    /// What went wrong, for people; `None` if nothing did.
    pub(super) trouble: Option<String>,
}

/// What the function posted.
#[derive(Clone, Debug)]
pub(super) struct Posted {
    /// The headers of its POST.
    pub(super) headers: HeaderMap,
    /// The body; of a streamed response the first [`BODY_KEPT`] bytes.
    pub(super) body: Bytes,
    pub(super) streamed: bool,
}

/// What the client got.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) head: Head,
    /// The first [`BODY_KEPT`] bytes.
    pub(super) body: Bytes,
    /// Bytes of the body that were sent.
    pub(super) bytes: u64,
    /// `false` if the connection was cut before the end.
    pub(super) whole: bool,
}

/// When what happened, counted from the arrival of the request.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// How long the init of a new sandbox took; `None` if the sandbox was warm.
    pub(super) init: Option<Duration>,
    /// The runtime took the event.
    pub(super) taken: Option<Duration>,
    /// The first byte of the function's response had arrived.
    pub(super) first_byte: Option<Duration>,
    /// Each chunk of a streamed response, at most 1,000.
    pub(super) chunks: Vec<(Duration, usize)>,
    /// The client has the whole response.
    pub(super) done: Option<Duration>,
}

/// The last exchanges, and a channel that tells of changes.
#[derive(Debug)]
pub(super) struct Journal {
    kept: Mutex<VecDeque<Exchange>>,
    changes: broadcast::Sender<u64>,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self { kept: Mutex::default(), changes: broadcast::Sender::new(1024) }
    }

    /// Adds an exchange, which has a number already.
    pub(super) fn add(&self, exchange: Exchange) {
        let number = exchange.number;
        let mut kept = lock(&self.kept);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(exchange);
        drop(kept);
        let _ = self.changes.send(number); // nobody may listen
    }

    /// Changes an exchange, if it is still kept.
    pub(super) fn update(&self, number: u64, change: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = lock(&self.kept).iter_mut().find(|exchange| exchange.number == number) {
            change(exchange);
        }
        let _ = self.changes.send(number);
    }

    /// One exchange.
    pub(super) fn get(&self, number: u64) -> Option<Exchange> {
        lock(&self.kept).iter().find(|exchange| exchange.number == number).cloned()
    }

    /// All that are kept, the oldest first.
    pub(super) fn all(&self) -> Vec<Exchange> {
        lock(&self.kept).iter().cloned().collect()
    }

    /// The numbers of exchanges as they are added or changed.
    pub(super) fn changes(&self) -> broadcast::Receiver<u64> {
        self.changes.subscribe()
    }
}
