//! What is left out, and why: our lists, and the patterns of `--exclude` and `--keep`.

use crate::bundle::Glob;
use crate::cli::failure::Failure;

/// One reason to leave files out.
pub(super) struct Rule {
    pub(super) patterns: &'static [&'static str],
    /// As the summary shows it.
    pub(super) why: &'static str,
}

/// Left out of the application's folder because it may be secret. The user is told of each.
pub(super) const SECRETS: Rule = Rule {
    patterns: &[".env*", ".netrc", ".pypirc", "pip.conf", ".aws", ".ssh", "*.tfstate", "*.tfstate.*", "*.tfvars"],
    why: "may hold secrets",
};

/// Left out of the application's folder without a message. Virtual environments (they have a `pyvenv.cfg`) and earlier
/// output are recognised by their contents.
pub(super) const DEVELOPMENT: [Rule; 5] = [
    Rule {
        patterns: &[".git", ".gitignore", ".gitattributes", ".gitmodules", ".github", ".hg", ".svn", ".bzr"],
        why: "version control",
    },
    Rule {
        patterns: &[
            "__pycache__",
            ".pytest_cache",
            ".mypy_cache",
            ".ruff_cache",
            ".hypothesis",
            ".tox",
            ".nox",
            ".coverage",
            ".ipynb_checkpoints",
            "/*.egg-info",
            "/build/lib",
            "/build/bdist.*",
        ],
        why: "made by Python tools; bytecode is made again",
    },
    Rule {
        patterns: &[
            "node_modules",
            ".aws-sam",
            "/samconfig.toml",
            ".terraform",
            ".terraform.lock.hcl",
            ".serverless",
            "cdk.out",
            ".idea",
            ".vscode",
            ".DS_Store",
            "Thumbs.db",
        ],
        why: "made by other tools",
    },
    Rule {
        patterns: &[
            "/dist/*.zip",
            "/dist/*.whl",
            "/dist/*.tar.gz",
            "wsgi-lambda-python*.zip",
            "wsgi-lambda-python*.sha256",
            "wsgi-lambda-bootstrap-python*.zip",
            "wsgi-lambda-bootstrap-python*.sha256",
            crate::read_ahead::FILE,
        ],
        why: "earlier packages, layers, and what was in them",
    },
    // The URL of an index can hold a password, and everybody who may read a function's code could read it here.
    Rule {
        patterns: &[
            "/requirements*.txt",
            "/requirements*.in",
            "/requirements/*.txt",
            "/requirements/*.in",
            "/uv.lock",
            "/uv.toml",
            "/poetry.lock",
            "/Pipfile*",
            "/pdm.lock",
            "/Makefile",
        ],
        why: "read when the package is made",
    },
];

/// Left out of what the requirements install.
pub(super) const INSTALLED: [Rule; 6] = [
    Rule { patterns: &["__pycache__"], why: "bytecode is made again" },
    Rule {
        // They say where and how the build machine installed, and differ from machine to machine.
        // importlib.metadata reads METADATA, entry_points.txt and top_level.txt, which stay.
        patterns: &[
            "*.dist-info/RECORD",
            "*.dist-info/INSTALLER",
            "*.dist-info/REQUESTED",
            "*.dist-info/direct_url.json",
            "*.dist-info/uv_cache.json",
            "*.dist-info/uv_build.json",
            "/.lock",
        ],
        why: "the installer's notes",
    },
    Rule { patterns: &["/include", "/share/man", "/share/doc"], why: "headers and manuals" },
    Rule { patterns: &["*.exe"], why: "Windows programs" },
    // gettext, Django and Babel read the .mo files that are made from them.
    Rule { patterns: &["*.po", "*.pot"], why: "sources of translations" },
    // Some distributions install their tests under that very name at the top.
    Rule { patterns: &["/tests", "/test"], why: "tests" },
];

/// The name of a folder of tests inside a package. Not `test`: that is a public module in Django and others.
pub(super) const TESTS_FOLDER: &str = "tests";

