//! The sandboxes: one request at a time each, new ones on demand, warm ones first.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use tempfile::NamedTempFile;
use tokio::sync::{mpsc, oneshot, watch};

use super::journal::Init;
use super::reporter::Reporter;
use super::trouble::trouble;
use crate::cli::function::Plan;
use crate::cli::shown::duration;
use crate::config;
use crate::emulator::{Launch, LogLine, Outcome, Progress, Sandbox, StartError, Steps, Submission, random_hex};
use crate::sync::lock;

/// How many requests may wait for a sandbox.
const QUEUE: usize = 1000;

/// How long a sandbox is waited for that has answered, and is about to ask for its next event. A client on this machine is
/// so near that its next request is faster, and would otherwise meet a cold start that no client of Lambda sees.
const GRACE: Duration = Duration::from_secs(1);

/// What Lambda gives an import.
const INIT: Duration = Duration::from_secs(10);

const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");

/// Why a request got no sandbox: all are busy, and many requests wait already.
#[derive(Debug)]
pub(super) struct Busy;

/// An event for a sandbox.
#[derive(Debug)]
pub(super) struct Job {
    /// The number of the exchange.
    pub(super) number: u64,
    pub(super) event: Bytes,
    /// The front end's trace id.
    pub(super) trace_id: String,
    pub(super) arrived: Instant,
}

#[derive(Debug)]
pub(super) struct Pool {
    state: Mutex<State>,
    /// How many sandboxes there may be.
    limit: usize,
    reporter: Arc<Reporter>,
    closed: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    plan: Plan,
    /// Counts the reloads. Sandboxes of an older generation serve no new request.
    generation: u64,
    idle: Vec<Cell>,
    /// How many sandboxes of this generation there are, the busy ones and those that start included.
    alive: usize,
    /// How many of them start without a request.
    starting: usize,
    /// How many have answered, and are not ready for the next event.
    resting: usize,
    waiting: VecDeque<oneshot::Sender<Lease>>,
    numbers: u64,
    /// All sandboxes, of whatever generation, that have not ended.
    all: usize,
    /// Why the last init failed, if it did.
    failure: Option<Outcome>,
}

/// What a request gets.
enum Entry {
    Now(Box<Lease>),
    /// A place in the queue, with a sandbox that is about to be free.
    Soon(oneshot::Receiver<Lease>),
    Later(oneshot::Receiver<Lease>),
}

/// A sandbox in the pool.
#[derive(Debug)]
struct Cell {
    number: u64,
    generation: u64,
    sandbox: Sandbox,
    /// The exchange that it works for; 0 for none.
    current: Arc<AtomicU64>,
    /// When its process was ready, and what that took.
    started: Option<(Instant, Init)>,
    /// Where the runtime tells how long the imports took; without it the picture of the init has no part for them.
    import_time: Option<NamedTempFile>,
}

/// A sandbox that was taken from the pool. It goes back when this is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Arc<Pool>,
    cell: Option<Cell>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(cell) = self.cell.take() {
            self.pool.give_back(cell);
        }
    }
}

impl Pool {
    pub(super) fn new(plan: Plan, limit: usize, reporter: Arc<Reporter>) -> Arc<Self> {
        let state = State {
            plan,
            generation: 0,
            idle: Vec::new(),
            alive: 0,
            starting: 0,
            resting: 0,
            waiting: VecDeque::new(),
            numbers: 0,
            all: 0,
            failure: None,
        };
        Arc::new(Self { state: Mutex::new(state), limit, reporter, closed: watch::Sender::new(false) })
    }

