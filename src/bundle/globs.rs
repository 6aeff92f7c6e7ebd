//! Patterns of paths, as `.gitignore` has them.

use globset::{GlobBuilder, GlobMatcher};

/// One pattern. Without a slash it means a name anywhere, with one a path from the top. Everything below a folder that
/// matches also matches.
#[derive(Clone, Debug)]
pub struct Glob {
    glob: GlobMatcher,
    whole_path: bool,
}

impl Glob {
    /// Reads a pattern; the error is text that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let trimmed = text.trim_end_matches('/');
        let glob = GlobBuilder::new(trimmed.trim_start_matches('/'))
            .literal_separator(true)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { glob: glob.compile_matcher(), whole_path: trimmed.contains('/') })
    }

    /// Whether a path (with `/`, from the top) or one of the folders it is in matches.
    pub fn matches(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.map(|end| &path[..end]).any(|part| {
            let name = part.rsplit('/').next().unwrap_or(part);
            self.glob.is_match(if self.whole_path { part } else { name })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_gitignore_means() {
        let matches = |pattern: &str, path: &str| Glob::parse(pattern).unwrap().matches(path);
        assert!(matches("*.md", "README.md"));
        assert!(matches("*.md", "docs/deep/x.md"));
        assert!(matches("docs", "a/docs/x/y.txt"));
        assert!(matches("docs/", "docs/x"));
        assert!(!matches("docs", "docs.py"));
        assert!(matches("/docs", "docs/x"));
        assert!(!matches("/docs", "a/docs/x"));
        assert!(matches("a/*.py", "a/b.py"));
        assert!(!matches("a/*.py", "a/b/c.py"));
        assert!(!matches("a/*.py", "x/a/b.py"));
        assert!(matches("a/**/*.py", "a/b/c.py"));
        assert!(Glob::parse("a[").is_err());
    }
}
