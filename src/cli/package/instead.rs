//! Packages that often do not run on Lambda as they are, and those that do.

use crate::cli::packaging::requirements::{name_of, normal};

const INSTEAD: [(&str, &str); 4] = [
    ("opencv-contrib-python", "opencv-contrib-python-headless"),
    ("opencv-python", "opencv-python-headless"),
    ("psycopg2", "psycopg2-binary"),
    ("mysqlclient", "PyMySQL"),
];

/// What to require in place of a package: one without what it lacks on Lambda.
pub(super) fn of(requirement: &str) -> Option<&'static str> {
    let name = normal(name_of(requirement));
    INSTEAD.iter().find(|(package, _)| *package == name).map(|(_, other)| *other)
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_a_package_that_is_known_has_another() {
        assert_eq!(super::of("Psycopg2==2.9"), Some("psycopg2-binary"));
        assert_eq!(super::of("psycopg2-binary"), None);
        assert_eq!(super::of("flask"), None);
    }
}
