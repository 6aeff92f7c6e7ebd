//! Compiled Python that is always valid: unchecked-hash `.pyc` files (PEP 552).
//!
//! Lambda unpacks files with times that are not those of the sources, and `/var/task` and `/opt` are read-only. A `.pyc`
//! that Python checks against the time of its source would be compiled again at every cold start. These are never checked,
//! which is right where the source cannot change.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::failure::Failure;

/// Uses only the standard library. It explains why the bytes are always the same.
const SCRIPT: &str = include_str!("pyc.py");

/// What was compiled.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Compiled {
    /// How many files have a `.pyc` now.
    pub(super) files: usize,
    /// Files that this version of Python cannot compile, with the reason, in order. Their sources are kept.
    pub(super) failed: Vec<(String, String)>,
}

/// Compiles every `.py` file below a folder with an interpreter, 3.11 or later.
///
/// The same source under the same name becomes the same bytes, wherever the folder is and whatever else is in it.
/// `shown_as` is the folder that tracebacks name. With `keep_source`, `x.py` stays and `__pycache__/x.cpython-3N.pyc` is
/// added; without it, `x.pyc` replaces `x.py`, and the import system finds it there too. `on_file` gets each name.
pub(super) fn compile(
    python: &Path,
    folder: &Path,
    shown_as: &str,
    keep_source: bool,
    on_file: &mut dyn FnMut(&str),
) -> Result<Compiled, Failure> {
    let failure = |what: String| Failure::Failed(format!("cannot compile with {}: {what}", python.display()));
    // A file, because a second pipe would fill up while the reports are read from the first.
    let mut errors = tempfile::tempfile().map_err(|error| failure(error.to_string()))?;
    let stderr = errors.try_clone().map_err(|error| failure(error.to_string()))?;
    let mut child = Command::new(python)
        // -I and -S: no PYTHON… variables and no site-packages, whose modules would change what `marshal` writes.
        .args(["-I", "-S", "-B", "-X", "utf8", "-c", SCRIPT])
        .arg(folder)
        .arg(format!("{}/", shown_as.trim_end_matches('/')))
        .arg(if keep_source { "keep" } else { "replace" })
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .map_err(|error| failure(error.to_string()))?;
    let reports = child.stdout.take().map(|stdout| read_reports(BufReader::new(stdout), on_file));
    let status = child.wait().map_err(|error| failure(error.to_string()))?;
    let compiled = reports.unwrap_or_else(|| Ok(Compiled::default())).map_err(failure)?;
    if status.success() { Ok(compiled) } else { Err(failure(format!("{status}: {}", text_of(&mut errors)))) }
}

/// Reads records of `kind name text`, each field ended by a NUL.
fn read_reports(mut from: impl BufRead, on_file: &mut dyn FnMut(&str)) -> Result<Compiled, String> {
    let mut compiled = Compiled::default();
    let mut fatal = None;
    loop {
        let mut fields = [const { Vec::new() }; 3];
        for field in &mut fields {
            from.read_until(0, field).map_err(|error| error.to_string())?;
        }
        let [kind, name, text] = fields.map(|field| String::from_utf8_lossy(&field).trim_end_matches('\0').to_owned());
        match kind.as_str() {
            "" => break,
            "+" => compiled.files += 1,
            "!" => compiled.failed.push((name.clone(), text)),
            _ => fatal = Some(format!("{name}: {text}")),
        }
        on_file(&name);
    }
    compiled.failed.sort(); // they arrive in the order in which they finish
    fatal.map_or(Ok(compiled), Err)
}

