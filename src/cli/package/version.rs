//! Which Python a package is for, and why.

use std::fs;
use std::path::{Path, PathBuf};

use super::interpreter;
use crate::cli::failure::Failure;
use crate::cli::packaging::target::{LAYER_PYTHON, PythonVersion};

/// A version, and the reason for it, as the output shows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) python: PythonVersion,
    pub(super) because: String,
}

/// The function's Python: what --python says, else what a template says, else that of --interpreter, else the layer's.
pub(super) fn choose(given: Option<PythonVersion>, interpreter: Option<&Path>, app: &Path) -> Result<Chosen, Failure> {
    if let Some(python) = given {
        return Ok(Chosen { python, because: "--python says so".to_owned() });
    }
    let named = named_in_templates(app);
    if let Some((file, python)) = named.first() {
        let file = file.file_name().unwrap_or_default().display();
        if named.iter().all(|(_, other)| other == python) {
            return Ok(Chosen { python: *python, because: format!("{file} says so; --python names another") });
        }
        let because = format!("the layer's by default, as {file} names several; --python names another");
        return Ok(Chosen { python: LAYER_PYTHON, because });
    }
    match interpreter {
        Some(path) => {
            let because = "that of --interpreter (or of the variable PYTHON); --python names another".to_owned();
            Ok(Chosen { python: interpreter::any(path)?.version, because })
        }
        None => {
            Ok(Chosen { python: LAYER_PYTHON, because: "the layer's by default; --python names another".to_owned() })
        }
    }
}

/// What the templates next to an application, or in the folder above it, say.
fn named_in_templates(app: &Path) -> Vec<(PathBuf, PythonVersion)> {
    let folders = [Some(app), app.parent()].into_iter().flatten();
    let named = folders.map(|folder| templates(folder).into_iter().flat_map(|file| named_in(&file)).collect());
    named.into_iter().find(|named: &Vec<_>| !named.is_empty()).unwrap_or_default()
}

fn templates(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<_> = entries
        .filter(|path| {
            let stem = path.file_stem().unwrap_or_default();
            let ending = path.extension().unwrap_or_default();
            ending == "tf"
                || (["template", "serverless"].iter().any(|name| stem == *name)
                    && (ending == "yaml" || ending == "yml"))
        })
        .collect();
    files.sort();
    files
}

fn named_in(file: &Path) -> Vec<(PathBuf, PythonVersion)> {
    let text = fs::read_to_string(file).unwrap_or_default();
    versions(&text).into_iter().map(|version| (file.to_owned(), version)).collect()
}

/// The versions that a template names: `Runtime: python3.12`, `runtime = "python3.12"`, `python_version = "3.12"` (this
/// repository's Terraform module), and the default of a parameter PythonVersion (its SAM template).
fn versions(text: &str) -> Vec<PythonVersion> {
    let mut found = Vec::new();
    let mut in_parameter = false;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '/'])) {
        let Some((key, value)) = line.split_once([':', '=']) else { continue };
        let clean = |text: &str| text.trim().trim_matches(['"', '\'', ',']).to_owned();
        let value = clean(value.split(" #").next().unwrap_or(value));
        let version: Option<PythonVersion> = match clean(key).to_lowercase().as_str() {
            "runtime" => value.strip_prefix("python").and_then(|version| version.parse().ok()),
            "python_version" => value.parse().ok(),
            "default" if in_parameter => value.parse().ok(),
            _ => None,
        };
        found.extend(version);
        // The lines below `PythonVersion:` are its own, up to the next line that opens something.
        if value.is_empty() {
            in_parameter = clean(key) == "PythonVersion";
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(minor: u32) -> PythonVersion {
        PythonVersion { minor }
    }

    #[test]
    fn templates_of_every_kind_name_a_python() {
        for (text, minors) in [
            ("      Runtime: python3.12\n", &[12][..]),
            ("provider:\n  runtime: 'python3.11' # AWS's\n", &[11]),
            ("  runtime       = \"python3.12\"\n", &[12]),
            ("  python_version = \"3.12\"\n", &[12]),
            (
                "Parameters:\n  PythonVersion:\n    Type: String\n    Default: \"3.12\"\n  Other:\n    Default: \"3.11\"\n",
                &[12],
            ),
            ("Runtime: provided.al2023\n# Runtime: python3.12\nRuntime: python3.9\n", &[]),
            ("variable \"python_version\" {\n  description = \"such as 3.12\"\n}\n", &[]),
        ] {
            assert_eq!(versions(text), minors.iter().map(|minor| python(*minor)).collect::<Vec<_>>(), "{text}");
        }
    }

    #[test]
    fn the_users_word_counts_then_the_templates_then_the_layers() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path().join("app");
        fs::create_dir(&app).unwrap();
        let chosen = |given| choose(given, None, &app).unwrap();
        assert_eq!(chosen(None).python, LAYER_PYTHON);
        assert!(chosen(None).because.contains("the layer's"), "{:?}", chosen(None));
        fs::write(folder.path().join("template.yaml"), "Runtime: python3.12\n").unwrap();
        assert_eq!(chosen(None).python, python(12));
        assert!(chosen(None).because.contains("template.yaml"), "{:?}", chosen(None));
        assert_eq!(chosen(Some(python(14))).python, python(14));
        fs::write(app.join("main.tf"), "runtime = \"python3.14\"\n").unwrap();
        assert_eq!(chosen(None).python, python(14), "the nearer one");
        fs::write(app.join("serverless.yml"), "runtime: python3.12\n").unwrap();
        assert!(chosen(None).python == LAYER_PYTHON && chosen(None).because.contains("several"));
    }
}
