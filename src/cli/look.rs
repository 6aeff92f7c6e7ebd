//! A plain look at Python files: what in them could be the application. Nothing is executed.

use std::path::{Path, PathBuf};

/// Where applications usually are, the likeliest first.
const FILES: [&str; 6] = ["app.py", "application.py", "wsgi.py", "main.py", "server.py", "__init__.py"];
/// What makes a WSGI application, by the end of the call's name.
pub(in crate::cli) const MAKERS: [&str; 13] = [
    "Flask(",
    "get_wsgi_application(",
    "Bottle(",
    "default_app(",
    "falcon.App(",
    "falcon.API(",
    "make_wsgi_app(",
    "WSGIMiddleware(",
    "ASGIMiddleware(",
    "DispatcherMiddleware(",
    "WhiteNoise(",
    "create_app(",
    "make_app(",
];
/// Functions that are called once to make an application.
const FACTORIES: [&str; 5] = ["create_app", "make_app", "create_application", "get_app", "build_app"];

/// What could be the application at the top level of a source, the likeliest first. A factory ends in `()`.
pub(in crate::cli) fn callables(source: &str) -> Vec<String> {
    let mut found: Vec<(u8, String)> = source.lines().filter_map(callable).collect();
    found.sort_by_key(|(rank, _)| *rank); // stable: what comes first in the file stays first
    found.dedup_by(|(_, one), (_, other)| one == other);
    found.into_iter().map(|(_, name)| name).collect()
}

fn callable(line: &str) -> Option<(u8, String)> {
    if let Some(rest) = line.strip_prefix("def ") {
        let (name, parameters) = rest.split_once('(')?;
        if is_application(name) {
            return Some((1, name.to_owned()));
        }
        return (FACTORIES.contains(&name) && is_callable_without_arguments(parameters))
            .then(|| (3, format!("{name}()")));
    }
    if let Some((_, names)) = line.strip_prefix("from ").and_then(|rest| rest.split_once(" import ")) {
        let names = names.split(',').map(|name| name.rsplit(" as ").next().unwrap_or(name).trim());
        return names.into_iter().find(|name| is_application(name)).map(|name| (1, name.to_owned()));
    }
    let (target, value) = line.split_once('=')?;
    let name = target.split(':').next()?.trim();
    let is_name = !name.is_empty() && !line.starts_with(char::is_whitespace) && name.chars().all(is_word);
    if !is_name || value.starts_with('=') {
        return None;
    }
    // Dash's `app` is no WSGI application; the `app.server` in it is.
    if value.trim().ends_with("app.server") {
        return Some((0, name.to_owned()));
    }
    let made = MAKERS.iter().any(|maker| value.contains(maker));
    (is_application(name) || made).then(|| (if is_application(name) { 1 } else { 2 }, name.to_owned()))
}

fn is_application(name: &str) -> bool {
    matches!(name, "app" | "application")
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn is_callable_without_arguments(parameters: &str) -> bool {
    let parameters = parameters.split(')').next().unwrap_or_default();
    parameters.split(',').map(str::trim).all(|one| one.is_empty() || one.contains('=') || one.starts_with('*'))
}

/// The call of a function at the top level of a source that makes the application: `create_app()`.
pub(in crate::cli) fn factory(source: &str) -> Option<String> {
    callables(source).into_iter().find(|name| name.ends_with("()"))
}

/// Whether `module:name` is a function that makes the application, without arguments.
pub(in crate::cli) fn names_factory(dir: &Path, module: &str, name: &str) -> bool {
    let file = dir.join(module.trim_end_matches(".py").replace('.', "/")).with_extension("py");
    is_factory(&std::fs::read_to_string(file).unwrap_or_default(), name)
}

/// Whether a name at the top level of a source is a function that makes the application, without arguments.
pub(in crate::cli) fn is_factory(source: &str, name: &str) -> bool {
    callables(source).contains(&format!("{name}()"))
}

/// Whether a source has this name at its top level.
pub(in crate::cli) fn has_name(source: &str, name: &str) -> bool {
    let named = |line: &str| {
        let line = line.strip_prefix("def ").or_else(|| line.strip_prefix("class ")).unwrap_or(line);
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['(', ':', ' ', '=']))
    };
    source.lines().any(named)
}

