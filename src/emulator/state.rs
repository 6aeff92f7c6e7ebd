//! What the routes share: queued and taken invocations, arranged faults, the calls received.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use tokio::sync::{Notify, watch};

use super::api_call::{ApiCall, CALLS_KEPT, Fault, Route};
use super::outcome::{Outcome, Report};
use super::replies::{self, Reply};
use super::running::{Progress, Steps};
use super::submission::Submission;
use crate::sync::lock;

/// An invocation that no poll has taken yet.
pub(super) struct Queued {
    pub(super) submission: Submission,
    pub(super) steps: Steps,
}

/// What a poll of `/next` finds.
pub(super) enum Poll {
    Event(Box<Queued>),
    Fault(Fault),
    Rejected(Reply),
    Nothing,
}

/// Why the platform rejects a `/response` or `/error`.
#[derive(Clone, Copy)]
pub(super) enum Rejection {
    UnknownId,
    AnsweredAlready,
    Gone,
}

impl Rejection {
    pub(super) fn reply(self) -> Reply {
        match self {
            Self::UnknownId => replies::invalid_request_id(),
            Self::AnsweredAlready => replies::invalid_state("answered already"),
            Self::Gone => replies::gone(),
        }
    }
}

/// An invocation that a poll has taken.
struct Taken {
    phase: Phase,
    invocation_id: Option<HeaderValue>,
}

enum Phase {
    Running(Steps),
    /// Kept until the next poll. Before it a second response is a wrong transition, after it the id is unknown.
    Answered,
    /// The caller has got a timeout, and the worker goes on (Managed Instances).
    Expired,
}

struct Inner {
    queue: VecDeque<Queued>,
    taken: HashMap<String, Taken>,
    faults: Vec<(Route, Fault)>,
    calls: VecDeque<ApiCall>,
    /// How many calls were dropped from the front of `calls`.
    forgotten: usize,
    polled: bool,
    concurrency: usize,
    keeps_calls: bool,
}

