//! Which application is served, and from which folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::doctor::applications;
use crate::cli::failure::Failure;
use crate::cli::look;
use crate::handler_name::HandlerName;

/// An application as its function has it.
#[derive(Debug)]
pub(in crate::cli) struct Application {
    /// `module:attribute`
    pub(in crate::cli) handler: String,
    /// The folder that it is imported from.
    pub(in crate::cli) dir: PathBuf,
    /// The variables of the template's function.
    pub(super) variables: Vec<(String, String)>,
    /// The names of those whose values only the deployment knows.
    pub(super) unknown: Vec<String>,
    pub(super) timeout: Option<Duration>,
    /// The file that named it, if no option did.
    pub(in crate::cli) named_by: Option<PathBuf>,
}

impl Application {
    fn new(handler: String, dir: &Path) -> Self {
        Self { handler, dir: dir.to_owned(), variables: Vec::new(), unknown: Vec::new(), timeout: None, named_by: None }
    }
}

/// The named application, else the one that is found in the folder.
pub(in crate::cli) fn application(app: Option<&str>, dir: Option<&Path>) -> Result<Application, Failure> {
    let dir = dir.unwrap_or(Path::new("."));
    if !dir.is_dir() {
        return Err(Failure::Usage(format!("--dir {} is no folder: give the application's", dir.display())));
    }
    match app {
        Some(app) => named(app, dir),
        None => match deployed(dir)? {
            Some(application) => Ok(application),
            None => django(dir).or_else(|| file(dir)).ok_or_else(|| nothing(dir)),
        },
    }
}

fn named(app: &str, dir: &Path) -> Result<Application, Failure> {
    // A module or a file, with the application in it.
    if !app.contains(':') {
        let module = app.trim_end_matches('/').trim_end_matches(".py").replace('.', "/");
        let places =
            [dir.join(&module).with_extension("py"), dir.join(&module).join("__init__.py"), PathBuf::from(app)];
        if let Some(found) = places.iter().find_map(|place| in_file(place, dir)) {
            return Ok(found);
        }
    }
    if let Some((module, name)) = app.split_once(':')
        && look::names_factory(dir, module, name)
    {
        return Err(Failure::Usage(format!(
            "{app} names a function that returns the application: write '{module}:{name}()'"
        )));
    }
    HandlerName::parse(app).map_err(|error| Failure::Usage(format!("{app}: {}", error.message())))?;
    Ok(Application::new(app.to_owned(), dir))
}

fn in_file(file: &Path, dir: &Path) -> Option<Application> {
    let (app, folder) = look::application_in(file, dir)?;
    Some(Application::new(app.trim_matches('\'').to_owned(), folder.as_deref().unwrap_or(dir)))
}

/// The application of the template's function, if there is one.
fn deployed(dir: &Path) -> Result<Option<Application>, Failure> {
    let mut functions = applications(dir)?;
    if let [first, _, ..] = functions.as_slice() {
        let template = first.template.display();
        let each =
            functions.iter().map(|one| format!("{} ({} --dir {})", one.function, one.handler, one.dir.display()));
        return Err(Failure::Usage(format!(
            "{template} has several applications: {}. Name one, as in the brackets",
            each.collect::<Vec<_>>().join(", ")
        )));
    }
    Ok(functions.pop().map(|one| Application {
        handler: one.handler,
        dir: one.dir,
        variables: one.variables,
        unknown: one.unknown,
        timeout: one.timeout,
        named_by: Some(one.template),
    }))
}

/// What Django's settings call the application.
fn django(dir: &Path) -> Option<Application> {
    let manage = dir.join("manage.py");
    let source = std::fs::read_to_string(&manage).ok()?;
    let (_, rest) = source.split_once("DJANGO_SETTINGS_MODULE")?;
    let settings = rest.split(['"', '\'']).find(|text| text.contains(|char: char| char.is_alphanumeric()))?;
    let path = dir.join(settings.replace('.', "/"));
    let files = [path.with_extension("py"), path.join("__init__.py"), path.join("base.py")];
    let named = files.iter().find_map(|file| {
        let source = std::fs::read_to_string(file).ok()?;
        let line = source.lines().find_map(|line| line.strip_prefix("WSGI_APPLICATION"))?;
        Some(line.split(['"', '\'']).nth(1)?.to_owned())
    });
    let package = settings.split('.').next()?;
    let name = named.unwrap_or_else(|| format!("{package}.wsgi.application"));
    let (module, attribute) = name.rsplit_once('.')?;
    let application = Application::new(format!("{module}:{attribute}"), dir);
    Some(Application { named_by: Some(manage), ..application })
}

fn file(dir: &Path) -> Option<Application> {
    let (path, (app, folder)) = look::application_below(dir)?;
    let application = Application::new(app.trim_matches('\'').to_owned(), folder.as_deref().unwrap_or(dir));
    Some(Application { named_by: Some(path), ..application })
}

fn nothing(dir: &Path) -> Failure {
    Failure::Usage(format!(
        "no application in {}: name it, such as `wsgi-lambda serve app:app` for `app` in app.py (looked for template.yaml, \
         manage.py, app.py, application.py, wsgi.py, main.py and server.py)",
        dir.display()
    ))
}
