//! The init: imports the application, and forks the workers on Managed Instances.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::board::Place;
use super::workers;
use crate::config::{Config, FORK_FIRST, INIT_STACKS};
use crate::error::{Error, Kind, Result};
use crate::log::{Level, Log};
use crate::python::{self, App, Session};
use crate::runtime::Wake;

/// What the loop needs to serve events.
pub(super) struct Loaded<'py> {
    pub(super) app: App<'py>,
    /// Ends the wait for an event when a signal has come.
    pub(super) wake: Wake,
    /// What a worker has from its parent; `None` unless on Managed Instances.
    pub(super) place: Option<Place>,
}

/// Loads the application. On Managed Instances it also forks the workers, which share the application's memory. It
/// returns in each worker then, and in the parent only with an error.
///
/// # Errors
/// Init errors, and those of [`workers::fork`].
pub(super) fn load<'py>(session: Session<'py>, config: &Config, log: &Arc<Log>) -> Result<Loaded<'py>> {
    let mut wake = Wake::new(session.prepare_signals()?);
    let mut place = None;
    if config.workers > 1 && config.forks_first {
        session.flush();
        place = Some(workers::fork(session, config, log, &wake)?);
        // A pipe shared with the parent would wake one worker for the signals of another.
        wake = Wake::new(session.prepare_signals()?);
    }
    let app = {
        let watch = ImportWatch::start(config, log);
        let app = session.load_app(config);
        session.detached(|| drop(watch)); // its thread may be waiting for Python
        app
    };
    session.flush();
    let app = app?;
    if config.workers > 1 && place.is_none() {
        if let Some(thread) = session.other_threads().first() {
            return Err(start_again(thread, log));
        }
        place = Some(workers::fork(session, config, log, &wake)?);
        wake = Wake::new(session.prepare_signals()?);
        session.flush();
    }
    Ok(Loaded { app, wake, place })
}

/// Starts this program again, so that it forks before it imports the application: the application has started a thread,
/// and threads do not survive a fork. Returns only if that fails.
fn start_again(thread: &str, log: &Log) -> Error {
    if let Err(ended) = python::handle_signals() {
        return ended; // the new program would not know of the signal
    }
    let message = format!(
        "the application started the thread {thread:?} while it was imported, and threads do not survive a fork: each worker \
         imports it for itself, which takes more memory. To share it, start threads with the first request"
    );
    log.line(Level::Warning, "", &message);
    let failed = python::start_again(FORK_FIRST);
    Error::new(
        Kind::App,
        "Runtime.ThreadsAtImport",
        format!("{message}. The process could not be started again: {failed}"),
    )
}

/// How long Lambda lets an init take on demand (docs, "Understanding the Lambda execution environment lifecycle").
const LIMIT: Duration = Duration::from_secs(10);

/// Watches the import from its start until it is dropped, and logs what a slow import is doing: Lambda ends an init
/// that takes too long, without a word about why.
struct ImportWatch {
    began: Instant,
    on_demand: bool,
    /// Where the time goes to.
    file: Option<PathBuf>,
    log: Arc<Log>,
    /// Dropped first, which ends the thread.
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ImportWatch {
    fn start(config: &Config, log: &Arc<Log>) -> Self {
        let mut watch = Self {
            began: Instant::now(),
            on_demand: config.on_demand,
            file: config.import_time.clone(),
            log: Arc::clone(log),
            over: None,
            thread: None,
        };
        if let Some(patience) = config.init_stacks {
            let (over, ended) = channel::<()>();
            let log = Arc::clone(log);
            let end = if config.on_demand { format!(": the init is ended after {LIMIT:.0?}") } else { String::new() };
            let wait = move || {
                if ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                    let message = format!(
                        "after {patience:.1?} the import of the application is not done{end} ({})",
                        INIT_STACKS.name
                    );
                    log.stacks("", "Runtime.SlowInit", &message, &python::look_at_stacks());
                }
            };
            let thread = std::thread::Builder::new().name("init".to_owned());
            let thread = python::without_signals(|| thread.spawn(wait));
            (watch.over, watch.thread) = (Some(over), thread.ok()); // without a thread nothing is logged
        }
        watch
    }
}

impl Drop for ImportWatch {
    /// Ends the thread: workers may be forked next.
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let took = self.began.elapsed();
        if let Some(file) = &self.file {
            let _ = std::fs::write(file, took.as_micros().to_string()); // a picture lacks a part
        }
        if self.on_demand && took > LIMIT {
            let message = format!(
                "the import took {took:.1?}, and Lambda ends an init after {LIMIT:.0?}: it starts again within the first \
                 request's time. Import less (wsgi-lambda replay --profile-init shows what), give the function more \
                 memory, or book provisioned concurrency"
            );
            self.log.line(Level::Warning, "", &message);
        }
    }
}
