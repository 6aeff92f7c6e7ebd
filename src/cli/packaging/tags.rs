//! The tags of wheels: `cp313-cp313-manylinux_2_28_x86_64` (PEP 425, "Platform compatibility tags").

use super::target::{PartialTarget, Target};
use super::unfit::Mismatch;
use crate::bundle::{Architecture, Glibc};

/// The minor versions of glibc for which uv has a platform (`uv pip install --help`, 0.13).
const UV_MANYLINUX: [u32; 12] = [17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40];

/// Tags from before PEP 600, and the glibc that each stands for.
const LEGACY_MANYLINUX: [(&str, u32); 3] = [("manylinux2014", 17), ("manylinux2010", 12), ("manylinux1", 5)];

/// The platform tags that fit, newest first. pip takes each for itself and derives none (PEP 600 does).
pub(in crate::cli) fn pip_platforms(target: &Target) -> Vec<String> {
    let machine = target.architecture.machine();
    let mut platforms = Vec::new();
    for minor in (oldest_manylinux(target.architecture)..=target.glibc.minor).rev() {
        platforms.push(format!("manylinux_2_{minor}_{machine}"));
        let legacy = LEGACY_MANYLINUX.iter().filter(|(_, glibc)| *glibc == minor);
        platforms.extend(legacy.map(|(name, _)| format!("{name}_{machine}")));
    }
    // Wheels of one's own that nobody audited: the files in them are checked afterwards.
    platforms.push(format!("linux_{machine}"));
    platforms
}

/// The newest of uv's platforms that is not newer than the target.
pub(in crate::cli) fn uv_platform(target: &Target) -> String {
    let minor = UV_MANYLINUX.iter().rev().find(|minor| **minor <= target.glibc.minor).unwrap_or(&UV_MANYLINUX[0]);
    format!("{}-manylinux_2_{minor}", target.architecture.machine())
}

/// The ABI tag of the target's Python. Lambda's Pythons and the layer's have the GIL; the ABI of the free-threaded
/// build is another one, `cp313t`, and neither loads the modules of the other (PEP 703, "Stable ABI and wheels").
pub(in crate::cli) fn abi(target: &Target) -> String {
    format!("cp3{}", target.python.minor)
}

/// Why a wheel with one of these tags cannot be installed; `None` if one of them fits.
pub(in crate::cli) fn mismatch_of_all<'a>(
    tags: impl IntoIterator<Item = &'a str>,
    target: &PartialTarget,
) -> Option<Mismatch> {
    let mut first = None;
    for tag in tags {
        let found = mismatch(tag, target)?;
        first.get_or_insert(found);
    }
    first
}

/// Why a wheel with this tag cannot be installed. Each part may be a set: `py2.py3-none-any`.
pub(in crate::cli) fn mismatch(tag: &str, target: &PartialTarget) -> Option<Mismatch> {
    let mut parts = tag.splitn(3, '-');
    let (Some(pythons), Some(abis), Some(platforms)) = (parts.next(), parts.next(), parts.next()) else {
        return Some(Mismatch::Platform); // nothing that can be installed anywhere
    };
    let of_platforms: Vec<_> = platforms.split('.').map(|platform| platform_mismatch(platform, target)).collect();
    if of_platforms.iter().all(Option::is_some) {
        return of_platforms.into_iter().flatten().next();
    }
    let fits = |python| abis.split('.').any(|abi| fits_python(python, abi, target));
    (!pythons.split('.').any(fits)).then_some(Mismatch::Python)
}

fn platform_mismatch(platform: &str, target: &PartialTarget) -> Option<Mismatch> {
    if platform == "any" {
        return None;
    }
    let Some((glibc, machine)) = glibc_and_machine(platform) else { return Some(Mismatch::Platform) };
    if target.architecture.is_some_and(|wanted| wanted.machine() != machine) {
        return Some(Mismatch::Architecture);
    }
    glibc.is_some_and(|glibc| glibc > target.glibc).then_some(Mismatch::Glibc)
}

