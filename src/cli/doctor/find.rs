//! What to read: templates and Terraform folders in a folder, also those that CDK and the Serverless Framework make.

use std::path::{Path, PathBuf};

use super::node::Place;

/// The templates that SAM looks for, too.
const TEMPLATES: [&str; 3] = ["template.yaml", "template.yml", "template.json"];

/// The Serverless Framework's own files, which only it can evaluate.
const SERVERLESS: [&str; 5] =
    ["serverless.yml", "serverless.yaml", "serverless.json", "serverless.ts", "serverless.js"];
/// What `serverless package` makes of them.
pub(super) const SERVERLESS_OUTPUT: &str = ".serverless/cloudformation-template-update-stack.json";

/// CDK's settings, and the folder that `cdk synth` writes.
const CDK: &str = "cdk.json";
const CDK_OUTPUT: &str = "cdk.out";
const CDK_ENDING: &str = ".template.json";

/// What was looked for, for the message that nothing is there.
pub(super) const LOOKED_FOR: &str = "template.yaml (.yml, .json), *.tf, terraform/*.tf, cdk.out/*.template.json, \
                                     .serverless/cloudformation-template-update-stack.json";

/// What to do with a file of the Serverless Framework's.
pub(super) const SLS_PACKAGE: &str = "only the Serverless Framework can evaluate it. `serverless package` (sls package) \
                                      writes .serverless/cloudformation-template-update-stack.json, which doctor reads: \
                                      run that, then doctor on the folder";

pub(super) fn is_of_serverless(path: &Path) -> bool {
    path.file_name().is_some_and(|name| SERVERLESS.iter().any(|known| name == *known))
}

/// What a folder has.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) templates: Vec<PathBuf>,
    /// With Terraform files.
    pub(super) terraform: Vec<PathBuf>,
    /// Files that doctor does not read, and what it says of them.
    pub(super) unread: Vec<Unread>,
}

/// A file in a tool's own language.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) at: Place,
    pub(super) what: String,
    pub(super) fix: String,
    /// Whether a tool has to be run before there is something to read.
    pub(super) is_missing: bool,
}

/// Templates and Terraform folders in a folder, else in the one above it.
pub(super) fn found(folder: &Path) -> Found {
    let mut here = in_folder(folder);
    if here.templates.is_empty() && here.terraform.is_empty() {
        let above = in_folder(&folder.join(".."));
        here.templates = above.templates;
        here.terraform = above.terraform;
        here.unread.extend(above.unread);
    }
    here
}

fn in_folder(folder: &Path) -> Found {
    let templates = TEMPLATES.iter().map(|name| tidy(&folder.join(name))).filter(|path| path.is_file());
    let mut found = Found { templates: templates.take(1).collect(), ..Found::default() };
    let folders = [folder.to_owned(), tidy(&folder.join("terraform"))].into_iter();
    found.terraform = folders.filter(|path| has_terraform(path)).collect();
    terraform_json(folder, &mut found);
    serverless(folder, &mut found);
    cdk(folder, &mut found);
    found
}

/// Terraform's JSON syntax.
pub(super) fn terraform_json(folder: &Path, found: &mut Found) {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let Some(path) = paths.filter(|path| path.to_string_lossy().ends_with(".tf.json")).min().map(|path| tidy(&path))
    else {
        return;
    };
    let what = format!("{} is not read: of Terraform doctor reads *.tf, not *.tf.json.", path.display());
    let fix =
        "What only *.tf.json declares is not checked; --app MODULE:ATTR checks the application itself.".to_owned();
    let is_missing = !has_terraform(folder);
    found.unread.push(Unread { at: Place { file: path.into(), line: 1 }, what, fix, is_missing });
}

fn serverless(folder: &Path, found: &mut Found) {
    let file = SERVERLESS.iter().map(|name| tidy(&folder.join(name))).find(|path| path.is_file());
    let output = tidy(&folder.join(SERVERLESS_OUTPUT));
    let is_there = output.is_file();
    found.templates.extend(is_there.then(|| output.clone()));
    let Some(file) = file else { return };
    let (what, fix) = if !is_there {
        (
            format!("{} is not read: only the Serverless Framework can evaluate it.", file.display()),
            format!("`serverless package` (sls package) writes {SERVERLESS_OUTPUT}, which doctor reads."),
        )
    } else if is_newer(&file, &output) {
        (
            format!(
                "{} was changed after {} was written, which is read in its place.",
                file.display(),
                output.display()
            ),
            "Run `serverless package` (sls package) again.".to_owned(),
        )
    } else {
        (
            format!("{} is not read itself: {} is, which was made of it.", file.display(), output.display()),
            "Nothing, until the file changes: then run `serverless package` (sls package) again.".to_owned(),
        )
    };
    found.unread.push(Unread { at: Place { file: file.into(), line: 1 }, what, fix, is_missing: !is_there });
}

fn cdk(folder: &Path, found: &mut Found) {
    let before = found.templates.len();
    collect(&tidy(&folder.join(CDK_OUTPUT)), &mut found.templates);
    if folder.ends_with(CDK_OUTPUT) || folder.join("manifest.json").is_file() {
        collect(folder, &mut found.templates);
    }
    let file = tidy(&folder.join(CDK));
    if found.templates.len() == before && file.is_file() {
        let what = format!("{} is not read, and there is no {CDK_OUTPUT} with templates.", file.display());
        let fix = format!("`cdk synth` writes {CDK_OUTPUT}/*{CDK_ENDING}, which doctor reads.");
        found.unread.push(Unread { at: Place { file: file.into(), line: 1 }, what, fix, is_missing: true });
    }
}

/// The templates of stacks, of nested ones, and of the stages that lie in folders `assembly-…`.
fn collect(folder: &Path, templates: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(tidy(&entry.ok()?.path()))).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name.starts_with("assembly-") {
            collect(&path, templates);
        } else if path.is_file() && name.ends_with(CDK_ENDING) {
            templates.push(path);
        }
    }
}

fn is_newer(one: &Path, other: &Path) -> bool {
    let time = |path: &Path| std::fs::metadata(path).and_then(|data| data.modified()).ok();
    time(one).zip(time(other)).is_some_and(|(one, other)| one > other)
}

fn has_terraform(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(Result::ok).any(|entry| entry.path().extension().is_some_and(|ending| ending == "tf"))
}

/// `./x` as `x`: shorter in findings.
pub(super) fn tidy(path: &Path) -> PathBuf {
    path.strip_prefix(".").map_or_else(|_| path.to_owned(), Path::to_owned)
}
