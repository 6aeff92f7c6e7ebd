//! An import that takes long: Lambda ends an init after ten seconds, and says nothing of what it was doing.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::log::{Level, Log};
use crate::python;

/// What Lambda gives an init that nothing was booked for (docs, "Understanding the Lambda execution environment lifecycle").
const LIMIT: Duration = Duration::from_secs(10);

/// Watches an import from here until it is dropped.
pub(super) struct ImportWatch {
    began: Instant,
    on_demand: bool,
    log: Arc<Log>,
    /// Dropped first: its end ends the thread.
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ImportWatch {
    pub(super) fn start(config: &Config, log: &Arc<Log>) -> Self {
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
