//! Room: `handler_name`, the name of a function's handler.
//! In: the text of the setting: Lambda's `module.attribute`, or WSGI's `module:attribute`.
//! Out: [`HandlerName`]: the module, the attributes that lead to the application, and whether that is called first.
//! May use: `error`.
//! Must not: look for the module, know Python.

use crate::error::{Error, Kind, Result};

/// Where an application is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerName {
    /// Dotted.
    pub module: String,
    /// The names that lead from the module to the application.
    pub attributes: Vec<String>,
    /// Whether what is found there is called to make the application.
    pub factory: bool,
    /// Whether the split between the two was written (`:`) rather than guessed (the last dot).
    pub explicit: bool,
}

impl HandlerName {
    /// Reads a handler name. A slash in the module means a dot, as in the managed runtime.
    pub fn parse(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        let (name, factory) = match trimmed.strip_suffix("()") {
            Some(name) => (name, true),
            None => (trimmed, false),
        };
        let explicit = name.contains(':');
        let split = if explicit { name.split_once(':') } else { name.rsplit_once('.') };
        let (module, attributes) = split.ok_or_else(|| malformed(text))?;
        let module = module.strip_prefix("./").unwrap_or(module);
        let module = module.strip_suffix(".py").filter(|_| explicit).unwrap_or(module).replace('/', ".");
        let attributes: Vec<String> = attributes.split('.').map(str::to_owned).collect();
        let parts = module.split('.').chain(attributes.iter().map(String::as_str));
        if parts.clone().any(|part| part.is_empty() || part.contains([' ', '\t', '\n', ':', '(', ')'])) {
            return Err(malformed(text));
        }
        Ok(Self { module, attributes, factory, explicit })
    }

    /// The same name, split one dot further left: `app.site.wsgi` may be `site.wsgi` in the module `app`.
    pub fn shorter(&self) -> Option<Self> {
        let (module, first) = self.module.rsplit_once('.').filter(|_| !self.explicit)?;
        let attributes = std::iter::once(first.to_owned()).chain(self.attributes.iter().cloned()).collect();
        Some(Self { module: module.to_owned(), attributes, ..self.clone() })
    }

    /// Every way to read the name, in the order in which the runtime tries them.
    pub fn readings(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), Self::shorter)
    }

    /// The path of the module's file or folder, without an ending.
    pub fn path(&self) -> String {
        self.module.replace('.', "/")
    }

    /// The first name that is looked up in the module.
    pub fn first_attribute(&self) -> &str {
        self.attributes.first().map_or("", String::as_str)
    }
}

fn malformed(text: &str) -> Error {
    Error::new(
        Kind::App,
        "Runtime.MalformedHandlerName",
        format!(
            "Bad handler '{text}': expected `module.attribute` or `module:attribute`, such as `app.app`, \
             `mysite.wsgi.application` or `app:create_app()`, which is called without arguments"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let parse = |text| {
            let name = HandlerName::parse(text).unwrap();
            (name.module, name.attributes.join("."), name.factory)
        };
        let is = |module: &str, attribute: &str, factory| (module.to_owned(), attribute.to_owned(), factory);
        assert_eq!(parse("app.app"), is("app", "app", false));
        assert_eq!(parse("mysite.wsgi.application"), is("mysite.wsgi", "application", false));
        assert_eq!(parse("src/api/app.handler"), is("src.api.app", "handler", false));
        assert_eq!(parse("app:app"), is("app", "app", false));
        assert_eq!(parse("src/app:site.wsgi"), is("src.app", "site.wsgi", false));
        assert_eq!(parse("src/app.py:app"), is("src.app", "app", false));
        assert_eq!(parse("./src/app:app"), is("src.app", "app", false));
        assert_eq!(parse("app:make_app()"), is("app", "make_app", true));
        assert_eq!(parse("app.make_app()"), is("app", "make_app", true));
    }

    #[test]
    fn a_dotted_name_can_be_read_in_several_ways() {
        let readings = |text| {
            let readings = HandlerName::parse(text).unwrap().readings().collect::<Vec<_>>();
            readings.iter().map(|name| format!("{}:{}", name.path(), name.attributes.join("."))).collect::<Vec<_>>()
        };
        assert_eq!(readings("app.site.wsgi"), ["app/site:wsgi", "app:site.wsgi"]);
        assert_eq!(readings("./src/app:app"), ["src/app:app"], "the split is written");
        assert_eq!(HandlerName::parse("app.site.wsgi").unwrap().first_attribute(), "wsgi");
    }

    #[test]
    fn malformed_names_say_what_is_expected() {
        for text in ["", "app", "app.", ".app", "app:", ":app", "a b.c", "app:x:y", "app..x", "app:make(1)"] {
            let error = HandlerName::parse(text).unwrap_err();
            assert_eq!(error.error_type(), "Runtime.MalformedHandlerName", "{text}");
        }
    }
}