/// What a tag for Linux with glibc says: `manylinux_2_28_x86_64`, `manylinux2014_x86_64`, or `linux_x86_64` of a wheel
/// that says nothing of glibc.
fn glibc_and_machine(platform: &str) -> Option<(Option<Glibc>, &str)> {
    if let Some(rest) = platform.strip_prefix("manylinux_") {
        let mut parts = rest.splitn(3, '_');
        let (major, minor) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        return Some((Some(Glibc { major, minor }), parts.next()?));
    }
    let legacy = LEGACY_MANYLINUX.iter().find_map(|(name, minor)| {
        let machine = platform.strip_prefix(name)?.strip_prefix('_')?;
        Some((Some(Glibc { major: 2, minor: *minor }), machine))
    });
    legacy.or_else(|| Some((None, platform.strip_prefix("linux_")?)))
}

/// Whether the target's Python takes a wheel of this Python tag and ABI tag. The ABI has to be that of the very version,
/// or the stable one of this version or an older one; `cp313t` is neither ([`abi`]).
fn fits_python(python: &str, abi: &str, target: &PartialTarget) -> bool {
    let Some((implementation, digits)) = python.find('3').map(|at| python.split_at(at)) else { return false };
    if digits == "3" {
        return implementation == "py" && abi == "none";
    }
    let Ok(found) = digits[1..].parse::<u32>() else { return false };
    let is_new_enough = target.python.is_none_or(|wanted| found <= wanted.minor);
    match (implementation, abi) {
        ("py", "none") | ("cp", "abi3") => is_new_enough,
        ("cp", abi) => {
            (abi == "none" || abi == format!("cp3{found}")) && target.python.is_none_or(|wanted| found == wanted.minor)
        }
        _ => false,
    }
}

/// The tag in the name of a wheel: `cp313-cp313-linux_x86_64` of `name-1.0-cp313-cp313-linux_x86_64.whl`.
pub(in crate::cli) fn tag_of(wheel: &str) -> Option<String> {
    let mut parts: Vec<&str> = wheel.strip_suffix(".whl")?.rsplitn(4, '-').take(3).collect();
    parts.reverse();
    (parts.len() == 3).then(|| parts.join("-"))
}

/// The first glibc that PyPI has wheels for: that of `manylinux1`, and of `manylinux2014` on ARM.
fn oldest_manylinux(architecture: Architecture) -> u32 {
    match architecture {
        Architecture::X86_64 => 5,
        Architecture::Arm64 => 17,
    }
}

#[cfg(test)]
mod tests {
    use super::super::target::PythonVersion;
    use super::*;
    use crate::bundle::LAMBDA_GLIBC;

    fn target(architecture: Architecture) -> Target {
        Target { python: PythonVersion { minor: 13 }, architecture, glibc: LAMBDA_GLIBC }
    }

    #[test]
    fn pip_is_told_every_tag_that_fits() {
        let platforms = pip_platforms(&target(Architecture::X86_64));
        assert_eq!(platforms.first().map(String::as_str), Some("manylinux_2_34_x86_64"));
        for tag in ["manylinux_2_28_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64", "linux_x86_64"] {
            assert!(platforms.iter().any(|platform| platform == tag), "{tag} in {platforms:?}");
        }
        let arm = pip_platforms(&target(Architecture::Arm64));
        assert!(arm.iter().any(|platform| platform == "manylinux2014_aarch64"));
        assert!(!arm.iter().any(|platform| platform.starts_with("manylinux1")), "{arm:?}");
    }

    #[test]
    fn what_pip_is_told_fits() {
        for target in [Architecture::X86_64, Architecture::Arm64].map(target) {
            for platform in pip_platforms(&target) {
                let tag = format!("{0}-{0}-{platform}", abi(&target));
                assert_eq!(mismatch(&tag, &target.into()), None, "{tag}");
            }
        }
    }

    #[test]
    fn uv_gets_a_platform_it_knows_and_never_a_newer_one() {
        let at = |minor| uv_platform(&Target { glibc: Glibc { major: 2, minor }, ..target(Architecture::Arm64) });
        assert_eq!(at(34), "aarch64-manylinux_2_34");
        assert_eq!(at(26), "aarch64-manylinux_2_17");
        assert_eq!(at(99), "aarch64-manylinux_2_40");
    }

