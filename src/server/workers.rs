//! Managed Instances: several requests at once, each in a process of its own, a worker. The parent forks the workers,
//! replaces those that end, and posts an error for the invocations that they were serving.

use std::collections::HashMap;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, kill_process, pidfd_open, waitpid};

use super::board::{Board, Doing, Place};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::invocation::Invocation;
use crate::log::{Level, Log};
use crate::python::{self, Fork, Session};
use crate::runtime::{Api, Receipt, Twin, Wake};

/// How long to wait after a fork that failed, or a worker that ended before its first event. The wait grows with each
/// further one, up to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often the workers are looked at if the kernel has no descriptors for processes, and while the workers are
/// ending.
const LOOK: Duration = Duration::from_millis(50);
/// A worker that still waits for events this long after its SIGTERM gets another.
const AGAIN: Duration = Duration::from_millis(200);

/// Forks workers, and returns in each of them. The parent stays in this function until the process ends.
///
/// # Errors
/// `Shutdown` in the parent, when a signal ends it and all workers have ended. `RuntimeApi` if workers end as fast as
/// they are forked. `Interpreter` if there is no memory for the board.
pub(super) fn fork(session: Session<'_>, config: &Config, log: &Log, wake: &Wake) -> Result<Place> {
    session.prepare_forks()?;
    let board = Board::new()?;
    let mut parent = Parent {
        session,
        config,
        log,
        board,
        workers: HashMap::new(),
        left_over: Vec::new(),
        failures: 0,
        not_before: None,
    };
    match parent.supervise(wake)? {
        Some((index, api)) => Ok(Place { board: parent.board, index, api: Some(api) }),
        None => Err(Error::shutdown()),
    }
}

/// A worker, as the parent knows it.
struct Worker {
    /// The index of its record on the board.
    index: usize,
    /// Readable when it has ended; `None` if the kernel has no such descriptors.
    ended: Option<OwnedFd>,
    /// A duplicate of its connection: an event may arrive there after the worker has ended.
    twin: Option<Twin>,
    /// When it last got a SIGTERM.
    told: Option<Instant>,
}

/// How long an event may take to arrive on the connection of a worker that has ended.
const LEFT_OVER: Duration = Duration::from_secs(1);

/// The connection of a worker that has ended while it waited.
struct LeftOver {
    twin: Twin,
    /// How the worker has ended.
    how: String,
    /// How long to look for an event on it.
    until: Instant,
}

/// The parent of the workers.
struct Parent<'a, 'py> {
    session: Session<'py>,
    config: &'a Config,
    log: &'a Log,
    board: Board,
    workers: HashMap<Pid, Worker>,
    /// Connections on which an event may still arrive.
    left_over: Vec<LeftOver>,
    /// How many workers in a row ended before their first event, or could not be forked.
    failures: u32,
    /// The next fork waits until this moment.
    not_before: Option<Instant>,
}

impl Parent<'_, '_> {
    /// Keeps the workers running. Returns a worker's index and client in the worker, and `None` in the parent when all
    /// workers have ended.
    fn supervise(&mut self, wake: &Wake) -> Result<Option<(usize, Api)>> {
        let mut ending = false;
        loop {
            ending |= python::handle_signals().is_err_and(|error| error.kind() == Kind::Shutdown);
            if ending {
                self.tell_to_end();
                if self.workers.is_empty() {
                    return Ok(None);
                }
            } else if let Some(worker) = self.make_missing()? {
                return Ok(Some(worker));
            }
            self.wait(wake, ending);
            self.note_ended(ending);
            self.fail_left_over();
        }
    }

    /// Forks the workers that are missing. Returns the worker's index and client in a worker, else `None`.
    fn make_missing(&mut self) -> Result<Option<(usize, Api)>> {
        while self.workers.len() < self.config.workers {
            if self.not_before.is_some_and(|moment| Instant::now() < moment) {
                return Ok(None);
            }
            // As long as other workers serve, one that keeps ending harms no request, so the parent goes on.
            if self.workers.is_empty() && self.failures as usize > 3 * self.config.workers {
                return Err(Error::new(Kind::RuntimeApi, "Runtime.WorkersEnd", "workers end as fast as they are made"));
            }
            let used: Vec<usize> = self.workers.values().map(|worker| worker.index).collect();
            let index = (0..self.config.workers).find(|index| !used.contains(index)).unwrap_or_default();
            self.board.write(index, &Doing::Nothing);
            let mut api = Api::new(&self.config.runtime_api);
            let twin = api.connect_for_child();
            match self.session.fork(self.config.log_socket.as_deref()) {
                Ok(Fork::Child) => {
                    self.workers.clear(); // their descriptors belong to the parent
                    self.left_over.clear();
                    api.adopt();
                    return Ok(Some((index, api)));
                }
                Ok(Fork::Parent(pid)) => {
                    if let Some(pid) = Pid::from_raw(pid) {
                        let ended = pidfd_open(pid, PidfdFlags::empty()).ok();
                        self.workers.insert(pid, Worker { index, ended, twin, told: None });
                    }
                }
                Err(error) => {
                    self.log.line(Level::Warning, "", &format!("no worker could be forked: {}", error.message()));
                    self.pause();
                }
            }
        }
        Ok(None)
    }

