//! Advice on a failed init, from its error, the log, and a look at the folders around.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::hang::Hang;
use crate::cli::look;
use crate::emulator::Outcome;

/// What the function was started with.
pub(super) struct Surroundings {
    /// The application's folder, as the user wrote it.
    pub(super) dir: PathBuf,
    /// The same, absolute.
    pub(super) root: PathBuf,
    pub(super) app: Option<String>,
    pub(super) venv: Option<PathBuf>,
    /// Whether the runtime is that of a layer: then the package is tried, which has to hold what it needs.
    pub(super) on_layer: bool,
}

impl Surroundings {
    /// The demo application brings what it needs.
    pub(super) fn of_demo(dir: PathBuf) -> Self {
        Self { root: dir.clone(), dir, app: None, venv: None, on_layer: false }
    }

    /// Advice on a failed init.
    pub(super) fn init(&self, outcome: &Outcome, lines: &[String]) -> Vec<String> {
        let Some(app) = &self.app else { return Vec::new() };
        let parsed: Value = serde_json::from_slice(&outcome.payload()).unwrap_or_default();
        let text = |key: &str| parsed.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kind, message) = (text("errorType"), text("errorMessage"));
        let hint = match outcome {
            Outcome::InitError(_) if kind == "Runtime.HandlerNotFound" => self.other_name(app),
            // Only an import that failed says something of folders and environments.
            Outcome::InitError(_) if kind == "Runtime.ImportModuleError" => {
                self.missing(app, &missing_module(&message, lines))
            }
            Outcome::Platform(error) if error.error_type == "Sandbox.Timedout" => self.where_it_hangs(lines),
            Outcome::Platform(_) => library(lines),
            _ => None,
        };
        hint.into_iter().collect()
    }

    /// The application's module has no such name: which one could it be?
    fn other_name(&self, app: &str) -> Option<String> {
        let whole = self.dir.join(app.replace('.', "/"));
        let inside = [whole.with_extension("py"), whole.join("__init__.py")].into_iter();
        if let Some(options) =
            inside.filter(|_| !app.contains(':')).find_map(|file| look::options_for(&file, &self.dir))
        {
            return Some(format!("{app} is a module; the application in it seems to be {options}"));
        }
        let module = app.split_once(':').map_or_else(|| app.rsplit_once('.'), Some)?.0;
        let base = self.dir.join(module.trim_end_matches(".py").replace('.', "/"));
        let file = [base.with_extension("py"), base.join("__init__.py")].into_iter().find(|file| file.is_file())?;
        let options = look::options_for(&file, &self.dir)?;
        let file = file.strip_prefix(".").unwrap_or(&file).display();
        Some(format!("{file} has another name that could be the application: {options}"))
    }

    /// A module could not be imported: the application's own is in another folder, or a package's in another environment.
    fn missing(&self, app: &str, module: &str) -> Option<String> {
        let own = app.split(['.', ':', '/']).find(|part| !part.is_empty()).unwrap_or_default();
        if !module.is_empty() && module == own {
            return look::options_in(&self.dir, &self.dir)
                .map(|options| format!("the application seems to be {options}"));
        }
        if self.on_layer && self.venv.is_none() {
            let (dir, is_known) = (self.dir.display(), !module.is_empty());
            return is_known
                .then(|| format!("{module} is not in {dir}: add it to the requirements, and package again"));
        }
        match self.forgotten_venv(module) {
            Some(venv) => {
                let venv = venv.display();
                let active = if self.venv.is_some() { "another environment is in use" } else { "none is in use" };
                Some(format!("there is a virtual environment {venv}, and {active}: add --venv {venv}"))
            }
            None if !module.is_empty() && self.venv.is_none() => Some(format!(
                "packages come from bootstrap's own Python: if {module} is in a virtual environment, activate it or add \
                 --venv FOLDER"
            )),
            None => None,
        }
    }

    /// A virtual environment next to the application that is not used. If the missing module is known, it must be in it,
    /// unless no environment is used at all.
    fn forgotten_venv(&self, module: &str) -> Option<PathBuf> {
        let folders = [self.dir.clone(), PathBuf::from("."), self.dir.join("..")];
        let venvs = folders.iter().flat_map(|folder| [".venv", "venv", "env"].map(|name| folder.join(name)));
        let used = |venv: &Path| venv.canonicalize().ok() == self.venv;
        let candidates: Vec<PathBuf> = venvs.filter(|venv| venv.join("pyvenv.cfg").is_file() && !used(venv)).collect();
        let with_module = candidates.iter().find(|venv| !module.is_empty() && has_module(venv, module));
        let any = candidates.first().filter(|_| self.venv.is_none());
        let venv = with_module.or(any)?;
        Some(venv.strip_prefix(".").map_or_else(|_| venv.clone(), Path::to_owned))
    }

    /// The application's line that does not return.
    fn where_it_hangs(&self, lines: &[String]) -> Option<String> {
        let hang = Hang::find(&self.root, lines.iter().map(String::as_str))?;
        let advice = format!("{}. {}", Hang::SERVER, Hang::REMEDY);
        Some(format!("{}: {}", hang.what, if hang.is_server { &advice } else { "the import waits for it" }))
    }
}

