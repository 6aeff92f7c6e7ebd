//! The files of a list, where they are here.

use std::path::{Component, Path, PathBuf};

use super::{HANDLER, HEADER, Place, key};

/// The files that the list has for a handler, each in the places where it can be. None if the list was made for another
/// version of Python.
pub(super) fn files(list: &str, python: &str, handler: &str, package: &Path, library: &Path) -> Vec<Vec<PathBuf>> {
    let mut lines = list.lines();
    if lines.next() != Some(&format!("{HEADER} {python}")) {
        return Vec::new();
    }
    let begin = format!("{HANDLER}{}", key(handler));
    let of_handler = lines.skip_while(|line| **line != begin).skip(1).take_while(|line| !line.starts_with(HANDLER));
    let path = |line: &str| {
        let (place, path) = Place::ALL.iter().find_map(|(place, word)| Some((place, line.strip_prefix(word)?)))?;
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        inside.then(|| bytecode(&if *place == Place::Package { package } else { library }.join(path), python))
    };
    of_handler.filter_map(path).collect()
}

/// Where the bytecode of a source can be: beside it (PEP 3147), or in its place. Anything else is itself.
fn bytecode(file: &Path, python: &str) -> Vec<PathBuf> {
    let (Some("py"), Some(stem)) = (file.extension().and_then(|ending| ending.to_str()), file.file_stem()) else {
        return vec![file.to_owned()];
    };
    let tag = python.replace("python", "cpython-").replace('.', "");
    let name = format!("{}.{tag}.pyc", stem.to_string_lossy());
    vec![file.with_file_name("__pycache__").join(name), file.with_extension("pyc")]
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, list};
    use super::*;

    fn entries(paths: &[(Place, &str)]) -> Vec<Entry> {
        paths.iter().map(|(place, path)| (*place, (*path).to_owned())).collect()
    }

    #[test]
    fn each_handler_has_its_files_in_the_places_of_the_start() {
        let shop = entries(&[(Place::Library, "json/__init__.py"), (Place::Package, "shop.so")]);
        let jobs = entries(&[(Place::Package, "jobs.py")]);
        let list = list("python3.13", &[("shop:app".into(), shop), ("jobs.app".into(), jobs)]);
        let read = |python: &str, handler: &str| {
            let files = files(&list, python, handler, Path::new("/var/task"), Path::new("/opt/lib/python3.13"));
            files.iter().map(|places| places[0].display().to_string()).collect::<Vec<_>>()
        };
        let json = "/opt/lib/python3.13/json/__pycache__/__init__.cpython-313.pyc";
        assert_eq!(read("python3.13", "shop.app"), [json, "/var/task/shop.so"]);
        assert_eq!(read("python3.13", "shop:app"), [json, "/var/task/shop.so"]);
        assert_eq!(read("python3.13", "jobs.app"), ["/var/task/__pycache__/jobs.cpython-313.pyc"]);
        assert!(read("python3.13", "other.app").is_empty());
        assert!(read("python3.14", "shop.app").is_empty(), "the files of another Python");
    }

    #[test]
    fn bytecode_is_beside_its_source_or_in_its_place() {
        let places = bytecode(Path::new("/a/b.py"), "python3.11");
        assert_eq!(places, [Path::new("/a/__pycache__/b.cpython-311.pyc"), Path::new("/a/b.pyc")]);
        assert_eq!(bytecode(Path::new("/a/b.pyc"), "python3.11"), [Path::new("/a/b.pyc")]);
    }

    #[test]
    fn nothing_outside_of_the_two_folders_is_read() {
        let list = "wsgi-lambda read-ahead 1 python3.13\nhandler app.app\npackage /etc/passwd\npackage ../x\n\
                    library a/../../x\nnowhere x\n\npackage in.so\n";
        let files = files(list, "python3.13", "app.app", Path::new("/a"), Path::new("/b"));
        assert_eq!(files, [[Path::new("/a/in.so")]]);
    }
}
