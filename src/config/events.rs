//! The settings for events that are not HTTP requests.

use super::{COMMANDS, EVENT_HANDLER, EVENT_PATH, Vars, WARMUP, wrong};
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
    /// See [`WARMUP`].
    pub answers_pings: bool,
    /// See [`COMMANDS`].
    pub runs_commands: bool,
}

impl Vars<'_> {
    pub(super) fn events(&self) -> Result<EventConfig> {
        Ok(EventConfig {
            handlers: self.event_handlers()?,
            path: self.event_path()?,
            answers_pings: self.switch(WARMUP)?,
            runs_commands: self.switch(COMMANDS)?,
        })
    }

    fn event_handlers(&self) -> Result<Vec<(Option<Source>, String)>> {
        let mut handlers = Vec::new();
        for item in self.get(EVENT_HANDLER.name).unwrap_or_default().split(',').map(str::trim) {
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

    fn event_path(&self) -> Result<Option<String>> {
        let Some(text) = self.get(EVENT_PATH.name) else { return Ok(None) };
        let path = text.trim().strip_prefix('/').unwrap_or_default().trim_end_matches('/');
        if path.is_empty() || path.contains(['%', '?', '#']) || !path.split('/').all(|part| is_segment(part.as_bytes()))
        {
            return Err(wrong(EVENT_PATH, text, "a path such as `/events`"));
        }
        Ok(Some(format!("/{path}")))
    }
}

fn source(name: &str) -> Result<Source> {
    Source::named(name).ok_or_else(|| {
        let names = Source::ALL.map(Source::name).join(", ");
        Error::config(format!("{}: {name:?} is no source of events; there are {names}", EVENT_HANDLER.name))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn events(name: &str, value: &str) -> Result<EventConfig> {
        Vars(&HashMap::from([(name.to_owned(), value.to_owned())])).events()
    }

    #[test]
    fn a_handler_is_for_all_sources_or_for_one() {
        let handlers = |text| events(EVENT_HANDLER.name, text).unwrap().handlers;
        let rest = (None, "jobs:run".to_owned());
        assert_eq!(handlers("jobs:run"), std::slice::from_ref(&rest));
        let both = [(Some(Source::Sqs), "queue.work".to_owned()), rest];
        assert_eq!(handlers(" sqs = queue.work , jobs:run, "), both);
        assert_eq!(handlers(""), []);
    }

    #[test]
    fn wrong_values_are_named() {
        for (name, value, expected) in [
            (EVENT_HANDLER.name, "sqq=jobs:run", "\"sqq\" is no source of events; there are appsync, authorizer"),
            (EVENT_HANDLER.name, "sqs=a:b,sqs=c:d", "two functions for sqs"),
            (EVENT_HANDLER.name, "a:b,c:d", "two functions for the events of all other sources"),
            (EVENT_PATH.name, "/", "a path such as"),
            (EVENT_PATH.name, "events", "a path such as"),
            (EVENT_PATH.name, "/a/../b", "a path such as"),
            (EVENT_PATH.name, "/a?b", "a path such as"),
        ] {
            let error = events(name, value).unwrap_err();
            assert!(error.message().contains(name) && error.message().contains(expected), "{error}");
        }
        assert_eq!(events(EVENT_PATH.name, "/jobs/all/").unwrap().path.as_deref(), Some("/jobs/all"));
    }
}
