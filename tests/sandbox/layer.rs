//! The layer under test and the functions on it, made by the command line as users make them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::machine::{HERE, Machine};
use crate::place::{Place, unpack};
use crate::support::root;
use crate::tool::find;

/// An unpacked layer.
pub(crate) struct Layer {
    folder: PathBuf,
    /// `3.13`
    pub(crate) python: String,
    /// Whether it was made here: its OpenSSL looks for certificates where this machine has them.
    pub(crate) made_here: bool,
    pub(crate) rie: PathBuf,
    pub(crate) machine: Machine,
}

impl Layer {
    /// The layer, unpacked once for all tests, or `None` after a line that says what is not tested here.
    pub(crate) fn find() -> Option<&'static Self> {
        static LAYER: OnceLock<Option<Layer>> = OnceLock::new();
        LAYER.get_or_init(Self::unpack).as_ref()
    }

    fn unpack() -> Option<Self> {
        let machine = Machine::find();
        // A static program: it runs as this machine's in either root.
        let rie = find(&format!("aws-lambda-rie-{HERE}"))?;
        let namespaces = Command::new("unshare").args(["--mount", "--pid", "--fork", "true"]).output();
        if !namespaces.is_ok_and(|output| output.status.success()) {
            // Past the capture of the test harness, so that it is seen.
            let why = "SKIPPED: the sandbox needs root and namespaces (unshare, of util-linux)\n";
            let _ = std::io::Write::write_all(&mut std::io::stderr(), why.as_bytes());
            return None;
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sandbox-layer");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        let dist = root().join("layer/dist");
        let names = fs::read_dir(&dist).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let mut names: Vec<_> = names.filter_map(|name| name.into_string().ok()).collect();
        // One with optimisations comes last.
        let endings = ["-QUICK.zip", ".zip"].map(|ending| format!("-{}{ending}", machine.processor));
        names.retain(|name| {
            name.starts_with("wsgi-lambda-python") && endings.iter().any(|ending| name.ends_with(ending))
        });
        let Some(zip) = names.iter().max() else {
            assert!(!machine.emulated, "layer/dist has no layer for arm64: make layer ARCHITECTURE=arm64");
            let place = Place::whole();
            let made = place.layer(&["--output", "layer.zip"]);
            assert_eq!(made.status(), 0, "{}", made.stderr());
            unpack(&place.path("layer.zip"), &folder);
            return Some(Self { folder, python: place.python.clone(), made_here: true, rie, machine });
        };
        unpack(&dist.join(zip), &folder);
        let python = zip.trim_start_matches("wsgi-lambda-python").split('-').next().unwrap().to_owned();
        Some(Self { folder, python, made_here: false, rie, machine })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Whether the extension modules are part of libpython, as in uv's Pythons.
    pub(crate) fn is_static(&self) -> bool {
        let modules = self.path().join(format!("lib/python{}/lib-dynload", self.python));
        fs::read_dir(modules).is_ok_and(|mut entries| entries.next().is_none())
    }

    /// A function's folder, as `wsgi-lambda package` makes it with these options.
    pub(crate) fn package(&self, app: &Path, options: &[&str]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_wsgi-lambda"))
            .args(["package", "--python", &self.python, "--architecture", self.machine.processor, "--output"])
            .arg(folder.path().join("function"))
            .args(options)
            .arg(app)
            .env_remove("PYTHON") // an interpreter of the layer's version is looked for
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // Lambda's user reads what belongs to somebody else.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }
}
