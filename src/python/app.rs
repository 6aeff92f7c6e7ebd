//! The application: its import, and what is prepared once for all requests.

use pyo3::exceptions::{PyAttributeError, PyImportError, PyModuleNotFoundError, PySyntaxError};
use pyo3::intern;
use pyo3::prelude::*;

use super::environ::Template;
use super::errors::{describe, type_name};
use super::event::EventDicts;
use super::forked::leave_if_forked;
use super::glue::loaded_glue;
use super::session::Session;
use super::{ffi, init_profile};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::handler_name::HandlerName;
use crate::source::Source;

/// A loaded application, with what is prepared once for all requests.
pub struct App<'py> {
    pub(super) glue: Bound<'py, PyModule>,
    pub(super) callable: Bound<'py, PyAny>,
    pub(super) template: Template<'py>,
    pub(super) events: EventDicts<'py>,
    /// The functions for events, each with its source; `None` for all sources that have none.
    pub(super) handlers: Vec<(Option<Source>, Bound<'py, PyAny>)>,
    pub(super) strict: bool,
}

impl<'py> Session<'py> {
    /// Imports the application that the handler names.
    ///
    /// # Errors
    /// `App`, with the platform's error types and a Python stack trace.
    pub fn load_app(self, config: &Config) -> Result<App<'py>> {
        let app = App::load(self.py, config);
        if ffi::is_forked() {
            match &app {
                Ok(app) => leave_if_forked(&app.glue, None),
                Err(_) => ffi::leave_child(),
            }
        }
        app
    }
}

impl<'py> App<'py> {
    fn load(py: Python<'py>, config: &Config) -> Result<Self> {
        let app = Self::import(py, config);
        init_profile::end_init(py, config, app.as_ref().err());
        app
    }

    fn import(py: Python<'py>, config: &Config) -> Result<Self> {
        let glue = loaded_glue(py)?;
        let loader = Loader { py, glue: &glue };
        let callable = loader.load(&config.handler, "a WSGI application")?;
        let handlers = config.events.handlers.iter();
        let handlers = handlers.map(|(source, name)| Ok((*source, loader.load(name, "a function for events")?)));
        let handlers = handlers.collect::<Result<_>>()?;
        let prepare = || {
            glue.call_method0("after_import")?;
            Template::new(py, &glue, config.workers)
        };
        let template = prepare().map_err(|error| describe(&glue, error))?;
        Ok(Self { glue, callable, template, events: EventDicts::new(py), handlers, strict: config.strict })
    }
}

/// Loads an application, or a function for events. Error types and messages are the managed runtime's.
struct Loader<'a, 'py> {
    py: Python<'py>,
    glue: &'a Bound<'py, PyModule>,
}

impl<'py> Loader<'_, 'py> {
    /// Imports what a handler names. `what` it has to be is for the message about something that cannot be called.
    fn load(&self, handler: &str, what: &str) -> Result<Bound<'py, PyAny>> {
        let name = HandlerName::parse(handler)?;
        self.refuse_builtin(&name.module)?;
        let mut app = self.find(&name)?;
        if name.factory {
            app = init_profile::factory(handler, &app).map_err(|error| describe(self.glue, error))?;
        }
        if app.is_callable() {
            return Ok(app);
        }
        let kind = type_name(&app);
        Err(not_found(format!("Handler '{handler}' is not {what}: {kind} objects cannot be called")))
    }

    /// Imports the module and looks up the attributes. `app.site.wsgi` can be the module `app.site` or the module
    /// `app`: the longest name of a module that exists is taken.
    fn find(&self, name: &HandlerName) -> Result<Bound<'py, PyAny>> {
        let error = match self.py.import(name.module.as_str()) {
            Ok(module) => return self.look_up(module.into_any(), name),
            Err(error) => error,
        };
        if let Some(shorter) = name.shorter().filter(|_| self.is_missing(&error, &name.module))
            && let Ok(found) = self.find(&shorter)
        {
            return Ok(found);
        }
        Err(self.import_error(&name.module, error))
    }

    fn look_up(&self, mut object: Bound<'py, PyAny>, name: &HandlerName) -> Result<Bound<'py, PyAny>> {
        for attribute in &name.attributes {
            object = object.getattr(attribute.as_str()).map_err(|error| {
                if error.is_instance_of::<PyAttributeError>(self.py) {
                    not_found(format!("Handler '{}' missing on module '{}'", name.attributes.join("."), name.module))
                } else {
                    describe(self.glue, error)
                }
            })?;
        }
        Ok(object)
    }

    /// Whether the import failed because this module is missing, or because a parent of it is no package; not because a
    /// module that it imports is missing.
    fn is_missing(&self, error: &PyErr, module: &str) -> bool {
        error.is_instance_of::<PyModuleNotFoundError>(self.py)
            && error.value(self.py).getattr(intern!(self.py, "name")).is_ok_and(|name| {
                name.extract::<String>().is_ok_and(|name| module == name || module.starts_with(&format!("{name}.")))
            })
    }

    fn import_error(&self, module: &str, error: PyErr) -> Error {
        let is_import = error.is_instance_of::<PyImportError>(self.py);
        let is_syntax = error.is_instance_of::<PySyntaxError>(self.py);
        let described = describe(self.glue, error);
        let (error_type, message) = if is_import {
            ("Runtime.ImportModuleError", format!("Unable to import module '{module}': {}", described.message()))
        } else if is_syntax {
            ("Runtime.UserCodeSyntaxError", format!("Syntax error in module '{module}': {}", described.message()))
        } else {
            return described;
        };
        Error::new(Kind::App, error_type, message).with_stack_trace(described.stack_trace().to_vec())
    }

    /// For a handler module called `time` or `sys`, Python would import its own module and not the application's.
    fn refuse_builtin(&self, module: &str) -> Result<()> {
        let names = self.py.import("sys").and_then(|sys| sys.getattr("builtin_module_names"));
        if names.and_then(|names| names.contains(module)).unwrap_or(false) {
            return Err(Error::new(
                Kind::App,
                "Runtime.BuiltInModuleConflict",
                format!("Cannot use built-in module {module} as a handler module: rename the file"),
            ));
        }
        Ok(())
    }
}

fn not_found(message: String) -> Error {
    Error::new(Kind::App, "Runtime.HandlerNotFound", message)
}
