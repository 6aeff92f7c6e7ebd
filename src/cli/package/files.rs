//! The application's own files, and walks through folders.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::ours;
use super::rules::{SECRETS, Selection};
use super::steps::Steps;
use crate::cli::failure::Failure;

/// Marks a folder that this command made. Such a folder is replaced, and never packed.
pub(super) const MARKER: &str = ".wsgi-lambda-package";

/// What was taken from the application's folder.
#[derive(Debug, Default)]
pub(super) struct AppFiles {
    /// Paths in the package.
    pub(super) paths: BTreeSet<String>,
    pub(super) bytes: u64,
    /// What was left out, and why, as far as the walk went.
    pub(super) left_out: Vec<(String, &'static str)>,
    /// Files that a requirement had installed under the same name. The application's file replaced each.
    pub(super) replaced: Vec<String>,
    /// Sockets and other things that are neither file nor folder.
    pub(super) odd: Vec<String>,
}

impl AppFiles {
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.left_out.iter().filter(|(_, why)| *why == SECRETS.why).map(|(path, _)| path.as_str())
    }
}

/// Copies an application into the stage, over the files of its requirements. Links are followed: what they lead to is
/// packed. `never` are the paths of what this run writes, and of the requirements it reads.
pub(super) fn copy(
    app: &Path,
    stage: &Path,
    selection: &Selection,
    never: &[&Path],
    steps: &mut Steps<'_>,
) -> Result<AppFiles, Failure> {
    let mut files = AppFiles::default();
    let mut walk = WalkDir::new(app).follow_links(true).min_depth(1).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let inside = error.path().and_then(|path| relative(path, app).ok()).unwrap_or_default();
                if selection.left_out(&inside).is_some() {
                    continue;
                }
                return Err(broken(&inside, &error));
            }
        };
        let path = relative(entry.path(), app)?;
        if entry.file_type().is_dir() {
            if let Some(why) = closed(&entry, &path, selection, never) {
                files.left_out.push((path, why));
                walk.skip_current_dir();
            }
        } else if let Some(why) = selection.left_out(&path) {
            files.left_out.push((path, why));
        } else if never.contains(&entry.path()) {
            // The result of an earlier run, or a list of requirements, whose URLs may hold a password.
        } else if !selection.keeps(&path) && ours::is_chart(entry.path()) {
            files.left_out.push((path, "drawn by `replay --profile-init`"));
        } else if entry.file_type().is_file() {
            steps.show(&path)?;
            files.take(&entry, path, stage)?;
        } else {
            files.odd.push(path);
        }
    }
    Ok(files)
}

impl AppFiles {
    fn take(&mut self, entry: &DirEntry, path: String, stage: &Path) -> Result<(), Failure> {
        let failed =
            |error: std::io::Error| Failure::Failed(format!("cannot copy {}: {error}", entry.path().display()));
        let to = stage.join(&path);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        if to.symlink_metadata().is_ok() {
            // The line `.` in the requirements installs the application itself: nothing differs.
            if fs::read(&to).map_err(failed)? != fs::read(entry.path()).map_err(failed)? {
                self.replaced.push(path.clone());
            }
            fs::remove_file(&to).map_err(failed)?;
        }
        self.bytes += fs::copy(entry.path(), to).map_err(failed)?;
        self.paths.insert(path);
        Ok(())
    }
}

/// Why a whole folder is left out, if it is.
fn closed(entry: &DirEntry, path: &str, selection: &Selection, never: &[&Path]) -> Option<&'static str> {
    if selection.closed(path) {
        return selection.left_out(path);
    }
    if never.contains(&entry.path()) || entry.path().join(MARKER).is_file() {
        return Some("made by this command");
    }
    if selection.keeps(path) {
        return None;
    }
    if entry.path().join("pyvenv.cfg").is_file() {
        return Some("a virtual environment");
    }
    ours::is_responses(entry.path()).then_some("stored by `replay --expect`")
}

fn broken(path: &str, error: &walkdir::Error) -> Failure {
    if error.loop_ancestor().is_some() {
        return Failure::Failed(format!(
            "{path} is a link to a folder that it is in: remove it, or leave it out with --exclude '{path}'"
        ));
    }
    let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
    Failure::Failed(format!("cannot read {path}: {why}; correct it, or leave it out with --exclude '{path}'"))
}

