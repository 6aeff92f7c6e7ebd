//! The report on a layer that was written.

use std::io;
use std::path::Path;

use super::contents::{Plan, has_ending};
use super::object::Object;
use crate::bundle::{Archive, Glibc, GlibcSymbol, MAX_UNZIPPED, MAX_UPLOAD, Written};
use crate::cli::out::{BOLD, DIM, Out, YELLOW};
use crate::cli::pyc::Compiled;

/// A written layer.
pub(super) struct Report {
    /// Such as `Python 3.13.5, x86_64`.
    pub(super) what: String,
    pub(super) written: Written,
    pub(super) files: Vec<File>,
    pub(super) objects: Vec<Seen>,
    pub(super) compiled: Compiled,
    pub(super) max_glibc: Glibc,
    /// Whether the Python was built without profile-guided optimisation.
    pub(super) is_quick: bool,
}

/// One file of the layer, with its sizes in bytes.
pub(super) struct File {
    name: String,
    unzipped: u64,
    zipped: u64,
}

/// What the report needs of an ELF file.
pub(super) struct Seen {
    name: String,
    glibc: Option<GlibcSymbol>,
    debug: u64,
    /// Where it is from, if not from the prefix but from elsewhere on this machine.
    foreign: Option<String>,
}

const GROUPS: [&str; 7] =
    ["bootstrap", "libpython", "standard library", "extension modules", "shared libraries", "licences", "other files"];

fn group(name: &str) -> usize {
    let in_lib = name.strip_prefix("lib/");
    match in_lib {
        _ if name == "bootstrap" => 0,
        Some(library) if library.starts_with("libpython") => 1,
        Some(path) if path.starts_with("python3") && has_ending(path, "so") => 3,
        Some(path) if path.starts_with("python3") => 2,
        Some(_) => 4,
        None if name.starts_with("share/licenses/") => 5,
        None => 6,
    }
}

/// The files of an archive, with their sizes in the zip.
pub(super) fn files(archive: &Archive, written: &Written) -> io::Result<Vec<File>> {
    let sizes = archive.iter().zip(&written.each_zipped);
    sizes
        .map(|((name, contents), &zipped)| Ok(File { name: name.to_owned(), unzipped: contents.size()?, zipped }))
        .collect()
}

/// What the report needs of a plan's objects.
pub(super) fn seen(plan: &Plan, prefix: Option<&Path>) -> Vec<Seen> {
    let foreign = |object: &Object| {
        let library = group(&object.name) == 4 && prefix.is_some_and(|prefix| !object.source.starts_with(prefix));
        library.then(|| object.source.display().to_string())
    };
    let seen = |object: &Object| Seen {
        name: object.name.clone(),
        glibc: object.elf.glibc.clone(),
        debug: object.elf.debug,
        foreign: foreign(object),
    };
    plan.objects.iter().map(seen).collect()
}

impl Report {
    pub(super) fn show(&self, path: &Path, out: &mut Out) -> io::Result<()> {
        if out.quiet() {
            return out.line(format_args!("{}  {}", self.written.sha256, path.display()));
        }
        if out.verbose() {
            for File { name, unzipped, zipped } in &self.files {
                out.line(format_args!("{unzipped:>10} {zipped:>10}  {name}"))?;
            }
        }
        out.line(format_args!("{BOLD}{}{BOLD:#}  {}", path.display(), self.what))?;
        out.line(format_args!("{DIM}{:<18}{:>7}{:>12}{:>12}{DIM:#}", "", "files", "unpacked", "zipped"))?;
        for (number, title) in GROUPS.iter().enumerate() {
            let members: Vec<&File> = self.files.iter().filter(|file| group(&file.name) == number).collect();
            let sum = |size: fn(&File) -> u64| members.iter().map(|file| size(file)).sum();
            if !members.is_empty() {
                out.line(row(title, members.len(), sum(|file| file.unzipped), sum(|file| file.zipped)))?;
            }
        }
        let Written { files, unzipped, zipped, sha256, .. } = &self.written;
        out.line(format_args!("{BOLD}{}{BOLD:#}", row("the zip", *files, *unzipped, *zipped)))?;
        if let Some((name, glibc)) = self.newest_glibc() {
            let GlibcSymbol { name: symbol, version } = glibc;
            out.line(format_args!("needs glibc {version} ({symbol} in {name}), the limit is {}", self.max_glibc))?;
        }
        out.line(format_args!("sha256 {sha256}"))?;
        self.notes(out)
    }

    fn newest_glibc(&self) -> Option<(&str, &GlibcSymbol)> {
        let known = self.objects.iter().filter_map(|seen| Some((seen.name.as_str(), seen.glibc.as_ref()?)));
        known.max_by_key(|(_, glibc)| glibc.version)
    }

    fn notes(&self, out: &mut Out) -> io::Result<()> {
        let mut note = |text: String| out.note(format_args!("{YELLOW}note:{YELLOW:#} {text}"));
        if self.is_quick {
            note(
                "QUICK: this Python was built without profile-guided optimisation, and runs Python code 15 to 20 % slower; \
                 `make layer` without QUICK, or uv's Python, makes the layer to deploy"
                    .to_owned(),
            )?;
        }
        let foreign: Vec<&str> = self.objects.iter().filter_map(|seen| seen.foreign.as_deref()).collect();
        if !foreign.is_empty() {
            let names = foreign.join(", ");
            note(format!("from this machine; check their licences: {names}"))?;
        }
        let debug: u64 = self.objects.iter().map(|seen| seen.debug).sum();
        if debug > 1024 * 1024 {
            note(format!(
                "{} of it are for debuggers; `strip --strip-debug` on the prefix's files removes them",
                megabytes(debug)
            ))?;
        }
        for (name, error) in &self.compiled.failed {
            note(format!("not compiled, included as source: {name}: {error}"))?;
        }
        if self.written.zipped > MAX_UPLOAD {
            note(format!("a zip of more than {} has to be uploaded through S3", megabytes(MAX_UPLOAD)))?;
        }
        let left = MAX_UNZIPPED.saturating_sub(self.written.unzipped);
        if left < MAX_UNZIPPED / 2 {
            note(format!("Lambda's limit leaves {} (unpacked) for the function and other layers", megabytes(left)))?;
        }
        Ok(())
    }
}

fn row(title: &str, files: usize, unzipped: u64, zipped: u64) -> String {
    format!("{title:<18}{files:>7}{:>12}{:>12}", megabytes(unzipped), megabytes(zipped))
}

/// 1 MB is 1024 × 1024 bytes, as in Lambda's limits.
fn megabytes(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "to show one digit")]
    let number = bytes as f64 / f64::from(1 << 20);
    format!("{number:.1} MB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_in_its_group() {
        for (name, title) in [
            ("bootstrap", "bootstrap"),
            ("lib/libpython3.13.so.1.0", "libpython"),
            ("lib/python3.13/os.pyc", "standard library"),
            ("lib/python3.13/lib-dynload/_ssl.cpython-313-x86_64-linux-gnu.so", "extension modules"),
            ("lib/libssl.so.3", "shared libraries"),
            ("share/licenses/openssl/LICENSE", "licences"),
            ("README", "other files"),
        ] {
            assert_eq!(GROUPS[group(name)], title, "{name}");
        }
    }
}
