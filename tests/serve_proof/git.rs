//! Git over HTTP, with the `git` command.

use std::path::Path;
use std::process::Command;

use super::server::Server;
use super::support::{self, said};

/// `git`, with nothing of the machine's settings.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"]);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0");
    said(command.args(arguments).current_dir(folder))
}

fn commit(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).unwrap();
    git(folder, &["add", name]);
    git(folder, &["commit", "-q", "-m", name]);
}

fn has_dulwich(venv: &Path) -> bool {
    let libraries = std::fs::read_dir(venv.join("lib")).unwrap().flatten();
    libraries.into_iter().any(|python| python.path().join("site-packages/dulwich").is_dir())
}

#[test]
fn a_repository_is_cloned_and_pushed_to() {
    let venv = support::root().join(".cache/venv");
    let has_git = Command::new("git").arg("--version").output().is_ok();
    if !has_git || !has_dulwich(&venv) {
        support::skipped("git through serve: git is not installed, or dulwich, which has no wheels for this Python");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    git(folder.path(), &["init", "-q", "--bare", "origin"]);
    git(folder.path(), &["clone", "-q", "origin", "first"]);
    let large: Vec<u8> = (0..700_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    commit(&at("first"), "large.bin", &large);
    git(&at("first"), &["push", "-q", "origin", "main"]);
    let variable = format!("FOLDER={}", at("origin").display());
    let options = ["--front", "all", "--venv", venv.to_str().unwrap(), "--env", &variable];
    let server = Server::start("app:app", "tests/apps/git", &options);
    for front_end in server.names() {
        let url = format!("http://127.0.0.1:{}{}/", server.port(front_end), server.mount(front_end));
        git(folder.path(), &["clone", "-q", &url, front_end]);
        assert_eq!(std::fs::metadata(at(front_end).join("large.bin")).unwrap().len(), 700_000, "{front_end}");
        commit(&at(front_end), &format!("{front_end}.txt"), front_end.as_bytes());
        git(&at(front_end), &["push", "-q", "origin", "main"]);
        git(&at("first"), &["pull", "-q"]);
        assert!(at("first").join(format!("{front_end}.txt")).exists(), "{front_end}: {}", server.said());
    }
}