    /// A sandbox for a request: a warm one, else a new one if there may be one more, else the first that is free.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Lease, Busy> {
        let mut receiver = match self.enter(true)? {
            Entry::Now(lease) => return Ok(*lease),
            Entry::Soon(receiver) => receiver,
            Entry::Later(receiver) => return receiver.await.map_err(|_| Busy), // fails only when the pool is closed
        };
        if let Ok(taken) = tokio::time::timeout(GRACE, &mut receiver).await {
            return taken.map_err(|_| Busy);
        }
        drop(receiver);
        match self.enter(false)? {
            Entry::Now(lease) => Ok(*lease),
            Entry::Soon(receiver) | Entry::Later(receiver) => receiver.await.map_err(|_| Busy),
        }
    }

    /// Takes a sandbox, or a place in the queue. `counts_resting`: one that is about to be free is waited for.
    fn enter(self: &Arc<Self>, counts_resting: bool) -> Result<Entry, Busy> {
        let mut state = lock(&self.state);
        state.waiting.retain(|waiting| !waiting.is_closed());
        let resting = if counts_resting { state.resting } else { 0 };
        // One that starts already is warm before a new one would be.
        if state.starting + resting <= state.waiting.len() {
            let warm = state.idle.iter().rposition(|cell| cell.sandbox.api().is_some());
            if let Some(position) = warm.or(state.idle.len().checked_sub(1)) {
                let cell = state.idle.remove(position);
                return Ok(Entry::Now(Box::new(self.lease(cell))));
            }
            if state.alive < self.limit {
                let cell = self.cell(&mut state);
                return Ok(Entry::Now(Box::new(self.lease(cell))));
            }
        }
        if state.waiting.len() >= QUEUE {
            return Err(Busy);
        }
        let (sender, receiver) = oneshot::channel();
        state.waiting.push_back(sender);
        Ok(if resting > 0 { Entry::Soon(receiver) } else { Entry::Later(receiver) })
    }

    fn lease(self: &Arc<Self>, cell: Cell) -> Lease {
        Lease { pool: Arc::clone(self), cell: Some(cell) }
    }

    /// A new sandbox, which is not started yet.
    fn cell(&self, state: &mut State) -> Cell {
        state.alive += 1;
        state.all += 1;
        state.numbers += 1;
        let current = Arc::new(AtomicU64::new(0));
        let (reporter, number) = (Arc::clone(&self.reporter), Arc::clone(&current));
        let sink = Arc::new(move |line: LogLine| {
            let number = number.load(Ordering::Relaxed);
            reporter.log((number > 0).then_some(number), line);
        });
        let init = INIT + state.plan.timeout;
        let import_time = NamedTempFile::new().ok();
        let launch = import_time
            .iter()
            .fold(state.plan.launch.clone(), |launch, file| launch.env(config::IMPORT_TIME, file.path()));
        let sandbox = Sandbox::new(launch, sink).init_timeout(init).keep_calls(false);
        Cell { number: state.numbers, generation: state.generation, sandbox, current, started: None, import_time }
    }

    fn give_back(self: &Arc<Self>, mut cell: Cell) {
        let mut state = lock(&self.state);
        if *self.closed.borrow() || cell.generation != state.generation {
            drop(state);
            self.end(cell);
            return;
        }
        while let Some(waiting) = state.waiting.pop_front() {
            match waiting.send(self.lease(cell)) {
                Ok(()) => return,
                // Who waited is gone.
                Err(mut lease) => match lease.cell.take() {
                    Some(back) => cell = back,
                    None => return,
                },
            }
        }
        state.idle.push(cell);
    }

    /// Ends a sandbox in the background.
    fn end(self: &Arc<Self>, mut cell: Cell) {
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            cell.sandbox.shut_down().await;
            lock(&pool.state).all -= 1;
        });
    }

    /// Starts a sandbox before a request needs it, and shows why if that fails. `saved` is the file that is the reason.
    pub(super) fn warm_up(self: &Arc<Self>, saved: Option<&str>) {
        let saved = saved.map(str::to_owned);
        let cell = {
            let mut state = lock(&self.state);
            state.starting += 1;
            self.cell(&mut state)
        };
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            let mut lease = pool.lease(cell);
            let Some(cell) = &mut lease.cell else { return };
            let started = pool.start(cell).await;
            let is_current = {
                let mut state = lock(&pool.state);
                let is_current = cell.generation == state.generation;
                if is_current {
                    state.starting -= 1;
                }
                is_current
            };
            let init = duration(cell.sandbox.init_duration().unwrap_or_default());
            match (started, saved) {
                (Err(outcome), _) if is_current => pool.reporter.say(trouble(&outcome).unwrap_or_default()),
                (Ok(()), Some(file)) if is_current => {
                    pool.reporter.say(format!("{file} was saved: the application has started again in {init}"));
                }
                _ => {}
            }
        });
    }

    async fn start(&self, cell: &mut Cell) -> Result<(), Outcome> {
        if cell.sandbox.api().is_some() {
            return Ok(());
        }
        let started = tokio::select! {
            started = cell.sandbox.start() => started.map(|_| ()),
            () = self.is_closed() => Err(StartError::Spawn(std::io::Error::other("serve ends"))),
        };
        let result = started.map_err(Outcome::from);
        if result.is_ok() {
            let imports = cell.import_time.as_ref().and_then(|file| std::fs::read_to_string(file).ok()?.parse().ok());
            let imports = Duration::from_micros(imports.unwrap_or_default());
            cell.started = cell.sandbox.init_duration().map(|took| (Instant::now(), Init { took, imports }));
        }
        let mut state = lock(&self.state);
        if cell.generation == state.generation {
            state.failure = result.as_ref().err().cloned();
        }
        result
    }

    /// Runs an event in a sandbox, also if nobody waits for it any more. The last step is [`Progress::Done`]; of a streamed
    /// response it comes without the body.
    pub(super) fn invoke(self: &Arc<Self>, lease: Lease, job: Job) -> mpsc::Receiver<(Instant, Progress)> {
        let (steps, receiver) = mpsc::channel(2);
        let pool = Arc::clone(self);
        tokio::spawn(async move { pool.run(lease, job, steps).await });
        receiver
    }

    async fn run(&self, mut lease: Lease, job: Job, steps: Steps) {
        let Some(cell) = &mut lease.cell else { return };
        let number = job.number;
        if let Some(exit) = cell.sandbox.notice_end() {
            self.reporter.say(format!("a sandbox without a request ended: {exit}"));
        }
        cell.current.store(number, Ordering::Relaxed);
        let outcome = if let Err(outcome) = self.start(cell).await {
            outcome
        } else {
            let waited = cell.started.filter(|(at, _)| *at > job.arrived).map(|(_, init)| init);
            self.reporter.taken(number, cell.number, waited);
            let submission = self.submission(job);
            tokio::select! {
                outcome = cell.sandbox.invoke_with(submission, &steps) => outcome,
                () = self.is_closed() => return,
            }
        };
        self.counts_as_resting(cell.generation, true);
        let _ = steps.send((Instant::now(), Progress::Done(outcome))).await; // the client may be gone
        drop(steps);
        tokio::select! {
            () = cell.sandbox.rest() => {}
            () = self.is_closed() => {}
        }
        self.counts_as_resting(cell.generation, false);
        cell.current.store(0, Ordering::Relaxed);
        self.reporter.rested(number);
    }

    fn submission(&self, job: Job) -> Submission {
        let submission = Submission::new(job.event).timeout(lock(&self.state).plan.timeout);
        match HeaderValue::try_from(format!("{};Parent={};Sampled=0", job.trace_id, random_hex(16))) {
            Ok(trace) => submission.header(TRACE_ID, trace),
            Err(_) => submission,
        }
    }

    fn counts_as_resting(&self, generation: u64, counts: bool) {
        let mut state = lock(&self.state);
        if generation == state.generation {
            state.resting = if counts { state.resting + 1 } else { state.resting - 1 };
        }
    }

    /// Uses this plan from now on: what is idle ends, what is busy ends after its request, and a new sandbox starts at once.
    /// `saved` is the file that is the reason.
    pub(super) fn reload(self: &Arc<Self>, plan: Plan, saved: &str) {
        let idle = {
            let mut state = lock(&self.state);
            state.plan = plan;
            state.generation += 1;
            (state.alive, state.starting, state.resting) = (0, 0, 0);
            std::mem::take(&mut state.idle)
        };
        for cell in idle {
            self.end(cell);
        }
        self.warm_up(Some(saved));
        self.serve_waiting();
    }

    /// Requests that wait for sandboxes of an older generation get new ones, as far as there may be some.
    fn serve_waiting(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        while state.waiting.len() > state.starting && state.alive < self.limit {
            let Some(waiting) = state.waiting.pop_front() else { return };
            if !waiting.is_closed() {
                let cell = self.cell(&mut state);
                if let Err(mut lease) = waiting.send(self.lease(cell)) {
                    state.idle.extend(lease.cell.take());
                }
            }
        }
    }

    /// How sandboxes are started now.
    pub(super) fn launch(&self) -> Launch {
        lock(&self.state).plan.launch.clone()
    }

    /// Why the last init failed, if it did.
    pub(super) fn failure(&self) -> Option<Outcome> {
        lock(&self.state).failure.clone()
    }

    async fn is_closed(&self) {
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await; // `self` has the sender
    }

    /// Ends all sandboxes, and waits for that, but not for longer than `patience`.
    pub(super) async fn close(self: &Arc<Self>, patience: Duration) {
        self.closed.send_replace(true);
        let idle = {
            let mut state = lock(&self.state);
            state.waiting.clear();
            std::mem::take(&mut state.idle)
        };
        for cell in idle {
            self.end(cell);
        }
        let ended = async {
            while lock(&self.state).all > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(patience, ended).await; // what is left is killed when it is dropped
    }
}
