//! A command in a function on this machine, in the real runtime.

use std::sync::{Arc, Mutex};

use super::answer::Answer;
use crate::cli::failure::Failure;
use crate::cli::function::{self, FunctionOptions};
use crate::cli::out::Out;
use crate::cli::shared;
use crate::config;
use crate::emulator::{LogLine, Sandbox, Submission};
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
    let log = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&log);
    let sink = Arc::new(move |line: LogLine| {
        let mut log = lock(&into);
        log.push_str(&line.text);
        log.push('\n');
    });
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