pub(super) struct State {
    inner: Mutex<Inner>,
    /// One permit per queued invocation or fault for `/next`.
    pub(super) work: Notify,
    /// Open TCP connections.
    pub(super) connections: watch::Sender<usize>,
    /// The other end of the connection that was accepted last.
    pub(super) newest: watch::Sender<Option<SocketAddr>>,
    /// Polls that wait in `/next`.
    pub(super) waiting: watch::Sender<usize>,
    pub(super) init_error: watch::Sender<Option<Report>>,
    /// Whether `/restore/next` may return.
    pub(super) restored: watch::Sender<bool>,
    /// Whether an extension is registered.
    pub(super) extension: AtomicBool,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                queue: VecDeque::new(),
                taken: HashMap::new(),
                faults: Vec::new(),
                calls: VecDeque::new(),
                forgotten: 0,
                polled: false,
                concurrency: 1,
                keeps_calls: true,
            }),
            work: Notify::new(),
            connections: watch::Sender::new(0),
            newest: watch::Sender::new(None),
            waiting: watch::Sender::new(0),
            init_error: watch::Sender::new(None),
            restored: watch::Sender::new(true),
            extension: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    pub(super) fn push(&self, queued: Queued) {
        self.lock().queue.push_back(queued);
        self.work.notify_one();
    }

    /// Puts back an event that was taken from the queue and did not reach the runtime.
    pub(super) fn push_back_first(&self, queued: Queued) {
        self.lock().queue.push_front(queued);
        self.work.notify_one();
    }

    pub(super) fn arrange(&self, route: Route, fault: Fault) {
        self.lock().faults.push((route, fault));
        if route == Route::Next {
            self.work.notify_one();
        }
    }

    pub(super) fn fault(&self, route: Route) -> Option<Fault> {
        let mut inner = self.lock();
        let index = inner.faults.iter().position(|(at, _)| *at == route)?;
        Some(inner.faults.remove(index).1)
    }

    pub(super) fn set_concurrency(&self, workers: usize) {
        self.lock().concurrency = workers.max(1);
    }

    pub(super) fn keep_calls(&self, keep: bool) {
        self.lock().keeps_calls = keep;
    }

    /// Records a call and returns its number for [`State::replied`].
    pub(super) fn record(&self, call: impl FnOnce() -> ApiCall) -> usize {
        let mut inner = self.lock();
        if !inner.keeps_calls {
            return 0;
        }
        if inner.calls.len() == CALLS_KEPT {
            inner.calls.pop_front();
            inner.forgotten += 1;
        }
        inner.calls.push_back(call());
        inner.forgotten + inner.calls.len() - 1
    }

    pub(super) fn replied(&self, call: usize, status: StatusCode) {
        let mut inner = self.lock();
        let index = call.checked_sub(inner.forgotten);
        if let Some(call) = index.and_then(|index| inner.calls.get_mut(index)) {
            call.status = Some(status);
        }
    }

    pub(super) fn calls(&self) -> Vec<ApiCall> {
        self.lock().calls.iter().cloned().collect()
    }

    /// What `/next` returns now. A poll ends init and forgets answered invocations.
    pub(super) fn poll(&self) -> Poll {
        if let Some(fault) = self.fault(Route::Next) {
            return Poll::Fault(fault);
        }
        let mut inner = self.lock();
        inner.polled = true;
        inner.taken.retain(|_, taken| !matches!(taken.phase, Phase::Answered));
        let running = |taken: &&Taken| matches!(&taken.phase, Phase::Running(_));
        if inner.taken.values().filter(running).count() >= inner.concurrency {
            // RIE does not allow `Ready` while an invocation runs. With several workers it is one poll too many.
            let sequential = inner.concurrency == 1;
            return Poll::Rejected(if sequential {
                replies::invalid_state("/next before a response")
            } else {
                replies::too_many_polls()
            });
        }
        inner.queue.pop_front().map_or(Poll::Nothing, |queued| Poll::Event(Box::new(queued)))
    }

    /// Notes that a poll has taken an invocation.
    pub(super) fn taken(&self, request_id: &str, steps: Steps, invocation_id: Option<HeaderValue>) {
        let taken = Taken { phase: Phase::Running(steps), invocation_id };
        self.lock().taken.insert(request_id.to_owned(), taken);
    }

    /// Accepts the first `/response` or `/error` of a running invocation and rejects any other. `echo` is the
    /// invocation id that the runtime sends back.
    pub(super) fn accept(&self, request_id: &str, echo: Option<&HeaderValue>) -> Result<Steps, Rejection> {
        let mut inner = self.lock();
        let Some(taken) = inner.taken.get_mut(request_id) else {
            return Err(Rejection::UnknownId);
        };
        // A runtime from before 2026 sends none back, and is trusted.
        if echo.is_some() && echo != taken.invocation_id.as_ref() {
            return Err(Rejection::Gone);
        }
        match std::mem::replace(&mut taken.phase, Phase::Answered) {
            Phase::Running(steps) => Ok(steps),
            Phase::Answered => Err(Rejection::AnsweredAlready),
            Phase::Expired => {
                taken.phase = Phase::Expired;
                Err(Rejection::Gone)
            }
        }
    }

    /// Gives up an invocation: its late response is rejected with 410.
    pub(super) fn expire(&self, request_id: &str) {
        if let Some(taken) = self.lock().taken.get_mut(request_id) {
            taken.phase = Phase::Expired;
        }
    }

    /// Accepts an init error, once and before the first poll. It is then the outcome of every queued invocation.
    pub(super) fn fail_init(&self, body: Bytes, headers: http::HeaderMap) -> bool {
        let mut inner = self.lock();
        if inner.polled || self.init_error.borrow().is_some() {
            return false;
        }
        let report = Report { body, headers };
        for queued in inner.queue.drain(..) {
            let step = Progress::Done(Outcome::InitError(report.clone()));
            // The channel is empty, so this fails only if it is closed, and then nobody waits for the outcome.
            let _ = queued.steps.try_send((Instant::now(), step));
        }
        self.init_error.send_replace(Some(report));
        true
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

/// Adds one to a counter until it is dropped.
pub(super) struct Counted<'a>(&'a watch::Sender<usize>);

impl<'a> Counted<'a> {
    pub(super) fn new(counter: &'a watch::Sender<usize>) -> Self {
        counter.send_modify(|count| *count += 1);
        Self(counter)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
