//! The page in a real Chromium: `browser.py` drives it, and takes the pictures for `docs/serve.md`.

use std::path::PathBuf;
use std::process::Command;

use crate::site::Site;
use crate::support::{root, skipped};

/// The Python with selenium, and a browser with its driver; `None`, said loudly, if one of them is missing.
fn tools() -> Option<PathBuf> {
    let python = root().join(".cache/venv-inspector/bin/python");
    if !python.exists() {
        skipped("the inspector's page is not tested: `make test-inspector` installs selenium");
        return None;
    }
    let found = Command::new(&python).arg(root().join("tests/inspector/chromium.py")).output().unwrap();
    if !found.status.success() {
        skipped(&format!("the inspector's page is not tested: {}", String::from_utf8_lossy(&found.stderr).trim()));
        return None;
    }
    Some(python)
}

fn run(site: &Site, script: &str) {
    let Some(python) = tools() else { return };
    let mut command = Command::new(python);
    command.arg(root().join("tests/inspector").join(script)).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("SERVED", format!("http://127.0.0.1:{}", site.served.port()));
    command.env("INSPECTOR", format!("http://127.0.0.1:{}", site.port()));
    command.env("PICTURES", root().join("docs"));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}{text}{}", String::from_utf8_lossy(&output.stdout), site.served.shown());
}

#[test]
fn the_page_in_a_browser() {
    run(&Site::new(&["--stage", "dev", "--env", "WSGI_LAMBDA_EVENT_HANDLER=direct=app:on_event"]), "browser.py");
}

#[test]
#[ignore = "`make inspector-pictures` takes the pictures for docs/serve.md"]
fn pictures() {
    run(&Site::new(&["--stream", "--stage", "dev"]), "pictures.py");
}
