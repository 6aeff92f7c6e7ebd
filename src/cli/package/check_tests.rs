use std::path::Path;

use super::super::files::staged;
use super::*;
use crate::bundle::{Architecture, Glibc};
use crate::cli::packaging::target::PythonVersion;

/// With a C library as new as any machine's, since the files are this machine's programs.
fn target() -> Target {
    let architecture = Architecture::of_this_machine().unwrap();
    Target { python: PythonVersion { minor: 13 }, architecture, glibc: Glibc { major: 2, minor: 99 } }
}

fn other() -> Target {
    let architecture = match target().architecture {
        Architecture::X86_64 => Architecture::Arm64,
        Architecture::Arm64 => Architecture::X86_64,
    };
    Target { architecture, ..target() }
}

/// A stage; files called `.so` or `tool` are this test's own program.
fn stage(names: &[&str]) -> (tempfile::TempDir, Vec<Staged>) {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if name.contains(".so") || name.ends_with("tool") {
            fs::copy("/proc/self/exe", path).unwrap();
        } else {
            fs::write(path, "").unwrap();
        }
    }
    let files = staged(folder.path()).unwrap();
    (folder, files)
}

fn dists(folder: &Path, tag: &str, record: &str) -> Dists {
    let info = folder.join("x-1.dist-info");
    fs::create_dir(&info).unwrap();
    fs::write(info.join("METADATA"), "Name: x\nVersion: 1\n").unwrap();
    fs::write(info.join("WHEEL"), format!("Tag: {tag}\n")).unwrap();
    fs::write(info.join("RECORD"), record).unwrap();
    Dists::read(folder).unwrap()
}

fn binaries_of(names: &[&str], target: &Target, owned: bool) -> Findings {
    let (folder, files) = stage(names);
    let record = if owned { names.join(",,\n") } else { String::new() };
    let dists = dists(folder.path(), "py3-none-any", &record);
    let mut findings = Findings::default();
    binaries(&files, &dists, target, &mut findings).unwrap();
    findings
}

#[test]
fn a_file_for_another_machine_is_an_error_where_it_would_be_loaded() {
    let own = binaries_of(&["a/tool"], &other(), false);
    assert_eq!(own.errors.len(), 1, "{own:?}");
    assert!(own.errors[0].contains("a/tool is for") && own.errors[0].contains("--exclude 'a/tool'"), "{own:?}");
    let brought = binaries_of(&["x/tool"], &other(), true);
    assert_eq!((brought.errors.len(), brought.warnings.len()), (0, 1), "{brought:?}");
    assert!(brought.warnings[0].starts_with("x 1: x/tool"), "{brought:?}");
    let module = binaries_of(&["x/_m.abi3.so"], &other(), true);
    assert_eq!(module.errors.len(), 1, "{module:?}");
    assert!(binaries_of(&["a/tool"], &target(), false).errors.is_empty());
}

#[test]
fn a_too_new_c_library_is_named_with_its_symbol() {
    let old = Target { glibc: Glibc { major: 2, minor: 2 }, ..target() };
    let findings = binaries_of(&["x/tool"], &old, true);
    let text = &findings.errors[0];
    assert!(text.contains("needs glibc 2.") && text.contains("(symbol ") && text.contains("Lambda has 2.2"), "{text}");
}

#[test]
fn modules_for_another_python_are_found_by_name() {
    let machine = target().architecture.machine();
    let [right, wrong] = ["313", "311"].map(|version| format!("_m.cpython-{version}-{machine}-linux-gnu.so"));
    let own = binaries_of(&[&wrong], &target(), false);
    assert!(own.errors[0].contains("is for Python 3.11, not 3.13"), "{own:?}");
    assert!(binaries_of(&[&right, &wrong], &target(), false).errors.is_empty(), "the right one is there");
    let brought = binaries_of(&[&format!("x/{wrong}")], &target(), true);
    assert_eq!((brought.errors.len(), brought.warnings.len()), (0, 1), "{brought:?}");
}

#[test]
fn modules_for_other_systems_are_found_by_name() {
    let own = binaries_of(&["a/_m.pyd", "a/_m.cpython-313-darwin"], &target(), false);
    assert_eq!(own.errors.len(), 1, "{own:?}");
    assert!(own.errors[0].contains("is a module for Windows"), "{own:?}");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("_m.cpython-313-darwin.so"), "Mach-O").unwrap();
    let mut findings = Findings::default();
    binaries(&staged(folder.path()).unwrap(), &Dists::default(), &target(), &mut findings).unwrap();
    assert!(findings.errors[0].contains("is a module for macOS"), "{findings:?}");
}

#[test]
fn a_wheel_for_something_else_and_an_editable_requirement_are_errors() {
    let (folder, files) = stage(&["__editable__.x-1.pth", "a.py"]);
    let dists = dists(folder.path(), "cp311-cp311-linux_x86_64", "");
    let mut findings = Findings::default();
    installed(&dists, &files, &target(), &mut findings);
    assert!(findings.errors[0].contains("x 1 was installed for cp311-cp311-linux_x86_64"), "{findings:?}");
    assert!(findings.errors[1].contains("without -e"), "{findings:?}");
}

#[test]
fn a_missing_library_names_what_to_install_instead() {
    let text = lacks("opencv-python 4.1", "libGL.so.1", &["cv2/cv2.abi3.so", "cv2/b.so"]);
    assert!(text.contains("opencv-python-headless") && text.contains("1 more file"), "{text}");
    assert!(lacks("x 1", "libq.so.5", &["x/_q.so"]).contains("folder lib/"));
}

#[test]
fn names_that_hide_others_are_told() {
    let (_folder, files) =
        stage(&["json.py", "logging/__init__.py", "static/x.css", "flask.py", "flask/x.py", "bootstrap"]);
    let app =
        AppFiles { paths: ["json.py", "static/x.css", "flask.py"].map(str::to_owned).into(), ..AppFiles::default() };
    let stdlib = ["json", "logging", "static"].map(str::to_owned).into();
    let mut findings = Findings::default();
    names(&files, &app, &stdlib, &mut findings);
    let expected = ["json hides", "logging hides", "flask.py is yours", "bootstrap at the top"];
    assert_eq!(findings.warnings.len(), expected.len(), "{findings:?}");
    for (warning, start) in findings.warnings.iter().zip(expected) {
        assert!(warning.starts_with(start), "{warning}");
    }
}

#[test]
fn a_handlers_module_has_to_be_there() {
    let (folder, files) = stage(&["app.py", "mysite/wsgi.py", "pkg/__init__.pyc"]);
    fs::write(folder.path().join("app.py"), "from x import site\n").unwrap();
    let found = |name: &str| handler(name, &files, &mut Findings::default());
    for fine in [
        "app.app",
        "app:create_app()",
        "mysite.wsgi.application",
        "mysite/wsgi.application",
        "pkg.app",
        "./app:app",
        "app.site.wsgi",
    ] {
        assert!(found(fine).is_ok(), "{fine}");
    }
    // The runtime would look for `other` in app.py, which has no such name.
    assert!(found("app.other.wsgi").is_err());
    let error = found("main.app").unwrap_err().to_string();
    assert!(error.contains("no main.py and no main/__init__.py"), "{error}");
    assert!(matches!(found("app"), Err(Failure::Usage(_))));
}
