//! A running process with its Runtime API, and one invocation in it.

use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::outcome::{Outcome, PlatformError};
use super::process::{Bootstrap, Exit};
use super::running::{Collected, Progress, Running, Steps};
use super::runtime_api::RuntimeApi;
use super::submission::Submission;

/// How often to look for a debugger that waits at the terminal.
const LOOK: Duration = Duration::from_millis(100);

/// A running process.
pub(super) struct Started {
    pub(super) api: RuntimeApi,
    pub(super) bootstrap: Bootstrap,
    pub(super) init: Duration,
    /// The deadline of the last invocation that was answered.
    pub(super) deadline: Option<Instant>,
}

/// How an invocation ended.
pub(super) enum Ended {
    Answered(Outcome),
    Exited(Outcome, Exit),
}

/// What happens next in an invocation.
#[allow(clippy::large_enum_variant, reason = "there is one at a time, on the stack")]
enum Event {
    Step(Option<(Instant, Progress)>),
    Exit(Exit),
    Deadline,
    /// A debugger waits for its user.
    Debugger,
}

impl Started {
    /// Runs one invocation. Steps of it go to `follower`, too, if there is one.
    pub(super) async fn run(&mut self, submission: Submission, follower: Option<&Steps>) -> Ended {
        let (id, timeout) = (submission.request_id.clone(), submission.timeout);
        let mut steps = self.api.submit(submission);
        let mut collected = Collected::new(follower.is_none());
        let mut deadline = Box::pin(tokio::time::sleep(timeout));
        loop {
            match self.event(&mut steps, deadline.as_mut()).await {
                Event::Step(None) => return self.cut(collected.cut(&id)).await,
                Event::Step(Some((at, step))) => {
                    if matches!(step, Progress::Started) {
                        deadline.as_mut().reset((at + timeout).into());
                    }
                    let passed = follower.filter(|_| !step.is_last()).map(|follower| (follower, step.clone()));
                    if let Some(outcome) = collected.add(at, step) {
                        self.deadline = Some(deadline.deadline().into_std());
                        return Ended::Answered(outcome);
                    }
                    // The deadline goes on while a slow follower is waited for, and the end of the process counts.
                    if let Some((follower, step)) = passed {
                        tokio::select! {
                            biased;
                            _ = follower.send((at, step)) => {}
                            () = &mut deadline => return self.timed_out(&id, timeout).await,
                        }
                    }
                }
                Event::Exit(exit) => return self.exited(exit, steps, follower, collected, &id).await,
                Event::Deadline => return self.timed_out(&id, timeout).await,
                Event::Debugger => {
                    self.bootstrap.flush_logs(); // its prompt is a line without an end
                    deadline.as_mut().reset((Instant::now() + timeout).into());
                    if let Some(follower) = follower {
                        let _ = follower.try_send((Instant::now(), Progress::Debugger)); // it comes again
                    }
                }
            }
        }
    }

    async fn event(&mut self, steps: &mut Running, mut deadline: Pin<&mut Sleep>) -> Event {
        let has_terminal = self.bootstrap.has_terminal();
        loop {
            // Steps come first: what arrived before the process ended counts.
            tokio::select! {
                biased;
                step = steps.next() => return Event::Step(step),
                exit = self.bootstrap.wait() => return Event::Exit(exit),
                () = &mut deadline => return Event::Deadline,
                () = tokio::time::sleep(LOOK), if has_terminal => {
                    if self.bootstrap.waits_for_input() {
                        return Event::Debugger;
                    }
                }
            }
        }
    }

    async fn timed_out(&mut self, id: &str, timeout: Duration) -> Ended {
        let exit = self.bootstrap.kill().await;
        Ended::Exited(Outcome::Platform(PlatformError::timed_out(id, timeout)), exit)
    }

    /// The transfer was cut: the process has ended, or the runtime goes on to its next poll.
    async fn cut(&mut self, outcome: Outcome) -> Ended {
        tokio::select! {
            exit = self.bootstrap.wait() => Ended::Exited(outcome, exit),
            () = self.api.ready() => Ended::Answered(outcome),
            () = tokio::time::sleep(Duration::from_millis(200)) => Ended::Answered(outcome),
        }
    }

    /// The process has ended. Bytes that it sent before may still be on their way through its sockets.
    async fn exited(
        &mut self,
        exit: Exit,
        mut steps: Running,
        follower: Option<&Steps>,
        mut collected: Collected,
        id: &str,
    ) -> Ended {
        // The wait has a limit because a process that was forked off can keep the sockets open for ever.
        let gone = tokio::time::timeout(Duration::from_secs(1), self.api.disconnected());
        tokio::pin!(gone);
        loop {
            tokio::select! {
                biased;
                step = steps.next() => match step {
                    None => return Ended::Exited(collected.cut(id), exit),
                    Some((at, step)) => {
                        if let Some(follower) = follower.filter(|_| !step.is_last()) {
                            let sent = follower.send((at, step.clone()));
                            tokio::select! {
                                _ = sent => {} // an error means that nobody waits for it any more
                                _ = &mut gone => {}
                            }
                        }
                        if let Some(outcome) = collected.add(at, step) {
                            return Ended::Exited(outcome, exit);
                        }
                    }
                },
                _ = &mut gone => {
                    return Ended::Exited(Outcome::Platform(PlatformError::exited(id, &exit)), exit);
                }
            }
        }
    }
}
