//! The machine whose C library the sandbox has: this one, or an arm64 Debian that QEMU runs here.

use std::fs;
use std::path::{Path, PathBuf};

use crate::tool::variable;

pub(crate) struct Machine {
    /// Lambda's name of the processor.
    pub(crate) processor: &'static str,
    /// Whether programs of that processor run in an emulation.
    pub(crate) emulated: bool,
    /// The folder of the C library.
    pub(crate) libraries: PathBuf,
    pub(crate) loader: PathBuf,
    pub(crate) shell: PathBuf,
}

/// Lambda's name of this machine's processor.
pub(crate) const HERE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };

impl Machine {
    /// `tests/arm64` names the root of an arm64 Debian in ARM64_ROOT.
    pub(crate) fn find() -> Self {
        variable("ARM64_ROOT").map_or_else(Self::this, |root| Self::arm64(Path::new(&root)))
    }

    fn this() -> Self {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let mapped = |part: &str| {
            maps.lines().filter_map(|line| line.split_whitespace().last()).find(|path| path.contains(part))
        };
        let libc = Path::new(mapped("/libc.so.6").or(mapped("/libc-")).unwrap());
        Self {
            processor: HERE,
            emulated: false,
            libraries: libc.parent().unwrap().to_owned(),
            loader: mapped("/ld-linux").unwrap().into(),
            shell: "/bin/sh".into(),
        }
    }

    fn arm64(root: &Path) -> Self {
        Self {
            processor: "arm64",
            emulated: HERE != "arm64",
            libraries: root.join("lib/aarch64-linux-gnu"),
            loader: root.join("lib/ld-linux-aarch64.so.1"),
            shell: root.join("bin/dash"),
        }
    }
}
