//! Settings that are written as plain values. Only Python knows computed ones.

use crate::cli::doctor::contents::{Contents, extension};
use crate::cli::doctor::node::Place;

/// How many settings modules may import each other, from base to production.
const MAX_DEPTH: usize = 8;

/// The value of a name, as text: in the settings module, if that is known, or in the ones that it imports. Else in any
/// settings file, if only one sets it: of several nobody knows which is used.
pub(super) fn assigned(code: &Contents, module: Option<&str>, name: &str) -> Option<(Place, String)> {
    let read = |file: &str| {
        let (line, value) = assignment(&code.text(file)?, name)?;
        Some((Place { file: code.path.join(file).into(), line }, value))
    };
    if let Some(mut file) = module.and_then(|module| module_file(code, module)) {
        for _ in 0..MAX_DEPTH {
            if let Some(found) = read(&file) {
                return Some(found);
            }
            file = imported(code, &file)?;
        }
        return None;
    }
    let is_settings =
        |file: &&str| extension(file) == "py" && file.contains("settings") && !file.contains("site-packages");
    let mut found = code.names().filter(is_settings).filter_map(read);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn module_file(code: &Contents, module: &str) -> Option<String> {
    let path = module.replace('.', "/");
    [format!("{path}.py"), format!("{path}/__init__.py")].into_iter().find(|file| code.has(file))
}

/// The file of the package that a settings file takes everything of: `from .base import *`.
fn imported(code: &Contents, file: &str) -> Option<String> {
    let text = code.text(file)?;
    let modules = text.lines().filter_map(|line| line.strip_prefix("from ")?.split_once(" import *"));
    let package = file.rsplit_once('/').map_or("", |(folder, _)| folder).replace('/', ".");
    let mut files = modules.filter_map(|(module, _)| {
        let module = module.trim();
        let name = module.trim_start_matches('.');
        let up = (module.len() - name.len()).checked_sub(1);
        let folders: Vec<&str> = package.split('.').filter(|part| !part.is_empty()).collect();
        let base = up.map_or(&[][..], |up| &folders[..folders.len().saturating_sub(up)]);
        module_file(code, &[base, &[name]].concat().join("."))
    });
    files.next()
}

/// The line and value of the only assignment to a name. The value is empty if something else may change it: a second
/// assignment, one in an `if`, `ALLOWED_HOSTS += …`, `from x import *` below it.
fn assignment(text: &str, name: &str) -> Option<(usize, String)> {
    let value = |line: &str| {
        let rest = line.strip_prefix(name)?.trim_start();
        // `DEBUG: bool = True`
        let rest = rest.strip_prefix(':').and_then(|rest| Some(rest.split_once('=')?.1)).or(rest.strip_prefix('='))?;
        (!rest.starts_with('=')).then(|| rest.trim().to_owned())
    };
    let lines: Vec<&str> =
        text.lines().map(|line| if line.trim_start().starts_with('#') { "" } else { line }).collect();
    let mut found = lines.iter().enumerate().filter_map(|(index, line)| Some((index, value(line)?)));
    let (index, mut value_here) = found.next()?;
    let is_again = |line: &&&str| value(line.trim_start()).is_some();
    let changes = [format!("{name} +="), format!("{name}.append"), format!("{name}.extend")];
    let is_change = |line: &&str| {
        let is_star = line.trim_start().starts_with("from ") && line.contains(" import *");
        is_star || changes.iter().any(|change| line.contains(change))
    };
    if lines.iter().filter(is_again).count() > 1 || lines[index..].iter().any(is_change) {
        return Some((index + 1, String::new()));
    }
    let mut rest = lines.iter().skip(index + 1);
    while value_here.starts_with('[') && !value_here.contains(']') {
        value_here.push_str(rest.next()?.split('#').next()?.trim());
    }
    let value = value_here.split('#').next()?.trim();
    Some((index + 1, value.to_owned()))
}

/// A list of texts: `["a", 'b']`.
pub(super) fn texts(value: &str) -> Option<Vec<String>> {
    let items = value.strip_prefix('[')?.strip_suffix(']')?.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| {
            let quote = item.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
            let text = item.strip_prefix(quote)?.strip_suffix(quote)?;
            (!text.contains(quote)).then(|| text.to_owned())
        })
        .collect()
}

