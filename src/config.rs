//! Room: `config`, the environment variables that the runtime reads. Each setting of ours is one documented constant.
//! In: the process environment, read once in `main`.
//! Out: [`Config`], a plain value.
//! May use: `error`, `grammar`, `source`.
//! Must not: read the environment after the start; let another room read it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::grammar::is_segment;

mod events;
mod request;
mod settings;

pub use events::EventConfig;
pub use request::RequestConfig;
pub use settings::*;

/// The address of the Runtime API.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// `on-demand`, `provisioned-concurrency`, `snap-start` or `lambda-managed-instances`.
const INITIALIZATION_TYPE: &str = "AWS_LAMBDA_INITIALIZATION_TYPE";

/// `JSON` or `Text`.
const LOG_FORMAT: &str = "AWS_LAMBDA_LOG_FORMAT";

/// Where Lambda unpacks a function, unless `LAMBDA_TASK_ROOT` says otherwise.
pub const TASK_ROOT: &str = "/var/task";

/// How log records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `[LEVEL]\ttime\trequest id\tmessage`.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// How responses are sent: see [`RESPONSE_MODE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// As one JSON document, when they are complete.
    #[default]
    Buffered,
    /// Chunk by chunk, as the application makes them, if the front end can stream.
    Stream,
}

impl RequestConfig {
    /// The settings of a process that is started with some variables, which `set` looks up, and inherits the others.
    ///
    /// # Errors
    /// As [`Config::from_env`].
    #[allow(clippy::disallowed_methods)] // the child reads the same environment
    pub fn of_child(set: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let names = [BASE_PATH, TRUSTED_HOPS, USER_CLAIM, TRUSTED_HOST_HEADER, TRUSTED_PREFIX_HEADER];
        let value = |name: &str| set(name).or_else(|| std::env::var(name).ok());
        let vars = names.iter().filter_map(|setting| Some((setting.name.to_owned(), value(setting.name)?)));
        Vars(&vars.collect()).request()
    }
}

