//! What `serve` remembers of each request: the last ones, for the inspector.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tokio::sync::broadcast;

use crate::emulator::LogLine;
use crate::gateway::{ClientRequest, Head, Settings};
use crate::sync::lock;

/// How many exchanges are kept. The oldest are forgotten first.
pub(super) const KEPT: usize = 200;

/// How many bytes of events, bodies and logs are kept in total.
const BYTES_KEPT: usize = 8 * 1024 * 1024;

/// How many log lines of an exchange are kept: the first ones.
const LINES_KEPT: usize = 1000;

/// What an exchange takes besides its bodies, about.
const OVERHEAD: usize = 4 * 1024;

/// Up to this many bytes are copied rather than kept with the buffer that they are in.
const SMALL: usize = 16 * 1024;

/// How many bytes of a streamed body are kept.
pub(super) const BODY_KEPT: usize = 256 * 1024;

/// One request and all that is known of it so far.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// 1, 2, 3 … in the order of arrival.
    pub(super) number: u64,
    /// When the request had arrived; [`Times`] count from here.
    pub(super) arrived: Instant,
    pub(super) request: Arc<ClientRequest>,
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
    /// The body; of a streamed response the prelude and the bytes that came with its end.
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

/// The init of a sandbox.
#[derive(Clone, Copy, Debug)]
pub(super) struct Init {
    pub(super) took: Duration,
    /// The part in which the application was imported.
    pub(super) imports: Duration,
}

/// When what happened, counted from the arrival of the request.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// The init of a new sandbox; `None` if the sandbox was warm.
    pub(super) init: Option<Init>,
    /// The runtime took the event.
    pub(super) taken: Option<Duration>,
    /// The first byte of the function's response had arrived.
    pub(super) first_byte: Option<Duration>,
    /// Each chunk of a streamed response, at most 1,000.
    pub(super) chunks: Vec<(Duration, usize)>,
    /// The client has the whole response.
    pub(super) done: Option<Duration>,
}

impl Exchange {
    /// An exchange that has just begun.
    pub(super) fn new(number: u64, request: Arc<ClientRequest>, settings: Arc<Settings>, event: Bytes) -> Self {
        Self {
            number,
            arrived: Instant::now(),
            request,
            settings,
            event,
            log: Vec::new(),
            posted: None,
            sent: None,
            times: Times::default(),
            sandbox: None,
            trouble: None,
        }
    }

    /// Adds a line of the log, if there is room.
    pub(super) fn add_line(&mut self, line: LogLine) {
        if self.log.len() < LINES_KEPT {
            self.log.push(line);
        }
    }

    /// Whether the client has its response, or is gone.
    pub(super) fn is_over(&self) -> bool {
        self.times.done.is_some()
    }

    /// Copies what is small. It is cut out of the buffers of connections, of 8 kB each, which it would keep alive.
    fn compact(&mut self) {
        let request = &self.request;
        self.request = Arc::new(ClientRequest {
            headers: own_headers(&request.headers),
            body: own_bytes(&request.body),
            ..ClientRequest::clone(request)
        });
        self.event = own_bytes(&self.event);
        if let Some(posted) = &mut self.posted {
            posted.headers = own_headers(&posted.headers);
            posted.body = own_bytes(&posted.body);
        }
        if let Some(sent) = &mut self.sent {
            sent.head.headers = own_headers(&sent.head.headers);
            sent.body = own_bytes(&sent.body);
        }
    }

    fn bytes(&self) -> usize {
        let posted = self.posted.as_ref().map_or(0, |posted| posted.body.len());
        let sent = self.sent.as_ref().map_or(0, |sent| sent.body.len());
        let log: usize = self.log.iter().map(|line| line.text.len()).sum();
        OVERHEAD + self.event.len() + self.request.body.len() + posted + sent + log
    }
}

/// The same bytes in memory of their own, if they are few.
fn own_bytes(bytes: &Bytes) -> Bytes {
    if bytes.len() <= SMALL { Bytes::copy_from_slice(bytes) } else { bytes.clone() }
}

fn own_headers(headers: &HeaderMap) -> HeaderMap {
    let own = |value: &HeaderValue| HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| value.clone());
    let mut copy = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        copy.append(name, own(value));
    }
    copy
}

/// The last exchanges, and a channel that tells of changes.
#[derive(Debug)]
pub(super) struct Journal {
    kept: Mutex<Kept>,
    changes: broadcast::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    /// In the order of their numbers.
    exchanges: VecDeque<Exchange>,
    bytes: usize,
}

impl Kept {
    fn position(&self, number: u64) -> Option<usize> {
        self.exchanges.binary_search_by_key(&number, |exchange| exchange.number).ok()
    }

    /// Forgets the oldest that are over, but never the last.
    fn trim(&mut self) {
        while self.exchanges.len() > KEPT || self.bytes > BYTES_KEPT {
            let older = self.exchanges.len().saturating_sub(1);
            let Some(oldest) = self.exchanges.iter().take(older).position(Exchange::is_over) else { return };
            let forgotten = self.exchanges.remove(oldest);
            self.bytes -= forgotten.map_or(0, |exchange| exchange.bytes());
        }
    }
}

impl Journal {
    pub(super) fn new() -> Self {
        Self { kept: Mutex::default(), changes: broadcast::Sender::new(1024) }
    }

    /// Adds an exchange, whose number is higher than all before.
    pub(super) fn add(&self, exchange: Exchange) {
        let number = exchange.number;
        let mut kept = lock(&self.kept);
        kept.bytes += exchange.bytes();
        kept.exchanges.push_back(exchange);
        kept.trim();
        drop(kept);
        let _ = self.changes.send(number); // nobody may listen
    }

    /// Changes an exchange, if it is still kept.
    pub(super) fn update(&self, number: u64, change: impl FnOnce(&mut Exchange)) {
        let mut kept = lock(&self.kept);
        if let Some(position) = kept.position(number) {
            let exchange = &mut kept.exchanges[position];
            let before = exchange.bytes();
            change(exchange);
            let after = exchange.bytes();
            kept.bytes = kept.bytes - before + after;
            kept.trim();
        }
        drop(kept);
        let _ = self.changes.send(number);
    }

    /// An exchange has ended: it takes no more memory than it needs from now on.
    pub(super) fn ended(&self, number: u64) {
        let mut kept = lock(&self.kept);
        if let Some(position) = kept.position(number) {
            kept.exchanges[position].compact();
        }
    }

    /// One exchange.
    pub(super) fn get(&self, number: u64) -> Option<Exchange> {
        let kept = lock(&self.kept);
        kept.position(number).map(|position| kept.exchanges[position].clone())
    }

    /// All that are kept, the oldest first.
    pub(super) fn all(&self) -> Vec<Exchange> {
        lock(&self.kept).exchanges.iter().cloned().collect()
    }

    /// The numbers of exchanges as they are added or changed.
    pub(super) fn changes(&self) -> broadcast::Receiver<u64> {
        self.changes.subscribe()
    }
}
