//! A function on this machine: which application it has, and how it is started. For the commands that start one as the template
//! or the folder says.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::shared;
use crate::emulator::BOOTSTRAP_VARIABLE;

mod env_file;
mod find;
mod launch;

pub(super) use find::{Application, application};
pub(super) use launch::{Plan, plan};

/// How the function is set up.
#[derive(Clone, Debug, Args)]
pub(super) struct FunctionOptions {
    /// The application's folder, LAMBDA_TASK_ROOT [default: the current one]
    #[arg(long, value_name = "APP_DIR")]
    pub(super) dir: Option<PathBuf>,
    /// The function's timeout in seconds [default: the template's, else 30]
    #[arg(long, value_name = "SECONDS", value_parser = shared::seconds)]
    timeout: Option<Duration>,
    /// The function's memory in MB, which it sees and which is not enforced [default: 1024]
    #[arg(long, value_name = "MB")]
    memory: Option<u32>,
    /// A virtual environment whose packages the application uses [default: .venv beside the application,
    /// or the one that this program is installed in]
    #[arg(long, env = "VIRTUAL_ENV", hide_env_values = true)]
    venv: Option<PathBuf>,
    /// A variable of the function; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = |text: &str| shared::pair(text, "KEY=VALUE"))]
    env: Vec<(String, String)>,
    /// A file of variables, one KEY=VALUE a line; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(super) env_file: Vec<PathBuf>,
    /// The AWS region, also of a deployed function [default: that of the profile; on this machine us-east-1]
    #[arg(long, env = "AWS_REGION", hide_env_values = true)]
    pub(super) region: Option<String>,
    /// The runtime [default: `bootstrap` next to this program, or the one that pip has installed with it]
    #[arg(long, value_name = "PATH", env = BOOTSTRAP_VARIABLE, hide_env_values = true)]
    bootstrap: Option<PathBuf>,
}

impl FunctionOptions {
    /// An option that only a function on this machine has, if one was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--dir", self.dir.is_some()),
            ("--timeout", self.timeout.is_some()),
            ("--memory", self.memory.is_some()),
            ("--env", !self.env.is_empty()),
            ("--env-file", !self.env_file.is_empty()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
    }
}
