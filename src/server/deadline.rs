//! The deadline of an invocation: what is sent, raised and logged shortly before the platform kills the sandbox.

use std::sync::Arc;
use std::time::Duration;

use super::delivery::Delivery;
use super::own::REACHED;
use crate::error::Result;
use crate::invocation::Invocation;
use crate::log::Log;
use crate::python::{Interrupter, Session};
use crate::runtime::{Alarm, Watch};
use crate::terminal;

/// The deadline watch, and what its alarms need.
pub(super) struct Deadline {
    watch: Watch,
    interrupter: Arc<Interrupter>,
    log: Arc<Log>,
    margin: Duration,
}

impl Deadline {
    /// Starts the watch, which acts `margin` before each deadline.
    ///
    /// # Errors
    /// If no thread can be started, or Python lacks what an interrupt needs.
    pub(super) fn start(session: Session<'_>, log: &Arc<Log>, margin: Duration) -> Result<Self> {
        let watch = Watch::start(margin)?;
        Ok(Self { watch, interrupter: Arc::new(session.interrupter()?), log: Arc::clone(log), margin })
    }

    /// Watches an invocation. Returns false if less than the margin remains until its deadline.
    pub(super) fn watch(&self, invocation: &Invocation, delivery: &Arc<Delivery>) -> bool {
        let alarm = GiveUp {
            delivery: Arc::clone(delivery),
            interrupter: Arc::clone(&self.interrupter),
            log: Arc::clone(&self.log),
            margin: self.margin,
            outcome: None,
        };
        self.watch.arm(invocation.deadline_ms, Box::new(alarm))
    }

    /// Ends the watch of the invocation, because the application has returned.
    pub(super) fn end(&self, session: Session<'_>) {
        if session.detached(|| self.watch.disarm()) {
            session.forget_interrupt();
        }
    }
}

/// The alarm of one invocation: gives the request up.
struct GiveUp {
    delivery: Arc<Delivery>,
    interrupter: Arc<Interrupter>,
    log: Arc<Log>,
    margin: Duration,
    /// The outcome of the delivery, until it is logged.
    outcome: Option<&'static str>,
}

impl Alarm for GiveUp {
    /// Not while a debugger waits for its user at the terminal, which Lambda does not have.
    fn counts(&self) -> bool {
        !terminal::waits_for_input(std::process::id())
    }

    /// The caller is served first: the interrupt takes time, and looks into a process in an unknown state.
    fn ring(&mut self) {
        self.outcome = Some(self.delivery.give_up());
    }

    fn interrupt(&mut self) {
        let stacks = self.interrupter.interrupt();
        let message = match self.outcome.take() {
            Some(outcome) => {
                let margin = self.margin.as_millis();
                format!("the function's timeout is {margin} ms away: {outcome}, the application interrupted")
            }
            None => "the application is still at work, and was interrupted again".to_owned(),
        };
        self.log.stacks(self.delivery.request_id(), REACHED, &message, &stacks);
    }
}
