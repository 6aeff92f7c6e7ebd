//! The files of modules, by their names: sources, bytecode, extension modules.

use super::target::{PartialTarget, PythonVersion, Target};
use super::unfit::Unfit;
use crate::bundle::Architecture;

/// What follows a module's path in the name of its file, best first: a source says more than bytecode.
const ENDINGS: [&str; 5] = [".py", "/__init__.py", ".pyc", "/__init__.pyc", ".so"];

/// The file of a module (its path has slashes and no ending) among names of files.
pub(in crate::cli) fn file_of<'a>(path: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let rank = |name: &str| {
        let ending = name.strip_prefix(path)?;
        let known = ENDINGS.iter().position(|known| *known == ending);
        known.or_else(|| Extension::of(ending).map(|_| ENDINGS.len()))
    };
    names.filter_map(|name| Some((rank(name)?, name))).min().map(|(_, name)| name)
}

/// Whether a module's text can have this name as an attribute. Nobody knows what a star brings.
pub(in crate::cli) fn mentions(text: &str, name: &str) -> bool {
    let mut words = text.split(|char: char| !(char.is_alphanumeric() || char == '_'));
    text.contains("import *") || text.contains("__getattr__") || words.any(|word| word == name)
}

/// `a/__pycache__/b.cpython-313.pyc` of `a/b.py` (PEP 3147).
pub(in crate::cli) fn cached(source: &str, python: PythonVersion) -> String {
    let (folder, file) = source.rsplit_once('/').map_or(("", source), |(folder, file)| (folder, file));
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{slash}__pycache__/{}.cpython-3{}.pyc", file.trim_end_matches(".py"), python.minor)
}

/// `a/__pycache__/b.cpython-313.pyc` and `a/b.pyc` come from `a/b.py`.
pub(in crate::cli) fn source_of(path: &str) -> Option<String> {
    let compiled = path.strip_suffix(".pyc")?;
    match compiled.rsplit_once("__pycache__/") {
        Some((folder, name)) => Some(format!("{folder}{}.py", name.rsplit_once('.')?.0)),
        None => Some(format!("{compiled}.py")),
    }
}

/// What the name of an extension module says (PEP 3149).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Extension<'a> {
    /// `name.cpython-313-x86_64-linux-gnu.so`: the module's name, the version as digits, the platform.
    Tagged { stem: &'a str, version: &'a str, platform: &'a str },
    /// `name.abi3.so`: for every version from some on.
    Stable { stem: &'a str },
}

impl<'a> Extension<'a> {
    /// `None`: another file, or a module whose name does not say for what it is.
    pub(in crate::cli) fn of(name: &'a str) -> Option<Self> {
        let name = name.strip_suffix(".so")?;
        if let Some(stem) = name.strip_suffix(".abi3") {
            return Some(Self::Stable { stem });
        }
        let (stem, tag) = name.rsplit_once(".cpython-")?;
        let (version, platform) = tag.split_once('-').unwrap_or((tag, ""));
        Some(Self::Tagged { stem, version, platform })
    }

    /// Whether Python on the target imports it.
    pub(in crate::cli) fn fits(self, target: &Target) -> bool {
        match self {
            Self::Stable { .. } => true,
            Self::Tagged { platform, .. } => {
                let machine = format!("{}-linux-gnu", target.architecture.machine());
                self.other_python(Some(target.python)).is_none() && (platform.is_empty() || platform == machine)
            }
        }
    }

    /// The Python that it is for, if that is another one. The `t` of `313t`, the free-threaded build, is a part of the
    /// version: a Python with the GIL looks for no such file.
    pub(in crate::cli) fn other_python(self, wanted: Option<PythonVersion>) -> Option<String> {
        let Self::Tagged { version, .. } = self else { return None };
        let minor = version.strip_prefix('3')?;
        let is_right = match (minor.parse::<u32>(), wanted) {
            (Ok(minor), Some(wanted)) => minor == wanted.minor,
            (Ok(_), None) => true,
            (Err(_), _) => false,
        };
        (!is_right).then(|| format!("3.{minor}"))
    }

    pub(in crate::cli) fn stem(self) -> &'a str {
        match self {
            Self::Tagged { stem, .. } | Self::Stable { stem } => stem,
        }
    }
}

/// Whether a file is, by its name, a shared library or an extension module, of whatever system.
pub(in crate::cli) fn is_library(name: &str) -> bool {
    let file = base(name);
    ["so", "pyd", "dylib"].contains(&ending(file)) || file.contains(".so.")
}