    /// Counts a failure, and puts the next fork off.
    fn pause(&mut self) {
        self.failures += 1;
        let pause = PAUSE.saturating_mul(1 << (self.failures / 4).min(8)).min(LONGEST_PAUSE);
        self.not_before = Some(Instant::now() + pause);
    }

    /// Sends SIGTERM to each worker, once: a second one could interrupt its atexit functions. A worker that waits for
    /// events again gets another after a while: if the application's signal handler raises during a request, that ends
    /// only the request.
    fn tell_to_end(&mut self) {
        for (&pid, worker) in &mut self.workers {
            let idles = || matches!(self.board.read(worker.index), Doing::Nothing | Doing::Waiting);
            if worker.told.is_none_or(|told| told.elapsed() >= AGAIN && idles()) {
                worker.told = Some(Instant::now());
                let _ = kill_process(pid, Signal::TERM); // fails only if it has ended
            }
        }
    }

    /// Waits until a worker ends, a signal or an event for a worker that has ended arrives, or the next fork is due.
    fn wait(&self, wake: &Wake, ending: bool) {
        let mut watched: Vec<BorrowedFd<'_>> =
            self.workers.values().filter_map(|worker| worker.ended.as_ref().map(OwnedFd::as_fd)).collect();
        let look = (ending || watched.len() < self.workers.len()).then_some(LOOK);
        watched.extend(self.left_over.iter().filter_map(|left| left.twin.descriptor()));
        let retry = self.not_before.filter(|_| !ending && self.workers.len() < self.config.workers);
        let retry = retry.map(|moment| moment.saturating_duration_since(Instant::now()));
        let over = self.left_over.iter().map(|left| left.until.saturating_duration_since(Instant::now())).min();
        let patience = [retry, look, over].into_iter().flatten().min();
        self.session.detached(|| wake.wait_beside(&watched, patience));
    }

    /// Removes the workers that have ended, and posts errors for the invocations that they were serving.
    fn note_ended(&mut self, ending: bool) {
        let pids: Vec<Pid> = self.workers.keys().copied().collect();
        for pid in pids {
            let status = match waitpid(Some(pid), WaitOptions::NOHANG) {
                Ok(None) => continue,
                Ok(Some((_, status))) => Some(status),
                Err(_) => None, // the application has waited for it, as if it were its own child
            };
            let Some(worker) = self.workers.remove(&pid) else { continue };
            let how = status.map_or_else(|| "in a way that the application has kept".to_owned(), describe);
            let mut served = String::new();
            let doing = self.board.read(worker.index);
            if let (Doing::Nothing | Doing::Waiting, Some(twin)) = (&doing, worker.twin) {
                twin.hang_up();
                self.left_over.push(LeftOver { twin, how: how.clone(), until: Instant::now() + LEFT_OVER });
            }
            match doing {
                Doing::Serving { request_id, invocation_id } => {
                    self.failures = 0;
                    served.clone_from(&request_id);
                    self.fail_for(&how, request_id, invocation_id);
                }
                Doing::Waiting | Doing::Ending => self.failures = 0,
                Doing::Nothing if ending => {}
                Doing::Nothing => self.pause(),
            }
            if !ending {
                let message = format!("worker {} ended {how}: a new one takes its place", pid.as_raw_nonzero());
                self.log.line(Level::Warning, &served, &message);
            }
        }
    }

    /// Posts errors for events that arrived at workers after they had ended.
    fn fail_left_over(&mut self) {
        for left in std::mem::take(&mut self.left_over) {
            match left.twin.unread() {
                Ok(Some(unread)) => self.fail_for(&left.how, unread.request_id, unread.invocation_id),
                Ok(None) if Instant::now() < left.until => self.left_over.push(left),
                Ok(None) | Err(_) => {}
            }
        }
    }

    /// Posts an error for an invocation. Without one its caller would wait until the function's timeout.
    fn fail_for(&self, how: &str, request_id: String, invocation_id: Option<String>) {
        let error =
            Error::new(Kind::App, "Runtime.ExitError", format!("the worker that served this request ended {how}"));
        let invocation = Invocation { request_id, invocation_id, ..Invocation::default() };
        let mut api = Api::new(&self.config.runtime_api);
        match self.session.detached(|| api.fail(&invocation, &error)) {
            // Refused: the worker had sent the response, and ended before it could record that.
            Ok(Receipt::Accepted | Receipt::Refused(_)) => {}
            Ok(Receipt::Lost) => {
                self.log.line(Level::Warning, &invocation.request_id, "the error could not be delivered");
            }
            Err(failed) => self.log.error(&invocation.request_id, &failed),
        }
    }
}

/// How a process has ended, for messages.
fn describe(status: WaitStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("with exit status {code}"),
        (_, Some(signal)) => format!("by signal {signal}"),
        _ => format!("with wait status {}", status.as_raw()),
    }
}
