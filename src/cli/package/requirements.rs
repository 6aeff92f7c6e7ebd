//! The file of an application's requirements, in a form that pip and uv read.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::steps::Steps;
use super::tool::{redacted, run};
use crate::cli::failure::Failure;
use crate::cli::packaging::elsewhere::{self, Form};
use crate::cli::packaging::requirements::{FOREIGN_LOCKS, SOURCES, without_comment};

/// A file with requirements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A file for `pip install -r`, as it is.
    Requirements(PathBuf),
    /// `[project.dependencies]` of a pyproject.toml.
    Project(PathBuf),
    /// uv's lock file: pins and hashes of everything.
    UvLock(PathBuf),
}

impl Source {
    /// The given file, or the first there is in the application's folder.
    pub(super) fn find(given: Option<&Path>, app: &Path) -> Result<Option<Self>, Failure> {
        if let Some(path) = given {
            return Self::named(path).map(Some);
        }
        let found = SOURCES.iter().map(|name| app.join(name)).find(|path| path.is_file()).map(Self::of);
        let foreign = FOREIGN_LOCKS.iter().find(|(name, _)| app.join(name).is_file());
        match (found, foreign) {
            (Some(Self::Project(_)), Some((name, export))) => Err(Failure::Usage(format!(
                "{name} is a lock file that pip and uv do not read: export it (`{export}`), or name a file with \
                 --requirements"
            ))),
            (found, _) => Ok(found),
        }
    }

    /// The file that --requirements names.
    fn named(given: &Path) -> Result<Self, Failure> {
        let wrong = |why: &str| Err(Failure::Usage(format!("--requirements {}: {why}", given.display())));
        let Ok(path) = given.canonicalize() else { return wrong("there is no such file") };
        if path.is_dir() {
            return wrong("this is a folder: name a file in it");
        }
        match elsewhere::form_of(&path) {
            Some(Form::Exported(export)) => {
                wrong(&format!("pip and uv do not read this file: export it (`{export}`), and name the result"))
            }
            Some(Form::Conda) => wrong("this is Conda's: name a file for `pip install -r`"),
            Some(Form::Readable) | None => Ok(Self::of(path)),
        }
    }

    fn of(path: PathBuf) -> Self {
        match path.file_name().and_then(OsStr::to_str) {
            Some("uv.lock") => Self::UvLock(path),
            Some("pyproject.toml") => Self::Project(path),
            _ => Self::Requirements(path),
        }
    }

    pub(super) fn path(&self) -> &Path {
        let (Self::Requirements(path) | Self::Project(path) | Self::UvLock(path)) = self;
        path
    }

    /// The folder to which paths in it are relative.
    pub(super) fn folder(&self) -> &Path {
        self.path().parent().unwrap_or(Path::new("/"))
    }

    /// A file for `-r`: this one, or one made from it in `scratch`. `python` reads TOML.
    pub(super) fn file(&self, python: &Path, scratch: &Path, steps: &mut Steps<'_>) -> Result<PathBuf, Failure> {
        let made = scratch.join("requirements.txt");
        match self {
            Self::Requirements(path) => Ok(path.clone()),
            Self::UvLock(_) => self.export(made, steps),
            Self::Project(path) => {
                let output = Command::new(python).args(["-I", "-c", DEPENDENCIES]).arg(path).output();
                let output =
                    output.map_err(|error| Failure::Failed(format!("cannot run {}: {error}", python.display())))?;
                if !output.status.success() {
                    let why = redacted(String::from_utf8_lossy(&output.stderr).trim());
                    return Err(Failure::Usage(format!("{}: {why}", path.display())));
                }
                write(&made, &output.stdout)?;
                Ok(made)
            }
        }
    }

    fn export(&self, made: PathBuf, steps: &mut Steps<'_>) -> Result<PathBuf, Failure> {
        let mut command = Command::new("uv");
        command.args(["export", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "--quiet"]);
        command.args(["--format", "requirements-txt", "--color", "never", "--output-file"]);
        command.arg(&made).current_dir(self.folder());
        let said = run(&mut command, steps)?;
        if said.ok {
            return Ok(made);
        }
        Err(Failure::Failed(format!("`uv export` could not read {}:\n{}", self.path().display(), said.text.trim())))
    }
}