/// Why a library cannot be used, by its name alone: `_x.cpython-311-darwin.so`, `_x.cp311-win_amd64.pyd`.
pub(in crate::cli) fn unfit(name: &str, target: &PartialTarget) -> Option<Unfit> {
    let file = base(name);
    match ending(file) {
        "pyd" => return Some(Unfit::System("Windows")),
        "dylib" => return Some(Unfit::System("macOS")),
        _ => {}
    }
    let extension = Extension::of(file)?;
    if let Extension::Tagged { platform, .. } = extension {
        if platform == "darwin" {
            return Some(Unfit::System("macOS"));
        }
        if platform.contains("-linux-musl") {
            return Some(Unfit::System("Alpine (musl)"));
        }
        let found = platform.split_once("-linux-").and_then(|(machine, _)| machine.parse::<Architecture>().ok());
        if target.architecture.zip(found).is_some_and(|(wanted, found)| wanted != found) {
            return Some(Unfit::Architecture(found));
        }
    }
    extension.other_python(target.python).map(Unfit::Python)
}

/// A path's last part.
pub(in crate::cli) fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn ending(file: &str) -> &str {
    file.rsplit_once('.').map_or("", |(_, ending)| ending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::LAMBDA_GLIBC;

    fn x86() -> Target {
        let python = PythonVersion { minor: 13 };
        Target { python, architecture: Architecture::X86_64, glibc: LAMBDA_GLIBC }
    }

    #[test]
    fn extension_modules_say_what_they_are_for() {
        let fits = |name| Extension::of(name).map(|extension| extension.fits(&x86()));
        assert_eq!(fits("_speedups.cpython-313-x86_64-linux-gnu.so"), Some(true));
        assert_eq!(fits("_speedups.cpython-311-x86_64-linux-gnu.so"), Some(false));
        assert_eq!(fits("_speedups.cpython-313t-x86_64-linux-gnu.so"), Some(false));
        assert_eq!(fits("_speedups.cpython-313-aarch64-linux-gnu.so"), Some(false));
        assert_eq!(fits("_speedups.cpython-313-x86_64-linux-musl.so"), Some(false));
        assert_eq!(fits("_rust.abi3.so"), Some(true));
        assert_eq!(fits("libffi.so"), None);
        assert_eq!(fits("app.py"), None);
        let stem = |name| Extension::of(name).map(Extension::stem);
        assert_eq!(stem("a.b.cpython-313.so"), Some("a.b"));
    }

    #[test]
    fn names_of_libraries_tell_system_processor_and_python() {
        let target = x86().into();
        let unfit = |name| unfit(name, &target);
        assert_eq!(unfit("a/_x.cpython-311-darwin.so"), Some(Unfit::System("macOS")));
        assert_eq!(unfit("a/libz.dylib"), Some(Unfit::System("macOS")));
        assert_eq!(unfit("a/_x.cp313-win_amd64.pyd"), Some(Unfit::System("Windows")));
        assert_eq!(unfit("a/_x.cpython-313-x86_64-linux-musl.so"), Some(Unfit::System("Alpine (musl)")));
        assert_eq!(unfit("a/_x.cpython-311-x86_64-linux-gnu.so"), Some(Unfit::Python("3.11".to_owned())));
        assert_eq!(
            unfit("a/_x.cpython-313-aarch64-linux-gnu.so"),
            Some(Unfit::Architecture(Some(Architecture::Arm64)))
        );
        for fine in ["a/_x.cpython-313-x86_64-linux-gnu.so", "a/_x.abi3.so", "a.libs/libz-123.so.1", "a/_x.so"] {
            assert_eq!(unfit(fine), None, "{fine}");
        }
        assert!(is_library("a.libs/libz.so.1.3") && !is_library("a/also.py") && !is_library("a/x.sock"));
    }

    #[test]
    fn modules_of_the_build_without_the_gil_are_not_found_by_the_other_one() {
        let name = "a/_x.cpython-313t-x86_64-linux-gnu.so";
        let known = PartialTarget::from(x86());
        for target in [known, PartialTarget { python: None, ..known }] {
            assert_eq!(unfit(name, &target), Some(Unfit::Python("3.13t".to_owned())));
        }
    }

    #[test]
    fn a_module_has_a_file_and_its_source_is_the_best_one() {
        let names = ["a.pyc", "a.py", "b/__init__.pyc", "c.cpython-313-x86_64-linux-gnu.so", "d/x.py", "ee.py"];
        let found = |path| file_of(path, names.into_iter());
        assert_eq!(found("a"), Some("a.py"));
        assert_eq!(found("b"), Some("b/__init__.pyc"));
        assert_eq!(found("c"), Some("c.cpython-313-x86_64-linux-gnu.so"));
        assert_eq!((found("d"), found("e"), found("d/x")), (None, None, Some("d/x.py")));
    }

    #[test]
    fn sources_and_bytecode_lead_to_each_other() {
        let python = PythonVersion { minor: 13 };
        for (source, compiled) in
            [("a/b.py", "a/__pycache__/b.cpython-313.pyc"), ("b.py", "__pycache__/b.cpython-313.pyc")]
        {
            assert_eq!(cached(source, python), compiled);
            assert_eq!(source_of(compiled).as_deref(), Some(source));
        }
        assert_eq!(source_of("a/b.pyc").as_deref(), Some("a/b.py"));
        assert_eq!(source_of("a/b.txt"), None);
    }
}