fn text_of(file: &mut File) -> String {
    let mut text = Vec::new();
    // If it cannot be read, the message is shorter, and that is all.
    let _ = file.rewind().and_then(|()| file.read_to_end(&mut text));
    String::from_utf8_lossy(&text).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime};

    use super::*;

    /// Names that repeat within a file, between files and in the standard library; constant sets; a docstring.
    const SHOP: &str = "'''A shop.'''\nimport os\nKINDS = {'tea', 'milk', None, 3.5}\n\
        def sell(self, price, abc=()):\n    '''Sells.'''\n    assert price\n    return self if abc in {'x', 'y', 'z', None} else price\n\
        def fail():\n    raise RuntimeError('no ' + 'tea')\n";
    const OTHER: &str = "abc = 'abc'\nself = fail = price = KINDS = 'tea'\ndef tea(abc, milk): return abc.milk\n";

    fn python() -> PathBuf {
        #[allow(clippy::disallowed_methods, reason = "a setting of the tests, not of the program")]
        std::env::var_os("PYO3_PYTHON").map_or_else(|| "python3".into(), PathBuf::from)
    }

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn compile_quietly(folder: &Path, keep_source: bool) -> Compiled {
        compile(&python(), folder, "/var/task", keep_source, &mut |_| {}).unwrap()
    }

    fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        let files =
            walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|entry| entry.path().is_file());
        let name = |path: &Path| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        files.map(|entry| (name(entry.path()), fs::read(entry.path()).unwrap())).collect()
    }

    #[test]
    fn the_same_source_makes_the_same_bytes_whatever_the_folder_the_time_and_the_other_files() {
        let one = tree(&[("shop/sale.py", SHOP), ("shop/__init__.py", ""), ("zoo.py", OTHER)]);
        let two = tree(&[("shop/sale.py", SHOP), ("shop/__init__.py", ""), ("zoo.py", OTHER), ("aaa.py", OTHER)]);
        let source = File::open(two.path().join("shop/sale.py")).unwrap();
        source.set_modified(SystemTime::now() - Duration::from_secs(1_000_000)).unwrap();
        compile_quietly(one.path(), false);
        compile_quietly(two.path(), false);
        let (one, mut two) = (contents(one.path()), contents(two.path()));
        assert_eq!(one.keys().collect::<Vec<_>>(), ["shop/__init__.pyc", "shop/sale.pyc", "zoo.pyc"]);
        assert!(two.remove("aaa.pyc").is_some());
        assert_eq!(one, two);
        assert_eq!(one["zoo.pyc"][4..8], [1, 0, 0, 0], "an unchecked hash");
    }

    fn run(folder: &Path, script: &str) -> String {
        let output = Command::new(python()).args(["-B", "-c", script]).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn tracebacks_name_the_folder_on_lambda() {
        let folder = tree(&[("shop/sale.py", SHOP)]);
        compile_quietly(folder.path(), false);
        let script = "import traceback, shop.sale as s\ntry: s.fail()\nexcept Exception: traceback.print_exc(file=__import__('sys').stdout)\n\
            print(s.__doc__, s.sell.__doc__)";
        let text = run(folder.path(), script);
        assert!(text.contains("File \"/var/task/shop/sale.py\", line 9, in fail"), "{text}");
        assert!(text.ends_with("A shop. Sells.\n"), "{text}");
    }

    #[test]
    fn with_its_source_a_compiled_file_is_used_without_a_look_at_the_source() {
        let folder = tree(&[("zoo.py", OTHER)]);
        compile_quietly(folder.path(), true);
        let names: Vec<String> = contents(folder.path()).into_keys().collect();
        assert!(names[0].starts_with("__pycache__/zoo.cpython-3") && names[1] == "zoo.py", "{names:?}");
        fs::write(folder.path().join("zoo.py"), "abc = 'changed'\n").unwrap();
        assert_eq!(run(folder.path(), "import zoo; print(zoo.abc, zoo.__file__[-6:])"), "abc zoo.py\n");
    }

    #[test]
    fn what_is_no_python_is_kept_and_reported() {
        let deep = format!("x = {}1{}\n", "(".repeat(5000), ")".repeat(5000));
        let files =
            [("a.py", "x = 1\n"), ("old.py", "x = 1\nprint 'two'\n"), ("b/deep.py", &deep), ("nul.py", "x = 1\0")];
        let folder = tree(&files);
        let mut seen = Vec::new();
        let compiled = compile(&python(), folder.path(), "/x", false, &mut |name| seen.push(name.to_owned())).unwrap();
        let failed: Vec<&str> = compiled.failed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((compiled.files, failed), (1, vec!["b/deep.py", "nul.py", "old.py"]));
        assert!(compiled.failed[2].1.starts_with("line 2: "), "{:?}", compiled.failed);
        seen.sort();
        assert_eq!(seen, ["a.py", "b/deep.py", "nul.py", "old.py"]);
        let names: Vec<String> = contents(folder.path()).into_keys().collect();
        assert_eq!(names, ["a.pyc", "b/deep.py", "nul.py", "old.py"]);
    }

    #[test]
    fn an_interpreter_that_cannot_do_it_is_named() {
        let folder = tree(&[]);
        let error = |python: &str| compile(Path::new(python), folder.path(), "/", false, &mut |_| {}).unwrap_err();
        let text = error("/no/such/python").to_string();
        assert!(text.contains("/no/such/python") && text.contains("No such file"), "{text}");
        let text = error("/bin/false").to_string();
        assert!(text.contains("exit status: 1"), "{text}");
    }

    #[test]
    fn a_file_that_cannot_be_written_ends_it() {
        let folder = tree(&[("a.py", "x = 1\n")]);
        fs::create_dir(folder.path().join("a.pyc")).unwrap();
        let error = compile(&python(), folder.path(), "/", false, &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("a.py") && error.contains("s a directory"), "{error}");
    }
}
