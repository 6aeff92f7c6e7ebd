//! A command in a deployed function, which the `aws` command invokes: it knows the user's profiles, roles and single sign-on.
//! AWS's crates would make the build a third longer, and this program twice as large.

use std::io::{self, Write as _};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use serde::Deserialize;

use super::answer::Answer;
use crate::cli::failure::Failure;

#[derive(Debug, Args)]
pub(super) struct Remote {
    /// The deployed function: its name or ARN
    #[arg(long = "function", value_name = "NAME", required_unless_present = "local")]
    function_name: Option<String>,
    /// Its version or alias
    #[arg(long, value_name = "NAME", requires = "function_name")]
    qualifier: Option<String>,
    /// The profile of the `aws` command
    #[arg(long, value_name = "NAME", requires = "function_name")]
    profile: Option<String>,
    /// Where Lambda's API is, if not at AWS
    #[arg(long, value_name = "URL", requires = "function_name")]
    endpoint_url: Option<String>,
}

/// What `aws lambda invoke` writes to its standard output.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Invoked {
    function_error: Option<String>,
    /// The last 4 kB of the log, in base64.
    log_result: Option<String>,
}

impl Remote {
    /// Invokes the function once, and waits for as long as it takes.
    pub(super) fn invoke(&self, event: &str, region: Option<&str>) -> Result<Answer, Failure> {
        let failed = |error: io::Error| Failure::Failed(format!("cannot write a temporary file: {error}"));
        let mut request = tempfile::NamedTempFile::new().map_err(failed)?;
        request.write_all(event.as_bytes()).map_err(failed)?;
        let response = tempfile::NamedTempFile::new().map_err(failed)?;
        let mut command = Command::new("aws");
        command.args(["lambda", "invoke", "--function-name", self.function_name.as_deref().unwrap_or_default()]);
        command.arg("--payload").arg(format!("fileb://{}", request.path().display()));
        // A command must not run twice: neither a retry nor a client that gives up before the function.
        command.args(["--log-type", "Tail", "--output", "json", "--cli-read-timeout", "0"]);
        command.env("AWS_MAX_ATTEMPTS", "1").env("AWS_PAGER", "");
        for (option, value) in
            [("--qualifier", &self.qualifier), ("--profile", &self.profile), ("--endpoint-url", &self.endpoint_url)]
        {
            if let Some(value) = value.as_deref() {
                command.args([option, value]);
            }
        }
        if let Some(region) = region {
            command.args(["--region", region]);
        }
        let output =
            command.arg(response.path()).stdin(Stdio::null()).output().map_err(|error| cannot_start(&error))?;
        let invoked = invoked(&output)?;
        let payload = std::fs::read(response.path()).map_err(failed)?;
        let log = invoked.log_result.and_then(|log| BASE64.decode(log).ok()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        Ok(Answer { payload, failed: invoked.function_error.is_some(), log })
    }
}

fn invoked(output: &Output) -> Result<Invoked, Failure> {
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim();
        let why = if said.is_empty() { output.status.to_string() } else { said.to_owned() };
        return Err(Failure::Failed(format!("the function could not be invoked: {why}")));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::Failed(format!("the `aws` command wrote something that is not JSON: {error}")))
}

fn cannot_start(error: &io::Error) -> Failure {
    Failure::Failed(match error.kind() {
        io::ErrorKind::NotFound => {
            "the `aws` command is not installed, which invokes the function: https://docs.aws.amazon.com/cli/"
                .to_owned()
        }
        _ => format!("the `aws` command cannot be started: {error}"),
    })
}
