//! Tells when files of the application were saved.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use walkdir::WalkDir;

/// Editors save in several steps, and tools several files: this long after the last change, it is over.
const QUIET: Duration = Duration::from_millis(50);
/// But not later than this after the first one.
const PATIENCE: Duration = Duration::from_millis(500);

/// Files that an application reads when it starts, or keeps: code, templates, settings. Not those that it may write
/// itself, such as databases.
const ENDINGS: [&str; 15] =
    ["py", "so", "html", "htm", "jinja", "jinja2", "j2", "mako", "toml", "yaml", "yml", "ini", "cfg", "mo", "graphql"];

/// A watch over a folder, and over some files elsewhere.
#[derive(Debug)]
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    events: mpsc::UnboundedReceiver<Event>,
    files: HashSet<PathBuf>,
}

impl Watch {
    /// Watches the application's folder, and these files.
    pub(super) fn new(root: &Path, files: &[PathBuf]) -> notify::Result<Self> {
        let (sender, events) = mpsc::unbounded_channel();
        let handler = move |event: notify::Result<Event>| {
            if let Ok(event) = event
                && is_change(event.kind)
            {
                let _ = sender.send(event); // at the end nobody listens
            }
        };
        let watcher = notify::recommended_watcher(handler)?;
        let files = files.iter().filter_map(|file| std::path::absolute(file).ok()).collect();
        let mut watch = Self { watcher, events, files };
        watch.add(root)?;
        // A file that an editor replaces is a new one: its folder knows.
        let folders: HashSet<PathBuf> = watch.files.iter().filter_map(|file| Some(file.parent()?.to_owned())).collect();
        for folder in folders.iter().filter(|folder| !folder.starts_with(root)) {
            watch.watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        Ok(watch)
    }

    /// Watches a folder and those below it, except for packages of other people. One by one: a virtual environment has
    /// thousands, and the system's number of watches is limited.
    fn add(&mut self, root: &Path) -> notify::Result<()> {
        let walk = WalkDir::new(root).into_iter();
        let folders =
            walk.filter_entry(|entry| entry.file_type().is_dir() && (entry.depth() == 0 || is_ours(entry.path())));
        for folder in folders.flatten() {
            self.watcher.watch(folder.path(), RecursiveMode::NonRecursive)?;
        }
        Ok(())
    }

    /// Waits until files were saved, and then until no more are. Returns one of them.
    pub(super) async fn saved(&mut self) -> PathBuf {
        let first = loop {
            match self.events.recv().await {
                Some(event) => {
                    if let Some(path) = self.concerns(&event) {
                        break path;
                    }
                }
                None => std::future::pending().await,
            }
        };
        let last = Instant::now() + PATIENCE;
        while Instant::now() < last {
            match tokio::time::timeout(QUIET, self.events.recv()).await {
                Ok(Some(event)) => drop(self.concerns(&event)),
                Ok(None) | Err(_) => break,
            }
        }
        first
    }

    /// The file that makes an event one of the application's. A new folder is watched from now on.
    fn concerns(&mut self, event: &Event) -> Option<PathBuf> {
        for path in &event.paths {
            if path.is_dir() {
                if matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_)) && is_ours(path) {
                    let _ = self.add(path); // it may be gone again
                    if let Some(file) = WalkDir::new(path).into_iter().flatten().find(|entry| is_read(entry.path())) {
                        return Some(file.into_path());
                    }
                }
            } else if is_read(path) || self.files.contains(path) {
                return Some(path.clone());
            }
        }
        None
    }
}

/// Whether something was written, made, moved or removed; reading is none of these.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) => true,
        EventKind::Any | EventKind::Other => false,
    }
}

fn is_ours(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && name != "__pycache__" && name != "node_modules" && !folder.join("pyvenv.cfg").exists()
}

fn is_read(file: &Path) -> bool {
    let is_hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !is_hidden && file.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn saved(watch: &mut Watch) -> PathBuf {
        tokio::time::timeout(Duration::from_secs(60), watch.saved()).await.expect("a change is seen")
    }

    #[tokio::test]
    async fn what_is_saved_is_told_and_what_is_read_or_somebody_elses_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let write = |name: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "x").unwrap();
            path
        };
        let (app, below) = (write("app.py"), write("pages/index.html"));
        write("venv/pyvenv.cfg");
        write("venv/lib/module.py");
        let elsewhere = tempfile::tempdir().unwrap();
        let variables = elsewhere.path().canonicalize().unwrap().join(".env");
        std::fs::write(&variables, "A=1").unwrap();
        let mut watch = Watch::new(&root, std::slice::from_ref(&variables)).unwrap();

        std::fs::read(&app).unwrap();
        for other in ["venv/lib/module.py", "db.sqlite3", ".hidden.py", "__pycache__/app.py", "notes.txt"] {
            write(other);
        }
        write("app.py");
        assert_eq!(saved(&mut watch).await, app, "the others are not told");
        write("pages/index.html");
        assert_eq!(saved(&mut watch).await, below);
        let new = write("new/deep/module.py");
        assert_eq!(saved(&mut watch).await, new);
        std::fs::remove_file(&new).unwrap();
        assert_eq!(saved(&mut watch).await, new);
        std::fs::write(&variables, "A=2").unwrap();
        assert_eq!(saved(&mut watch).await, variables);
        // As editors do it.
        std::fs::write(root.join("app.py~"), "y").unwrap();
        std::fs::rename(root.join("app.py~"), &app).unwrap();
        assert_eq!(saved(&mut watch).await, app);
    }
}