/// The platform's description of this function, for the context object.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// `AWS_LAMBDA_FUNCTION_NAME`
    pub name: String,
    /// `AWS_LAMBDA_FUNCTION_VERSION`
    pub version: String,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`: a number of megabytes, as text.
    pub memory_limit_in_mb: String,
    /// `AWS_LAMBDA_LOG_GROUP_NAME`
    pub log_group_name: Option<String>,
    /// `AWS_LAMBDA_LOG_STREAM_NAME`
    pub log_stream_name: Option<String>,
}

/// Everything that the runtime reads from the environment.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // each is a setting of its own
pub struct Config {
    /// `AWS_LAMBDA_RUNTIME_API`: host and port, with some emulators also a path.
    pub runtime_api: String,
    /// The handler: `module:attribute`, or another form that names the application.
    pub handler: String,
    /// `LAMBDA_TASK_ROOT`
    pub task_root: PathBuf,
    /// See [`LAYER_DIR`].
    pub layer_dir: PathBuf,
    /// See [`VENV`].
    pub venv: Option<PathBuf>,
    /// For the context object.
    pub function: Function,
    /// For requests.
    pub request: RequestConfig,
    /// For events that are not HTTP requests.
    pub events: EventConfig,
    /// See [`RESPONSE_MODE`].
    pub response_mode: ResponseMode,
    /// See [`COMPRESS`].
    pub compress: bool,
    /// See [`DEADLINE_MARGIN`]; `None` if it is off.
    pub deadline_margin: Option<Duration>,
    /// See [`SHUTDOWN`]. Always false on Managed Instances, where the platform refuses internal extensions.
    pub internal_extension: bool,
    /// `AWS_LAMBDA_MAX_CONCURRENCY` (Managed Instances): how many requests at once, each in a process of its own.
    pub workers: usize,
    /// `_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET`: the socket from which each worker gets the stream for its output.
    pub log_socket: Option<String>,
    /// Whether the platform takes a snapshot of this process after the init (`AWS_LAMBDA_INITIALIZATION_TYPE`).
    pub snap_start: bool,
    /// See [`STRICT`].
    pub strict: bool,
    /// See [`ACCESS_LOG`].
    pub access_log: bool,
    /// See [`DEFER_IMPORTS`].
    pub defer_imports: bool,
    /// See [`LAZY_IMPORTS`].
    pub lazy_imports: bool,
    /// Whether the environment sets how glibc's malloc works (`MALLOC_…`, `GLIBC_TUNABLES`).
    pub malloc_is_tuned: bool,
    /// See [`PROFILE_INIT`].
    pub profile_init: Option<PathBuf>,
    /// `AWS_LAMBDA_LOG_FORMAT`
    pub log_format: LogFormat,
    /// Whether the platform ends an init after ten seconds: it does without provisioned concurrency and SnapStart.
    pub on_demand: bool,
    /// See [`INIT_STACKS`]; `None` for never.
    pub init_stacks: Option<Duration>,
    /// `AWS_LAMBDA_LOG_LEVEL`, as a level name of Python's `logging`; `None` if it is not set or not known.
    pub log_level: Option<&'static str>,
    /// See [`IMPORT_TIME`].
    pub import_time: Option<PathBuf>,
    /// See [`FORK_FIRST`].
    pub forks_first: bool,
    /// `_LAMBDA_TELEMETRY_LOG_FD`: the descriptor for log records in frames.
    pub telemetry_fd: Option<i32>,
    /// Variables with our prefix that are no settings, probably misspelt.
    pub unknown: Vec<String>,
}

impl Config {
    /// Reads the process environment.
    ///
    /// # Errors
    /// `Config`, which names the variable, if one is missing or wrong.
    #[allow(clippy::disallowed_methods)] // the one place that reads the environment
    pub fn from_env() -> Result<Self> {
        let vars = std::env::vars_os().filter_map(|(name, value)| {
            // A value that is not UTF-8 is none of our settings, and those of the platform are ASCII.
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        });
        Self::from_vars(&vars.collect())
    }

    /// Reads only the Runtime API's address, for an error about the rest. Empty if it is not set.
    #[allow(clippy::disallowed_methods)] // as above
    pub fn runtime_api_from_env() -> String {
        without_scheme(&std::env::var(RUNTIME_API).unwrap_or_default())
    }

    /// Reads only the log's form, for the same.
    #[allow(clippy::disallowed_methods)] // as above
    pub fn log_format_from_env() -> LogFormat {
        let format = std::env::var(LOG_FORMAT).unwrap_or_default();
        Vars(&HashMap::from([(LOG_FORMAT.to_owned(), format)])).log_format()
    }

    /// Reads variables from a map.
    ///
    /// # Errors
    /// As [`Config::from_env`].
    pub fn from_vars(vars: &HashMap<String, String>) -> Result<Self> {
        let vars = Vars(vars);
        let workers = vars.get("AWS_LAMBDA_MAX_CONCURRENCY").and_then(|count| count.parse().ok()).unwrap_or(1);
        let snap_start = vars.get(INITIALIZATION_TYPE) == Some("snap-start");
        Ok(Self {
            runtime_api: without_scheme(vars.required(RUNTIME_API)?),
            handler: vars.get(APP.name).or(vars.get("_HANDLER")).unwrap_or_default().to_owned(),
            task_root: PathBuf::from(vars.get("LAMBDA_TASK_ROOT").unwrap_or(TASK_ROOT)),
            layer_dir: PathBuf::from(vars.get(LAYER_DIR.name).unwrap_or(LAYER_DIR.default)),
            venv: vars.get(VENV.name).map(PathBuf::from),
            function: vars.function(),
            request: vars.request()?,
            events: EventConfig {
                answers_pings: vars.switch(WARMUP)?,
                runs_commands: vars.switch(COMMANDS)?,
                ..EventConfig::read(vars.get(EVENT_HANDLER.name), vars.get(EVENT_PATH.name))?
            },
            response_mode: vars.response_mode()?,
            compress: vars.switch(COMPRESS)?,
            deadline_margin: vars.millis(DEADLINE_MARGIN)?,
            internal_extension: vars.switch(SHUTDOWN)?
                && vars.get(INITIALIZATION_TYPE) != Some("lambda-managed-instances"),
            workers,
            log_socket: vars.get("_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET").map(str::to_owned),
            snap_start,
            strict: vars.switch(STRICT)?,
            access_log: vars.switch(ACCESS_LOG)?,
            defer_imports: vars.switch(DEFER_IMPORTS)? && !snap_start && workers < 2,
            lazy_imports: vars.switch(LAZY_IMPORTS)?,
            malloc_is_tuned: vars.0.keys().any(|name| name.starts_with("MALLOC_") || name == "GLIBC_TUNABLES"),
            profile_init: vars.get(PROFILE_INIT.name).map(PathBuf::from),
            on_demand: vars.get(INITIALIZATION_TYPE).is_none_or(|kind| kind == "on-demand"),
            init_stacks: vars.millis(INIT_STACKS)?,
            log_format: vars.log_format(),
            log_level: vars.log_level(),
            import_time: vars.get(IMPORT_TIME).map(PathBuf::from),
            forks_first: vars.get(FORK_FIRST).is_some(),
            telemetry_fd: vars.get("_LAMBDA_TELEMETRY_LOG_FD").and_then(|fd| fd.parse().ok()),
            unknown: vars.unknown(),
        })
    }
}

/// The environment. A variable that is set to nothing counts as not set, as in the AWS console.
struct Vars<'a>(&'a HashMap<String, String>);

impl<'a> Vars<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    fn required(&self, name: &str) -> Result<&'a str> {
        self.get(name).ok_or_else(|| {
            Error::config(format!(
                "{name} is not set: this program is an AWS Lambda runtime and is started by Lambda. \
                 To run it on your machine use `wsgi-lambda replay`"
            ))
        })
    }

    fn function(&self) -> Function {
        Function {
            name: self.text("AWS_LAMBDA_FUNCTION_NAME"),
            version: self.text("AWS_LAMBDA_FUNCTION_VERSION"),
            memory_limit_in_mb: self.text("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
            log_group_name: self.get("AWS_LAMBDA_LOG_GROUP_NAME").map(str::to_owned),
            log_stream_name: self.get("AWS_LAMBDA_LOG_STREAM_NAME").map(str::to_owned),
        }
    }

    fn request(&self) -> Result<RequestConfig> {
        Ok(RequestConfig {
            base_path: self.base_path()?,
            trusted_hops: self.number(TRUSTED_HOPS)?,
            user_claim: self.get(USER_CLAIM.name).unwrap_or(USER_CLAIM.default).to_owned(),
            trusted_host_header: self.header_name(TRUSTED_HOST_HEADER)?,
            trusted_prefix_header: self.header_name(TRUSTED_PREFIX_HEADER)?,
        })
    }

    fn switch(&self, setting: Setting) -> Result<bool> {
        match self.get(setting.name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(setting.default == "true"),
            Some("true" | "1" | "yes" | "on") => Ok(true),
            Some("false" | "0" | "no" | "off") => Ok(false),
            Some(other) => Err(wrong(setting, other, "`true` or `false`")),
        }
    }

    fn number(&self, setting: Setting) -> Result<usize> {
        let text = self.get(setting.name).unwrap_or(setting.default);
        text.trim().parse().map_err(|_| wrong(setting, text, "a whole number, 0 or more"))
    }

    fn header_name(&self, setting: Setting) -> Result<Option<String>> {
        let Some(name) = self.get(setting.name) else { return Ok(None) };
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_name {
            return Err(wrong(setting, name, "the name of a header, such as `X-Forwarded-Host`"));
        }
        Ok(Some(name.to_ascii_lowercase()))
    }

    /// `orders`, `/orders` and `/orders/` mean the same. `/` turns the derivation from the event off.
    fn base_path(&self) -> Result<Option<Vec<u8>>> {
        let Some(text) = self.get(BASE_PATH.name) else { return Ok(None) };
        let trimmed = text.trim().trim_matches('/');
        if trimmed.contains(['?', '#'])
            || !trimmed.is_empty() && !trimmed.split('/').all(|segment| is_segment(segment.as_bytes()))
        {
            return Err(wrong(BASE_PATH, text, "a path such as `/orders` or `/shop/orders`"));
        }
        Ok(Some(if trimmed.is_empty() { Vec::new() } else { format!("/{trimmed}").into_bytes() }))
    }

    fn response_mode(&self) -> Result<ResponseMode> {
        match self.get(RESPONSE_MODE.name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("buffered") => Ok(ResponseMode::Buffered),
            // `response_stream` is the word of Function URLs and of the Lambda Web Adapter.
            Some("stream" | "response_stream") => Ok(ResponseMode::Stream),
            Some(other) => Err(wrong(RESPONSE_MODE, other, "`buffered` or `stream`")),
        }
    }

    /// A number of milliseconds; `None` for 0.
    fn millis(&self, setting: Setting) -> Result<Option<Duration>> {
        let duration = Duration::from_millis(self.number(setting)? as u64);
        Ok(Some(duration).filter(|duration| !duration.is_zero()))
    }

    fn log_format(&self) -> LogFormat {
        match self.get(LOG_FORMAT) {
            Some(format) if format.eq_ignore_ascii_case("json") => LogFormat::Json,
            _ => LogFormat::Text,
        }
    }

    /// Lambda's level names (docs, "Configuring advanced logging controls") as Python's. Other values are ignored.
    fn log_level(&self) -> Option<&'static str> {
        match self.get("AWS_LAMBDA_LOG_LEVEL")?.to_ascii_uppercase().as_str() {
            "TRACE" | "DEBUG" => Some("DEBUG"),
            "INFO" => Some("INFO"),
            "WARN" | "WARNING" => Some("WARNING"),
            "ERROR" => Some("ERROR"),
            "FATAL" | "CRITICAL" => Some("CRITICAL"),
            _ => None,
        }
    }

    fn unknown(&self) -> Vec<String> {
        let known = |name: &str| SETTINGS.iter().any(|setting| setting.name == name);
        let mut names: Vec<_> =
            self.0.keys().filter(|name| name.starts_with(PREFIX) && !known(name)).cloned().collect();
        names.sort_unstable();
        names
    }
}

/// Takes off `http://`, with which addresses from cargo-lambda begin. The platform's have only host and port.
fn without_scheme(address: &str) -> String {
    address.strip_prefix("http://").unwrap_or(address).to_owned()
}