/// A path below a folder, with `/`. Zips hold names in UTF-8.
pub(super) fn relative(path: &Path, folder: &Path) -> Result<String, Failure> {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    inside.to_str().map(str::to_owned).ok_or_else(|| {
        Failure::Failed(format!("{} is not a name in UTF-8: rename it, Lambda could not unpack it", inside.display()))
    })
}

/// A file of the stage.
pub(super) struct Staged {
    /// In the package.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) executable: bool,
}

impl Staged {
    /// Whether the name ends in `.ending`.
    pub(super) fn is(&self, ending: &str) -> bool {
        self.path.extension().is_some_and(|own| own == ending)
    }
}

/// Every file of the stage, in order.
pub(super) fn staged(stage: &Path) -> Result<Vec<Staged>, Failure> {
    let unreadable = |error: walkdir::Error| Failure::Failed(format!("cannot read what was put together: {error}"));
    let mut files = Vec::new();
    for entry in WalkDir::new(stage).sort_by_file_name() {
        let entry = entry.map_err(unreadable)?;
        if entry.file_type().is_dir() {
            continue;
        }
        let metadata = entry.metadata().map_err(unreadable)?;
        files.push(Staged {
            name: relative(entry.path(), stage)?,
            size: metadata.len(),
            // The owner's bit alone: the others depend on the umask with which the files were checked out.
            executable: metadata.permissions().mode() & 0o100 != 0,
            path: entry.into_path(),
        });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::rules::{DEVELOPMENT, Globs};
    use super::super::steps::Interrupt;
    use super::*;
    use crate::cli::out::{Out, Verbosity};

    fn write(folder: &Path, path: &str) {
        fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        fs::write(folder.join(path), path).unwrap();
    }

    fn taken(app: &Path, exclude: &[&str], output: &Path) -> Result<AppFiles, Failure> {
        let exclude = Globs::parse(exclude, "--exclude").unwrap();
        let selection = Selection::new(DEVELOPMENT.iter().chain([&SECRETS]), &exclude, &Globs::default());
        let stage = tempfile::tempdir().unwrap();
        write(stage.path(), "flask.py");
        fs::write(stage.path().join("app.py"), "another").unwrap();
        let mut out = Out::new(Verbosity::Quiet);
        copy(app, stage.path(), &selection, &[output], &mut Steps::new(&mut out, Interrupt::default()))
    }

    #[test]
    fn an_application_is_what_is_no_tools_and_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path();
        for path in [
            "app.py",
            "flask.py",
            "static/x.css",
            "venv/pyvenv.cfg",
            "venv/lib/y.py",
            ".git/HEAD",
            ".env",
            "conf/.env.prod",
            "__pycache__/app.pyc",
            "out/x.py",
            "dist/app.zip",
            "dist/index.html",
            "old/.wsgi-lambda-package",
            "old/z.py",
        ] {
            write(app, path);
        }
        fs::create_dir(app.join("answers")).unwrap();
        fs::write(app.join("answers/get.json"), r#"{"statusCode": 200, "headers": {}, "body": ""}"#).unwrap();
        symlink(app.join("static"), app.join("linked")).unwrap();
        let files = taken(app, &[], &app.join("out")).unwrap();
        let paths: Vec<_> = files.paths.iter().map(String::as_str).collect();
        assert_eq!(paths, ["app.py", "dist/index.html", "flask.py", "linked/x.css", "static/x.css"]);
        assert_eq!(files.secrets().collect::<Vec<_>>(), [".env", "conf/.env.prod"]);
        assert_eq!(files.replaced, ["app.py"], "flask.py is the same in both");
        assert!(files.left_out.contains(&("venv".to_owned(), "a virtual environment")), "{:?}", files.left_out);
    }

    #[test]
    fn links_to_nowhere_and_in_circles_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path();
        symlink("gone", app.join("broken")).unwrap();
        let error = taken(app, &[], Path::new("/none")).unwrap_err().to_string();
        assert!(error.contains("broken") && error.contains("--exclude"), "{error}");
        symlink(".", app.join("circle")).unwrap();
        let error = taken(app, &["broken"], Path::new("/none")).unwrap_err().to_string();
        assert!(error.contains("circle"), "{error}");
        assert!(taken(app, &["broken", "circle"], Path::new("/none")).is_ok());
    }
}
