//! Names of applications, and what a module's text says about them. Python itself is asked later, by starting it.

use super::contents::{Contents, extension};

/// What frameworks make an application with, on the right of `app = …`.
const MAKERS: &[&str] = &[
    "Flask(",
    "Bottle(",
    "default_app(",
    "get_wsgi_application(",
    "make_wsgi_app(",
    "falcon.App(",
    "falcon.API(",
    "WSGIMiddleware(",
    "ASGIMiddleware(",
    "DispatcherMiddleware(",
    "WhiteNoise(",
    "create_app(",
    "make_app(",
];

/// Functions that are called once to make an application.
const FACTORIES: &[&str] = &["create_app", "make_app", "create_application"];

/// Where an application is looked for when nobody names it, and under which names.
const MODULES: &[&str] = &["app.py", "application.py", "wsgi.py", "main.py"];
const ATTRIBUTES: &[&str] = &["app", "application"];

/// A handler's module file and attribute: `src/app.create_app()` is `src/app.py` and `create_app`.
pub(super) fn module_and_attribute(handler: &str) -> Option<(String, String)> {
    let name = handler.trim().trim_end_matches("()");
    let (module, attribute) = name.split_once(':').or_else(|| name.rsplit_once('.'))?;
    let usable = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    (usable(module) && usable(attribute)).then(|| (module.replace('.', "/"), attribute.to_owned()))
}

/// The file of a module, if it is in the package.
pub(super) fn module_file(contents: &Contents, module: &str) -> Option<String> {
    [format!("{module}.py"), format!("{module}/__init__.py"), format!("{module}.pyc"), format!("{module}/__init__.pyc")]
        .into_iter()
        .find(|name| contents.has(name))
}

/// What the files of a package tell of a handler.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// Nothing speaks against it.
    Fine,
    /// No file of the package can be this module.
    NoModule(String),
    /// The file does not have the name anywhere in its text.
    NoName(String, String),
}

/// Looks a handler up by its names alone.
pub(super) fn look_up(contents: &Contents, handler: &str) -> Lookup {
    let Some((module, attribute)) = module_and_attribute(handler) else { return Lookup::Fine };
    // `app.object.method`: the module can end earlier.
    let file =
        module.match_indices('/').map(|(end, _)| &module[..end]).find_map(|module| module_file(contents, module));
    let Some(file) = module_file(contents, &module) else {
        let is_elsewhere = file.is_some() || contents.has_folder(&module);
        return if is_elsewhere { Lookup::Fine } else { Lookup::NoModule(module.replace('/', ".")) };
    };
    let text = contents.text(&file).filter(|_| extension(&file) == "py");
    let first = attribute.split('.').next().unwrap_or(&attribute);
    // What a star brings along, nobody knows.
    let mentions = |text: &str| {
        let words = text.split(|char: char| !(char.is_alphanumeric() || char == '_'));
        text.contains("import *") || text.contains("__getattr__") || words.into_iter().any(|word| word == first)
    };
    match text {
        Some(text) if !mentions(&text) => Lookup::NoName(file, first.to_owned()),
        _ => Lookup::Fine,
    }
}

/// Whether the text of the handler's module makes a WSGI application of that name.
pub(super) fn is_application(contents: &Contents, handler: &str) -> bool {
    let Some((module, attribute)) = module_and_attribute(handler) else { return false };
    let Some(text) = module_file(contents, &module).and_then(|file| contents.text(&file)) else { return false };
    makes(&text, &attribute)
}

fn makes(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        if let Some(rest) = line.strip_prefix("def ").and_then(|rest| rest.strip_prefix(name)) {
            return rest.trim_start().starts_with("(environ, start_response");
        }
        let Some(rest) = line.strip_prefix(name) else { return false };
        // `app: Flask = …`; a longer name begins otherwise.
        let Some((annotation, value)) = rest.split_once('=') else { return false };
        let annotation = annotation.trim();
        (annotation.is_empty() || annotation.starts_with(':')) && MAKERS.iter().any(|maker| value.contains(maker))
    })
}

/// The application of a folder, if its files name one in a usual way.
pub(super) fn guess(contents: &Contents) -> Option<String> {
    let is_candidate =
        |name: &&str| MODULES.contains(name) || name.ends_with("/wsgi.py") && name.matches('/').count() == 1;
    contents.names().filter(is_candidate).find_map(|file| {
        let text = contents.text(file)?;
        let module = file.trim_end_matches(".py").replace('/', ".");
        let named = ATTRIBUTES.iter().find(|name| makes(&text, name)).map(|name| format!("{module}:{name}"));
        let is_defined = |name: &&&str| text.lines().any(|line| line.starts_with(&format!("def {name}(")));
        named.or_else(|| FACTORIES.iter().find(is_defined).map(|name| format!("{module}:{name}()")))
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
            ("app:create_app()", "app", "create_app"),
        ] {
            assert_eq!(module_and_attribute(handler), Some((file.to_owned(), attribute.to_owned())), "{handler}");
        }
        for handler in ["bootstrap", "", "app.", ".app", "not a handler"] {
            assert_eq!(module_and_attribute(handler), None, "{handler}");
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
        for fine in
            ["app.app", "shop.wsgi:application", "shop/wsgi.application", "star.app", "app.app.handle", "bootstrap"]
        {
            assert_eq!(look_up(&contents, fine), Lookup::Fine, "{fine}");
        }
        assert_eq!(look_up(&contents, "ap.app"), Lookup::NoModule("ap".to_owned()));
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
        ] {
            assert!(makes(text, "app"), "{text}");
        }
        for text in [
            "app = FastAPI()",
            "application = Flask(__name__)",
            "def app(event, context):",
            "    app = Flask(__name__)",
            "app = make_lambda_handler(application)",
        ] {
            assert!(!makes(text, "app"), "{text}");
        }
    }
}
