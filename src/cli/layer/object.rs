//! The layer's ELF files, and what is wrong with them.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use crate::bundle::{Architecture, Contents, Elf, Glibc};
use crate::cli::failure::Failure;

/// A program or library of the layer, and where it is from.
pub(super) struct Object {
    /// Its name in the layer.
    pub(super) name: String,
    pub(super) source: PathBuf,
    pub(super) elf: Elf,
    /// The bytes, if they differ from the source's.
    pub(super) changed: Option<Vec<u8>>,
}

impl Object {
    /// Reads a file; `None` if it is not ELF.
    pub(super) fn read(name: impl Into<String>, source: &Path) -> Result<Option<Self>, Failure> {
        let failure = |error: &dyn Display| Failure::Failed(format!("{}: {error}", source.display()));
        let bytes = std::fs::read(source).map_err(|error| failure(&error))?;
        let elf = Elf::read(&bytes).map_err(|error| failure(&error))?;
        Ok(elf.map(|elf| Self { name: name.into(), source: source.to_owned(), elf, changed: None }))
    }

    pub(super) fn contents(&self) -> Contents {
        match &self.changed {
            Some(bytes) => Contents::Bytes(bytes.clone()),
            None => Contents::File(self.source.clone()),
        }
    }
}

/// What keeps a layer from working on Lambda. It is collected, so that one run reports everything.
#[derive(Default)]
pub(super) struct Problems {
    found: Vec<String>,
    fixes: Vec<String>,
}

impl Problems {
    pub(super) fn add(&mut self, problem: impl Into<String>, fix: impl Into<String>) {
        self.found.push(problem.into());
        let fix = fix.into();
        if !self.fixes.contains(&fix) {
            self.fixes.push(fix);
        }
    }

    /// Returns an error with all problems, if there are any.
    pub(super) fn check(self) -> Result<(), Failure> {
        if self.found.is_empty() {
            return Ok(());
        }
        let found = self.found.iter().map(|problem| format!("\n  {problem}"));
        let fixes = self.fixes.iter().map(|fix| format!("\nfix: {fix}"));
        let text: String = found.chain(fixes).collect();
        Err(Failure::Failed(format!("this layer would not work on Lambda, nothing was written:{text}")))
    }
}

/// Checks that every file is for the architecture and needs no newer C library than Lambda has.
pub(super) fn check(objects: &[Object], architecture: Architecture, max_glibc: Glibc, problems: &mut Problems) {
    for Object { name, elf, source, .. } in objects {
        if elf.architecture != Some(architecture) {
            let is = elf.architecture.map_or_else(|| "another architecture".to_owned(), |is| is.to_string());
            problems.add(
                format!("{name} is for {is}, and the layer is for {architecture} ({})", source.display()),
                format!("use a bootstrap and a Python that were both built for {architecture}"),
            );
        }
        let Some(glibc) = elf.glibc.as_ref().filter(|glibc| glibc.version > max_glibc) else { continue };
        problems.add(
            format!("{name} needs glibc {} for {}, and the limit is {max_glibc}", glibc.version, glibc.name),
            if name == "bootstrap" {
                "build the bootstrap on a system with an older glibc (Debian 11, Amazon Linux 2023), or with \
                 cargo-zigbuild for the target x86_64-unknown-linux-gnu.2.34"
            } else {
                "use a Python that was built for older systems: uv's (`uv python install`), or what \
                 layer/python/build makes"
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::GlibcSymbol;

    fn object(name: &str, architecture: Option<Architecture>, symbol: &str, minor: u32) -> Object {
        let glibc = Some(GlibcSymbol { name: symbol.to_owned(), version: Glibc { major: 2, minor } });
        let elf = Elf { architecture, glibc, ..Elf::default() };
        Object { name: name.to_owned(), source: "/from/there".into(), elf, changed: None }
    }

    #[test]
    fn every_unsuitable_file_is_named_with_what_to_do() {
        let here = Some(Architecture::X86_64);
        let objects = [
            object("bootstrap", here, "fstat", 33),
            object("lib/libpython3.13.so.1.0", here, "hypot", 35),
            object("lib/python3.13/lib-dynload/math.so", here, "hypot", 35),
            object("lib/liba.so.1", Some(Architecture::Arm64), "memcpy", 17),
            object("lib/libb.so.1", None, "memcpy", 17),
        ];
        let mut problems = Problems::default();
        check(&objects, Architecture::X86_64, crate::bundle::LAMBDA_GLIBC, &mut problems);
        let text = problems.check().unwrap_err().to_string();
        for line in [
            "\n  lib/libpython3.13.so.1.0 needs glibc 2.35 for hypot, and the limit is 2.34",
            "\n  lib/python3.13/lib-dynload/math.so needs glibc 2.35",
            "\n  lib/liba.so.1 is for arm64, and the layer is for x86_64 (/from/there)",
            "\n  lib/libb.so.1 is for another architecture",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert!(!text.contains("bootstrap needs"), "{text}");
        assert_eq!(text.matches("\nfix: ").count(), 2, "each fix once: {text}");
        Problems::default().check().unwrap();
    }
}
