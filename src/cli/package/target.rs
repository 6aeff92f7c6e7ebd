//! What a package is for: a Python, an architecture, a C library. Which wheels and extension modules fit that.

use std::fmt;
use std::str::FromStr;

use crate::bundle::{Architecture, Glibc};

/// A minor version of Python 3: compiled files and extension modules are of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PythonVersion {
    pub(super) minor: u32,
}

/// The oldest that `bootstrap` can embed.
const OLDEST: PythonVersion = PythonVersion { minor: 11 };

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
            None => Err("write it as 3.13: the third number is the layer's or Lambda's choice".to_owned()),
        }
    }
}

/// Where the package will run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) python: PythonVersion,
    pub(super) architecture: Architecture,
    pub(super) glibc: Glibc,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Python {} on {} with glibc {}", self.python, self.architecture, self.glibc)
    }
}

/// The minor versions of glibc for which uv has a platform (`uv pip install --help`, 0.13).
const UV_MANYLINUX: [u32; 12] = [17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40];

/// Tags from before PEP 600, and the glibc each stands for.
const LEGACY_MANYLINUX: [(&str, u32); 3] = [("manylinux2014", 17), ("manylinux2010", 12), ("manylinux1", 5)];

impl Target {
    /// The platform tags that fit, newest first. pip takes each for itself and derives none (PEP 600 does).
    pub(super) fn pip_platforms(&self) -> Vec<String> {
        let machine = self.architecture.machine();
        let mut platforms = Vec::new();
        for minor in (oldest_manylinux(self.architecture)..=self.glibc.minor).rev() {
            platforms.push(format!("manylinux_2_{minor}_{machine}"));
            let legacy = LEGACY_MANYLINUX.iter().filter(|(_, glibc)| *glibc == minor);
            platforms.extend(legacy.map(|(name, _)| format!("{name}_{machine}")));
        }
        // Wheels of one's own that nobody audited; what is in them is read afterwards.
        platforms.push(format!("linux_{machine}"));
        platforms
    }

    /// The newest platform of uv's that is not newer than this one.
    pub(super) fn uv_platform(&self) -> String {
        let minor = UV_MANYLINUX.iter().rev().find(|minor| **minor <= self.glibc.minor).unwrap_or(&UV_MANYLINUX[0]);
        format!("{}-manylinux_2_{minor}", self.architecture.machine())
    }

