//! `wsgi-lambda manage`, `flask`, `exec` and `run`: commands in the deployed function, or in a local one.

use clap::Args;

use super::failure::Failure;
use super::function::FunctionOptions;
use super::out::Out;

mod answer;
mod local;
mod remote;

use remote::Remote;

/// What runs in the function: the name of the command there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Manage,
    Flask,
    Exec,
    Run,
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Command {
    /// What to run; after `--`, if it begins with a dash
    #[arg(value_name = "ARGUMENT", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
    #[command(flatten)]
    remote: Remote,
    /// Run it in the real runtime on this machine, with the application of the template or the folder
    #[arg(long, conflicts_with = "function_name")]
    local: bool,
    /// The WSGI application
    #[arg(long, value_name = "MODULE:ATTR", requires = "local", help_heading = "With --local")]
    app: Option<String>,
    #[command(flatten, next_help_heading = "With --local")]
    function: FunctionOptions,
}

const EXAMPLES: &str = "\
The function has to have WSGI_LAMBDA_COMMANDS=true. Whoever may invoke it directly
(lambda:InvokeFunction) may then run anything in it; nothing that comes through a front end is a
command. The `aws` command, which has to be installed, invokes it.

Examples:
  wsgi-lambda manage --function shop -- migrate --noinput
  wsgi-lambda flask --function shop -- db upgrade
  wsgi-lambda exec --function shop -- 'import os; os.environ[\"AWS_REGION\"]'
  wsgi-lambda exec --function shop -- @report.py
  wsgi-lambda run --function shop -- alembic upgrade head
  wsgi-lambda manage --local -- check --deploy

Exit status:
  that of the command; 124 if the function's timeout interrupted it
  1  the function could not be invoked, or failed
  2  wrong usage";

impl Command {
    /// Runs the command and shows its output.
    pub(super) fn run(&self, kind: Kind, out: &mut Out) -> Result<bool, Failure> {
        let event = kind.event(&self.arguments)?;
        let answer = if self.local {
            local::invoke(self.app.as_deref(), &self.function, &event, out)?
        } else {
            if let Some(option) = self.function.given() {
                return Err(Failure::Usage(format!("{option} is for a function on this machine: add --local")));
            }
            self.remote.invoke(&event, self.function.region.as_deref())?
        };
        answer.show(out)
    }
}

impl Kind {
    /// The event that asks for it.
    fn event(self, arguments: &[String]) -> Result<String, Failure> {
        let (command, arguments) = match self {
            Self::Manage => ("manage", arguments.to_vec()),
            Self::Flask => ("flask", arguments.to_vec()),
            Self::Run => ("run", arguments.to_vec()),
            Self::Exec => ("exec", vec![code(arguments)?]),
        };
        let event = serde_json::json!({ "_wsgi_lambda": { "command": command, "arguments": arguments } });
        Ok(event.to_string())
    }
}

/// Python code: an argument, or with `@` a file.
fn code(arguments: &[String]) -> Result<String, Failure> {
    let [code] = arguments else {
        return Err(Failure::Usage("exec takes one argument: Python code in quotes, or @FILE".to_owned()));
    };
    match code.strip_prefix('@') {
        None => Ok(code.clone()),
        Some(file) => {
            std::fs::read_to_string(file).map_err(|error| Failure::Usage(format!("cannot read {file}: {error}")))
        }
    }
}
