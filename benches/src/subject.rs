//! A subject that runs: its processes, the Runtime API that it sees, and the figures of one start or one request.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use crate::api::{Api, Posted, Step, TIMEOUT};
use crate::clock::{Nanos, now};
use crate::events::Event;
use crate::process::{Launch, Memory, Processes, cpu, memory};

/// A started subject.
#[derive(Debug)]
pub(crate) struct Subject {
    api: Api,
    processes: Processes,
    pids: Vec<i32>,
    /// Before the first process was made.
    pub(crate) spawned: Nanos,
    /// From then to the poll of `/next`.
    pub(crate) first_poll: Nanos,
}

/// What a request took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// From before the event's first byte was written until the response's last one was read.
    pub(crate) response: Nanos,
    /// From the same moment until the subject asked for the next event: what Lambda bills.
    pub(crate) turn: Nanos,
    pub(crate) start: Nanos,
}

impl Subject {
    /// Starts the processes and waits for as many polls of `/next`.
    pub(crate) fn start(launch: &Launch, polls: usize, posted: &mut Posted) -> Result<Self> {
        let api = Api::new()?;
        let spawned = now();
        let processes = Processes::spawn(launch, api.address())?;
        let mut subject = Self { api, processes, pids: Vec::new(), spawned, first_poll: 0 };
        let at = subject.polled(polls, posted)?;
        subject.first_poll = at - spawned;
        subject.pids = subject.processes.tree();
        Ok(subject)
    }

    /// One request, to the subject's next poll.
    pub(crate) fn invoke(&mut self, event: &Event, posted: &mut Posted) -> Result<Timing> {
        let (id, start) = self.api.deliver(&event.bytes, event.response_bytes).map_err(|error| self.explain(&error))?;
        let mut polled = None;
        loop {
            match self.step(posted)? {
                Step::Answered(answered) if answered == id => break,
                // The poll that follows can come over another connection and be seen first.
                Step::Polled(at) => polled = Some(at),
                _ => {}
            }
        }
        let at = posted.at;
        let polled = match polled {
            Some(at) => at,
            None => self.polled(1, posted)?,
        };
        Ok(Timing { response: at - start, turn: polled - start, start })
    }

    /// Several requests at a time, as many as polls wait, until `number` were answered; each with its time.
    pub(crate) fn flood(&mut self, event: &Event, number: usize, posted: &mut Posted) -> Result<Vec<Nanos>> {
        let mut started = std::collections::HashMap::new();
        let mut times = Vec::with_capacity(number);
        let mut sent = 0;
        while times.len() < number {
            while sent < number && self.api.waiting() > 0 {
                let (id, start) = self.api.deliver(&event.bytes, event.response_bytes)?;
                started.insert(id, start);
                sent += 1;
            }
            if let Step::Answered(id) = self.step(posted)? {
                times.extend(started.remove(&id).map(|start| posted.at - start));
            }
        }
        Ok(times)
    }

    /// Waits until as many polls wait; returns the moment of the last.
    pub(crate) fn polled(&mut self, polls: usize, posted: &mut Posted) -> Result<Nanos> {
        let mut last = now();
        while self.api.waiting() < polls {
            if let Step::Polled(at) = self.step(posted)? {
                last = at;
            }
        }
        Ok(last)
    }

    /// The next call that is made; an error when the subject has ended or stays silent.
    fn step(&mut self, posted: &mut Posted) -> Result<Step> {
        let begin = Instant::now();
        loop {
            match self.api.step(Duration::from_millis(200), posted).map_err(|error| self.explain(&error))? {
                Step::Silence => {}
                step => return Ok(step),
            }
            if let Err(error) = self.processes.check() {
                return Err(self.explain(&error));
            }
            if begin.elapsed() > TIMEOUT {
                bail!(self.explain(&anyhow!("it makes no call for {} s", TIMEOUT.as_secs())));
            }
        }
    }

    /// An error with the end of the subject's log.
    fn explain(&self, error: &anyhow::Error) -> anyhow::Error {
        let log = self.processes.log_tail();
        let log = if log.is_empty() { String::new() } else { format!("\nThe end of its log:\n{log}") };
        anyhow!("{error:#}{log}")
    }

    pub(crate) fn cpu(&self) -> Nanos {
        cpu(&self.pids)
    }

    /// Memory now; the tree is looked up anew, since servers start workers late.
    pub(crate) fn memory(&self) -> Memory {
        memory(&self.processes.tree())
    }
}
