//! The layer under test and the functions on it, made by the command line as users make them.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::root;
use crate::tool::find;

/// An unpacked layer.
pub(crate) struct Layer {
    folder: TempDir,
    /// `3.13`
    pub(crate) python: String,
    pub(crate) rie: PathBuf,
}

impl Layer {
    /// The layer, or `None` after a line that says what is not tested here.
    pub(crate) fn find() -> Option<Self> {
        let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        let rie = find(&format!("aws-lambda-rie-{arch}"))?;
        let namespaces = Command::new("unshare").args(["--mount", "--pid", "--fork", "true"]).output();
        if !namespaces.is_ok_and(|output| output.status.success()) {
            return skip("the sandbox needs root and namespaces (unshare of util-linux)");
        }
        let dist = root().join("layer/dist");
        let names = fs::read_dir(&dist).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let names = names.filter_map(|name| name.into_string().ok());
        let zip = names
            .filter(|name| name.starts_with("wsgi-lambda-python") && name.ends_with(&format!("-{arch}.zip")))
            .max();
        let Some(zip) = zip else { return skip("there is no layer in layer/dist: `make layer` builds it") };
        let folder = tempfile::tempdir().unwrap();
        unzip(&dist.join(&zip), folder.path());
        let python = zip.trim_start_matches("wsgi-lambda-python").split('-').next().unwrap().to_owned();
        Some(Self { folder, python, rie })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Whether the extension modules are part of libpython, as in uv's Pythons.
    pub(crate) fn is_static(&self) -> bool {
        let modules = self.path().join(format!("lib/python{}/lib-dynload", self.python));
        fs::read_dir(modules).is_ok_and(|mut entries| entries.next().is_none())
    }

    /// A function's folder, as `wsgi-lambda package` makes it.
    pub(crate) fn package(&self, app: &Path) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_wsgi-lambda"))
            .args(["package", "--python", &self.python, "--output"])
            .arg(folder.path().join("function"))
            .arg(app)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // Lambda's user reads what belongs to somebody else.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }
}

fn skip<T>(why: &str) -> Option<T> {
    // Past the capture of the test harness, so that it is seen.
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("SKIPPED: {why}\n"));
    None
}

fn unzip(zip: &Path, into: &Path) {
    let mut archive = zip::ZipArchive::new(fs::File::open(zip).unwrap()).unwrap();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let path = into.join(file.enclosed_name().unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        if file.is_symlink() {
            std::os::unix::fs::symlink(String::from_utf8(bytes).unwrap(), &path).unwrap();
            continue;
        }
        fs::write(&path, bytes).unwrap();
        let mode = file.unix_mode().unwrap() & 0o777;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
}
