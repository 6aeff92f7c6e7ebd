//! `bootstrap`: the Lambda runtime. Reads the settings, starts the interpreter, serves the application, returns the
//! status.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use wsgi_lambda::config::{Config, SETTINGS};
use wsgi_lambda::log::Log;
use wsgi_lambda::{python, server};

fn main() -> ExitCode {
    python::remember_start();
    match std::env::args().nth(1).as_deref() {
        Some("--help" | "-h") => return print(&help()),
        Some("--version" | "-V") => {
            return print(concat!(
                "wsgi-lambda bootstrap ",
                env!("CARGO_PKG_VERSION"),
                " (",
                env!("WSGI_LAMBDA_PYTHON"),
                ")\n"
            ));
        }
        _ => {} // as an exec wrapper of a managed runtime it is passed the wrapped command
    }
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(error) => {
            server::report_init_error(
                &Config::runtime_api_from_env(),
                &Log::new(Config::log_format_from_env(), None),
                &error,
            );
            return ExitCode::FAILURE;
        }
    };
    let log = Arc::new(Log::new(config.log_format, config.telemetry_fd.and_then(python::file_of_descriptor)));
    match python::with_interpreter(&config, |session| server::serve(session, &config, &log)) {
        Ok(never) => match never {},
        Err(error) => python::leave(server::report_end(&config, &log, &error)),
    }
}

fn print(text: &str) -> ExitCode {
    ExitCode::from(u8::from(std::io::stdout().write_all(text.as_bytes()).is_err()))
}

fn help() -> String {
    let mut text = String::from(
        "The AWS Lambda runtime of wsgi-lambda. Lambda starts it, and it serves a WSGI application.\n\
         To run it on your machine, use `wsgi-lambda replay`.\n\n\
         Settings are environment variables of the function:\n",
    );
    for setting in SETTINGS {
        text.extend(["\n  ", setting.name, "  (default: ", setting.default, ")\n      ", setting.help, "\n"]);
    }
    text
}
