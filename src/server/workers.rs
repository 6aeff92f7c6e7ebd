//! Managed Instances: several requests at once, each in a process of its own, a worker. This process makes them, replaces
//! those that end, and answers for what they were serving.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, kill_process, pidfd_open, waitpid};

use crate::config::Config;
use crate::descriptor::Owned;
use crate::error::{Error, Kind, Result};
use crate::invocation::Invocation;
use crate::log::{Level, Log};
use crate::python::{self, Fork, Session};
use crate::runtime::{Api, Receipt, Twin, Wake};

/// How long to wait after a fork that failed, or a worker that ended before its first event; longer after each further one.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Where the kernel has no descriptors for processes, they are looked at this often, and those that are to end everywhere.
const LOOK: Duration = Duration::from_millis(50);
/// A worker that waits for events this long after it was told to end is told again.
const AGAIN: Duration = Duration::from_millis(200);

/// Forks workers and returns in each of them, with its place on the board. The parent stays here.
///
/// # Errors
/// `Shutdown` in the parent, when it is told to end and all workers have; `RuntimeApi`, when workers end as fast as they
/// are made; what forbids to make the board.
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

/// A worker, as its parent knows it.
struct Worker {
    index: usize,
    /// Readable when it has ended.
    ended: Option<OwnedFd>,
    /// Its connection, over which the platform may give it an event that it does not live to read.
    twin: Option<Twin>,
    /// When it was told to end.
    told: Option<Instant>,
}

/// How long the platform may take to see that nobody reads any more on a connection.
const LEFT_OVER: Duration = Duration::from_secs(1);

struct LeftOver {
    twin: Twin,
    /// How its worker has ended.
    how: String,
    until: Instant,
}

struct Parent<'a, 'py> {
    session: Session<'py>,
    config: &'a Config,
    log: &'a Log,
    board: Board,
    workers: HashMap<Pid, Worker>,
    /// Connections of workers that have ended while they waited: an event may be on its way to them.
    left_over: Vec<LeftOver>,
    /// Workers in a row that ended before their first event, and forks that failed.
    failures: u32,
    /// When the next fork may be tried.
    not_before: Option<Instant>,
}

