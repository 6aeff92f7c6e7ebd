//! What an installed wheel says it is for: the `Tag:` lines of its WHEEL file ("Binary distribution format").

use super::{Architecture, Check, Contents, GLIBC, LAMBDA_GLIBC, PLATFORM, PYTHON};
use crate::bundle::Glibc;

/// What a package is judged for.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) minor: Option<u32>,
    pub(super) architecture: Option<Architecture>,
}

/// Every wheel that is for another place, by the name of its folder of metadata.
pub(super) fn wrong(package: &Contents, target: Target) -> impl Iterator<Item = (&str, &'static Check, String)> {
    let files = package.names().filter(|name| name.ends_with(".dist-info/WHEEL"));
    files.filter_map(move |name| {
        let text = package.text(name)?;
        let tags: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("Tag:")).map(str::trim).collect();
        // One tag that fits is enough.
        let verdicts: Option<Vec<_>> = tags.iter().map(|tag| judge(tag, target)).collect();
        let check = verdicts?.into_iter().next()?;
        let folder = name.strip_suffix("/WHEEL")?;
        Some((folder, check, format!("its wheel is for {}", tags.join(", "))))
    })
}

/// What is wrong with a tag such as `cp313-cp313-manylinux_2_28_x86_64`.
fn judge(tag: &str, target: Target) -> Option<&'static Check> {
    let mut parts = tag.splitn(3, '-');
    let (python, abi, platform) = (parts.next()?, parts.next()?, parts.next()?);
    if platform == "any" {
        return None;
    }
    if !platform.starts_with("manylinux") && !platform.starts_with("linux") {
        return Some(&PLATFORM);
    }
    let wanted = target.architecture.map(Architecture::machine);
    if wanted.is_some_and(|wanted| !platform.ends_with(wanted)) {
        return Some(&super::ARCHITECTURE);
    }
    // manylinux_2_28; the older names, such as manylinux2014, are of older libraries.
    let glibc = platform.strip_prefix("manylinux_").and_then(|rest| {
        let mut numbers = rest.split('_');
        Some(Glibc { major: numbers.next()?.parse().ok()?, minor: numbers.next()?.parse().ok()? })
    });
    if glibc.is_some_and(|glibc| glibc > LAMBDA_GLIBC) {
        return Some(&GLIBC);
    }
    let minor = python.strip_prefix("cp3").and_then(|minor| minor.parse::<u32>().ok());
    let is_wrong = match (minor, target.minor) {
        // The stable interface is that of this version and later ones.
        (Some(found), Some(wanted)) if abi == "abi3" => found > wanted,
        (Some(found), Some(wanted)) => found != wanted,
        _ => false,
    };
    is_wrong.then_some(&PYTHON)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_judged() {
        let target = Target { minor: Some(13), architecture: Some(Architecture::X86_64) };
        for (tag, expected) in [
            ("py3-none-any", None),
            ("cp313-cp313-manylinux_2_28_x86_64", None),
            ("cp313-cp313-manylinux2014_x86_64", None),
            ("cp39-abi3-manylinux_2_17_x86_64", None),
            ("cp313-cp313-linux_x86_64", None),
            ("cp314-abi3-manylinux_2_17_x86_64", Some("package-python")),
            ("cp311-cp311-manylinux_2_17_x86_64", Some("package-python")),
            ("cp313-cp313-manylinux_2_17_aarch64", Some("package-architecture")),
            ("cp313-cp313-manylinux_2_39_x86_64", Some("package-glibc")),
            ("cp313-cp313-musllinux_1_2_x86_64", Some("package-platform")),
            ("cp313-cp313-macosx_11_0_arm64", Some("package-platform")),
            ("py3-none-win_amd64", Some("package-platform")),
        ] {
            assert_eq!(judge(tag, target).map(|check| check.id), expected, "{tag}");
        }
    }
}
