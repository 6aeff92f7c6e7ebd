//! The files of a package or a layer, which is a folder or a zip.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};
use zip::ZipArchive;

use crate::bundle::Elf;
use crate::cli::packaging::dists::INFO;

/// What is in a folder or a zip.
pub(super) struct Contents {
    pub(super) path: PathBuf,
    zip: Option<RefCell<ZipArchive<fs::File>>>,
    /// Names with `/`, and sizes, in order.
    pub(super) files: Vec<(String, u64)>,
}

impl Contents {
    /// Lists a folder or a zip.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path.is_dir() { Self::folder(path) } else { Self::archive(path) }
    }

    fn folder(path: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        let entries = WalkDir::new(path).into_iter();
        for entry in entries.filter_entry(|entry| entry.depth() == 0 || is_packaged(entry)) {
            let entry = entry.map_err(io::Error::from)?;
            if entry.file_type().is_file()
                && let Some(name) = entry.path().strip_prefix(path).ok().and_then(Path::to_str)
            {
                files.push((name.to_owned(), entry.metadata().map_err(io::Error::from)?.len()));
            }
        }
        files.sort(); // the walk's order is that of folders, not of whole names
        Ok(Self { path: path.to_owned(), zip: None, files })
    }

    fn archive(path: &Path) -> io::Result<Self> {
        let mut zip = ZipArchive::new(fs::File::open(path)?).map_err(io::Error::from)?;
        let mut files = Vec::new();
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(io::Error::from)?;
            if entry.is_file() {
                files.push((entry.name().map_err(io::Error::from)?.into_owned(), entry.size()));
            }
        }
        files.sort();
        Ok(Self { path: path.to_owned(), zip: Some(RefCell::new(zip)), files })
    }

    pub(super) fn is_zip(&self) -> bool {
        self.zip.is_some()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.files.binary_search_by(|(file, _)| file.as_str().cmp(name)).is_ok()
    }

    pub(super) fn has_folder(&self, name: &str) -> bool {
        self.names().any(|file| file.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
    }

    /// The sizes of all files together, bytes.
    pub(super) fn size(&self) -> u64 {
        self.files.iter().map(|(_, size)| size).sum()
    }

    /// A file's bytes; `None` if it cannot be read.
    pub(super) fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.read_start(name, u64::MAX)
    }

    /// The first bytes of a file.
    pub(super) fn read_start(&self, name: &str, length: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        match &self.zip {
            None => fs::File::open(self.path.join(name)).ok()?.take(length).read_to_end(&mut bytes).ok()?,
            Some(zip) => zip.borrow_mut().by_name(name).ok()?.take(length).read_to_end(&mut bytes).ok()?,
        };
        Some(bytes)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.read(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(super) fn elf(&self, name: &str) -> Option<Elf> {
        Elf::read(&self.read(name)?).ok()?
    }

    /// Whether packages were installed into it: each leaves a folder of metadata.
    pub(super) fn is_built(&self) -> bool {
        self.names().filter_map(|name| name.rsplit_once('/')).any(|(folder, _)| {
            let parent = folder.strip_suffix(INFO).map(|name| name.rsplit_once('/').map_or("", |(parent, _)| parent));
            // At the top of a package; of a layer, in its `python` folder.
            parent.is_some_and(|parent| parent.is_empty() || parent == "python" || parent.ends_with("/site-packages"))
        })
    }

    /// Unpacks a zip below a folder.
    pub(super) fn unpack(&self, into: &Path) -> io::Result<()> {
        match &self.zip {
            Some(zip) => zip.borrow_mut().extract(into).map_err(io::Error::from),
            None => Ok(()),
        }
    }
}

/// Whether it is part of the code: not a folder of tools and editors, and no virtual environment.
fn is_packaged(entry: &DirEntry) -> bool {
    if !entry.file_type().is_dir() {
        return true;
    }
    let name = entry.file_name().to_string_lossy();
    !name.starts_with('.') && name != "node_modules" && !entry.path().join("pyvenv.cfg").exists()
}

/// What follows the last dot of a name.
pub(super) fn extension(name: &str) -> &str {
    Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

/// A path, relative to the current folder if it is below it.
pub(super) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
