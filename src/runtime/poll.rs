//! Waiting for the platform: for the next invocation, and for the restore of a snapshot.

use std::cell::Cell;

use super::api::{API_VERSION, Api};
use super::arrival::{invocation, peek};
use super::wake::{Wake, wait};
use crate::error::{Error, Result};
use crate::invocation::Invocation;

impl Api {
    /// Waits for the next invocation, for as long as it takes: the platform freezes the sandbox meanwhile.
    ///
    /// Calls `on_wake` each time `wake` becomes readable. The request stays open, since the platform may already have
    /// sent an event to it. If `on_wake` returns an error and an event has arrived, that event is returned, and the
    /// next call returns the error. Before the invocation is read from the connection, `on_arrival` gets its ids.
    ///
    /// # Errors
    /// `RuntimeApi` if the connection is lost or the reply is not an invocation: the process has to end. The error of
    /// `on_wake`.
    pub fn next(
        &mut self,
        wake: &Wake,
        on_wake: impl Fn() -> Result<()>,
        on_arrival: Option<&(dyn Fn(&Invocation) + Sync)>,
    ) -> Result<Invocation> {
        if let Some(ending) = self.ending.take() {
            return Err(ending);
        }
        // An event that is asked for has to be served. What this leaves in `wake` ends the wait once more, for nothing.
        on_wake()?;
        let head = self.get(&format!("{API_VERSION}/runtime/invocation/next"), &[]);
        let ending = Cell::new(None);
        let reply = self.connection.get(&head, |socket| {
            ending.set(wait(socket, wake, &on_wake)?);
            if let Some(on_arrival) = on_arrival
                && let Some(invocation) = peek(socket)
            {
                on_arrival(&invocation);
            }
            Ok(())
        })?;
        self.ending = ending.into_inner();
        match reply.status() {
            200 => invocation(reply),
            status => {
                Err(Error::runtime_api(format!("the Runtime API answered {status} to the request for the next event")))
            }
        }
    }

    /// Tells the platform that it may take the snapshot, and waits until the process is restored from it. The
    /// connections from before the snapshot are dead then.
    ///
    /// # Errors
    /// `RuntimeApi`, as [`Api::next`].
    pub fn restore(&mut self) -> Result<()> {
        let head = self.get(&format!("{API_VERSION}/runtime/restore/next"), &[]);
        let status = self.connection.get(&head, |_| Ok(()))?.status();
        self.connection.close();
        match status {
            200..=299 => Ok(()),
            _ => Err(Error::runtime_api(format!("the Runtime API answered {status} to the wait for the restore"))),
        }
    }
}
