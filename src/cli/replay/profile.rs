//! `--profile-init`: what a cold start costs, and what would shorten it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::config::PROFILE_INIT;
use crate::emulator::Launch;

mod advice;
mod findings;
mod flame;
mod format;
mod record;
mod report;
#[cfg(test)]
mod samples;

use self::record::Record;
use self::report::Report;

pub(super) use self::record::ProfiledRun;

/// A profile that the runtime is asked to record.
pub(super) struct Profile {
    folder: tempfile::TempDir,
    picture: PathBuf,
}

impl Profile {
    pub(super) fn new(picture: &Path) -> Result<Self, Failure> {
        let folder = picture.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            let folder = folder.display();
            return Err(Failure::Usage(format!(
                "no folder {folder} for the flame graph: make it, or correct the path"
            )));
        }
        if picture.extension().is_none_or(|ending| ending != "svg") {
            let picture = picture.display();
            return Err(Failure::Usage(format!("--profile-init={picture}: the flame graph is an SVG, name it .svg")));
        }
        if picture.is_dir() {
            let picture = picture.display();
            return Err(Failure::Usage(format!("{picture} is a folder: give --profile-init the name of a file")));
        }
        let folder = tempfile::tempdir()
            .map_err(|error| Failure::Failed(format!("cannot make a folder for the profile: {error}")))?;
        Ok(Self { folder, picture: picture.to_owned() })
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("init.json")
    }

    /// Asks the runtime to write its record.
    pub(super) fn of(&self, launch: Launch) -> Launch {
        launch.env(PROFILE_INIT.name, self.file())
    }

    /// Prints the report and draws the picture. With `to_stderr` the report goes to standard error.
    pub(super) fn show(&self, run: &ProfiledRun, to_stderr: bool, out: &mut Out) -> Result<(), Failure> {
        let lines = match Record::read(&self.file())? {
            Some(record) => {
                self.draw(&record, run.init)?;
                Report { record: &record, run, all: out.verbose() }.lines(&self.picture)
            }
            None => vec![format!(
                "no profile: the runtime ended before it wrote one, or is older than this program ({})",
                PROFILE_INIT.name
            )],
        };
        for line in lines {
            if to_stderr {
                out.note(line)?;
            } else {
                out.line(line)?;
            }
        }
        Ok(())
    }

    fn draw(&self, record: &Record, init: Option<Duration>) -> Result<(), Failure> {
        let written = flame::svg(record, init).and_then(|picture| std::fs::write(&self.picture, picture));
        written.map_err(|error| Failure::Failed(format!("cannot write {}: {error}", self.picture.display())))
    }
}