    /// Whether a wheel with this tag (`cp313-cp313-manylinux_2_28_x86_64`) can be installed.
    pub(super) fn fits(&self, tag: &str) -> bool {
        let mut parts = tag.splitn(3, '-');
        let (Some(pythons), Some(abis), Some(platforms)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        pythons.split('.').any(|python| abis.split('.').any(|abi| self.fits_python(python, abi)))
            && platforms.split('.').any(|platform| self.fits_platform(platform))
    }

    fn fits_python(&self, python: &str, abi: &str) -> bool {
        let minor = self.python.minor;
        let Some((implementation, digits)) = python.find('3').map(|at| python.split_at(at)) else { return false };
        let wanted: Option<u32> = digits[1..].parse().ok();
        let own_abi = format!("cp3{minor}");
        match (implementation, wanted) {
            ("py", None) => abi == "none" && digits == "3",
            ("py", Some(wanted)) => abi == "none" && wanted <= minor,
            ("cp", Some(wanted)) if abi == "abi3" => wanted <= minor,
            ("cp", Some(wanted)) => wanted == minor && (abi == own_abi || abi == "none"),
            _ => false,
        }
    }

    fn fits_platform(&self, platform: &str) -> bool {
        platform == "any" || self.pip_platforms().iter().any(|own| own == platform)
    }
}

/// The first glibc that PyPI has wheels for: that of `manylinux1`, and of `manylinux2014` on ARM.
fn oldest_manylinux(architecture: Architecture) -> u32 {
    match architecture {
        Architecture::X86_64 => 5,
        Architecture::Arm64 => 17,
    }
}

/// What the name of an extension module says (`PEP 3149`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extension<'a> {
    /// `name.cpython-313-x86_64-linux-gnu.so`: the module's name, the digits, the platform.
    Tagged { stem: &'a str, version: &'a str, platform: &'a str },
    /// `name.abi3.so`: for every version from some on.
    Stable { stem: &'a str },
}

impl<'a> Extension<'a> {
    /// `None`: another file, or a module whose name does not say for what it is.
    pub(super) fn of(name: &'a str) -> Option<Self> {
        let name = name.strip_suffix(".so")?;
        if let Some(stem) = name.strip_suffix(".abi3") {
            return Some(Self::Stable { stem });
        }
        let (stem, tag) = name.rsplit_once(".cpython-")?;
        let (version, platform) = tag.split_once('-').unwrap_or((tag, ""));
        Some(Self::Tagged { stem, version, platform })
    }

    /// Whether Python on the target imports it.
    pub(super) fn fits(self, target: &Target) -> bool {
        match self {
            Self::Stable { .. } => true,
            Self::Tagged { version, platform, .. } => {
                let machine = format!("{}-linux-gnu", target.architecture.machine());
                version == format!("3{}", target.python.minor) && (platform.is_empty() || platform == machine)
            }
        }
    }

    pub(super) fn stem(self) -> &'a str {
        match self {
            Self::Tagged { stem, .. } | Self::Stable { stem } => stem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::LAMBDA_GLIBC;

    fn target(architecture: Architecture) -> Target {
        Target { python: PythonVersion { minor: 13 }, architecture, glibc: LAMBDA_GLIBC }
    }

    #[test]
    fn a_version_is_two_numbers() {
        assert_eq!("3.13".parse(), Ok(PythonVersion { minor: 13 }));
        assert!("3.13.1".parse::<PythonVersion>().unwrap_err().contains("3.13"));
        assert!("3.9".parse::<PythonVersion>().unwrap_err().contains("3.11"));
        assert!("313".parse::<PythonVersion>().is_err());
    }

    #[test]
    fn pip_is_told_every_tag_that_fits() {
        let platforms = target(Architecture::X86_64).pip_platforms();
        assert_eq!(platforms.first().map(String::as_str), Some("manylinux_2_34_x86_64"));
        for tag in ["manylinux_2_28_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64", "linux_x86_64"] {
            assert!(platforms.iter().any(|platform| platform == tag), "{tag} in {platforms:?}");
        }
        let arm = target(Architecture::Arm64).pip_platforms();
        assert!(arm.iter().any(|platform| platform == "manylinux2014_aarch64"));
        assert!(!arm.iter().any(|platform| platform.starts_with("manylinux1")), "{arm:?}");
    }

    #[test]
    fn uv_gets_a_platform_it_knows_and_never_a_newer_one() {
        let at = |minor| Target { glibc: Glibc { major: 2, minor }, ..target(Architecture::Arm64) }.uv_platform();
        assert_eq!(at(34), "aarch64-manylinux_2_34");
        assert_eq!(at(26), "aarch64-manylinux_2_17");
        assert_eq!(at(99), "aarch64-manylinux_2_40");
    }

    #[test]
    fn wheels_fit_by_python_abi_and_platform() {
        let x86 = target(Architecture::X86_64);
        for tag in [
            "py3-none-any",
            "py2.py3-none-any",
            "py310-none-any",
            "cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64",
            "cp37-abi3-manylinux_2_34_x86_64",
            "cp313-none-linux_x86_64",
            "py3-none-manylinux2014_x86_64",
        ] {
            assert!(x86.fits(tag), "{tag}");
        }
        for tag in [
            "py2-none-any",
            "py314-none-any",
            "cp312-cp312-manylinux2014_x86_64",
            "cp313-cp313t-manylinux2014_x86_64",
            "cp314-abi3-manylinux2014_x86_64",
            "cp313-cp313-manylinux_2_35_x86_64",
            "cp313-cp313-manylinux2014_aarch64",
            "cp313-cp313-musllinux_1_2_x86_64",
            "cp313-cp313-macosx_11_0_arm64",
            "cp313-cp313-win_amd64",
            "pp310-pypy310_pp73-manylinux2014_x86_64",
            "nonsense",
        ] {
            assert!(!x86.fits(tag), "{tag}");
        }
    }

    #[test]
    fn extension_modules_say_what_they_are_for() {
        let x86 = target(Architecture::X86_64);
        let fits = |name| Extension::of(name).map(|extension| extension.fits(&x86));
        assert_eq!(fits("_speedups.cpython-313-x86_64-linux-gnu.so"), Some(true));
        assert_eq!(fits("_speedups.cpython-311-x86_64-linux-gnu.so"), Some(false));
        assert_eq!(fits("_speedups.cpython-313-aarch64-linux-gnu.so"), Some(false));
        assert_eq!(fits("_speedups.cpython-313-x86_64-linux-musl.so"), Some(false));
        assert_eq!(fits("_rust.abi3.so"), Some(true));
        assert_eq!(fits("libffi.so"), None);
        assert_eq!(fits("app.py"), None);
        let stem = |name| Extension::of(name).map(Extension::stem);
        assert_eq!(stem("a.b.cpython-313.so"), Some("a.b"));
    }
}
