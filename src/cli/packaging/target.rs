//! Where a package will run: a Python, an architecture, a C library.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;

use crate::bundle::{Architecture, Glibc};

/// A minor version of Python 3: compiled files and extension modules are of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) struct PythonVersion {
    pub(in crate::cli) minor: u32,
}

/// A Python of Lambda: layers of both flavours are made for it.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Supported {
    pub(in crate::cli) python: PythonVersion,
    /// Whether AWS offers the managed runtime as a preview: it may change, and no agreement covers it.
    pub(in crate::cli) preview: bool,
}

/// The Pythons that Lambda has ("Building Lambda functions with Python"). Templates, workflows and documents list them
/// too: a test below compares those with this list.
pub(in crate::cli) const PYTHONS: [Supported; 5] =
    [supported(11), supported(12), supported(13), supported(14), Supported { preview: true, ..supported(15) }];

const fn supported(minor: u32) -> Supported {
    Supported { python: PythonVersion { minor }, preview: false }
}

/// The oldest that `bootstrap` can embed.
pub(in crate::cli) const OLDEST: PythonVersion = PYTHONS[0].python;

/// The layer's Python: what `make layer` builds unless it is told another. `package` makes packages for it by default.
pub(in crate::cli) const LAYER_PYTHON: PythonVersion = PythonVersion { minor: 13 };

impl fmt::Display for PythonVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}", self.minor)
    }
}

impl FromStr for PythonVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let minor = text.strip_prefix("3.").and_then(|minor| minor.parse().ok());
        match minor.map(|minor| Self { minor }) {
            Some(version) if version >= OLDEST => Ok(version),
            Some(_) => Err(format!("the runtime needs Python {OLDEST} or later")),
            None => Err("write it as 3.13: Lambda or the layer chooses the third number".to_owned()),
        }
    }
}

/// Where the package will run.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Target {
    pub(in crate::cli) python: PythonVersion,
    pub(in crate::cli) architecture: Architecture,
    pub(in crate::cli) glibc: Glibc,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Python {} on {} with glibc {}", self.python, self.architecture, self.glibc)
    }
}

/// A target of which some things are not known: what is not known is never a reason not to fit.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct PartialTarget {
    pub(in crate::cli) python: Option<PythonVersion>,
    pub(in crate::cli) architecture: Option<Architecture>,
    pub(in crate::cli) glibc: Glibc,
}

impl From<Target> for PartialTarget {
    fn from(target: Target) -> Self {
        let Target { python, architecture, glibc } = target;
        Self { python: Some(python), architecture: Some(architecture), glibc }
    }
}

/// The Python that a `bootstrap` embeds: it says so in a line like `wsgi-lambda bootstrap 0.1.0 (python3.13)`.
pub(in crate::cli) fn python_of_bootstrap(program: &Path) -> Option<PythonVersion> {
    let output = Command::new(program).arg("--version").output().ok().filter(|output| output.status.success())?;
    let line = String::from_utf8(output.stdout).ok()?;
    line.split_once("(python")?.1.split(')').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files that are not Rust cannot share the constant.
    #[test]
    fn the_layers_python_is_one_version_in_the_whole_repository() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (file, text) in [
            ("layer/python/prefix", format!("\nversion={LAYER_PYTHON}\n")),
            ("layer/python/build", format!("python={LAYER_PYTHON} quick=")),
            (
                "template.yaml",
                format!(
                    "PythonVersion:\n    Description: Python of the layer (make layer) and of the packages. {LAYER_PYTHON} is what make layer builds by default.\n    Type: String\n    Default: \"{LAYER_PYTHON}\""
                ),
            ),
            ("terraform/variables.tf", format!("= \"{LAYER_PYTHON}\"")),
            ("terraform/example/variables.tf", format!("= \"{LAYER_PYTHON}\"")),
        ] {
            let found = std::fs::read_to_string(root.join(file)).unwrap();
            assert!(found.contains(&text), "{file} does not say {text}");
        }
    }

    #[test]
    fn every_list_of_pythons_is_the_same() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
        let versions = PYTHONS.map(|known| known.python.to_string());
        let quoted = format!("[\"{}\"]", versions.join("\", \""));
        let (first, last) = (OLDEST.minor, PYTHONS[PYTHONS.len() - 1].python.minor);
        for (file, text) in [
            ("template.yaml", format!("AllowedValues: {quoted}")),
            ("terraform/variables.tf", format!("contains({quoted}, var.python_version)")),
            ("terraform/example/variables.tf", format!("contains({quoted}, var.python_version)")),
            (".github/workflows/ci.yml", format!("python: {quoted}")),
            ("wheel/build", format!("\nOLDEST, NEWEST = {first}, {last}\n")),
        ] {
            assert!(read(file).contains(&text), "{file} does not say {text}");
        }
        let support = read("docs/support.md");
        let rows = support.lines().filter_map(|line| line.strip_prefix("| 3.")?.split_whitespace().next());
        assert_eq!(rows.map(|minor| format!("3.{minor}")).collect::<Vec<_>>(), versions);
        let folders = std::fs::read_dir(root.join("layer/sam")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut folders: Vec<_> = folders.filter_map(|name| name.into_string().ok()).collect();
        folders.retain(|name| name.starts_with("python"));
        folders.sort();
        let expected =
            versions.iter().flat_map(|version| ["arm64", "x86_64"].map(|name| format!("python{version}-{name}")));
        assert_eq!(folders, expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_version_is_two_numbers() {
        assert_eq!("3.13".parse(), Ok(PythonVersion { minor: 13 }));
        assert!("3.13.1".parse::<PythonVersion>().unwrap_err().contains("3.13"));
        assert!("3.9".parse::<PythonVersion>().unwrap_err().contains("3.11"));
        assert!("313".parse::<PythonVersion>().is_err());
    }
}
