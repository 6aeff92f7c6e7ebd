//! What was made, as text for people or as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use super::collectstatic::Collected;
use super::files::{AppFiles, Staged};
use super::order::Installed;
use super::output::Output;
use super::plan::Plan;
use super::prune::Pruned;
use super::suspects::Suspect;
use crate::bundle::{MAX_UNZIPPED, MAX_UPLOAD, Written};
use crate::cli::failure::Failure;
use crate::cli::out::{BOLD, DIM, Out, YELLOW};
use crate::cli::packaging::dists::Dists;
use crate::cli::pyc::Compiled;

/// About how much of the same limit a layer with its own Python takes. One for a managed runtime takes almost nothing.
const LAYER_SIZE: u64 = 40 * 1024 * 1024;
/// How many packages are listed.
const SHOWN: usize = 10;

/// Everything that is shown at the end.
#[derive(Default)]
pub(super) struct Summary {
    pub(super) installed: Installed,
    pub(super) dists: Dists,
    pub(super) pruned: Pruned,
    pub(super) app: AppFiles,
    /// What is packed although it looks like a key or a database.
    pub(super) suspects: Vec<Suspect>,
    pub(super) warnings: Vec<String>,
    /// The file of the handler's module, if a handler is named.
    pub(super) handler: Option<String>,
    /// What `--collectstatic` has collected.
    pub(super) collected: Option<Collected>,
    pub(super) compiled: Compiled,
    /// How long the application took to start without bytecode, and with it.
    pub(super) starts: Option<(Duration, Duration)>,
    /// How many files the list of a start's files has.
    pub(super) read_ahead: Option<usize>,
    pub(super) files: Vec<Staged>,
    pub(super) written: Option<Written>,
}

/// A distribution as it is in the package.
struct Packed<'a> {
    name: &'a str,
    version: &'a str,
    size: u64,
}

impl Summary {
    fn unzipped(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The distributions, largest first.
    fn packages(&self) -> Vec<Packed<'_>> {
        let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
        for file in &self.files {
            if let Some(dist) = self.dists.owner(&file.name) {
                *sizes.entry(&dist.name).or_default() += file.size;
            }
        }
        let size = |name: &str| sizes.get(name).copied().unwrap_or_default();
        let mut packages: Vec<_> = self
            .dists
            .iter()
            .map(|dist| Packed { name: &dist.name, version: &dist.version, size: size(&dist.name) })
            .collect();
        packages.sort_by_key(|package| std::cmp::Reverse(package.size));
        packages
    }

    /// Refuses what Lambda would refuse. A folder may be meant for a container image, which may have 10 GB.
    pub(super) fn check_size(&self, output: &Output) -> Result<(), Failure> {
        let size = self.unzipped();
        if size <= MAX_UNZIPPED || matches!(output, Output::Folder(_)) {
            return Ok(());
        }
        let largest = self.packages();
        let list: Vec<String> = largest
            .iter()
            .take(SHOWN)
            .map(|package| format!("  {:>9}  {} {}", megabytes(package.size), package.name, package.version))
            .collect();
        Err(Failure::Failed(format!(
            "the package has {}, and Lambda takes {} with all layers:\n{}\n\
             Leave out what the application does not need (--exclude GLOB), drop the sources (--no-source), or deploy a \
             container image, which takes 10 GB (--output DIR makes its folder)",
            megabytes(size),
            megabytes(MAX_UNZIPPED),
            list.join("\n")
        )))
    }

    /// Refuses a package whose handler's module, or a package that it is in, does not compile: no request would be
    /// answered. Another file may be one that is never imported.
    pub(super) fn check_handler(&self) -> Result<(), Failure> {
        let Some(handler) = &self.handler else { return Ok(()) };
        let is_on_the_way = |name: &str| {
            name == handler
                || name.strip_suffix("/__init__.py").is_some_and(|folder| handler.starts_with(&format!("{folder}/")))
        };
        let broken = self.compiled.failed.iter().find(|(name, _)| is_on_the_way(name));
        broken.map_or(Ok(()), |(name, why)| {
            Err(Failure::Failed(format!("this would not run on Lambda: {name} does not compile: {why}")))
        })
    }

