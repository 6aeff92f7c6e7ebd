//! The options of `serve`.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args};
use http::uri::Authority;

use super::front;
use crate::cli::front_ends::stage;
use crate::cli::function::FunctionOptions;
use crate::cli::shared;
use crate::request::FrontEnd;

/// The word for all front ends at once.
const ALL: &str = "all";

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The WSGI application: MODULE:ATTR, or a module or file with one in it [default: that of template.yaml, manage.py,
    /// app.py or wsgi.py]
    #[arg(value_name = "APP")]
    pub(super) app: Option<String>,
    #[command(flatten)]
    pub(super) function: FunctionOptions,
    /// The imitated AWS service; all: each on a port of its own, and a page that links them
    #[arg(long, value_name = "NAME", default_value = "function-url", value_parser = names())]
    front: String,
    /// The stage of the REST or HTTP API [default: prod of a REST API, $default of an HTTP API]
    #[arg(long, value_name = "NAME", value_parser = stage)]
    pub(super) stage: Option<String>,
    /// The base path that a custom domain maps to the API, such as /shop
    #[arg(long, value_name = "PATH", value_parser = base_path)]
    pub(super) base_path: Option<String>,
    /// The host name that the application sees [default: Host as the client sends it]
    #[arg(long, value_name = "NAME", value_parser = domain)]
    pub(super) domain: Option<String>,
    /// A REST API's binaryMediaTypes; may be repeated [default: */*]
    #[arg(long, value_name = "TYPE")]
    pub(super) binary_media_type: Vec<String>,
    /// Send responses as they are made, as a Function URL with RESPONSE_STREAM or a REST API with STREAM does
    #[arg(long)]
    pub(super) stream: bool,
    /// The first port; 0 takes free ones
    #[arg(long, value_name = "PORT", default_value = "8000")]
    pub(super) port: u16,
    /// The address to listen on; any other than a loopback address lets other machines in
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(super) host: IpAddr,
    /// How many sandboxes there may be; each serves one request at a time
    #[arg(long, value_name = "N", default_value = "4", value_parser = concurrency)]
    pub(super) concurrency: NonZeroUsize,
    /// Do not load the application again when its files change
    #[arg(long = "no-reload", action = ArgAction::SetFalse)]
    pub(super) reload: bool,
    /// Write each request as an event file into this folder, for `replay --expect`; secrets in it are not masked
    #[arg(long, value_name = "DIR")]
    pub(super) record: Option<PathBuf>,
    /// The port of the inspector, a page that shows each request; 0 takes a free one [default: 8100, or a free one if that
    /// is taken]
    #[arg(long, value_name = "PORT", conflicts_with = "no_inspector")]
    pub(super) inspector_port: Option<u16>,
    /// Do not serve the inspector
    #[arg(long)]
    pub(super) no_inspector: bool,
    /// How many seconds a client may stay silent while it sends a request
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = shared::seconds)]
    pub(super) client_timeout: Duration,
}

impl Options {
    /// Whether a page has to link the front ends.
    pub(super) fn is_all(&self) -> bool {
        self.front == ALL
    }

    /// The front ends to imitate.
    pub(super) fn front_ends(&self) -> Vec<FrontEnd> {
        let named = front::NAMES.iter().filter(|(name, _)| *name == self.front || self.is_all());
        named.map(|(_, front_end)| *front_end).collect()
    }
}

fn names() -> PossibleValuesParser {
    front::NAMES.iter().map(|(name, _)| *name).chain([ALL]).collect::<Vec<_>>().into()
}

fn domain(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && text.parse::<Authority>().is_ok_and(|name| !name.as_str().contains('@'));
    is_name.then(|| text.to_owned()).ok_or_else(|| "write a host name alone, such as shop.example.com".to_owned())
}

fn concurrency(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "write a number of sandboxes, 1 or more".to_owned())
}

fn base_path(text: &str) -> Result<String, String> {
    let path = text.trim_matches('/');
    if path.is_empty() || !text.starts_with('/') {
        return Err("write it as /PATH, such as /shop".to_owned());
    }
    Ok(format!("/{path}"))
}
