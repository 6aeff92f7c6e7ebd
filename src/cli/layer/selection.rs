//! Which files of the standard library go into the layer.

use crate::bundle::Pattern;
use crate::cli::failure::Failure;

/// The default list, with its reasons; `--list` prints it.
pub(super) const LEFT_OUT: &str = include_str!("left_out.txt");

/// The default list, and the user's changes to it.
pub(super) struct Selection {
    rules: Vec<Pattern>,
    keep: Vec<Given>,
    drop: Vec<Given>,
}

/// A pattern of the user. It has to match something, because one with a typing error would silently do nothing.
struct Given {
    option: &'static str,
    text: String,
    pattern: Pattern,
    used: bool,
}

impl Selection {
    pub(super) fn new(keep: &[String], drop: &[String]) -> Result<Self, Failure> {
        let lines = LEFT_OUT.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let rules = lines.map(Pattern::parse).collect::<Result<_, _>>().map_err(Failure::Failed)?;
        Ok(Self { rules, keep: given("--keep", keep)?, drop: given("--drop", drop)? })
    }

    /// Whether a file goes in. Its name is the path below `lib/python3.N`. `--drop` comes before `--keep`.
    pub(super) fn takes(&mut self, name: &str) -> bool {
        // Both are always evaluated, so that each pattern is known to be used or not.
        let dropped = any(&mut self.drop, name);
        let left_out = self.rules.iter().any(|rule| rule.matches(name)) && !any(&mut self.keep, name);
        !dropped && !left_out
    }

    /// Returns an error if a pattern of the user made no difference.
    pub(super) fn check_all_used(&self) -> Result<(), Failure> {
        match self.keep.iter().chain(&self.drop).find(|given| !given.used) {
            Some(Given { option: option @ "--keep", text, .. }) => Err(Failure::Usage(format!(
                "{option} {text}: nothing of that name is left out. Patterns match paths below lib/python3.N, as in \
                 --list"
            ))),
            Some(Given { option, text, .. }) => Err(Failure::Usage(format!(
                "{option} {text}: nothing has that name below lib/python3.N; quote patterns for the shell"
            ))),
            None => Ok(()),
        }
    }
}

fn given(option: &'static str, texts: &[String]) -> Result<Vec<Given>, Failure> {
    let parse = |text: &String| match Pattern::parse(text) {
        Ok(pattern) => Ok(Given { option, text: text.clone(), pattern, used: false }),
        Err(error) => Err(Failure::Usage(format!("{option}: {error}"))),
    };
    texts.iter().map(parse).collect()
}

fn any(patterns: &mut [Given], name: &str) -> bool {
    let mut found = false;
    for given in patterns.iter_mut().filter(|given| given.pattern.matches(name)) {
        given.used = true;
        found = true;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(keep: &[&str], drop: &[&str]) -> Selection {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Selection::new(&owned(keep), &owned(drop)).unwrap()
    }

    #[test]
    fn what_servers_need_is_in_and_what_they_do_not_is_out() {
        let mut selection = selection(&[], &[]);
        for name in ["os.py", "unittest/mock.py", "LICENSE.txt", "lib-dynload/_ssl.cpython-313-x86_64-linux-gnu.so"] {
            assert!(selection.takes(name), "{name}");
        }
        for name in ["test/regrtest.py", "unittest/test/dummy.py", "config-3.13-x86_64-linux-gnu/Makefile", "turtle.py"]
        {
            assert!(!selection.takes(name), "{name}");
        }
        assert!(selection.takes("lib-dynload/_xxinterpchannels.so"), "it is not an example, despite its name");
        assert!(!selection.takes("lib-dynload/xxlimited.cpython-313-x86_64-linux-gnu.so"));
    }

    #[test]
    fn the_users_patterns_change_the_list() {
        let mut selection = selection(&["/test/support", "venv"], &["sqlite3", "venv/__main__.py"]);
        assert!(selection.takes("test/support/__init__.py"));
        assert!(!selection.takes("test/test_os.py"));
        assert!(selection.takes("venv/__init__.py"));
        assert!(!selection.takes("venv/__main__.py"), "--drop has the last word");
        assert!(!selection.takes("sqlite3/dbapi2.py"));
        selection.check_all_used().unwrap();
    }

    #[test]
    fn a_pattern_that_does_nothing_is_an_error() {
        let mut misspelt = selection(&["turtles.py"], &[]);
        misspelt.takes("turtle.py");
        let error = misspelt.check_all_used().unwrap_err().to_string();
        assert!(error.contains("--keep turtles.py"), "{error}");
        let mut misspelt = selection(&[], &["sqlight"]);
        misspelt.takes("sqlite3/dbapi2.py");
        assert!(misspelt.check_all_used().unwrap_err().to_string().contains("--drop sqlight"));
        assert!(Selection::new(&["a[".to_owned()], &[]).is_err());
    }
}
