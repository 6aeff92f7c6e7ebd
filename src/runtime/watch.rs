//! The deadline watch: a thread that acts shortly before the platform kills the sandbox.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};
use crate::sync::lock;

/// The time between the first interrupt and the second. It doubles with each further interrupt, up to the longest. One
/// interrupt is often not enough: clients of databases and HTTP APIs take it for a network error and try again.
const FIRST_DISTANCE: Duration = Duration::from_millis(100);
const LONGEST_DISTANCE: Duration = Duration::from_secs(5);

/// What the watch's thread does at the deadline.
pub trait Alarm: Send {
    /// Whether the deadline counts. Asked when it comes; if not, the alarm is dropped.
    fn counts(&self) -> bool {
        true
    }

    /// Called once: sends a response instead of the application's.
    fn ring(&mut self);

    /// Interrupts the application. Called after `ring`, and again until the application returns.
    fn interrupt(&mut self);
}

/// The watch. It watches one invocation at a time.
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
    /// When the thread wakes by itself; `None` while only `changed` wakes it.
    wakes: Option<Instant>,
}

#[derive(Default)]
enum Phase {
    #[default]
    Idle,
    /// The alarm rings at this moment.
    Armed(Instant, Box<dyn Alarm>),
    /// The alarm is running.
    Ringing,
    /// The alarm has rung. It interrupts the application again at this moment, which is this long after the last time.
    Rung(Instant, Duration, Box<dyn Alarm>),
}

impl Watch {
    /// Starts a watch that rings `margin` before each deadline.
    ///
    /// # Errors
    /// `RuntimeApi` if no thread can be started.
    pub fn start(margin: Duration) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("deadline".to_owned());
        thread.spawn(move || theirs.run()).map_err(|error| {
            Error::runtime_api(format!("the deadline watch could not be started: {error}")).with_source(error)
        })?;
        Ok(Self { shared, margin })
    }

    /// Sets the alarm for an invocation. `deadline_ms` is in milliseconds since the Unix epoch.
    ///
    /// Returns false only if less than the margin remains: no alarm is set then, and the platform ends the invocation. A
    /// deadline in the past is none (emulators send such): no alarm is set, and it returns true.
    pub fn arm(&self, deadline_ms: u64, alarm: Box<dyn Alarm>) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = Duration::from_millis(deadline_ms).saturating_sub(now);
        let Some(wait) = left.checked_sub(self.margin).filter(|wait| !wait.is_zero()) else {
            return left.is_zero();
        };
        let Some(at) = Instant::now().checked_add(wait) else { return true };
        let mut state = lock(&self.shared.state);
        state.phase = Phase::Armed(at, alarm);
        // A notice costs a system call. It is rarely needed: deadlines move forward, so the thread wakes early enough.
        if state.wakes.is_none_or(|wakes| wakes > at) {
            self.shared.changed.notify_one();
        }
        true
    }

    /// Removes the alarm, because the application has returned. Waits until the alarm is not running, so that it never
    /// acts in the next invocation. Returns whether it rang.
    pub fn disarm(&self) -> bool {
        let mut state = lock(&self.shared.state);
        while matches!(state.phase, Phase::Ringing) {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        matches!(std::mem::take(&mut state.phase), Phase::Rung(..))
    }
}

