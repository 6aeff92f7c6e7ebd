//! Where the package goes: a zip, a folder, or a folder that SAM has made. It appears whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::MARKER;
use super::steps::Steps;
use crate::bundle::{Archive, Contents, Written};
use crate::cli::failure::Failure;

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// A zip. A file of that name is replaced.
    Zip(PathBuf),
    /// A folder that is new, empty, or made by this command, in which case it is replaced.
    Folder(PathBuf),
    /// `ARTIFACTS_DIR`. What is in it already stays.
    Artifacts(PathBuf),
}

const MARKER_TEXT: &[u8] = b"Made by `wsgi-lambda package`, which replaces this folder when it runs again.\n";

impl Output {
    /// What the options ask for, if it can be written.
    pub(super) fn choose(given: Option<&Path>, artifacts: Option<&Path>, app: &Path) -> Result<Self, Failure> {
        let name = app.file_name().map_or_else(|| "function".into(), |name| name.to_string_lossy().into_owned());
        let artifacts = artifacts.filter(|path| !path.as_os_str().is_empty());
        let output = match (given, artifacts) {
            (Some(path), _) if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip")) => {
                Self::Zip(absolute(path)?)
            }
            // A Makefile for SAM may name the folder itself: `--output "$(ARTIFACTS_DIR)"`.
            (Some(path), Some(sam)) if path == sam => Self::Artifacts(absolute(path)?),
            (Some(path), _) => Self::Folder(absolute(path)?),
            (None, Some(path)) => Self::Artifacts(absolute(path)?),
            (None, None) => Self::Zip(absolute(&Path::new("dist").join(name + ".zip"))?),
        };
        output.check(app)?;
        Ok(output)
    }

    fn check(&self, app: &Path) -> Result<(), Failure> {
        let path = self.path();
        let refuse = |why: &str| Err(Failure::Usage(format!("--output {}: {why}", path.display())));
        match self {
            Self::Zip(_) if path.is_dir() => refuse("a folder has this name: name a file"),
            Self::Folder(_) if path.is_file() => {
                refuse("a file has this name: a zip's name ends in .zip, and a folder's must be new")
            }
            Self::Folder(_) if app.starts_with(path) => refuse("the application is in it: name another folder"),
            Self::Folder(_) if !is_empty(path) && !path.join(MARKER).is_file() => {
                refuse("not empty, and not made by this command: empty it, or name a new folder")
            }
            _ => Ok(()),
        }
    }

    pub(super) fn path(&self) -> &Path {
        let (Self::Zip(path) | Self::Folder(path) | Self::Artifacts(path)) = self;
        path
    }

    /// Writes it. Returns what is known of a zip.
    pub(super) fn write(&self, archive: &Archive, steps: &mut Steps<'_>) -> Result<Option<Written>, Failure> {
        let written = match self {
            Self::Zip(path) => archive
                .write_zip(path, |name| {
                    // A whole zip does no harm: an interrupt ends the run after it.
                    let _ = steps.show(name);
                })
                .map(Some),
            Self::Folder(path) => replace(path, archive).map(|()| None),
            Self::Artifacts(path) => add(path, archive).map(|()| None),
        };
        written.map_err(|error| {
            Failure::Failed(format!("cannot write {}: {}", self.path().display(), without_path(&error)))
        })
    }
}

/// An error without the path of a temporary file next to the output.
fn without_path(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" at path ").next().unwrap_or(&text).to_owned()
}

