//! The deadline of an invocation: what is sent, raised and logged shortly before the platform kills the sandbox.

use std::sync::Arc;
use std::time::Duration;

use super::delivery::Delivery;
use super::own::REACHED;
use crate::error::Result;
use crate::invocation::Invocation;
use crate::log::Log;
use crate::python::{self, Interrupter, Session};
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
        let watch = python::without_signals(|| Watch::start(margin))?;
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

    /// Watches an invocation for which no client waits.
    pub(super) fn watch_event(&self, invocation: &Invocation, interrupts: bool) {
        let alarm = Late {
            request_id: invocation.request_id.clone(),
            interrupter: Arc::clone(&self.interrupter),
            log: Arc::clone(&self.log),
            margin: self.margin,
            interrupts,
            told: false,
        };
        self.watch.arm(invocation.deadline_ms, Box::new(alarm));
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

/// The alarm of an invocation for which no client waits: it shows what the function does. That has all of its time, but a
/// command is interrupted, since its output would be lost.
struct Late {
    request_id: String,
    interrupter: Arc<Interrupter>,
    log: Arc<Log>,
    margin: Duration,
    interrupts: bool,
    told: bool,
}

impl Alarm for Late {
    fn counts(&self) -> bool {
        !terminal::waits_for_input(std::process::id())
    }

    fn ring(&mut self) {}

    fn interrupt(&mut self) {
        let stacks = match (self.interrupts, self.told) {
            (true, _) => self.interrupter.interrupt(),
            (false, false) => python::look_at_stacks(),
            (false, true) => return,
        };
        let what = if self.interrupts { "the command is interrupted" } else { "the function goes on" };
        let message = format!("the function's timeout is {} ms away: {what}", self.margin.as_millis());
        if !std::mem::replace(&mut self.told, true) {
            self.log.stacks(&self.request_id, REACHED, &message, &stacks);
        }
    }
}
