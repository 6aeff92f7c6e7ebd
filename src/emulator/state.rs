//! The state behind the routes: queued and taken invocations, arranged faults, calls received.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use tokio::sync::{Notify, mpsc, watch};

use super::call::{CALLS_KEPT, Call, Fault, Route};
use super::invocation::{Invocation, Outcome, Progress, Report};
use super::replies::{self, Reply};

/// The sending half of a `Running`.
pub(super) type Steps = mpsc::Sender<(Instant, Progress)>;

/// An invocation that no poll has taken yet.
pub(super) struct Queued {
    pub(super) invocation: Invocation,
    pub(super) steps: Steps,
}

/// What a poll of `/next` finds.
pub(super) enum Poll {
    Event(Box<Queued>),
    Fault(Fault),
    Refused(Reply),
    Nothing,
}

/// Why an answer is refused.
#[derive(Clone, Copy)]
pub(super) enum Refusal {
    UnknownId,
    AnsweredAlready,
    Gone,
}

impl Refusal {
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
    /// Kept until the next poll: a second answer is a wrong transition, later ones a wrong id.
    Answered,
    /// The caller got a timeout, and the worker lives on (Managed Instances).
    Expired,
}

struct Inner {
    queue: VecDeque<Queued>,
    taken: HashMap<String, Taken>,
    faults: Vec<(Route, Fault)>,
    calls: VecDeque<Call>,
    /// How many calls were dropped from the front of `calls`.
    forgotten: usize,
    polled: bool,
    concurrency: usize,
}

pub(super) struct State {
    inner: Mutex<Inner>,
    /// One permit per queued invocation or fault for `/next`.
    pub(super) work: Notify,
    /// Open TCP connections.
    pub(super) connections: watch::Sender<usize>,
    /// Polls that wait in `/next`.
    pub(super) waiting: watch::Sender<usize>,
    pub(super) init_error: watch::Sender<Option<Report>>,
    /// Whether `/restore/next` may return.
    pub(super) restored: watch::Sender<bool>,
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
            }),
            work: Notify::new(),
            connections: watch::Sender::new(0),
            waiting: watch::Sender::new(0),
            init_error: watch::Sender::new(None),
            restored: watch::Sender::new(true),
        }
    }

    // A panic of another holder leaves nothing half done here, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, queued: Queued) {
        self.lock().queue.push_back(queued);
        self.work.notify_one();
    }

    /// Puts an event back that was taken from the queue and given to nobody.
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

    /// Records a call and gives its number for [`State::replied`].
    pub(super) fn record(&self, call: Call) -> usize {
        let mut inner = self.lock();
        if inner.calls.len() == CALLS_KEPT {
            inner.calls.pop_front();
            inner.forgotten += 1;
        }
        inner.calls.push_back(call);
        inner.forgotten + inner.calls.len() - 1
    }

    pub(super) fn replied(&self, call: usize, status: StatusCode) {
        let mut inner = self.lock();
        let index = call.checked_sub(inner.forgotten);
        if let Some(call) = index.and_then(|index| inner.calls.get_mut(index)) {
            call.status = Some(status);
        }
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.lock().calls.iter().cloned().collect()
    }

    /// What `/next` gives now. A poll ends init and forgets answered invocations.
    pub(super) fn poll(&self) -> Poll {
        if let Some(fault) = self.fault(Route::Next) {
            return Poll::Fault(fault);
        }
        let mut inner = self.lock();
        inner.polled = true;
        inner.taken.retain(|_, taken| !matches!(taken.phase, Phase::Answered));
        let running = |taken: &&Taken| matches!(&taken.phase, Phase::Running(_));
        if inner.taken.values().filter(running).count() >= inner.concurrency {
            // RIE: `Ready` is not allowed while running; with several workers the poll is one too many.
            let sequential = inner.concurrency == 1;
            let refusal =
                if sequential { replies::invalid_state("/next before an answer") } else { replies::too_many_polls() };
            return Poll::Refused(refusal);
        }
        inner.queue.pop_front().map_or(Poll::Nothing, |queued| Poll::Event(Box::new(queued)))
    }

    /// Notes that a poll has taken an invocation.
    pub(super) fn taken(&self, request_id: &str, steps: Steps, invocation_id: Option<HeaderValue>) {
        let taken = Taken { phase: Phase::Running(steps), invocation_id };
        self.lock().taken.insert(request_id.to_owned(), taken);
    }

    /// Lets one answer through, the first for a running invocation, or says why not.
    pub(super) fn begin_answer(&self, request_id: &str, echo: Option<&HeaderValue>) -> Result<Steps, Refusal> {
        let mut inner = self.lock();
        let Some(taken) = inner.taken.get_mut(request_id) else {
            return Err(Refusal::UnknownId);
        };
        // A runtime from before 2026 echoes nothing, and is believed.
        if echo.is_some() && echo != taken.invocation_id.as_ref() {
            return Err(Refusal::Gone);
        }
        match std::mem::replace(&mut taken.phase, Phase::Answered) {
            Phase::Running(steps) => Ok(steps),
            Phase::Answered => Err(Refusal::AnsweredAlready),
            Phase::Expired => {
                taken.phase = Phase::Expired;
                Err(Refusal::Gone)
            }
        }
    }

    /// Gives up an invocation: its late answer is refused with 410.
    pub(super) fn expire(&self, request_id: &str) {
        if let Some(taken) = self.lock().taken.get_mut(request_id) {
            taken.phase = Phase::Expired;
        }
    }

    /// Takes an init error, once and before the first poll, and answers what is queued with it.
    pub(super) fn fail_init(&self, body: Bytes, headers: http::HeaderMap) -> bool {
        let mut inner = self.lock();
        if inner.polled || self.init_error.borrow().is_some() {
            return false;
        }
        let report = Report { body, headers };
        for queued in inner.queue.drain(..) {
            let step = Progress::Done(Outcome::InitError(report.clone()));
            // The channel is empty; it can only be closed, and then nobody waits for the answer.
            let _ = queued.steps.try_send((Instant::now(), step));
        }
        self.init_error.send_replace(Some(report));
        true
    }
}

/// Counts one up while it lives.
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
