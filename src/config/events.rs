//! The settings for events that are not HTTP requests.

use super::settings::{EVENT_HANDLER, EVENT_PATH};
use crate::error::{Error, Result};
use crate::grammar::is_segment;
use crate::source::Source;

/// What is done with events that are not HTTP requests. By default nothing: each is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventConfig {
    /// See [`EVENT_HANDLER`]: the handler of each source, and under `None` that of all others.
    pub handlers: Vec<(Option<Source>, String)>,
    /// See [`EVENT_PATH`]: decoded, with a slash at its beginning and none at its end.
    pub path: Option<String>,
    /// See [`WARMUP`](super::WARMUP).
    pub answers_pings: bool,
    /// See [`COMMANDS`](super::COMMANDS).
    pub runs_commands: bool,
}

impl EventConfig {
    /// Reads the texts of [`EVENT_HANDLER`] and [`EVENT_PATH`], each `None` if it is not set.
    ///
    /// # Errors
    /// `Config`, which names the variable.
    pub(super) fn read(handlers: Option<&str>, path: Option<&str>) -> Result<Self> {
        let handlers = read_handlers(handlers.unwrap_or_default())?;
        Ok(Self { handlers, path: path.map(read_path).transpose()?, ..Self::default() })
    }
}

fn read_handlers(text: &str) -> Result<Vec<(Option<Source>, String)>> {
    let mut handlers = Vec::new();
    for item in text.split(',').map(str::trim) {
        let (source, handler) = match item.split_once('=') {
            None => (None, item),
            Some((name, handler)) => (Some(source(name.trim())?), handler.trim()),
        };
        if handler.is_empty() {
            continue; // after the last comma
        }
        if handlers.iter().any(|(known, _)| *known == source) {
            let whose = source.map_or("the events of all other sources", Source::name);
            return Err(Error::config(format!("{} names two functions for {whose}", EVENT_HANDLER.name)));
        }
        handlers.push((source, handler.to_owned()));
    }
    Ok(handlers)
}

fn read_path(text: &str) -> Result<String> {
    let path = text.trim().strip_prefix('/').unwrap_or_default().trim_end_matches('/');
    if path.is_empty() || path.contains(['%', '?', '#']) || !path.split('/').all(|part| is_segment(part.as_bytes())) {
        return Err(Error::config(format!("{}={text:?} is not a path such as `/events`", EVENT_PATH.name)));
    }
    Ok(format!("/{path}"))
}

fn source(name: &str) -> Result<Source> {
    Source::named(name).ok_or_else(|| {
        let names = Source::ALL.map(Source::name).join(", ");
        Error::config(format!("{}: {name:?} is no source of events; there are {names}", EVENT_HANDLER.name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_is_for_all_sources_or_for_one() {
        let handlers = |text| EventConfig::read(Some(text), None).unwrap().handlers;
        let rest = (None, "jobs:run".to_owned());
        assert_eq!(handlers("jobs:run"), std::slice::from_ref(&rest));
        let both = [(Some(Source::Sqs), "queue.work".to_owned()), rest];
        assert_eq!(handlers(" sqs = queue.work , jobs:run, "), both);
        assert_eq!(handlers(""), []);
    }

    #[test]
    fn wrong_values_are_named() {
        let handlers = |text| EventConfig::read(Some(text), None);
        let path = |text| EventConfig::read(None, Some(text));
        for (read, name, expected) in [
            (
                handlers("sqq=jobs:run"),
                EVENT_HANDLER.name,
                "\"sqq\" is no source of events; there are appsync, authorizer",
            ),
            (handlers("sqs=a:b,sqs=c:d"), EVENT_HANDLER.name, "two functions for sqs"),
            (handlers("a:b,c:d"), EVENT_HANDLER.name, "two functions for the events of all other sources"),
            (path("/"), EVENT_PATH.name, "a path such as"),
            (path("events"), EVENT_PATH.name, "a path such as"),
            (path("/a/../b"), EVENT_PATH.name, "a path such as"),
            (path("/a?b"), EVENT_PATH.name, "a path such as"),
        ] {
            let error = read.unwrap_err();
            assert!(error.message().contains(name) && error.message().contains(expected), "{error}");
        }
        assert_eq!(path("/jobs/all/").unwrap().path.as_deref(), Some("/jobs/all"));
    }
}