    /// All warnings, in the order of the steps.
    fn warnings(&self, output: &Output) -> Vec<String> {
        let mut warnings = self.installed.warnings.clone();
        warnings.extend(self.app.secrets().map(|path| {
            format!("{path} is left out, it may hold secrets: set variables of the function; --keep '{path}' packs it")
        }));
        warnings.extend(self.suspects.iter().map(|Suspect { path, what }| {
            format!(
                "{path} is packed, and looks like {what}: --exclude '/{path}' leaves it out, --keep '/{path}' says that \
                 it is meant"
            )
        }));
        warnings.extend(self.app.odd.iter().map(|path| format!("{path} is neither file nor folder: left out")));
        warnings.extend(self.warnings.iter().cloned());
        let broken = self.compiled.failed.iter().filter(|(name, _)| self.app.paths.contains(name));
        warnings.extend(broken.map(|(name, why)| format!("{name} does not compile, and will not import: {why}")));
        warnings.extend(self.sizes(output));
        warnings
    }

    fn sizes(&self, output: &Output) -> Option<String> {
        let size = self.unzipped();
        if matches!(output, Output::Folder(_)) && size > MAX_UNZIPPED {
            return Some(format!(
                "{} do not fit into a zip function (the limit is {} with all layers), only into a container image",
                megabytes(size),
                megabytes(MAX_UNZIPPED)
            ));
        }
        if size + LAYER_SIZE > MAX_UNZIPPED {
            return Some(format!(
                "{} and the layer's {} or so are more than the {} that Lambda takes: use the layer for a managed \
                 runtime, which has no Python in it, or leave files out with --exclude",
                megabytes(size),
                megabytes(LAYER_SIZE),
                megabytes(MAX_UNZIPPED)
            ));
        }
        let zipped = self.written.as_ref().filter(|written| written.zipped > MAX_UPLOAD)?;
        Some(format!(
            "a zip of {} has to go through S3, as `sam deploy` sends it: Lambda itself takes up to {}",
            megabytes(zipped.zipped),
            megabytes(MAX_UPLOAD)
        ))
    }

    /// Shows it. With `--quiet` only the result is shown.
    pub(super) fn show(&self, plan: &Plan, out: &mut Out) -> Result<(), Failure> {
        for warning in self.warnings(&plan.output) {
            out.note(format_args!("{YELLOW}warning:{YELLOW:#} {warning}"))?;
        }
        out.line(format_args!("{BOLD}{}{BOLD:#}  {DIM}for {}{DIM:#}", plan.output.path().display(), plan.target))?;
        if !out.quiet() {
            self.show_contents(plan, out)?;
        }
        let (size, limit) = (megabytes(self.unzipped()), megabytes(MAX_UNZIPPED));
        match &self.written {
            Some(written) => {
                let zipped = megabytes(written.zipped);
                out.line(format_args!("  {:12}{zipped:>9}  {size} unpacked, of {limit} with all layers", "zip"))?;
                out.line(format_args!("  {:12}{}", "SHA-256", written.sha256))?;
            }
            None => out.line(format_args!("  {:12}{size:>9}  of {limit} with all layers", "folder"))?,
        }
        if let Some((without, with)) = self.starts {
            let (without, with) = (without.as_millis(), with.as_millis());
            out.line(format_args!(
                "  {:12}{with:>6} ms  {without} ms without bytecode (here, the fastest of three)",
                "cold start"
            ))?;
        }
        if let Some(files) = self.read_ahead {
            out.line(format_args!("  {:12}{files:>9}  files, by starting the application here", "read ahead"))?;
        }
        Ok(())
    }

    fn show_contents(&self, plan: &Plan, out: &mut Out) -> Result<(), Failure> {
        let row = |name: &str, size: u64, what: &str| format!("  {name:12}{:>9}  {what}", megabytes(size));
        out.line(format_args!("  {:12}{:>9}  {}", "Python", plan.target.python.to_string(), plan.because))?;
        let app = self.app.paths.len();
        out.line(row("application", self.app.bytes, &plural(app, "file")))?;
        if let Some(source) = &plan.source {
            let packages = self.packages();
            let file = source.path().file_name().unwrap_or_default().display();
            let total = packages.iter().map(|package| package.size).sum();
            let what = match packages.len() {
                0 => format!("nothing, as {file} says"),
                count => {
                    let Installed { installer, because, .. } = &self.installed;
                    format!("{}, {file}, by {installer}, {because}", plural(count, "package"))
                }
            };
            out.line(row("required", total, &what))?;
            for package in packages.iter().take(SHOWN) {
                let size = megabytes(package.size);
                out.line(format_args!("  {DIM}{:12}{size:>9}  {} {}{DIM:#}", "", package.name, package.version))?;
            }
            if packages.len() > SHOWN {
                out.line(format_args!("  {DIM}{:12}{:9}  and {} more{DIM:#}", "", "", packages.len() - SHOWN))?;
            }
            self.show_changes(out)?;
        } else {
            out.line(row("required", 0, "nothing, as --no-requirements says"))?;
        }
        if let Some(Collected { root, files, bytes }) = &self.collected {
            out.line(row("static", *bytes, &format!("{} in {root}", plural(*files, "file"))))?;
        }
        let bytecode: u64 = self.files.iter().filter(|file| file.is("pyc")).map(|file| file.size).sum();
        out.line(row("bytecode", bytecode, &plural(self.compiled.files, "module")))?;
        Ok(())
    }