    #[test]
    fn wheels_fit_by_python_abi_and_platform() {
        let x86 = target(Architecture::X86_64).into();
        for tag in [
            "py3-none-any",
            "py2.py3-none-any",
            "py310-none-any",
            "cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64",
            "cp313-cp313-manylinux_2_28_x86_64",
            "cp313-cp313-manylinux2014_x86_64",
            "cp37-abi3-manylinux_2_34_x86_64",
            "cp39-abi3-manylinux_2_17_x86_64",
            "cp313-none-linux_x86_64",
            "cp313-cp313-linux_x86_64",
            "py3-none-manylinux2014_x86_64",
        ] {
            assert_eq!(mismatch(tag, &x86), None, "{tag}");
        }
        for (tag, expected) in [
            ("py2-none-any", Mismatch::Python),
            ("py314-none-any", Mismatch::Python),
            ("cp311-cp311-manylinux_2_17_x86_64", Mismatch::Python),
            ("cp312-cp312-manylinux2014_x86_64", Mismatch::Python),
            ("cp314-abi3-manylinux2014_x86_64", Mismatch::Python),
            ("pp310-pypy310_pp73-manylinux2014_x86_64", Mismatch::Python),
            ("cp313-cp313-manylinux_2_35_x86_64", Mismatch::Glibc),
            ("cp313-cp313-manylinux_2_17_aarch64", Mismatch::Architecture),
            ("cp313-cp313-manylinux_2_17_riscv64", Mismatch::Architecture),
            ("cp313-cp313-musllinux_1_2_x86_64", Mismatch::Platform),
            ("cp313-cp313-macosx_11_0_arm64", Mismatch::Platform),
            ("py3-none-win_amd64", Mismatch::Platform),
            ("nonsense", Mismatch::Platform),
        ] {
            assert_eq!(mismatch(tag, &x86), Some(expected), "{tag}");
        }
    }

    #[test]
    fn the_abi_without_the_gil_fits_no_python_of_lambda() {
        let known = PartialTarget::from(target(Architecture::X86_64));
        for target in [known, PartialTarget { python: None, architecture: None, ..known }] {
            assert_eq!(mismatch("cp313-cp313t-manylinux2014_x86_64", &target), Some(Mismatch::Python));
            assert_eq!(mismatch("cp313-cp313.cp313t-manylinux2014_x86_64", &target), None, "one of the set fits");
        }
    }

    #[test]
    fn what_is_not_known_of_a_target_is_no_mismatch() {
        let unknown = PartialTarget { python: None, architecture: None, glibc: LAMBDA_GLIBC };
        for tag in ["cp311-cp311-manylinux2014_x86_64", "cp399-abi3-manylinux_2_17_aarch64", "py399-none-any"] {
            assert_eq!(mismatch(tag, &unknown), None, "{tag}");
        }
        assert_eq!(mismatch("cp311-cp311-win_amd64", &unknown), Some(Mismatch::Platform));
        assert_eq!(mismatch("cp311-cp311-manylinux_2_39_x86_64", &unknown), Some(Mismatch::Glibc));
    }

    #[test]
    fn of_several_tags_one_that_fits_is_enough() {
        let x86 = target(Architecture::X86_64).into();
        assert_eq!(mismatch_of_all(["py2-none-any", "py3-none-any"], &x86), None);
        assert_eq!(mismatch_of_all(["py2-none-any", "cp313-cp313-win_amd64"], &x86), Some(Mismatch::Python));
        assert_eq!(mismatch_of_all([], &x86), None, "no tag says nothing");
    }

    #[test]
    fn a_wheels_name_has_its_tag() {
        assert_eq!(tag_of("a_b-1.0-1x-cp313-cp313-linux_x86_64.whl").as_deref(), Some("cp313-cp313-linux_x86_64"));
        assert_eq!(tag_of("a-1.0-py3-none-any.whl").as_deref(), Some("py3-none-any"));
        assert_eq!(tag_of("a-1.0.tar.gz"), None);
    }
}
