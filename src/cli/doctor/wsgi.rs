//! Where a handler leads, as far as files tell without Python: the module's file, and what its text says.

use super::contents::{Contents, extension};
use crate::cli::look;
use crate::cli::packaging::modules::{file_of, mentions};
use crate::handler_name::HandlerName;

/// The modules and names that are searched when no application is named.
const MODULES: &[&str] = &["app.py", "application.py", "wsgi.py", "main.py"];
const ATTRIBUTES: &[&str] = &["app", "application"];

/// What the files of a package say of a handler.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// Nothing is known to be wrong.
    Fine,
    /// No file of the package can be this module.
    NoModule(String),
    /// The file does not have the name anywhere in its text.
    NoName(String, String),
}

/// The name that a handler has, if it can be read.
pub(super) fn name(handler: &str) -> Option<HandlerName> {
    HandlerName::parse(handler).ok()
}

/// The file of the handler's module, if it is in the package.
pub(super) fn module_file<'a>(contents: &'a Contents, name: &HandlerName) -> Option<&'a str> {
    file_of(&name.path(), contents.names())
}

/// Whether the package has a module for one of the name's readings.
pub(super) fn has_module(contents: &Contents, name: &HandlerName) -> bool {
    name.readings().any(|name| module_file(contents, &name).is_some())
}

/// Looks a handler up by its names alone.
pub(super) fn look_up(contents: &Contents, handler: &str) -> Lookup {
    let Some(name) = name(handler) else { return Lookup::Fine };
    let Some(file) = module_file(contents, &name) else {
        // `app.object.method`: the module can end earlier, and only Python knows what it has.
        let is_elsewhere = has_module(contents, &name) || contents.has_folder(&name.path());
        return if is_elsewhere { Lookup::Fine } else { Lookup::NoModule(name.module) };
    };
    match source(contents, file) {
        Some(text) if !mentions(&text, name.first_attribute()) => {
            Lookup::NoName(file.to_owned(), name.first_attribute().to_owned())
        }
        _ => Lookup::Fine,
    }
}

fn source(contents: &Contents, file: &str) -> Option<String> {
    contents.text(file).filter(|_| extension(file) == "py")
}

/// Whether the text of the handler's module makes a WSGI application of that name.
pub(super) fn is_application(contents: &Contents, handler: &str) -> bool {
    let Some(name) = name(handler) else { return false };
    let text = module_file(contents, &name).and_then(|file| source(contents, file));
    text.is_some_and(|text| makes(&text, &name.attributes.join(".")))
}

fn makes(text: &str, name: &str) -> bool {
    /// How many lines a call may go on for: `app = cast(⏎ WSGIApplication, get_wsgi_application()⏎)`.
    const LINES: usize = 4;
    text.lines().enumerate().any(|(index, line)| {
        if let Some(rest) = line.strip_prefix("def ").and_then(|rest| rest.strip_prefix(name)) {
            return rest.trim_start().starts_with("(environ, start_response");
        }
        let Some(rest) = line.strip_prefix(name) else { return false };
        // `app: Flask = …`; a longer name begins otherwise.
        let Some((annotation, value)) = rest.split_once('=') else { return false };
        let annotation = annotation.trim();
        let is_open = value.split('#').next().is_some_and(|code| code.trim_end().ends_with('('));
        let more = text.lines().skip(index + 1).take(if is_open { LINES } else { 0 });
        let mut call = std::iter::once(value).chain(more.take_while(|line| !line.starts_with(')')));
        (annotation.is_empty() || annotation.starts_with(':'))
            && call.any(|value| look::MAKERS.iter().any(|maker| value.contains(maker)))
    })
}

/// The call to write for a handler that names a function which makes the application: `app:create_app()`.
pub(super) fn call_of_factory(contents: &Contents, handler: &str) -> Option<String> {
    let name = name(handler).filter(|name| !name.factory)?;
    let [attribute] = name.attributes.as_slice() else { return None };
    let text = source(contents, module_file(contents, &name)?)?;
    look::is_factory(&text, attribute).then(|| format!("{}:{attribute}()", name.module))
}

/// The application of a folder, if a file has one under a usual name.
pub(super) fn guess(contents: &Contents) -> Option<String> {
    let is_candidate =
        |name: &&str| MODULES.contains(name) || name.ends_with("/wsgi.py") && name.matches('/').count() == 1;
    contents.names().filter(is_candidate).find_map(|file| {
        let text = contents.text(file)?;
        let module = file.trim_end_matches(".py").replace('/', ".");
        let named = ATTRIBUTES.iter().find(|name| makes(&text, name)).map(|name| format!("{module}:{name}"));
        named.or_else(|| look::factory(&text).map(|call| format!("{module}:{call}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_name_a_file_and_an_attribute() {
        for (handler, file, attribute) in [
            ("app.app", "app", "app"),
            ("mysite.wsgi.application", "mysite/wsgi", "application"),
            ("mysite.wsgi:application", "mysite/wsgi", "application"),
            ("src/app.app", "src/app", "app"),
            ("./src/app:app", "src/app", "app"),
            ("app:create_app()", "app", "create_app"),
        ] {
            let name = name(handler).unwrap();
            assert_eq!((name.path().as_str(), name.attributes.join(".").as_str()), (file, attribute), "{handler}");
        }
        for handler in ["bootstrap", "", "app.", ".app", "not a handler"] {
            assert_eq!(name(handler), None, "{handler}");
        }
    }

    #[test]
    fn a_handler_is_looked_up_in_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("app.py", "from x import application as app\n");
        write("star.py", "from x import *\n");
        write("shop/__init__.py", "");
        write("shop/wsgi.py", "application = 1\n");
        let contents = Contents::open(folder.path()).unwrap();
        for fine in [
            "app.app",
            "./app:app",
            "shop.wsgi:application",
            "shop/wsgi.application",
            "star.app",
            "app.app.handle",
            "bootstrap",
        ] {
            assert_eq!(look_up(&contents, fine), Lookup::Fine, "{fine}");
        }
        assert_eq!(look_up(&contents, "ap.app"), Lookup::NoModule("ap".to_owned()));
        assert_eq!(look_up(&contents, "./ap:app"), Lookup::NoModule("ap".to_owned()));
        assert_eq!(look_up(&contents, "shop.wsgy.application"), Lookup::Fine, "it could be a name in shop/__init__.py");
        assert_eq!(
            look_up(&contents, "app:create_app()"),
            Lookup::NoName("app.py".to_owned(), "create_app".to_owned())
        );
    }

    #[test]
    fn applications_are_known_by_how_they_are_made() {
        for text in [
            "app = Flask(__name__)",
            "app: Flask = flask.Flask(__name__)",
            "def app(environ, start_response):",
            "x = 1\napp = create_app()\n",
            "app = cast(  # a hint\n    WSGIApplication, get_wsgi_application()\n)\n",
        ] {
            assert!(makes(text, "app"), "{text}");
        }
        for text in [
            "app = FastAPI()",
            "application = Flask(__name__)",
            "def app(event, context):",
            "    app = Flask(__name__)",
            "app = make_lambda_handler(application)",
            "app = wrap(\n    x,\n)\nother = Flask(__name__)\n",
        ] {
            assert!(!makes(text, "app"), "{text}");
        }
    }
}
