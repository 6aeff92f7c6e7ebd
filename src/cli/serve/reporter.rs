//! Tells the journal and the terminal what happens to each request.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::journal::{BODY_KEPT, Exchange, Init, Journal, Posted, Sent};
use super::terminal::{Begun, Notice, Summary};
use crate::emulator::LogLine;

/// How many chunks of a stream have their times kept.
const CHUNKS_KEPT: usize = 1000;

#[derive(Debug)]
pub(super) struct Reporter {
    journal: Arc<Journal>,
    notices: mpsc::UnboundedSender<Notice>,
}

impl Reporter {
    pub(super) fn new(journal: Arc<Journal>, notices: mpsc::UnboundedSender<Notice>) -> Self {
        Self { journal, notices }
    }

    /// Something that concerns no single request.
    pub(super) fn say(&self, text: impl Into<String>) {
        self.tell(Notice::Say(text.into()));
    }

    /// A request has arrived. `front` is the front end's name, if there are several.
    pub(super) fn begun(&self, exchange: Exchange, front: Option<&'static str>) {
        let (number, request) = (exchange.number, &exchange.request);
        let line = format!("{} {}", request.method, request.target);
        self.tell(Notice::Begun(Begun { number, line, front }));
        self.journal.add(exchange);
    }

    /// A sandbox has the request; `init` is that of the sandbox, if the request waited for it.
    pub(super) fn taken(&self, number: u64, sandbox: u64, init: Option<Init>) {
        self.journal.update(number, |exchange| {
            exchange.sandbox = Some(sandbox);
            exchange.times.init = init;
            exchange.times.taken = Some(exchange.arrived.elapsed());
        });
    }

    /// A line of the log, of a request or of none.
    pub(super) fn log(&self, number: Option<u64>, line: LogLine) {
        if let Some(number) = number {
            self.journal.update(number, |exchange| exchange.add_line(line.clone()));
        }
        self.tell(Notice::Log(number, line));
    }

    /// A debugger waits at the terminal.
    pub(super) fn debugger(&self, number: u64) {
        self.tell(Notice::Debugger(number));
    }

    /// The function has posted its response, or of a streamed one the head.
    pub(super) fn posted(&self, number: u64, posted: Posted) {
        self.journal.update(number, |exchange| {
            exchange.times.first_byte = Some(exchange.arrived.elapsed());
            exchange.posted = Some(posted);
        });
    }

    /// The first bytes of a streamed response: its prelude and what came with the last of it.
    pub(super) fn start_of_stream(&self, number: u64, start: &Bytes) {
        self.journal.update(number, |exchange| {
            if let Some(posted) = &mut exchange.posted {
                posted.body = start.slice(..start.len().min(BODY_KEPT));
            }
        });
    }

    /// A chunk of a streamed response came from the function.
    pub(super) fn chunk(&self, number: u64, at: Instant, bytes: usize) {
        self.journal.update(number, |exchange| {
            if exchange.times.chunks.len() < CHUNKS_KEPT {
                exchange.times.chunks.push((at.saturating_duration_since(exchange.arrived), bytes));
            }
        });
    }

    /// What went wrong.
    pub(super) fn trouble(&self, number: u64, text: String) {
        self.journal.update(number, |exchange| exchange.trouble = Some(text));
    }

    /// The client has its response, as far as it took it; `None` if it left before there was one.
    pub(super) fn sent(&self, number: u64, sent: Option<Sent>) {
        let mut summary = Summary {
            status: sent.as_ref().map(|sent| sent.head.status.as_u16()),
            bytes: sent.as_ref().map_or(0, |sent| sent.bytes),
            whole: sent.as_ref().is_some_and(|sent| sent.whole),
            ..Summary::default()
        };
        self.journal.update(number, |exchange| {
            let took = exchange.arrived.elapsed();
            exchange.times.done = Some(took);
            exchange.sent = sent;
            summary.took = took;
            summary.init = exchange.times.init.map(|init| init.took);
            summary.trouble.clone_from(&exchange.trouble);
        });
        self.tell(Notice::Sent(number, summary));
    }

    /// Nothing more comes from the function for this request.
    pub(super) fn rested(&self, number: u64) {
        self.journal.ended(number);
        self.tell(Notice::Rested(number));
    }

    fn tell(&self, notice: Notice) {
        let _ = self.notices.send(notice); // the terminal is gone at the end
    }
}