/// Whether a runtime is that of an unzipped layer: its libpython is next to it.
pub(super) fn is_of_layer(bootstrap: &Path) -> bool {
    let files = bootstrap.parent().and_then(|folder| std::fs::read_dir(folder.join("lib")).ok());
    // A link leads to this machine's Python (`cli::installed`).
    let is_link = |file: &std::fs::DirEntry| file.file_type().is_ok_and(|kind| kind.is_symlink());
    let is_python =
        |file: std::fs::DirEntry| file.file_name().to_string_lossy().starts_with("libpython") && !is_link(&file);
    files.is_some_and(|files| files.flatten().any(is_python))
}

/// The top-level package of `No module named 'a.b'`, in the error or in the log's last words.
fn missing_module(message: &str, lines: &[String]) -> String {
    let mut texts = std::iter::once(message).chain(lines.iter().map(String::as_str));
    let named = texts.find_map(|text| text.split_once("No module named '")?.1.split(['\'', '.']).next());
    named.unwrap_or_default().to_owned()
}

fn has_module(venv: &Path, module: &str) -> bool {
    let Ok(pythons) = std::fs::read_dir(venv.join("lib")) else { return false };
    let packages = pythons.filter_map(|python| Some(python.ok()?.path().join("site-packages")));
    packages.into_iter().any(|folder| folder.join(module).is_dir() || folder.join(format!("{module}.py")).is_file())
}

/// The loader could not find libpython: the fault is not the application's.
fn library(lines: &[String]) -> Option<String> {
    let library = lines.iter().find(|line| line.contains("error while loading shared libraries"))?;
    let library = library.split(": ").find(|part| part.starts_with("lib"))?;
    Some(format!(
        "the fault is not the application's: bootstrap finds no {library}. One of a layer works where the layer is unzipped, \
         next to its lib/; the one of the managed flavour needs AWS's Python. `make build` makes one for this machine"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_module_is_named() {
        assert_eq!(missing_module("Unable to import module 'app': No module named 'flask.x'", &[]), "flask");
        assert_eq!(missing_module("x", &["ModuleNotFoundError: No module named 'a'".to_owned()]), "a");
        assert_eq!(missing_module("x", &[]), "");
    }

    #[test]
    fn libraries_are_named() {
        let line =
            "bootstrap: error while loading shared libraries: libpython3.13.so.1.0: cannot open shared object file";
        assert!(library(&[line.to_owned()]).unwrap().contains("no libpython3.13.so.1.0."));
        assert_eq!(library(&["Segmentation fault".to_owned()]), None);
    }
}