impl Parent<'_, '_> {
    /// Returns its place in a worker, and `None` in the parent when all is over.
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
            self.answer_left_over();
        }
    }

    /// Forks as many as are missing. In a worker it returns its place, and its connection.
    fn make_missing(&mut self) -> Result<Option<(usize, Api)>> {
        while self.workers.len() < self.config.workers {
            if self.not_before.is_some_and(|moment| Instant::now() < moment) {
                return Ok(None);
            }
            // A worker costs nobody else's request, however often it ends: the end comes when there is no other.
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
                    self.workers.clear(); // the others' connections are not its own
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

    fn pause(&mut self) {
        self.failures += 1;
        let pause = PAUSE.saturating_mul(1 << (self.failures / 4).min(8)).min(LONGEST_PAUSE);
        self.not_before = Some(Instant::now() + pause);
    }

    /// Tells each worker that is not ending already: its atexit functions would be interrupted by a handler of the
    /// application's. Again after a while: what such a handler raises while a request is served ends that request alone.
    fn tell_to_end(&mut self) {
        for (&pid, worker) in &mut self.workers {
            let idles = || matches!(self.board.read(worker.index), Doing::Nothing | Doing::Waiting);
            if worker.told.is_none_or(|told| told.elapsed() >= AGAIN && idles()) {
                worker.told = Some(Instant::now());
                let _ = kill_process(pid, Signal::TERM); // one that has ended already is noted in a moment
            }
        }
    }

    /// Until a worker has ended, a signal has come, or a fork may be tried again.
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

    /// Takes leave of the workers that have ended, and answers for them.
    fn note_ended(&mut self, ending: bool) {
        let pids: Vec<Pid> = self.workers.keys().copied().collect();
        for pid in pids {
            let status = match waitpid(Some(pid), WaitOptions::NOHANG) {
                Ok(None) => continue,
                Ok(Some((_, status))) => Some(status),
                Err(_) => None, // the application waits for children that are not its own
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
                    self.answer_for(&how, request_id, invocation_id);
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

    /// Answers for events that workers had been given and have not read.
    fn answer_left_over(&mut self) {
        for left in std::mem::take(&mut self.left_over) {
            match left.twin.unread() {
                Ok(Some(unread)) => self.answer_for(&left.how, unread.request_id, unread.invocation_id),
                Ok(None) if Instant::now() < left.until => self.left_over.push(left),
                Ok(None) | Err(_) => {}
            }
        }
    }

    /// The caller would wait for the function's whole timeout.
    fn answer_for(&self, how: &str, request_id: String, invocation_id: Option<String>) {
        let error =
            Error::new(Kind::App, "Runtime.ExitError", format!("the worker that served this request ended {how}"));
        let invocation = Invocation { request_id, invocation_id, ..Invocation::default() };
        let mut api = Api::new(&self.config.runtime_api);
        match self.session.detached(|| api.fail(&invocation, &error)) {
            // Refused: the worker had answered, and ended before it could say so.
            Ok(Receipt::Accepted | Receipt::Refused(_)) => {}
            Ok(Receipt::Lost) => {
                self.log.line(Level::Warning, &invocation.request_id, "the error could not be delivered");
            }
            Err(failed) => self.log.error(&invocation.request_id, &failed),
        }
    }
}

fn describe(status: WaitStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("with exit status {code}"),
        (_, Some(signal)) => format!("by signal {signal}"),
        _ => format!("with wait status {}", status.as_raw()),
    }
}

/// What each worker is doing, in a file in memory that all of them share.
struct Board(Owned<File>);

/// What a worker does, for the parent to know when it has ended.
#[derive(Debug, PartialEq, Eq)]
enum Doing {
    /// It has not had an event.
    Nothing,
    Waiting,
    Serving {
        request_id: String,
        invocation_id: Option<String>,
    },
    Ending,
}

/// The room for one worker, bytes.
const ROOM: usize = 4096;

impl Board {
    fn new() -> Result<Self> {
        let file = python::file_in_memory();
        file.map(|file| Self(Owned::new(file))).map_err(|error| {
            Error::new(Kind::Interpreter, "Runtime.InterpreterError", format!("no memory for workers: {error}"))
        })
    }

    /// In one system call, so that a worker that is killed leaves what it was or what it is.
    fn write(&self, index: usize, doing: &Doing) {
        let record = match doing {
            Doing::Nothing => vec![0],
            Doing::Waiting => vec![1],
            Doing::Ending => vec![3],
            Doing::Serving { request_id, invocation_id } => {
                let ids = format!("{request_id}\n{}\n", invocation_id.as_deref().unwrap_or_default());
                [&[2], ids.as_bytes()].concat()
            }
        };
        if let Some(file) = self.0.get().filter(|_| record.len() <= ROOM) {
            let _ = file.write_at(&record, (index * ROOM) as u64); // the parent knows less then
        }
    }

    fn read(&self, index: usize) -> Doing {
        let mut record = [0; ROOM];
        let read = self.0.get().and_then(|file| file.read_at(&mut record, (index * ROOM) as u64).ok()).unwrap_or(0);
        match record[..read].split_first() {
            None | Some((0, _)) => Doing::Nothing,
            Some((3, _)) => Doing::Ending,
            Some((2, ids)) => {
                let ids = String::from_utf8_lossy(ids);
                let mut ids = ids.split('\n').map(str::to_owned);
                let request_id = ids.next().unwrap_or_default();
                Doing::Serving { request_id, invocation_id: ids.next().filter(|id| !id.is_empty()) }
            }
            Some(_) => Doing::Waiting,
        }
    }
}

/// A worker's place on the board.
pub(super) struct Place {
    board: Board,
    index: usize,
    /// Its connection, until it is taken.
    api: Option<Api>,
}

impl Place {
    pub(super) fn take_api(&mut self) -> Option<Api> {
        self.api.take()
    }

    /// Notes the invocation that is served from here on.
    pub(super) fn serves(&self, invocation: &Invocation) {
        let (request_id, invocation_id) = (invocation.request_id.clone(), invocation.invocation_id.clone());
        self.board.write(self.index, &Doing::Serving { request_id, invocation_id });
    }

    /// Notes that it serves nothing more.
    pub(super) fn ends(&self) {
        self.board.write(self.index, &Doing::Ending);
    }

    /// Notes that it has its answer.
    pub(super) fn waits(&self) {
        self.board.write(self.index, &Doing::Waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_board_says_what_each_worker_does() {
        let board = Board::new().unwrap();
        let serving = |id: &str, invocation: Option<&str>| Doing::Serving {
            request_id: id.to_owned(),
            invocation_id: invocation.map(str::to_owned),
        };
        assert_eq!(board.read(3), Doing::Nothing);
        for doing in [
            serving("a long request id", Some("i-1")),
            serving("b", None),
            Doing::Waiting,
            Doing::Ending,
            Doing::Nothing,
        ] {
            board.write(3, &doing);
            board.write(2, &serving("another", None));
            assert_eq!((board.read(3), board.read(2)), (doing, serving("another", None)));
        }
    }
}