/// The options that name the application in this file, such as `--app app:app`, if there is one.
pub(in crate::cli) fn options_for(file: &Path, dir: &Path) -> Option<String> {
    let (app, folder) = application_in(file, dir)?;
    let folder = folder.map(|folder| format!(" --dir {}", folder.display())).unwrap_or_default();
    Some(format!("--app {app}{folder}"))
}

/// The application in a file as a shell takes it, such as `app:app`, and the folder to import it from if that is not `dir`.
pub(in crate::cli) fn application_in(file: &Path, dir: &Path) -> Option<(String, Option<PathBuf>)> {
    let source = std::fs::read_to_string(file).ok()?;
    let name = callables(&source).into_iter().next()?;
    let (module, folder) = module(file, dir)?;
    let app = if name.ends_with("()") { format!("'{module}:{name}'") } else { format!("{module}:{name}") };
    Some((app, folder))
}

/// How a file is imported: its module, and the folder for `--dir` if it is not `dir` (`.` for the current one).
fn module(file: &Path, dir: &Path) -> Option<(String, Option<PathBuf>)> {
    let mut parts = vec![file.file_stem()?.to_str()?.to_owned()];
    let mut folder = file.parent()?.to_owned();
    while folder != dir && folder.join("__init__.py").is_file() {
        parts.insert(0, folder.file_name()?.to_str()?.to_owned());
        folder = folder.parent()?.to_owned();
    }
    // A folder of Python files below the application's own is importable too, as Django's usual layout is.
    let inside = folder.parent() == Some(dir) && folder != dir && parts == ["wsgi"];
    if inside {
        parts.insert(0, folder.file_name()?.to_str()?.to_owned());
        dir.clone_into(&mut folder);
    }
    if parts.len() > 1 && parts.last().is_some_and(|last| last == "__init__") {
        parts.pop();
    }
    let shown = folder.strip_prefix(".").unwrap_or(&folder);
    let shown = if shown.as_os_str().is_empty() { Path::new(".") } else { shown };
    let same = folder == dir || shown == dir;
    Some((parts.join("."), (!same).then(|| shown.to_owned())))
}

/// The options for the application that seems to be in a folder, or in one directly below it.
pub(in crate::cli) fn options_in(folder: &Path, dir: &Path) -> Option<String> {
    files_in(folder).into_iter().find_map(|file| options_for(&file, dir))
}

/// The file with the application that seems to be in a folder, or in one directly below it, and what [`application_in`]
/// says of it.
pub(in crate::cli) fn application_below(dir: &Path) -> Option<(PathBuf, (String, Option<PathBuf>))> {
    files_in(dir).into_iter().find_map(|file| application_in(&file, dir).map(|found| (file, found)))
}

/// The files that could have the application, the likeliest first.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.retain(|path| !path.join("pyvenv.cfg").is_file());
    folders.sort();
    folders.insert(0, folder.to_owned());
    folders.iter().flat_map(|folder| FILES.iter().map(|file| folder.join(file))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_the_application_is_found() {
        assert_eq!(callables("import flask\napp = flask.Flask(__name__)\n"), ["app"]);
        assert_eq!(callables("application: object = get_wsgi_application()"), ["application"]);
        assert_eq!(callables("def create_app(config=None):\n    app = Flask(__name__)\n"), ["create_app()"]);
        assert_eq!(callables("def create_app(config):\n    pass\n"), [""; 0]);
        assert_eq!(callables("def create_app():\n    pass\napi = create_app()\n"), ["api", "create_app()"]);
        assert_eq!(callables("def app(environ, start_response):\n    pass\n"), ["app"]);
        assert_eq!(callables("from shop import models, app as application\n"), ["application"]);
        assert_eq!(callables("app = Dash(__name__)\nserver = app.server\n"), ["server", "app"]);
        assert_eq!(callables("    app = 1\nif app == 2:\n    pass\nx = 3\n"), [""; 0]);
    }

    #[test]
    fn names_at_the_top_level() {
        assert!(has_name("py = 1\n", "py") && has_name("def py():\n", "py"));
        assert!(!has_name("python = 1\n  py = 2\n", "py"));
    }
}