/// Django's rule (`django.http.request.validate_host`).
pub(super) fn allows(allowed: &[String], host: &str) -> bool {
    allowed.iter().any(|pattern| {
        let domain = pattern.strip_prefix('.');
        pattern == "*"
            || pattern == host
            || domain.is_some_and(|domain| host == domain || host.ends_with(pattern.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_are_read_and_others_are_not() {
        let value = |text: &str| assignment(text, "ALLOWED_HOSTS").map(|(_, value)| texts(&value));
        assert_eq!(value("ALLOWED_HOSTS = []"), Some(Some(vec![])));
        assert_eq!(
            value("X = 1\nALLOWED_HOSTS = ['a', \"b\"]  # why\n"),
            Some(Some(vec!["a".to_owned(), "b".to_owned()]))
        );
        assert_eq!(value("ALLOWED_HOSTS = [\n  'a',  # one\n]\n"), Some(Some(vec!["a".to_owned()])));
        for computed in [
            "ALLOWED_HOSTS = env.list('HOSTS')",
            "ALLOWED_HOSTS = [env('HOST')]",
            "ALLOWED_HOSTS = ['a']\nALLOWED_HOSTS += ['b']\n",
        ] {
            assert_eq!(value(computed), Some(None), "{computed}");
        }
        assert_eq!(value("HOSTS = []"), None);
    }

    #[test]
    fn settings_are_followed_to_the_module_that_they_come_from() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("shop/settings")).unwrap();
        for (name, text) in [
            ("base.py", "DEBUG = True\n"),
            ("dev.py", "from .base import *\nDEBUG = 1\n"),
            ("prod.py", "from shop.settings.base import *\n"),
            ("live.py", "from .prod import *\nDEBUG = False\n"),
        ] {
            std::fs::write(folder.path().join("shop/settings").join(name), text).unwrap();
        }
        let code = Contents::open(folder.path()).unwrap();
        let value = |module: Option<&str>| assigned(&code, module, "DEBUG").map(|(_, value)| value);
        assert_eq!(value(Some("shop.settings.prod")).as_deref(), Some("True"));
        assert_eq!(value(Some("shop.settings.live")).as_deref(), Some("False"));
        assert_eq!(value(Some("shop.settings.dev")).as_deref(), Some("1"));
        assert_eq!(value(None), None, "three set it");
    }

    #[test]
    fn what_may_be_changed_elsewhere_is_not_known() {
        let value = |text: &str| assignment(text, "DEBUG").map(|(_, value)| value);
        for text in [
            "DEBUG = True",
            "DEBUG: bool = True",
            "# DEBUG = False\nDEBUG = True  # DEBUG.",
            "from b import *\nDEBUG = True",
        ] {
            assert_eq!(value(text).as_deref(), Some("True"), "{text}");
        }
        for text in [
            "DEBUG = True\nif PROD:\n    DEBUG = False",
            "DEBUG = True\nfrom local import *",
            "DEBUG = True\nDEBUG = x",
        ] {
            assert_eq!(value(text).as_deref(), Some(""), "{text}");
        }
        assert_eq!(value("DEBUG == True"), None);
        assert_eq!(value("DEBUG_TOOLBAR = True"), None);
    }

    #[test]
    fn hosts_are_matched_as_django_does() {
        let allows = |pattern: &str| allows(&[pattern.to_owned()], "x.example.com");
        assert!(allows("*") && allows("x.example.com") && allows(".example.com"));
        assert!(!allows("example.com") && !allows("y.example.com") && !allows(".y.example.com"));
    }
}
