//! How far an installer is: by its lines, and by what it has put into its folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::steps::Steps;
use crate::cli::failure::Failure;
use crate::cli::packaging::dists::INFO;

/// Where an installer puts packages until it is done.
enum Place {
    /// pip fills `pip-target-…/lib/python` in its temporary folder, and moves everything at the end.
    Pip(PathBuf),
    Uv(PathBuf),
}

/// How far an installer is. It tells the steps.
pub(super) struct Progress {
    place: Place,
    /// How many packages there will be, once that is known.
    total: usize,
    /// How many there are, or were: at the end pip moves them away.
    done: usize,
}

impl Progress {
    pub(super) fn of_pip(temporary: &Path) -> Self {
        Self { place: Place::Pip(temporary.to_owned()), total: 0, done: 0 }
    }

    pub(super) fn of_uv(into: &Path) -> Self {
        Self { place: Place::Uv(into.to_owned()), total: 0, done: 0 }
    }

    /// Gets each line of the installer, and `None` now and then in between.
    pub(super) fn see(&mut self, line: Option<&str>, steps: &mut Steps<'_>) -> Result<(), Failure> {
        if let Some(total) = line.and_then(total) {
            self.total = total;
        }
        if self.total == 0 {
            return Ok(());
        }
        // Another thread of uv may be in the middle of one.
        self.done = self.present().min(self.total).max(self.done);
        steps.count("installing", self.done, self.total)
    }

    /// The installer has succeeded.
    pub(super) fn end(&self, steps: &mut Steps<'_>) -> Result<(), Failure> {
        if self.total == 0 { Ok(()) } else { steps.count("installing", self.total, self.total) }
    }

    fn present(&self) -> usize {
        match &self.place {
            Place::Uv(into) => distributions(into),
            Place::Pip(temporary) => {
                let targets = names(temporary).into_iter().filter(|name| name.starts_with("pip-target-"));
                targets.map(|name| distributions(&temporary.join(name).join("lib/python"))).sum()
            }
        }
    }
}

/// The number of packages, in pip's `Installing collected packages: a, b` and uv's `Resolved 2 packages in 1ms`.
fn total(line: &str) -> Option<usize> {
    if let Some(list) = line.strip_prefix("Installing collected packages: ") {
        return Some(list.split(", ").count());
    }
    line.strip_prefix("Resolved ")?.split(' ').next()?.parse().ok()
}

fn distributions(folder: &Path) -> usize {
    names(folder).iter().filter(|name| name.ends_with(INFO)).count()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installers_say_how_many_there_will_be() {
        assert_eq!(total("Installing collected packages: a, b-c, d"), Some(3));
        assert_eq!(total("Resolved 40 packages in 1ms"), Some(40));
        assert_eq!(total("Collecting flask"), None);
    }

    #[test]
    fn what_is_there_already_is_counted_where_pip_puts_it() {
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("pip-target-x1/lib/python");
        for name in ["a-1.dist-info", "a", "b-1.dist-info"] {
            fs::create_dir_all(python.join(name)).unwrap();
        }
        assert_eq!(Progress::of_pip(folder.path()).present(), 2);
        assert_eq!(Progress::of_uv(&python).present(), 2);
    }
}
