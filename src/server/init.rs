//! The init: the application is imported, and on Managed Instances workers are forked.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::workers::{self, Place};
use crate::config::{Config, FORK_FIRST};
use crate::error::{Error, Kind, Result};
use crate::log::{Level, Log};
use crate::python::{self, App, Session};
use crate::runtime::Wake;

/// What is there when events can be served.
pub(super) struct Loaded<'py> {
    pub(super) app: App<'py>,
    /// Ends the wait for an event when a signal has come.
    pub(super) wake: Wake,
    /// On Managed Instances.
    pub(super) place: Option<Place>,
}

/// Loads the application. On Managed Instances workers are forked that share its memory.
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
        session.detached(|| drop(watch)); // it may be waiting for Python
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

/// Threads do not survive a fork: the application has to be imported after it. Becomes the same program, which forks first.
fn start_again(thread: &str, log: &Log) -> Error {
    if let Err(ended) = python::handle_signals() {
        return ended; // which would be forgotten
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

/// What Lambda gives an init that nothing was booked for (docs, "Understanding the Lambda execution environment lifecycle").
const LIMIT: Duration = Duration::from_secs(10);

/// Watches an import from here until it is dropped: Lambda ends an init that takes long, and says nothing of what it was doing.
struct ImportWatch {
    began: Instant,
    on_demand: bool,
    log: Arc<Log>,
    /// Dropped first: its end ends the thread.
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ImportWatch {
    fn start(config: &Config, log: &Arc<Log>) -> Self {
        let mut watch =
            Self { began: Instant::now(), on_demand: config.on_demand, log: Arc::clone(log), over: None, thread: None };
        if let Some(patience) = config.init_stacks {
            let (over, ended) = channel::<()>();
            let log = Arc::clone(log);
            let end = if config.on_demand { format!(": the init is ended after {LIMIT:.0?}") } else { String::new() };
            let thread = std::thread::Builder::new().name("init".to_owned()).spawn(move || {
                if ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                    let message = format!(
                        "after {patience:.1?} the import of the application is not done{end} (WSGI_LAMBDA_INIT_STACKS_MS)"
                    );
                    log.stacks("", "Runtime.SlowInit", &message, &python::look_at_stacks());
                }
            });
            (watch.over, watch.thread) = (Some(over), thread.ok()); // without one there is nothing to see
        }
        watch
    }
}

impl Drop for ImportWatch {
    /// Leaves no thread: workers may be forked now.
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let took = self.began.elapsed();
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
