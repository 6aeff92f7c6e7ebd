//! Mistakes in naming the application, found before anything starts, and the right words instead.

use std::path::Path;

use crate::cli::failure::Failure;
use crate::cli::look;
use crate::handler_name::HandlerName;

/// Refuses a value of `--app` that is a file, a folder or a bare module, and says what to write, and one that the runtime
/// cannot read.
pub(super) fn check(app: &str, dir: &Path) -> Result<(), Failure> {
    check_kind(app, dir)?;
    HandlerName::parse(app).map(drop).map_err(|error| Failure::Usage(format!("--app {app}: {}", error.message())))
}

fn check_kind(app: &str, dir: &Path) -> Result<(), Failure> {
    let text = app.trim().trim_end_matches('/');
    if let Some((module, name)) = text.split_once(':') {
        return factory(app, module, name, dir);
    }
    if text.contains('(') || text.is_empty() {
        return Ok(());
    }
    if let Some(module) = text.strip_suffix(".py") {
        return file(app, text, module, dir);
    }
    let last = text.rsplit('/').next().unwrap_or_default();
    if last.contains('.') && last != "." && last != ".." {
        return text.rsplit_once('.').map_or(Ok(()), |(module, name)| factory(app, module, name, dir));
    }
    let places = [dir.join(text), Path::new(text).to_owned()];
    let suggestion = places.iter().find_map(|place| {
        look::options_for(&place.with_file_name(format!("{last}.py")), dir).or_else(|| look::options_in(place, dir))
    });
    Err(refusal(app, "names no application in a module", suggestion.or_else(|| look::options_in(dir, dir))))
}

/// Refuses a function that makes the application and takes no arguments, if its call is not written.
fn factory(app: &str, module: &str, name: &str, dir: &Path) -> Result<(), Failure> {
    if look::names_factory(dir, module, name) {
        return Err(Failure::Usage(format!(
            "--app {app} names a function that returns the application: write --app '{module}:{name}()'"
        )));
    }
    Ok(())
}

fn file(app: &str, text: &str, module: &str, dir: &Path) -> Result<(), Failure> {
    let places = [dir.join(text), Path::new(text).to_owned()];
    let Some(file) = places.iter().find(|place| place.is_file()) else {
        // `py` may be a name in a package.
        if dir.join(module).is_dir() {
            return Ok(());
        }
        let what = format!("names a file, and there is none in {}", dir.display());
        return Err(refusal(app, &what, look::options_in(dir, dir)));
    };
    // Lambda reads `app.py` as the name `py` in the module `app`.
    if std::fs::read_to_string(file).is_ok_and(|source| look::has_name(&source, "py")) {
        return Ok(());
    }
    Err(refusal(app, "names a file, not the application in it", look::options_for(file, dir)))
}

fn refusal(app: &str, what: &str, suggestion: Option<String>) -> Failure {
    Failure::Usage(match suggestion {
        Some(options) => format!("--app {app} {what}: write {options}"),
        None => format!(
            "--app {app} {what}: write --app MODULE:ATTR, such as --app app:app for `app` in app.py, or --app \
             'app:create_app()' for a function that returns it"
        ),
    })
}

/// What to say of a positional argument that is meant to be the application. `None` if it does not look like that.
pub(super) fn positional(path: &Path, dir: &Path) -> Option<Failure> {
    let text = path.to_str()?;
    if path.is_file() {
        let is_python = path.extension().is_some_and(|ending| ending == "py");
        let options = || look::options_for(path, dir).unwrap_or_else(|| "--app MODULE:ATTR".to_owned());
        return is_python.then(|| Failure::Usage(format!("{text} is Python, not an event: write {}", options())));
    }
    if path.is_dir() {
        let options = look::options_in(path, dir)?;
        return Some(Failure::Usage(format!("no *.json in {text}: for the application in it write {options}")));
    }
    let is_name = |name: &str| !name.is_empty() && name.split(['.', '/']).all(is_identifier);
    let name = text.strip_suffix("()").unwrap_or(text);
    let handler = match name.split_once(':') {
        Some((module, attribute)) => is_name(module.strip_suffix(".py").unwrap_or(module)) && is_name(attribute),
        None => name.rsplit_once('.').is_some_and(|(module, attribute)| {
            is_identifier(attribute) && dir.join(module.replace('.', "/")).with_extension("py").is_file()
        }),
    };
    let quote = if text.ends_with("()") { "'" } else { "" };
    handler.then(|| {
        Failure::Usage(format!(
            "{text} is no file: arguments are events; for the application write --app {quote}{text}{quote}"
        ))
    })
}

fn is_identifier(name: &str) -> bool {
    name.chars().all(|char| char.is_alphanumeric() || char == '_')
        && !name.starts_with(|char: char| char.is_ascii_digit())
        && !name.is_empty()
}

/// What to say if the demo application answers and an application of the user's is there.
pub(super) fn demo_note(dir: &Path) -> Option<String> {
    let options = look::options_in(dir, dir)?;
    Some(format!("without --app the demo application answers, not yours; for yours add {options}"))
}
