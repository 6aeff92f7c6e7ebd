//! What an application requires: the files that say so, and the names in them.

/// Files of requirements that are installed from, in this order: what is written for deployment, what is locked, what is
/// declared.
pub(in crate::cli) const SOURCES: [&str; 3] = ["requirements.txt", "uv.lock", "pyproject.toml"];

/// Lock files of one tool each, and that tool's way to export them.
pub(in crate::cli) const FOREIGN_LOCKS: [(&str, &str); 3] = [
    ("poetry.lock", "poetry self add poetry-plugin-export && poetry export -o requirements.txt"),
    ("Pipfile.lock", "pipenv requirements > requirements.txt"),
    ("pdm.lock", "pdm export -o requirements.txt"),
];

/// Other files that say requirements.
const DECLARATIONS: [&str; 4] = ["Pipfile", "setup.py", "setup.cfg", "environment.yml"];

/// Every file but `requirements.txt` that may say requirements.
pub(in crate::cli) fn other_files() -> impl Iterator<Item = &'static str> {
    let locks = FOREIGN_LOCKS.iter().map(|(name, _)| *name);
    SOURCES.into_iter().skip(1).chain(locks).chain(DECLARATIONS)
}

/// A line of a requirements file without its comment, which begins a line or follows a space ("Requirements File
/// Format" of pip's documentation).
pub(in crate::cli) fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').map(|(at, _)| at).find(|at| line[..*at].ends_with([' ', '\t']) || *at == 0);
    line[..comment.unwrap_or(line.len())].trim()
}

/// The distribution that a line of a requirements file names. `None`: an option, an address alone, or a requirement with
/// a condition, which may rightly not be installed.
pub(in crate::cli) fn unconditional_name(line: &str) -> Option<&str> {
    let line = without_comment(line);
    if line.starts_with('-') || line.contains(';') {
        return None;
    }
    let name = name_of(line);
    let rest = line[name.len()..].trim_start();
    // `https://…` and `git+https://…` name no distribution.
    (!name.is_empty() && !rest.starts_with("://") && !rest.starts_with('+')).then_some(name)
}

/// The name with which a requirement begins: `a.b-c_d` of `a.b-c_d[x]>=1`.
pub(in crate::cli) fn name_of(requirement: &str) -> &str {
    let end = requirement.find(|letter: char| !(letter.is_alphanumeric() || "-_.".contains(letter)));
    &requirement[..end.unwrap_or(requirement.len())]
}

/// The form in which names are compared: without case, a run of `-`, `_` and `.` as one `-` (PEP 503).
pub(in crate::cli) fn normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            _ => normal.extend(letter.to_lowercase()),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_begins_with_its_name() {
        for (requirement, name) in
            [("pyyaml==5.3.1", "pyyaml"), ("a.b-c_d[x]>=1", "a.b-c_d"), ("x @ file:///y", "x"), ("x", "x")]
        {
            assert_eq!(name_of(requirement), name);
        }
    }

    #[test]
    fn names_are_read_from_lines() {
        for (line, expected) in [
            ("Flask>=3", Some("Flask")),
            ("a2wsgi[x]==1  # why", Some("a2wsgi")),
            ("zope.interface", Some("zope.interface")),
            ("pkg @ https://host/pkg.whl", Some("pkg")),
            ("-r more.txt", None),
            ("tomli; python_version < '3.11'", None),
            ("https://host/pkg.whl", None),
            ("git+https://host/pkg.git", None),
            ("# a comment", None),
            ("", None),
        ] {
            assert_eq!(unconditional_name(line), expected, "{line}");
        }
        assert_eq!(
            without_comment("x @ https://host/a.zip#subdirectory=b # why"),
            "x @ https://host/a.zip#subdirectory=b"
        );
    }

    #[test]
    fn names_are_compared_in_one_form() {
        assert_eq!(normal("Zope.Interface_x"), "zope-interface-x");
        assert_eq!(normal("a_.-B"), "a-b");
    }

    #[test]
    fn every_file_that_says_requirements_is_known_once() {
        let files: Vec<_> = other_files().collect();
        for name in ["pyproject.toml", "Pipfile", "Pipfile.lock", "poetry.lock", "pdm.lock", "uv.lock", "setup.py"] {
            assert_eq!(files.iter().filter(|file| **file == name).count(), 1, "{name}");
        }
        assert!(!files.contains(&"requirements.txt"));
    }
}