/// The path as the walk through the application sees it, with links in its folder resolved.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let path =
        std::path::absolute(path).map_err(|error| Failure::Usage(format!("--output {}: {error}", path.display())))?;
    let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
    Ok(parent.and_then(|parent| Some(parent.join(path.file_name()?))).unwrap_or(path))
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// Puts a folder in the place of one that is ours or empty.
fn replace(path: &Path, archive: &Archive) -> io::Result<()> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent)?;
    let neighbour = tempfile::Builder::new().prefix(".wsgi-lambda-").tempdir_in(parent)?;
    let (new, old) = (neighbour.path().join("new"), neighbour.path().join("old"));
    let mut archive = archive.clone();
    archive.add(MARKER, Contents::Bytes(MARKER_TEXT.to_vec()), false);
    archive.write_folder(&new)?;
    let had_one = path.exists();
    if had_one {
        fs::rename(path, &old)?;
    }
    fs::rename(&new, path).inspect_err(|_| {
        if had_one {
            // The first error is the one to report.
            let _ = fs::rename(&old, path);
        }
    })
}

/// Adds to a folder that is not ours. Nothing in it may have the same name.
fn add(path: &Path, archive: &Archive) -> io::Result<()> {
    fs::create_dir_all(path)?;
    let within = tempfile::Builder::new().prefix(".wsgi-lambda-").tempdir_in(path)?;
    let new = within.path().join("new");
    archive.write_folder(&new)?;
    let entries: Vec<_> = fs::read_dir(&new)?.collect::<io::Result<_>>()?;
    if let Some(taken) = entries.iter().find(|entry| path.join(entry.file_name()).symlink_metadata().is_ok()) {
        let name = taken.file_name();
        let text = format!("{} is there already: empty the folder, or add files after this command", name.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    }
    entries.iter().try_for_each(|entry| fs::rename(entry.path(), path.join(entry.file_name())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(text: &str) -> Archive {
        let mut archive = Archive::default();
        archive.add("pkg/x.py", Contents::Bytes(text.into()), false);
        archive
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_name_says_what_it_is_and_sam_is_asked_last() {
        let (app, sam) = (Path::new("/none/shop"), Some(Path::new("/sam")));
        let choose = |given: Option<&str>, sam| Output::choose(given.map(Path::new), sam, app).unwrap();
        assert_eq!(choose(Some("/x/y.ZIP"), sam), Output::Zip("/x/y.ZIP".into()));
        assert_eq!(choose(Some("/x/y"), sam), Output::Folder("/x/y".into()));
        assert_eq!(choose(Some("/sam"), sam), Output::Artifacts("/sam".into()));
        assert_eq!(choose(None, sam), Output::Artifacts("/sam".into()));
        assert!(choose(None, Some(Path::new(""))).path().ends_with("dist/shop.zip"));
    }

    #[test]
    fn a_folder_is_replaced_only_if_it_is_ours() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("out");
        replace(&path, &archive("one")).unwrap();
        assert_eq!(names(&path), [MARKER, "pkg"]);
        let app = Path::new("/none");
        Output::choose(Some(&path), None, app).unwrap();
        fs::write(path.join("pkg/old.py"), "").unwrap();
        replace(&path, &archive("two")).unwrap();
        assert_eq!(names(&path.join("pkg")), ["x.py"]);
        assert_eq!(names(root.path()), ["out"], "nothing is left next to it");
        fs::remove_file(path.join(MARKER)).unwrap();
        let error = Output::choose(Some(&path), None, app).unwrap_err().to_string();
        assert!(error.contains("not made by this command"), "{error}");
        let error = Output::choose(Some(root.path()), None, &root.path().join("app")).unwrap_err().to_string();
        assert!(error.contains("the application is in it"), "{error}");
    }

    #[test]
    fn in_sams_folder_nothing_is_overwritten() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("extra.txt"), "").unwrap();
        add(root.path(), &archive("one")).unwrap();
        assert_eq!(names(root.path()), ["extra.txt", "pkg"]);
        let error = add(root.path(), &archive("two")).unwrap_err().to_string();
        assert!(error.contains("pkg is there already"), "{error}");
        assert_eq!(fs::read_to_string(root.path().join("pkg/x.py")).unwrap(), "one");
        assert_eq!(names(root.path()), ["extra.txt", "pkg"]);
    }
}
