//! Where an import hangs, by the stacks that the runtime logs when an import takes long.

use std::path::{Path, PathBuf};

/// Calls that start a server and do not return.
const SERVERS: [&str; 8] = [
    ".run(",
    "run_simple(",
    "serve_forever(",
    "serve(",
    "runserver",
    "execute_from_command_line(",
    ".start(",
    "run_wsgi(",
];

/// The application's own line that an import hangs in.
pub(super) struct Hang {
    /// `app.py, line 7, does not return: …` with the line itself.
    pub(super) what: String,
    /// Whether the line starts a server.
    pub(super) is_server: bool,
}

impl Hang {
    /// Why a line that starts a server is wrong, and what to do.
    pub(super) const SERVER: &str = "it starts a server, which Lambda does not need";
    pub(super) const REMEDY: &str = "Put it below `if __name__ == \"__main__\":`";

    /// The innermost frame of the application in `root`, which has to be an absolute path, among the lines of a log.
    pub(super) fn find<'l>(root: &Path, lines: impl Iterator<Item = &'l str>) -> Option<Self> {
        // Stacks are one record: on standard output their lines are joined by carriage returns.
        let (file, number) = lines.flat_map(|line| line.split('\r')).find_map(|line| own_frame(root, line))?;
        let source = std::fs::read_to_string(&file).ok()?;
        let code = source.lines().nth(number.checked_sub(1)?)?.split("  #").next()?.trim();
        let name = file.strip_prefix(root).unwrap_or(&file).display();
        let what = format!("{name}, line {number}, does not return: `{code}`");
        Some(Self { what, is_server: SERVERS.iter().any(|call| code.contains(call)) })
    }
}

/// `File "…", line N` of the application itself, not of a package in its folder.
fn own_frame(root: &Path, line: &str) -> Option<(PathBuf, usize)> {
    let (file, rest) = line.split_once("File \"")?.1.split_once("\", line ")?;
    let number = rest.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok()?;
    let path = PathBuf::from(file);
    let own = path.starts_with(root) && !file.contains("/site-packages/");
    own.then_some((path, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_applications_own_line_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().display();
        std::fs::write(folder.path().join("app.py"), "import flask\n\napp.run(port=0)  # forgotten\n").unwrap();
        std::fs::write(folder.path().join("wait.py"), "connect(\"database\")\n").unwrap();
        let stack = |file: &str, line: u32| {
            format!(
                "[ERROR] Runtime.SlowInit: after 9.0s\r  File \"{root}/lib/site-packages/x.py\", line 1 in run\r  File \
                 \"/usr/lib/y.py\", line 2 in x\r  File \"{root}/{file}\", line {line} in <module>"
            )
        };
        let find = |log: &str| Hang::find(folder.path(), log.lines()).map(|hang| (hang.what, hang.is_server));
        let server = ("app.py, line 3, does not return: `app.run(port=0)`".to_owned(), true);
        assert_eq!(find(&stack("app.py", 3)), Some(server));
        let other = ("wait.py, line 1, does not return: `connect(\"database\")`".to_owned(), false);
        assert_eq!(find(&stack("wait.py", 1)), Some(other));
        for none in ["", "no stack", &stack("app.py", 9), &stack("app.py", 0), &stack("gone.py", 1)] {
            assert_eq!(find(none), None, "{none}");
        }
    }
}
