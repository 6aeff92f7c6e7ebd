//! What the runtime has recorded of its init, and the tree of its imports.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::cli::failure::Failure;

/// The version of the format, which `src/python/glue/init_profile.py` describes.
const VERSION: u32 = 1;

/// What the command line knows of the run.
pub(crate) struct ProfiledRun {
    /// From the start of the process to its first call for an event.
    pub(crate) init: Option<Duration>,
    /// How many events there were.
    pub(crate) events: usize,
    /// How many of them were answered with status 404.
    pub(crate) not_found: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct Record {
    pub(super) version: u32,
    pub(super) python: String,
    pub(super) handler: String,
    pub(super) task_root: String,
    pub(super) complete: bool,
    pub(super) failed: Option<String>,
    pub(super) deferral: bool,
    pub(super) phases: Phases,
    pub(super) events: Option<u64>,
    pub(super) imports: Vec<Import>,
}

/// Nanoseconds.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Phases {
    pub(super) interpreter: u64,
    pub(super) glue: u64,
    #[serde(default)]
    pub(super) prepare: u64,
    pub(super) app: u64,
    /// Not part of the start: the time that the recording itself took.
    #[serde(default)]
    pub(super) profile: u64,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(Default))]
#[cfg_attr(test, serde(default))]
pub(super) struct Import {
    pub(super) name: String,
    pub(super) parent: Option<usize>,
    pub(super) start: u64,
    pub(super) ns: u64,
    pub(super) how: How,
    pub(super) compile_ns: Option<u64>,
    pub(super) file: Option<String>,
    pub(super) touched_by: Option<String>,
    pub(super) error: Option<String>,
    pub(super) event: bool,
    pub(super) thread: bool,
    pub(super) used: Option<bool>,
    pub(super) held_by: Vec<String>,
    pub(super) base_of: Vec<String>,
}

/// How a module was imported.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub(super) enum How {
    #[serde(rename = "pyc")]
    Bytecode,
    #[serde(rename = "compiled")]
    Compiled,
    #[serde(rename = "extension")]
    Extension,
    #[serde(rename = "built in", alias = "frozen")]
    BuiltIn,
    #[serde(rename = "deferred")]
    Deferred,
    #[serde(rename = "not found")]
    NotFound,
    #[serde(rename = "failed")]
    Failed,
    #[serde(rename = "factory")]
    Factory,
    #[default]
    #[serde(other)]
    Other,
}

impl Record {
    /// Reads the file; `None` if there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let failure = |error: &dyn std::fmt::Display| Failure::Failed(format!("the profile of the init: {error}"));
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failure(&error)),
        };
        let record: Self = serde_json::from_slice(&text).map_err(|error| failure(&error))?;
        if record.version != VERSION {
            let message = format!(
                "the runtime writes version {} and this program reads {VERSION}: build both from the same source",
                record.version
            );
            return Err(failure(&message));
        }
        Ok(Some(record))
    }

    /// The whole start, without the time for the recording. It is measured by the command line, if `init` is known.
    pub(super) fn total_ns(&self, init: Option<Duration>) -> u64 {
        let init = init.map(|init| u64::try_from(init.as_nanos()).unwrap_or(u64::MAX));
        init.map_or(0, |init| init.saturating_sub(self.phases.profile)).max(self.ns())
    }

    /// From the start of the interpreter to the end of the application's import.
    pub(super) fn ns(&self) -> u64 {
        let Phases { interpreter, glue, prepare, app, profile: _ } = &self.phases;
        interpreter + glue + prepare + app
    }
}

/// The imports that the init waited for, nested as they waited for each other.
pub(super) struct Tree<'r> {
    pub(super) imports: &'r [Import],
    /// Those that no other import waited for, in order.
    pub(super) roots: Vec<usize>,
    children: Vec<Vec<usize>>,
}

impl<'r> Tree<'r> {
    pub(super) fn new(imports: &'r [Import]) -> Self {
        let mut tree = Self { imports, roots: Vec::new(), children: vec![Vec::new(); imports.len()] };
        let mut order: Vec<usize> = (0..imports.len()).filter(|&place| is_of_init(&imports[place])).collect();
        order.sort_by_key(|&place| imports[place].start);
        for place in order {
            match imports[place].parent {
                Some(parent) if parent < imports.len() => tree.children[parent].push(place),
                _ => tree.roots.push(place),
            }
        }
        tree
    }

    /// The imports that an import waited for, in order.
    pub(super) fn children(&self, place: usize) -> &[usize] {
        &self.children[place]
    }

    /// The time of an import without those that it waited for.
    pub(super) fn own_ns(&self, place: usize) -> u64 {
        let others: u64 = self.children[place].iter().map(|&child| self.imports[child].ns).sum();
        self.imports[place].ns.saturating_sub(others)
    }

    /// An import and all below it, each with its depth and before those that it waited for.
    pub(super) fn below(&self, place: usize) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        // Not by recursion: the depth comes from a file.
        let mut open = vec![(place, 0)];
        while let Some((place, depth)) = open.pop() {
            found.push((place, depth));
            open.extend(self.children[place].iter().rev().map(|&child| (child, depth + 1)));
        }
        found
    }

    /// The places of all imports.
    pub(super) fn places(&self) -> Vec<usize> {
        self.all().into_iter().map(|(place, _)| place).collect()
    }

    /// All imports, in the form of [`Tree::below`].
    pub(super) fn all(&self) -> Vec<(usize, usize)> {
        self.roots.iter().flat_map(|&root| self.below(root)).collect()
    }
}

fn is_of_init(import: &Import) -> bool {
    !import.event && !import.thread
}

#[cfg(test)]
mod tests {
    use super::super::samples::{import, record};
    use super::*;

    #[test]
    fn what_an_import_takes_itself_is_what_its_own_imports_do_not() {
        let imports = [import("a", None, 0, 100), import("b", Some(0), 10, 30), import("c", Some(0), 50, 20)];
        let tree = Tree::new(&imports);
        assert_eq!([0, 1, 2].map(|place| tree.own_ns(place)), [50, 30, 20]);
        assert_eq!(tree.all(), [(0, 0), (1, 1), (2, 1)]);
    }

    #[test]
    fn other_threads_and_events_are_not_of_the_init() {
        let mut imports = [import("a", None, 0, 100), import("b", None, 10, 30), import("c", None, 50, 20)];
        imports[1].thread = true;
        imports[2].event = true;
        assert_eq!(Tree::new(&imports).roots, [0]);
    }

    #[test]
    fn a_later_format_is_refused_and_a_new_kind_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("profile.json");
        assert!(Record::read(&file).unwrap().is_none());
        let text = |version: u32| {
            format!(
                r#"{{"version":{version},"python":"3.13.1","handler":"a:a","task_root":"/t","complete":true,"failed":null,
                "deferral":true,"phases":{{"interpreter":1,"glue":2,"app":3}},"events":null,"later":0,
                "imports":[{{"name":"a","how":"by magic"}}]}}"#
            )
        };
        std::fs::write(&file, text(1)).unwrap();
        let read = Record::read(&file).unwrap().unwrap();
        assert_eq!((read.ns(), read.imports[0].how), (6, How::Other));
        std::fs::write(&file, text(2)).unwrap();
        assert!(Record::read(&file).unwrap_err().to_string().contains("version 2"));
        assert_eq!(record(Vec::new()).ns(), 0);
    }
}
