//! `wsgi-lambda serve`: the application on this machine, with imitated AWS front ends before it.

use clap::Args;

use super::failure::Failure;
use super::out::Out;
use super::shared;

mod deliver;
mod front;
mod gate;
mod index;
mod inspector;
mod journal;
mod listen;
mod options;
mod pages;
mod pool;
mod receive;
mod record;
mod reply;
mod reporter;
mod run;
mod terminal;
mod trouble;
mod watch;

use options::Options;

/// Serve an application behind imitated AWS front ends, on this machine
///
/// Each request becomes the event that the AWS service makes of it, goes through the real runtime, `bootstrap`, and comes
/// back as the service sends it. Sandboxes are as Lambda's: each serves one request at a time, and new ones start cold.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    #[command(flatten)]
    options: Options,
}

const EXAMPLES: &str = "\
Examples:
  `app` in app.py, behind a Function URL, on http://127.0.0.1:8000:
    wsgi-lambda serve app:app
  The application that template.yaml, manage.py, app.py or wsgi.py has:
    wsgi-lambda serve
  A REST API with a stage and a custom domain's base path, streamed:
    wsgi-lambda serve mysite.wsgi --front rest --stage prod --base-path /shop --stream
  Every front end, each on a port of its own:
    wsgi-lambda serve --front all
  With variables of the function:
    wsgi-lambda serve app:app --env DEBUG=1 --env-file .env
  Keep each request as an event file, and send them again later:
    wsgi-lambda serve app:app --record events
    wsgi-lambda replay events --app app:app --expect responses --update

Exit status:
  0  it was ended with Ctrl-C or SIGTERM
  1  it could not listen, or the runtime could not be started
  2  wrong usage, also no application";

impl Serve {
    /// Serves until it is told to end.
    pub(super) fn run(&self, out: &mut Out) -> Result<bool, Failure> {
        let runtime = shared::tokio_runtime()?;
        let result = runtime.block_on(run::run(&self.options, out));
        runtime.shutdown_background();
        result.map(|()| true)
    }
}