/// Whether a requirements file and what it includes name nothing: then no installer is needed. Lines that say where
/// packages come from name none.
pub(super) fn is_empty(file: &Path) -> bool {
    names_nothing(file, 0)
}

fn names_nothing(file: &Path, depth: usize) -> bool {
    let text = fs::read_to_string(file).unwrap_or_else(|_| "unreadable".to_owned()).replace("\\\n", " ");
    text.lines().map(without_comment).all(|line| {
        let (option, argument) = option_of(line);
        match option {
            "-r" | "--requirement" if depth < MAX_DEPTH => names_nothing(&beside(file, argument), depth + 1),
            "-r" | "--requirement" | "-e" | "--editable" => false,
            _ => line.is_empty() || line.starts_with('-'),
        }
    })
}

/// How deep files include others; a file may include itself.
const MAX_DEPTH: usize = 20;

fn option_of(line: &str) -> (&str, &str) {
    let (option, argument) = line.split_once(['=', ' ']).unwrap_or((line, ""));
    (option, argument.trim_start_matches('=').trim())
}

/// A path in a file is relative to that file's folder.
fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("/")).join(path)
}

/// The lines, of a file and of those that it includes, that ask for an editable installation.
pub(super) fn editable_lines(file: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    collect_editable(file, 0, &mut lines);
    lines
}

fn collect_editable(file: &Path, depth: usize, lines: &mut Vec<String>) {
    let text = fs::read_to_string(file).unwrap_or_default();
    for line in text.lines().map(without_comment) {
        let (option, argument) = option_of(line);
        match option {
            "-r" | "--requirement" if depth < MAX_DEPTH => collect_editable(&beside(file, argument), depth + 1, lines),
            "-e" | "--editable" => lines.push(line.to_owned()),
            _ => {}
        }
    }
}

/// Options of a requirements file that say where packages come from, and whether they take an argument.
const INDEX_OPTIONS: [(&str, bool); 8] = [
    ("-i", true),
    ("--index-url", true),
    ("--extra-index-url", true),
    ("--no-index", false),
    ("-f", true),
    ("--find-links", true),
    ("--trusted-host", true),
    ("--pre", false),
];

/// The lines of a requirements file, and of the files it includes, that say where packages come from. A single package
/// has to be looked for in the same places: elsewhere somebody else may have one of the same name.
pub(super) fn index_lines(file: &Path) -> String {
    let mut lines = String::new();
    collect_index_lines(file, 0, &mut lines);
    lines
}

fn collect_index_lines(file: &Path, depth: usize, lines: &mut String) {
    let text = fs::read_to_string(file).unwrap_or_default().replace("\\\n", " ");
    for line in text.lines().map(without_comment) {
        let (option, argument) = option_of(line);
        let local = beside(file, argument);
        if ["-r", "--requirement"].contains(&option) && depth < MAX_DEPTH {
            collect_index_lines(&local, depth + 1, lines);
        } else if INDEX_OPTIONS.contains(&(option, !argument.is_empty())) {
            let folder_of_wheels = ["-f", "--find-links"].contains(&option) && local.exists();
            let argument = if folder_of_wheels { local.display().to_string() } else { argument.to_owned() };
            lines.push_str(format!("{option} {argument}").trim_end());
            lines.push('\n');
        }
    }
}

/// tomllib is in every Python since 3.11. The text of `sys.exit(text)` is shown to the user.
const DEPENDENCIES: &str = "\
import sys, tomllib
try:
    with open(sys.argv[1], 'rb') as file:
        data = tomllib.load(file)
except ValueError as error:
    sys.exit(f'not TOML: {error}')
project = data.get('project', {})
if 'dependencies' in project.get('dynamic', ()):
    sys.exit('its dependencies are dynamic: write them to a requirements.txt, and name it with --requirements')
