//! The last moment of an invocation: what is logged, delivered and raised before the platform kills the sandbox.

use std::sync::Arc;
use std::time::Duration;

use super::delivery::Delivery;
use super::own::REACHED;
use crate::error::Result;
use crate::invocation::Invocation;
use crate::log::Log;
use crate::python::{Interrupter, Session};
use crate::runtime::{Alarm, Watch};

/// The watch, and what its alarms need.
pub(super) struct Deadline {
    watch: Watch,
    interrupter: Arc<Interrupter>,
    log: Arc<Log>,
    margin: Duration,
}

impl Deadline {
    pub(super) fn start(session: Session<'_>, log: &Arc<Log>, margin: Duration) -> Result<Self> {
        let watch = Watch::start(margin)?;
        Ok(Self { watch, interrupter: Arc::new(session.interrupter()?), log: Arc::clone(log), margin })
    }

    /// Watches an invocation. Returns false if there is not time enough to.
    pub(super) fn watch(&self, invocation: &Invocation, delivery: &Arc<Delivery>) -> bool {
        let alarm = GivenUp {
            delivery: Arc::clone(delivery),
            interrupter: Arc::clone(&self.interrupter),
            log: Arc::clone(&self.log),
            margin: self.margin,
            told: None,
        };
        self.watch.arm(invocation.deadline_ms, Box::new(alarm))
    }

    /// The application is back: nothing interrupts it any more.
    pub(super) fn end(&self, session: Session<'_>) {
        if session.detached(|| self.watch.disarm()) {
            session.forget_interrupt();
        }
    }
}

/// The alarm of one invocation.
struct GivenUp {
    delivery: Arc<Delivery>,
    interrupter: Arc<Interrupter>,
    log: Arc<Log>,
    margin: Duration,
    /// What came of the delivery, until it is logged.
    told: Option<&'static str>,
}

impl Alarm for GivenUp {
    /// The caller first: what follows takes time, and looks into a process in an unknown state.
    fn ring(&mut self) {
        self.told = Some(self.delivery.give_up());
    }

    fn interrupt(&mut self) {
        let stacks = self.interrupter.interrupt();
        let message = match self.told.take() {
            Some(told) => {
                let margin = self.margin.as_millis();
                format!("the function's timeout is {margin} ms away: {told}, the application interrupted")
            }
            None => "the application is still at work, and was interrupted again".to_owned(),
        };
        self.log.stacks(self.delivery.request_id(), REACHED, &message, &stacks);
    }
}