impl Shared {
    fn run(&self) {
        let mut state = lock(&self.state);
        loop {
            let (at, distance, mut alarm) = match std::mem::take(&mut state.phase) {
                Phase::Armed(at, alarm) => (at, None, alarm),
                Phase::Rung(at, distance, alarm) => (at, Some(distance), alarm),
                other => {
                    state.phase = other;
                    state.wakes = None;
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
            };
            if let Some(left) = at.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                state.phase = match distance {
                    None => Phase::Armed(at, alarm),
                    Some(distance) => Phase::Rung(at, distance, alarm),
                };
                state.wakes = Some(at);
                state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            if distance.is_none() && !alarm.counts() {
                continue; // the phase is idle
            }
            state.phase = Phase::Ringing;
            drop(state);
            if distance.is_none() {
                alarm.ring();
            }
            alarm.interrupt();
            let next = distance.map_or(FIRST_DISTANCE, |distance| LONGEST_DISTANCE.min(distance * 2));
            state = lock(&self.state);
            state.phase = Phase::Rung(Instant::now() + next, next, alarm);
            self.changed.notify_all();
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

    /// A margin that no test outlasts: how far away a deadline is does not depend on how busy the machine is.
    const MARGIN: Duration = Duration::from_secs(3600);

    /// An alarm that rings soon. A machine that is busy can make "soon" the past before it is set: then once more.
    fn arm_soon(watch: &Watch, told: &mpsc::Sender<&'static str>) {
        while !watch.arm(in_millis(3_600_020), Box::new(Told(told.clone()))) {}
    }

    /// An alarm that does not ring while the test runs.
    fn arm_late(watch: &Watch, told: mpsc::Sender<&'static str>) {
        assert!(watch.arm(in_millis(7_200_000), Box::new(Told(told))));
    }

    /// An alarm of an invocation in which a debugger waits for its user.
    struct Off(mpsc::Sender<&'static str>);

    impl Alarm for Off {
        fn counts(&self) -> bool {
            self.0.send("asked").unwrap();
            false
        }

        fn ring(&mut self) {
            self.0.send("rang").unwrap();
        }

        fn interrupt(&mut self) {
            self.0.send("interrupted").unwrap();
        }
    }

    #[test]
    fn a_deadline_that_does_not_count_passes() {
        let watch = Watch::start(MARGIN).unwrap();
        let (told, heard) = mpsc::channel();
        while !watch.arm(in_millis(3_600_020), Box::new(Off(told.clone()))) {}
        drop(told);
        // The alarm is dropped, and the channel with it.
        assert_eq!(heard.iter().collect::<Vec<_>>(), ["asked"]);
        assert!(!watch.disarm());
    }

    /// Says when it rings, and how often it interrupts.
    struct Told(mpsc::Sender<&'static str>);

    impl Alarm for Told {
        fn ring(&mut self) {
            self.0.send("rang").unwrap();
        }

        fn interrupt(&mut self) {
            self.0.send("interrupted").unwrap();
        }
    }

    #[test]
    fn an_alarm_rings_once_and_only_in_its_own_invocation() {
        let watch = Watch::start(MARGIN).unwrap();
        let (told, heard) = mpsc::channel();
        for rings in [true, false, true, false] {
            if rings {
                arm_soon(&watch, &told);
                assert_eq!([heard.recv().unwrap(), heard.recv().unwrap()], ["rang", "interrupted"]);
            } else {
                arm_late(&watch, told.clone());
            }
            assert_eq!(watch.disarm(), rings);
            for said in heard.try_iter() {
                assert_eq!(said, "interrupted");
            }
        }
        assert!(!watch.disarm());
        assert!(heard.try_recv().is_err());
    }

    #[test]
    fn it_interrupts_until_the_application_is_back_and_never_after() {
        let watch = Watch::start(MARGIN).unwrap();
        let (told, heard) = mpsc::channel();
        arm_soon(&watch, &told);
        drop(told);
        let said: Vec<_> = heard.iter().take(4).collect();
        assert_eq!(said, ["rang", "interrupted", "interrupted", "interrupted"]);
        assert!(watch.disarm());
        for said in heard.try_iter() {
            assert_eq!(said, "interrupted");
        }
        arm_late(&watch, mpsc::channel().0);
        assert!(heard.recv().is_err(), "the alarm is dropped when the next one is set, and was silent until then");
        assert!(!watch.disarm());
    }

    #[test]
    fn a_deadline_that_is_past_is_left_to_the_platform() {
        let watch = Watch::start(MARGIN).unwrap();
        let (told, heard) = mpsc::channel();
        for (deadline_ms, enough) in [(0, true), (1_540_000_000_000, true), (in_millis(1_800_000), false)] {
            assert_eq!(watch.arm(deadline_ms, Box::new(Told(told.clone()))), enough);
            assert!(!watch.disarm());
        }
        assert!(heard.try_recv().is_err());
    }
}
