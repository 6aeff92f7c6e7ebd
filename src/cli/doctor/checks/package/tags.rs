//! What the name of an extension module tells.

use super::wheel::Target;
use super::{ARCHITECTURE, Architecture, Check, PLATFORM, PYTHON};
use crate::cli::doctor::contents::extension;

pub(super) fn is_extension(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    ["so", "pyd", "dylib"].contains(&extension(file)) || file.contains(".so.")
}

/// Judges a module by its name: `_x.cpython-311-darwin.so`, `_x.cp311-win_amd64.pyd`.
pub(super) fn by_name(name: &str, target: Target) -> Option<(&'static Check, String)> {
    let file = name.rsplit('/').next().unwrap_or(name);
    match extension(file) {
        "pyd" => return Some((&PLATFORM, format!("{name} is for Windows"))),
        "dylib" => return Some((&PLATFORM, format!("{name} is for macOS"))),
        _ if file.ends_with("-darwin.so") => return Some((&PLATFORM, format!("{name} is for macOS"))),
        _ if file.contains("-linux-musl") => return Some((&PLATFORM, format!("{name} is for Alpine (musl)"))),
        _ => {}
    }
    if let (Some(wanted), Some(found)) = (target.architecture, architecture(file))
        && wanted != found
    {
        return Some((&ARCHITECTURE, format!("{name} is for {found}, the function is {wanted}")));
    }
    let (found, wanted) = (version(file)?, target.minor?);
    (found != wanted).then(|| (&PYTHON, format!("{name} is for python3.{found}, the function is on python3.{wanted}")))
}

/// The processor in `cpython-313-aarch64-linux-gnu`.
fn architecture(file: &str) -> Option<Architecture> {
    let (before, _) = file.split_once("-linux-")?;
    before.rsplit('-').next()?.parse().ok()
}

/// The `13` of `cpython-313-x86_64-linux-gnu`, also of `cpython-313t` (free-threaded).
fn version(file: &str) -> Option<u32> {
    let (_, rest) = file.split_once(".cpython-3")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> Option<&'static str> {
        let target = Target { minor: Some(13), architecture: Some(Architecture::X86_64) };
        by_name(name, target).map(|(check, _)| check.id)
    }

    #[test]
    fn names_of_modules_tell_platform_and_version() {
        assert_eq!(id("a/_x.cpython-311-darwin.so"), Some("package-platform"));
        assert_eq!(id("a/_x.cp313-win_amd64.pyd"), Some("package-platform"));
        assert_eq!(id("a/_x.cpython-313-x86_64-linux-musl.so"), Some("package-platform"));
        assert_eq!(id("a/_x.cpython-311-x86_64-linux-gnu.so"), Some("package-python"));
        assert_eq!(id("a/_x.cpython-313-aarch64-linux-gnu.so"), Some("package-architecture"));
        for fine in ["a/_x.cpython-313-x86_64-linux-gnu.so", "a/_x.abi3.so", "a.libs/libz-123.so.1", "a/_x.so"] {
            assert_eq!(id(fine), None, "{fine}");
        }
        assert!(is_extension("a.libs/libz.so.1.3") && !is_extension("a/also.py") && !is_extension("a/x.sock"));
    }
}