    fn show_changes(&self, out: &mut Out) -> Result<(), Failure> {
        if !self.installed.built.is_empty() {
            out.line(format_args!("  {:12}{:9}  {}", "built here", "", self.installed.built.join(", ")))?;
        }
        if self.pruned.files() > 0 {
            let reasons: Vec<_> = self.pruned.0.iter().map(|(why, (files, _))| format!("{files} × {why}")).collect();
            let size = megabytes(self.pruned.bytes());
            out.line(format_args!("  {:12}{size:>9}  {}", "left out", reasons.join("; ")))?;
        }
        Ok(())
    }

    /// One object whose values are all strings: Terraform's `external` data source takes no others.
    pub(super) fn json(&self, plan: &Plan, out: &mut Out) -> Result<(), Failure> {
        for warning in self.warnings(&plan.output) {
            out.note(format_args!("{YELLOW}warning:{YELLOW:#} {warning}"))?;
        }
        let mut object = Map::new();
        let mut set = |key: &str, value: String| object.insert(key.to_owned(), Value::String(value));
        set("output", plan.output.path().display().to_string());
        set("python", plan.target.python.to_string());
        set("python_because", plan.because.clone());
        set("architecture", plan.target.architecture.to_string());
        set("files", self.files.len().to_string());
        set("unzipped_bytes", self.unzipped().to_string());
        set("compiled", self.compiled.files.to_string());
        if let Some(collected) = &self.collected {
            set("static_files", collected.files.to_string());
        }
        set("installer", self.installed.installer.to_owned());
        set("installer_because", self.installed.because.to_owned());
        set("warnings", self.warnings(&plan.output).join("\n"));
        set("looks_secret", self.suspects.iter().map(|one| one.path.as_str()).collect::<Vec<_>>().join("\n"));
        let packages = self.dists.iter().map(|dist| format!("{}=={}", dist.name, dist.version));
        set("packages", packages.collect::<Vec<_>>().join(" "));
        if let Some(written) = &self.written {
            set("zipped_bytes", written.zipped.to_string());
            set("sha256", written.sha256.clone());
            // The form of `source_code_hash` and of Lambda's own CodeSha256.
            set("sha256_base64", BASE64.encode(bytes_of(&written.sha256)));
        }
        if let Some((without, with)) = self.starts {
            set("cold_start_ms", with.as_millis().to_string());
            set("cold_start_without_bytecode_ms", without.as_millis().to_string());
        }
        if let Some(files) = self.read_ahead {
            set("read_ahead_files", files.to_string());
        }
        out.line(Value::Object(object))?;
        Ok(())
    }
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter_map(|digit| digit.to_digit(16)?.try_into().ok()).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A size with a digit after the point, below 100. Lambda's MB are of 1024 × 1024 bytes.
fn megabytes(bytes: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = (bytes * 10).div_ceil(unit);
        if tenths >= 1000 { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) }
    };
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} kB", tenths(1024)),
        _ => format!("{} MB", tenths(1_048_576)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 kB"),
            (150 * 1024, "150 kB"),
            (MAX_UNZIPPED, "250 MB"),
            (3 * 1_048_576 + 1, "3.1 MB"),
        ] {
            assert_eq!(megabytes(bytes), text);
        }
    }

    #[test]
    fn a_hash_has_two_forms() {
        assert_eq!(bytes_of("00a5ff"), [0, 0xa5, 0xff]);
        assert_eq!(BASE64.encode(bytes_of("00a5ff")), "AKX/");
    }
}
