//! Events that are not HTTP requests: the functions that take them, and commands.

use pyo3::intern;
use pyo3::prelude::*;

use super::app::App;
use super::call::context;
use super::errors::describe;
use super::forked::leave_if_forked;
use super::glue::deferred;
use crate::error::{Error, Kind, Result};
use crate::invocation::Invocation;
use crate::json::Document;
use crate::source::Source;

impl<'py> App<'py> {
    fn handler(&self, source: Source) -> Option<&Bound<'py, PyAny>> {
        let of = |wanted| self.handlers.iter().find(|(source, _)| *source == wanted).map(|(_, handler)| handler);
        of(Some(source)).or_else(|| of(None))
    }

    /// Whether there is a function for events of this source.
    pub fn handles(&self, source: Source) -> bool {
        self.handler(source).is_some()
    }

    /// Calls the function for events of this source, as AWS's runtime calls a handler. Returns the JSON of its result.
    ///
    /// # Errors
    /// `App`: its exception, or `Runtime.MarshalError` for a result that JSON does not have.
    pub fn handle(&self, source: Source, event: &Document<'_>, invocation: &Invocation) -> Result<Vec<u8>> {
        let Some(handler) = self.handler(source) else {
            return Err(Error::unsupported_event(format!("there is no function for events of {}", source.name())));
        };
        self.result_of(event, invocation, |event, context| {
            let state = self.glue.getattr(intern!(self.glue.py(), "state"))?;
            state.setattr(intern!(self.glue.py(), "event"), &event)?;
            let result = handler.call1((event, context));
            state.setattr(intern!(self.glue.py(), "event"), self.glue.py().None())?;
            result
        })
    }

    /// Runs a command. Returns the JSON that whoever sent it expects.
    ///
    /// # Errors
    /// `App`: as [`App::handle`], for commands of Zappa, which have no exit code.
    pub fn run_command(&self, event: &Document<'_>, invocation: &Invocation) -> Result<Vec<u8>> {
        self.result_of(event, invocation, |event, context| {
            let commands = deferred(self.glue.py(), "commands")?;
            commands.call_method1(intern!(self.glue.py(), "run"), (&self.callable, event, context))
        })
    }

    fn result_of(
        &self,
        event: &Document<'_>,
        invocation: &Invocation,
        work: impl FnOnce(Bound<'py, PyAny>, Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>,
    ) -> Result<Vec<u8>> {
        let called = context(self, invocation) // first: it also repairs the standard streams
            .and_then(|context| work(self.events.to_python(event)?, context));
        leave_if_forked(&self.glue, called.as_ref().err());
        let result = called.map_err(|error| describe(&self.glue, error))?;
        self.json(&result).map_err(|error| {
            let reason = describe(&self.glue, error);
            Error::new(Kind::App, "Runtime.MarshalError", format!("Unable to marshal response: {}", reason.message()))
        })
    }

    fn json(&self, result: &Bound<'py, PyAny>) -> PyResult<Vec<u8>> {
        let results = deferred(self.glue.py(), "results")?;
        results.call_method1(intern!(self.glue.py(), "to_json"), (result,))?.extract()
    }
}