/// Patterns as in `.gitignore`: one without a slash means a name anywhere, one with a slash a path from the top.
#[derive(Clone, Debug, Default)]
pub(super) struct Globs(Vec<Glob>);

impl Globs {
    /// Reads patterns from an option of that name.
    pub(super) fn parse<S: AsRef<str>>(texts: &[S], option: &str) -> Result<Self, Failure> {
        let parse = |text: &S| {
            Glob::parse(text.as_ref())
                .map_err(|error| Failure::Usage(format!("{option}: {error}; quote the pattern for the shell")))
        };
        texts.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// The patterns of a rule. A test proves that each can be read.
    fn of(rule: &Rule) -> Self {
        Self(rule.patterns.iter().filter_map(|text| Glob::parse(text).ok()).collect())
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a path (with `/`, from the top) or one of the folders it is in matches.
    pub(super) fn matches(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(path))
    }
}

/// Decides what goes in: our rules, and the user's exceptions from them.
pub(super) struct Selection {
    rules: Vec<(Globs, &'static str)>,
    exclude: Globs,
    keep: Globs,
}

impl Selection {
    pub(super) fn new<'a>(rules: impl IntoIterator<Item = &'a Rule>, exclude: &Globs, keep: &Globs) -> Self {
        let rules = rules.into_iter().map(|rule| (Globs::of(rule), rule.why)).collect();
        Self { rules, exclude: exclude.clone(), keep: keep.clone() }
    }

    /// Why a path is left out, if it is.
    pub(super) fn left_out(&self, path: &str) -> Option<&'static str> {
        if self.exclude.matches(path) {
            return Some("--exclude");
        }
        let rule = self.rules.iter().find(|(patterns, _)| patterns.matches(path))?;
        (!self.keeps(path)).then_some(rule.1)
    }

    /// Whether the user keeps it, whatever the rules say.
    pub(super) fn keeps(&self, path: &str) -> bool {
        self.keep.matches(path)
    }

    /// Whether a folder can be skipped as a whole: nothing in it can be kept.
    pub(super) fn closed(&self, folder: &str) -> bool {
        self.keep.is_empty() && self.left_out(folder).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_cannot_be_read_is_told_with_its_option() {
        assert!(Globs::parse(&["a["], "--exclude").unwrap_err().to_string().contains("--exclude"));
    }

    #[test]
    fn every_pattern_of_ours_can_be_read() {
        for rule in DEVELOPMENT.iter().chain(&INSTALLED).chain([&SECRETS]) {
            assert_eq!(Globs::of(rule).0.len(), rule.patterns.len(), "{:?}", rule.patterns);
        }
    }

    #[test]
    fn rules_have_exceptions_and_the_users_word_counts() {
        let none = Globs::default();
        let installed = Selection::new(&INSTALLED, &none, &none);
        for gone in ["flask/__pycache__/x.pyc", "x-1.dist-info/RECORD", "tests/x.py", "setuptools/cli.exe"] {
            assert!(installed.left_out(gone).is_some(), "{gone}");
        }
        for kept in ["django/test/client.py", "x-1.dist-info/METADATA", "pkg/include/x.h", "x/tests/y.py"] {
            assert_eq!(installed.left_out(kept), None, "{kept}");
        }
        let patterns = |text| Globs::parse(&[text], "--keep").unwrap();
        let app = Selection::new(DEVELOPMENT.iter().chain([&SECRETS]), &patterns("*.md"), &patterns("/.env.public"));
        assert_eq!(app.left_out("config/.env.production"), Some(SECRETS.why));
        assert_eq!(app.left_out(".env.public"), None);
        assert_eq!(app.left_out("README.md"), Some("--exclude"));
        assert_eq!(app.left_out("frontend/dist/index.html"), None);
        assert!(!app.closed(".git"), "something below it may be kept");
        assert!(Selection::new(&DEVELOPMENT, &none, &none).closed("a/.git"));
    }
}
