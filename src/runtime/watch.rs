//! The deadline watch: a thread that acts a moment before the platform kills the sandbox.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Api;
use crate::error::{Error, Result};

/// What is done at the deadline, once, on the watch's thread, with a connection of its own.
pub type Alarm = Box<dyn FnOnce(&mut Api) + Send>;

/// Watches one invocation at a time.
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    margin: Duration,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    phase: Phase,
    /// When the thread wakes by itself; `None` while only a notice wakes it.
    wakes: Option<Instant>,
}

#[derive(Default)]
enum Phase {
    #[default]
    Idle,
    Armed(Instant, Alarm),
    Ringing,
    Rung,
}

impl Watch {
    /// A watch that rings `margin` before each deadline.
    ///
    /// # Errors
    /// `RuntimeApi` when no thread can be started.
    pub fn start(address: &str, margin: Duration) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let (theirs, mut api) = (Arc::clone(&shared), Api::new(address));
        let thread = std::thread::Builder::new().name("deadline".to_owned());
        thread.spawn(move || theirs.run(&mut api)).map_err(|error| {
            Error::runtime_api(format!("the deadline watch could not be started: {error}")).with_source(error)
        })?;
        Ok(Self { shared, margin })
    }

    /// Sets the alarm for an invocation whose deadline is this many milliseconds after the Unix epoch. One that is
    /// already nearer than the margin is left to the platform: there is nothing to be gained. Gives whether it is set,
    /// or the deadline is past, as in emulators that know none.
    pub fn arm(&self, deadline_ms: u64, alarm: Alarm) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = Duration::from_millis(deadline_ms).saturating_sub(now);
        let Some(wait) = left.checked_sub(self.margin).filter(|wait| !wait.is_zero()) else {
            return left.is_zero();
        };
        let Some(at) = Instant::now().checked_add(wait) else { return true };
        let mut state = self.shared.lock();
        state.phase = Phase::Armed(at, alarm);
        // Deadlines move forward, so the thread mostly wakes early enough by itself: a notice costs a system call.
        if state.wakes.is_none_or(|wakes| wakes > at) {
            self.shared.changed.notify_one();
        }
        true
    }

    /// The invocation is over: gives whether the alarm rang, after waiting until it has done its work. No alarm of this
    /// invocation can ring in another.
    pub fn disarm(&self) -> bool {
        let mut state = self.shared.lock();
        while matches!(state.phase, Phase::Ringing) {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        matches!(std::mem::take(&mut state.phase), Phase::Rung)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, api: &mut Api) {
        let mut state = self.lock();
        loop {
            state = match std::mem::replace(&mut state.phase, Phase::Ringing) {
                Phase::Armed(at, alarm) => match at.checked_duration_since(Instant::now()) {
                    Some(left) if !left.is_zero() => {
                        state.phase = Phase::Armed(at, alarm);
                        state.wakes = Some(at);
                        self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                    }
                    _ => {
                        drop(state);
                        alarm(api);
                        let mut state = self.lock();
                        state.phase = Phase::Rung;
                        self.changed.notify_all();
                        state
                    }
                },
                other => {
                    state.phase = other;
                    state.wakes = None;
                    self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn in_millis(millis: u64) -> u64 {
        u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap() + millis
    }

    #[test]
    fn an_alarm_rings_once_and_only_in_its_own_invocation() {
        let watch = Watch::start("127.0.0.1:9", Duration::from_millis(10)).unwrap();
        let (rang, heard) = mpsc::channel();
        for late in [true, false, true, false] {
            let rang = rang.clone();
            watch.arm(in_millis(if late { 30 } else { 60_000 }), Box::new(move |_| rang.send(()).unwrap()));
            if late {
                heard.recv().unwrap();
            }
            assert_eq!(watch.disarm(), late);
        }
        assert!(!watch.disarm());
        assert!(heard.try_recv().is_err());
    }

    #[test]
    fn a_deadline_that_is_past_is_left_to_the_platform() {
        let watch = Watch::start("127.0.0.1:9", Duration::from_millis(100)).unwrap();
        for deadline_ms in [0, 1_540_000_000_000, in_millis(50)] {
            watch.arm(deadline_ms, Box::new(|_| panic!("no alarm")));
            assert!(!watch.disarm());
        }
    }
}