fn wrong(setting: Setting, value: &str, expected: &str) -> Error {
    Error::config(format!("{}={value:?} is not {expected}", setting.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> Result<Config> {
        let mut map: HashMap<_, _> = vars.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        map.entry("AWS_LAMBDA_RUNTIME_API".to_owned()).or_insert_with(|| "127.0.0.1:9001".to_owned());
        Config::from_vars(&map)
    }

    #[test]
    fn base_path_spellings_mean_the_same() {
        for text in ["orders", "/orders", "/orders/", "orders/", " /orders "] {
            assert_eq!(config(&[(BASE_PATH.name, text)]).unwrap().request.base_path.as_deref(), Some(&b"/orders"[..]));
        }
        assert_eq!(config(&[(BASE_PATH.name, "/")]).unwrap().request.base_path.as_deref(), Some(&b""[..]));
        assert_eq!(config(&[(BASE_PATH.name, "")]).unwrap().request.base_path, None);
    }

    #[test]
    fn wrong_values_name_the_variable_and_what_is_expected() {
        for (name, value, expected) in [
            (TRUSTED_HOPS.name, "-1", "whole number"),
            (STRICT.name, "maybe", "`true` or `false`"),
            (BASE_PATH.name, "/a/../b", "a path such as"),
            (BASE_PATH.name, "/a?b", "a path such as"),
            (TRUSTED_HOST_HEADER.name, "X Forwarded", "name of a header"),
            (INIT_STACKS.name, "soon", "whole number"),
        ] {
            let error = config(&[(name, value)]).unwrap_err();
            assert!(error.message().contains(name) && error.message().contains(expected), "{error}");
        }
    }

    #[test]
    fn the_runtime_api_may_be_written_as_a_url() {
        for text in ["127.0.0.1:9000/.rt/f", "http://127.0.0.1:9000/.rt/f"] {
            assert_eq!(config(&[(RUNTIME_API, text)]).unwrap().runtime_api, "127.0.0.1:9000/.rt/f");
        }
    }

    #[test]
    fn misspelt_settings_are_noticed() {
        assert_eq!(config(&[("WSGI_LAMBDA_BASEPATH", "/a")]).unwrap().unknown, ["WSGI_LAMBDA_BASEPATH"]);
    }

    #[test]
    fn without_lambda_the_message_says_what_to_do() {
        assert!(Config::from_vars(&HashMap::new()).unwrap_err().message().contains("wsgi-lambda replay"));
    }
}
