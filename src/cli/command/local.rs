//! A command in a function on this machine, in the real runtime.

use super::answer::Answer;
use crate::cli::failure::Failure;
use crate::cli::function::{self, FunctionOptions};
use crate::cli::out::Out;
use crate::cli::shared;
use crate::config;
use crate::emulator::{Sandbox, Submission};
use crate::sync::lock;

/// Starts the function, and sends it the event.
pub(super) fn invoke(
    app: Option<&str>,
    options: &FunctionOptions,
    event: &str,
    out: &mut Out,
) -> Result<Answer, Failure> {
    let application = function::application(app, options.dir.as_deref())?;
    let plan = function::plan(options, &application)?;
    if let Some(note) = &plan.note {
        out.note(note)?;
    }
    let (log, sink) = shared::log_text();
    let launch = plan.launch.env(config::COMMANDS.name, "true");
    let mut sandbox = Sandbox::new(launch, sink).init_timeout(plan.timeout);
    let outcome = shared::tokio_runtime()?.block_on(async {
        tokio::select! {
            outcome = sandbox.invoke(Submission::new(event.to_owned()).timeout(plan.timeout)) => {
                sandbox.shut_down().await;
                Ok(outcome)
            }
            _ = tokio::signal::ctrl_c() => {
                sandbox.stop().await;
                Err(Failure::Interrupted)
            }
        }
    })?;
    let log = lock(&log).clone();
    Ok(Answer { payload: outcome.payload().to_vec(), failed: outcome.is_failure(), log })
}
