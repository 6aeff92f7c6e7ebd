//! The distributions that were installed: names, versions, wheel tags, and which file belongs to which.
//!
//! An installer writes a folder `NAME-VERSION.dist-info` for each ("Recording installed projects").

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use super::modules::source_of;
use crate::cli::failure::Failure;

/// How the name of the folder ends.
pub(in crate::cli) const INFO: &str = ".dist-info";

/// One installed distribution.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Dist {
    pub(in crate::cli) name: String,
    pub(in crate::cli) version: String,
    /// The tags of the wheel that it came from.
    pub(in crate::cli) tags: Vec<String>,
}

/// What the requirements brought.
#[derive(Debug, Default)]
pub(in crate::cli) struct Dists {
    all: Vec<Dist>,
    owners: HashMap<String, usize>,
}

impl Dists {
    /// Reads every `*.dist-info` of a folder, before the installer's notes are taken out of it.
    pub(in crate::cli) fn read(folder: &Path) -> Result<Self, Failure> {
        let unreadable =
            |error| Failure::Failed(format!("cannot read what was installed in {}: {error}", folder.display()));
        let mut found: BTreeMap<String, Dist> = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
            if let Some(dist) = name.ends_with(INFO).then(|| Dist::read(&folder.join(&name))).flatten() {
                found.insert(name, dist);
            }
        }
        let mut dists = Self::default();
        for (info, dist) in found {
            let record = fs::read_to_string(folder.join(info).join("RECORD")).unwrap_or_default();
            let owned = record.lines().map(|line| (recorded_path(line), dists.all.len()));
            dists.owners.extend(owned);
            dists.all.push(dist);
        }
        Ok(dists)
    }

    pub(in crate::cli) fn iter(&self) -> impl Iterator<Item = &Dist> {
        self.all.iter()
    }

    /// The distribution that a file belongs to. Bytecode belongs to its source's.
    pub(in crate::cli) fn owner(&self, path: &str) -> Option<&Dist> {
        let index = self.owners.get(path).or_else(|| self.owners.get(&source_of(path)?));
        index.and_then(|index| self.all.get(*index))
    }
}

impl Dist {
    fn read(info: &Path) -> Option<Self> {
        let metadata = fs::read_to_string(info.join("METADATA")).ok()?;
        let wheel = fs::read_to_string(info.join("WHEEL")).unwrap_or_default();
        let head = metadata.split("\n\n").next().unwrap_or_default();
        Some(Self {
            name: values(head, "Name").next()?.to_owned(),
            version: values(head, "Version").next().unwrap_or("?").to_owned(),
            tags: wheel_tags(&wheel).map(str::to_owned).collect(),
        })
    }
}

/// The tags in the text of a WHEEL file ("Binary distribution format").
pub(in crate::cli) fn wheel_tags(wheel: &str) -> impl Iterator<Item = &str> {
    values(wheel, "Tag")
}

/// The distribution of a folder by its name: `flask_cors` of `flask_cors-4.0.dist-info`.
pub(in crate::cli) fn name_of_info(folder: &str) -> Option<&str> {
    folder.strip_suffix(INFO)?.split('-').next()
}

fn values<'a>(text: &'a str, field: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| Some(line.strip_prefix(field)?.strip_prefix(':')?.trim()))
}

/// The first column of a line of RECORD, which is CSV: a name with a comma or a quote stands in quotes.
fn recorded_path(line: &str) -> String {
    match line.strip_prefix('"') {
        Some(quoted) => quoted.split("\",").next().unwrap_or(quoted).replace("\"\"", "\""),
        None => line.split(',').next().unwrap_or(line).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_installer_wrote_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let info = folder.path().join("x_y-1.2.dist-info");
        fs::create_dir(&info).unwrap();
        fs::write(info.join("METADATA"), "Metadata-Version: 2.1\nName: x-y\nVersion: 1.2\n\nName: not this\n").unwrap();
        fs::write(info.join("WHEEL"), "Wheel-Version: 1.0\nTag: py2-none-any\nTag: py3-none-any\n").unwrap();
        fs::write(info.join("RECORD"), "x/__init__.py,sha256=a,1\n\"x/a,\"\"b\"\".txt\",,\n../bin/x,,\n").unwrap();
        let dists = Dists::read(folder.path()).unwrap();
        let dist = dists.iter().next().unwrap();
        assert_eq!((dist.name.as_str(), dist.version.as_str()), ("x-y", "1.2"));
        assert_eq!(dist.tags, ["py2-none-any", "py3-none-any"]);
        let owner = |path| dists.owner(path).map(|dist| dist.name.as_str());
        assert_eq!(owner("x/__init__.py"), Some("x-y"));
        assert_eq!(owner("x/__pycache__/__init__.cpython-313.pyc"), Some("x-y"));
        assert_eq!(owner("x/__init__.pyc"), Some("x-y"));
        assert_eq!(owner("x/a,\"b\".txt"), Some("x-y"));
        assert_eq!(owner("app.py"), None);
        assert_eq!(name_of_info("x_y-1.2.dist-info"), Some("x_y"));
        assert_eq!(name_of_info("x_y"), None);
    }
}