if 'dependencies' not in project and 'poetry' in data.get('tool', {}):
    sys.exit('its dependencies are Poetry\\'s own: `poetry export -o requirements.txt` (of poetry-plugin-export) writes them for pip and uv')
print(*project.get('dependencies', ()), sep='\\n')
";

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::out::{Out, Verbosity};
    use crate::cli::package::steps::Interrupt;

    fn project(text: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pyproject.toml");
        fs::write(&path, text).unwrap();
        let mut out = Out::new(Verbosity::Quiet);
        let mut steps = Steps::new(&mut out, Interrupt::default());
        let source = Source::find(None, folder.path()).unwrap().unwrap();
        let made = source.file(Path::new("python3"), folder.path(), &mut steps);
        made.map(|path| fs::read_to_string(path).unwrap()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_first_of_the_known_files_counts() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path();
        assert_eq!(Source::find(None, app).unwrap(), None);
        fs::write(app.join("pyproject.toml"), "").unwrap();
        assert_eq!(Source::find(None, app).unwrap(), Some(Source::Project(app.join("pyproject.toml"))));
        fs::write(app.join("poetry.lock"), "").unwrap();
        assert!(Source::find(None, app).unwrap_err().to_string().contains("poetry export"));
        fs::write(app.join("uv.lock"), "").unwrap();
        assert_eq!(Source::find(None, app).unwrap(), Some(Source::UvLock(app.join("uv.lock"))));
        fs::write(app.join("requirements.txt"), "").unwrap();
        assert_eq!(Source::find(None, app).unwrap(), Some(Source::Requirements(app.join("requirements.txt"))));
        assert!(Source::find(Some(Path::new("/no/such")), app).unwrap_err().to_string().contains("--requirements"));
    }

    #[test]
    fn where_packages_come_from_is_read_through_inclusions() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("sub/wheels")).unwrap();
        let file = folder.path().join("r.txt");
        fs::write(
            &file,
            "flask==3 --hash=sha256:1\n--index-url=https://a/simple # ours\n-r sub/more.txt\n--no-index\n",
        )
        .unwrap();
        fs::write(
            folder.path().join("sub/more.txt"),
            "--find-links wheels\n-f \\\nhttps://b\n-c no.txt\n-r more.txt\n",
        )
        .unwrap();
        let wheels = folder.path().join("sub/wheels");
        let lines = index_lines(&file);
        let once = format!("--find-links {}\n-f https://b\n", wheels.display());
        assert!(lines.starts_with(&format!("--index-url https://a/simple\n{once}")), "{lines}");
        assert!(lines.ends_with("--no-index\n") && !lines.contains("no.txt"), "{lines}");
    }

    #[test]
    fn comments_are_no_requirements() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("r.txt");
        assert!(!is_empty(&file), "whoever reads it says why that does not work");
        fs::write(folder.path().join("empty.txt"), "# nothing").unwrap();
        for (text, empty) in [
            ("", true),
            ("# nothing\n\n", true),
            ("--no-index\n--find-links x\n", true),
            ("x\n", false),
            ("-e .", false),
            ("-r y.txt", false),
            ("-r empty.txt", true),
        ] {
            fs::write(&file, text).unwrap();
            assert_eq!(is_empty(&file), empty, "{text}");
        }
    }

    #[test]
    fn a_projects_dependencies_become_lines() {
        let text = "[project]\nname='x'\ndependencies=['flask>=3; python_version > \"3\"', 'b[c]==1']";
        assert_eq!(project(text).unwrap(), "flask>=3; python_version > \"3\"\nb[c]==1\n");
        assert_eq!(project("").unwrap(), "\n");
        assert!(project("[project]\ndynamic=['dependencies']").unwrap_err().contains("dynamic"));
        assert!(project("[tool.poetry.dependencies]\nflask='*'").unwrap_err().contains("poetry export"));
        assert!(project("[project").unwrap_err().contains("not TOML"));
    }
}
