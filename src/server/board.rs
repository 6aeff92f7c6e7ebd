//! What each worker is doing, for the parent to read after the worker has ended.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use crate::descriptor::Owned;
use crate::error::{Error, Kind, Result};
use crate::invocation::Invocation;
use crate::python;
use crate::runtime::Api;

/// A file in memory that the parent and all workers share, with one record for each worker.
pub(super) struct Board(Owned<File>);

/// What a worker is doing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// It has not received an event yet.
    Nothing,
    /// It waits for the next event.
    Waiting,
    /// It serves this invocation.
    Serving { request_id: String, invocation_id: Option<String> },
    /// It ends, and serves nothing more.
    Ending,
}

/// The size of one worker's record, in bytes.
const ROOM: usize = 4096;

impl Board {
    pub(super) fn new() -> Result<Self> {
        let file = python::file_in_memory();
        file.map(|file| Self(Owned::new(file))).map_err(|error| {
            Error::new(Kind::Interpreter, "Runtime.InterpreterError", format!("no memory for workers: {error}"))
        })
    }

    /// Writes a worker's record in one system call, so that a worker that is killed leaves a complete record.
    pub(super) fn write(&self, index: usize, doing: &Doing) {
        let record = match doing {
            Doing::Nothing => vec![0],
            Doing::Waiting => vec![1],
            Doing::Ending => vec![3],
            Doing::Serving { request_id, invocation_id } => {
                let ids = format!("{request_id}\n{}\n", invocation_id.as_deref().unwrap_or_default());
                [&[2], ids.as_bytes()].concat()
            }
        };
        if let Some(file) = self.0.get().filter(|_| record.len() <= ROOM) {
            let _ = file.write_at(&record, (index * ROOM) as u64); // if it fails, the parent only knows less
        }
    }

    pub(super) fn read(&self, index: usize) -> Doing {
        let mut record = [0; ROOM];
        let read = self.0.get().and_then(|file| file.read_at(&mut record, (index * ROOM) as u64).ok()).unwrap_or(0);
        match record[..read].split_first() {
            None | Some((0, _)) => Doing::Nothing,
            Some((3, _)) => Doing::Ending,
            Some((2, ids)) => {
                let ids = String::from_utf8_lossy(ids);
                let mut ids = ids.split('\n').map(str::to_owned);
                let request_id = ids.next().unwrap_or_default();
                Doing::Serving { request_id, invocation_id: ids.next().filter(|id| !id.is_empty()) }
            }
            Some(_) => Doing::Waiting,
        }
    }
}

/// What a worker has from its parent.
pub(super) struct Place {
    pub(super) board: Board,
    /// The index of its record.
    pub(super) index: usize,
    /// The client of the Runtime API with its connection, until it is taken.
    pub(super) api: Option<Api>,
}

impl Place {
    /// Takes the client of the Runtime API out.
    pub(super) fn take_api(&mut self) -> Option<Api> {
        self.api.take()
    }

    /// Records the invocation that the worker begins to serve.
    pub(super) fn serves(&self, invocation: &Invocation) {
        let (request_id, invocation_id) = (invocation.request_id.clone(), invocation.invocation_id.clone());
        self.board.write(self.index, &Doing::Serving { request_id, invocation_id });
    }

    /// Records that the worker ends.
    pub(super) fn ends(&self) {
        self.board.write(self.index, &Doing::Ending);
    }

    /// Records that the invocation has its response, and that the worker waits for the next one.
    pub(super) fn waits(&self) {
        self.board.write(self.index, &Doing::Waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_board_says_what_each_worker_does() {
        let board = Board::new().unwrap();
        let serving = |id: &str, invocation: Option<&str>| Doing::Serving {
            request_id: id.to_owned(),
            invocation_id: invocation.map(str::to_owned),
        };
        assert_eq!(board.read(3), Doing::Nothing);
        for doing in [
            serving("a long request id", Some("i-1")),
            serving("b", None),
            Doing::Waiting,
            Doing::Ending,
            Doing::Nothing,
        ] {
            board.write(3, &doing);
            board.write(2, &serving("another", None));
            assert_eq!((board.read(3), board.read(2)), (doing, serving("another", None)));
        }
    }
}
