//! What goes into the layer, collected and checked before anything is written.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::bootstrap::Bootstrap;
use super::libraries;
use super::object::{self, Object, Problems};
use super::prefix::Prefix;
use super::selection::Selection;
use crate::bundle::{Archive, Contents, Glibc, MAX_UNZIPPED};
use crate::cli::failure::Failure;
use crate::cli::pyc::{self, Compiled};
use crate::config::LAYER_DIR;

/// Where the licences go.
const LICENCES: &str = "share/licenses";

/// The parts of a layer, checked.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) objects: Vec<Object>,
    /// Sources of the standard library to compile: the path below `lib/python3.N`, and the file.
    sources: Vec<(String, PathBuf)>,
    /// Files that are copied unchanged: the name in the layer, and the contents.
    data: Vec<(String, Contents)>,
    /// The interpreter that compiles, and the standard library's place in the layer.
    compile: Option<(PathBuf, String)>,
}

impl Plan {
    /// The bootstrap alone, for the managed runtimes' Python.
    pub(super) fn tiny(bootstrap: Bootstrap, max_glibc: Glibc) -> Result<Self, Failure> {
        let mut problems = Problems::default();
        bootstrap.check_runpath(&["/var/lang/lib"], &mut problems);
        libraries::check_alone(&bootstrap.object, &mut problems);
        let (architecture, objects) = (bootstrap.architecture, vec![bootstrap.object]);
        object::check(&objects, architecture, max_glibc, &mut problems);
        problems.check()?;
        Ok(Self { objects, sources: Vec::new(), data: own_licences().into(), compile: None })
    }

    /// A runtime with its Python.
    pub(super) fn whole(
        bootstrap: Bootstrap,
        prefix: &Prefix,
        selection: &mut Selection,
        max_glibc: Glibc,
    ) -> Result<Self, Failure> {
        let mut problems = Problems::default();
        bootstrap.check_runpath(&["$ORIGIN/lib"], &mut problems);
        let architecture = bootstrap.architecture;
        let library = format!("lib/{}", prefix.library_name());
        let mut objects = vec![bootstrap.object];
        objects.extend(Object::read(library, &prefix.library())?);
        let (mut sources, mut data) = (Vec::new(), licences(prefix)?);
        let place = format!("lib/{}", prefix.name);
        for (name, path) in files(&prefix.stdlib())? {
            if !selection.takes(&name) {
                continue;
            }
            let in_layer = format!("{place}/{name}");
            if has_ending(&name, "py") {
                sources.push((name, path));
            } else if let Some(object) = Object::read(in_layer.as_str(), &path)? {
                objects.push(object);
            } else {
                data.push((in_layer, Contents::File(path)));
            }
        }
        selection.check_all_used()?;
        libraries::bundle(&mut objects, &prefix.root, architecture, &mut problems)?;
        object::check(&objects, architecture, max_glibc, &mut problems);
        libraries::set_places(&mut objects, &mut problems)?;
        problems.check()?;
        Ok(Self { objects, sources, data, compile: Some((prefix.compiler()?, place)) })
    }

    /// How many files will be compiled.
    pub(super) fn sources(&self) -> usize {
        self.sources.len()
    }

    /// Compiles in a folder, which has to exist as long as the archive, and puts everything together.
    pub(super) fn archive(
        &self,
        folder: &Path,
        with_source: bool,
        on_file: &mut dyn FnMut(&str),
    ) -> Result<(Archive, Compiled), Failure> {
        let mut archive = Archive::default();
        for object in &self.objects {
            archive.add(object.name.as_str(), object.contents(), object.name == "bootstrap");
        }
        for (name, contents) in &self.data {
            archive.add(name.as_str(), contents.clone(), false);
        }
        let mut compiled = Compiled::default();
        if let Some((python, place)) = &self.compile {
            copy(&self.sources, folder)?;
            let on_lambda = format!("{}/{place}", LAYER_DIR.default); // the folder that tracebacks name
            compiled = pyc::compile(python, folder, &on_lambda, with_source, on_file)?;
            for (name, path) in files(folder)? {
                archive.add(format!("{place}/{name}"), Contents::File(path), false);
            }
        }
        check_size(archive.unzipped().map_err(|error| Failure::Failed(error.to_string()))?)?;
        Ok((archive, compiled))
    }
}

fn copy(sources: &[(String, PathBuf)], folder: &Path) -> Result<(), Failure> {
    for (name, path) in sources {
        let target = folder.join(name);
        let parent = target.parent().unwrap_or(folder);
        let copied = std::fs::create_dir_all(parent).and_then(|()| std::fs::copy(path, &target));
        copied.map_err(|error| failure(path, &error))?;
    }
    Ok(())
}

fn check_size(unzipped: u64) -> Result<(), Failure> {
    if unzipped <= MAX_UNZIPPED {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "the layer is {unzipped} bytes unpacked, and Lambda's limit for a function and all its layers is {MAX_UNZIPPED}: \
         strip the Python's files (`strip --strip-debug`), or leave more out with --drop"
    )))
}

/// Every file below a folder with its name, in order. Links are followed, because the layer has the files themselves.
fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|error| failure(folder, &error))?;
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let name = name.to_str().ok_or_else(|| failure(entry.path(), &"its name is not UTF-8"))?;
            files.push((name.to_owned(), entry.into_path()));
        }
    }
    Ok(files)
}

/// What a layer needs in order to be handed on: the licences of the prefix's parts, and where they are from.
fn licences(prefix: &Prefix) -> Result<Vec<(String, Contents)>, Failure> {
    let mut found = Vec::from(own_licences());
    for folder in ["share/licenses", "licenses"].map(|name| prefix.root.join(name)) {
        if folder.is_dir() {
            let named = |(name, path)| (format!("{LICENCES}/{name}"), Contents::File(path));
            found.extend(files(&folder)?.into_iter().map(named));
        }
    }
    let provenance = prefix.root.join("PROVENANCE");
    if provenance.is_file() {
        found.push((format!("{LICENCES}/PROVENANCE"), Contents::File(provenance)));
    }
    Ok(found)
}

/// Of the runtime, and of the crates that are linked into it.
fn own_licences() -> [(String, Contents); 2] {
    let [licence, notices] =
        [&include_bytes!("../../../LICENSE")[..], include_bytes!("../../../layer/NOTICES.txt")].map(<[u8]>::to_vec);
    [("LICENSE", licence), ("NOTICES", notices)]
        .map(|(name, text)| (format!("{LICENCES}/wsgi-lambda/{name}"), Contents::Bytes(text)))
}

pub(super) fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == ending)
}

fn failure(path: &Path, error: &dyn Display) -> Failure {
    Failure::Failed(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_that_lambda_does_not_take_is_refused() {
        check_size(MAX_UNZIPPED).unwrap();
        let error = check_size(MAX_UNZIPPED + 1).unwrap_err().to_string();
        assert!(error.contains("262144001") && error.contains("strip --strip-debug"), "{error}");
    }
}
