//! What happens if nothing is required: only if that is meant, the application is packed alone.

use std::path::Path;

use super::imports;
use super::requirements::Source;
use crate::cli::failure::Failure;
use crate::cli::packaging::elsewhere::{self, Elsewhere, Form};
use crate::cli::packaging::interpreter::Interpreter;
use crate::cli::packaging::requirements::SOURCES;

/// How many files and modules are listed.
const SHOWN: usize = 8;

/// Refuses an application whose requirements are somewhere else. A requirements.txt or a lock file that names nothing is
/// its author's word, unless the application imports something that nothing brings.
pub(super) fn check(
    app: &Path,
    given: &Path,
    source: Option<(&Source, bool)>,
    interpreter: Option<&Interpreter>,
) -> Result<(), Failure> {
    let imports = interpreter.map(|interpreter| imports::unmet(app, &interpreter.stdlib)).unwrap_or_default();
    let is_named = source.is_some_and(|(_, is_named)| is_named);
    let is_word = source.is_some_and(|(source, _)| !matches!(source, Source::Project(_)));
    let mut elsewhere = if is_named { Vec::new() } else { elsewhere::find(app) };
    elsewhere.retain(|one| source.is_none_or(|(source, _)| source.path() != one.path));
    if is_word {
        // The folder above may be another project's.
        elsewhere.retain(|one| one.path.starts_with(app));
    }
    if is_word && elsewhere.is_empty() && imports.is_empty() {
        return Ok(());
    }
    let mut lines = vec![looked_for(given, source)];
    if !elsewhere.is_empty() {
        lines.push("These look like requirements:".to_owned());
        lines.extend(elsewhere.iter().take(SHOWN).map(|one| format!("  {}", how(one, app, given))));
        if elsewhere.len() > SHOWN {
            lines.push(format!("  and {} more", elsewhere.len() - SHOWN));
        }
    }
    if !imports.is_empty() {
        let list: Vec<_> = imports.iter().take(SHOWN).map(|(module, file)| format!("{module} ({file})")).collect();
        let more = if imports.len() > SHOWN { ", …" } else { "" };
        lines.push(format!("The application imports what nothing brings: {}{more}", list.join(", ")));
    }
    if elsewhere.is_empty() {
        lines.push(
            "If it requires packages: list them in a requirements.txt there, or name a file with --requirements"
                .to_owned(),
        );
    }
    lines.push(
        "If it requires nothing, or a layer or the folder itself has it all: --no-requirements packs the application alone"
            .to_owned(),
    );
    Err(Failure::Usage(lines.join("\n")))
}

fn looked_for(given: &Path, source: Option<(&Source, bool)>) -> String {
    let Some((source, _)) = source else {
        let [first, second, third] = SOURCES;
        return format!("required: nothing. Looked for {first}, {second} and {third} in {}", given.display());
    };
    let what = if matches!(source, Source::Project(_)) { "lists no [project] dependencies" } else { "names none" };
    format!("required: nothing. {} {what}", shown(source.path(), given))
}

/// A file, and the way to use it.
fn how(one: &Elsewhere, app: &Path, given: &Path) -> String {
    let path = relative_to(&one.path, app, given);
    match one.form {
        Form::Readable => format!("--requirements {path}"),
        Form::Exported(command) => format!("{path}: export it (`{command}`)"),
        Form::Conda => format!("{path}: write the names of its packages on PyPI to a requirements.txt"),
    }
}

fn relative_to(path: &Path, app: &Path, given: &Path) -> String {
    match (path.strip_prefix(app), app.parent().and_then(|above| path.strip_prefix(above).ok())) {
        (Ok(inside), _) => shown(&given.join(inside), given),
        (Err(_), Some(beside)) => shown(&given.join("..").join(beside), given),
        (Err(_), None) => path.display().to_string(),
    }
}

/// A path without the `./` of the folder `.`; the user can paste it.
fn shown(path: &Path, given: &Path) -> String {
    let path = if given == Path::new(".") { path.strip_prefix(".").unwrap_or(path) } else { path };
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn error(app: &Path, source: Option<(&Source, bool)>) -> String {
        check(app, Path::new("."), source, None).err().map(|failure| failure.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_was_found_can_be_pasted() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path().join("app");
        fs::create_dir_all(app.join("requirements")).unwrap();
        let text = error(&app, None);
        assert!(text.starts_with("required: nothing. Looked for requirements.txt, uv.lock and"), "{text}");
        assert!(text.contains("list them in a requirements.txt") && text.contains("--no-requirements"), "{text}");
        fs::write(folder.path().join("requirements.txt"), "flask").unwrap();
        assert!(error(&app, None).contains("\n  --requirements ../requirements.txt\n"), "{}", error(&app, None));
        fs::write(app.join("requirements/prod.txt"), "flask").unwrap();
        fs::write(app.join("Pipfile.lock"), "{}").unwrap();
        let text = error(&app, None);
        for line in ["  --requirements requirements/prod.txt", "Pipfile.lock: export it (`pipenv requirements"] {
            assert!(text.contains(line) && !text.contains("../"), "{text}");
        }
    }

    #[test]
    fn an_empty_file_is_its_authors_word_unless_there_are_others() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("requirements.txt");
        fs::write(&empty, "# nothing").unwrap();
        let source = Source::Requirements(empty);
        assert_eq!(error(folder.path(), Some((&source, false))), "");
        let below = folder.path().join("below");
        fs::create_dir(&below).unwrap();
        fs::write(folder.path().join("requirements-prod.txt"), "flask").unwrap();
        let own = Source::Requirements(below.join("requirements.txt"));
        assert_eq!(error(&below, Some((&own, false))), "", "what is above may be another project's");
        fs::remove_file(folder.path().join("requirements-prod.txt")).unwrap();
        let project = Source::Project(folder.path().join("pyproject.toml"));
        assert!(error(folder.path(), Some((&project, false))).contains("lists no [project] dependencies"));
        fs::create_dir(folder.path().join("requirements")).unwrap();
        fs::write(folder.path().join("requirements/prod.txt"), "flask").unwrap();
        assert!(error(folder.path(), Some((&source, false))).contains("names none\nThese look like"));
        assert_eq!(error(folder.path(), Some((&source, true))), "", "the user named it");
    }
}
