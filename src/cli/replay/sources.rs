//! Where events come from: files, folders, or the program itself. Standard input is read in [`super::input`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use include_dir::{Dir, include_dir};

use super::requests::{Asked, Item, Sent};
use super::{handler, not_an_event};
use crate::cli::failure::Failure;
use crate::emulator::Submission;

/// The repository's events. Only the top level is replayed by default; `not-http` is there to see errors.
static EVENTS: Dir = include_dir!("$CARGO_MANIFEST_DIR/events");

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An event and its name.
pub(super) struct Event {
    /// The path below the given folder, without `.json`; also the name of the file with the expected response.
    pub(super) name: String,
    pub(super) bytes: Bytes,
    request_id: String,
    /// The request that it was made of, if it was made here.
    sent: Option<Box<Sent>>,
}

impl Event {
    pub(super) fn new(name: &str, bytes: impl Into<Bytes>) -> Result<Self, Failure> {
        Self::from_file(Path::new(name), name.to_owned(), bytes)
    }

    fn from_file(path: &Path, name: String, bytes: impl Into<Bytes>) -> Result<Self, Failure> {
        let mut bytes = bytes.into();
        if bytes.starts_with(BYTE_ORDER_MARK) {
            bytes = bytes.slice(BYTE_ORDER_MARK.len()..); // an editor's, and no part of the event
        }
        // Lambda rejects what is not JSON and what is too large, so none of it reaches a runtime.
        if let Some(reason) = not_an_event::reason(&bytes) {
            return Err(Failure::Usage(format!("{} {reason}", path.display())));
        }
        Ok(Self { request_id: request_id(&name), name, bytes, sent: None })
    }

    /// The event that a front end has made of a request.
    pub(super) fn of_request(name: &str, bytes: Bytes, sent: Sent) -> Self {
        Self { name: name.to_owned(), bytes, request_id: request_id(name), sent: Some(Box::new(sent)) }
    }

    /// The request id.
    pub(super) fn id(&self) -> &str {
        &self.request_id
    }

    /// The request that it was made of, if it was made here.
    pub(super) fn sent(&self) -> Option<&Sent> {
        self.sent.as_deref()
    }

    /// Method and path, if this looks like an HTTP request.
    pub(super) fn request_line(&self) -> Option<String> {
        if let Some(sent) = &self.sent {
            return Some(sent.line());
        }
        not_an_event::request_line(&serde_json::from_slice(&self.bytes).ok()?)
    }
}

/// The id comes from the name, so that stored responses that contain it stay the same.
fn request_id(name: &str) -> String {
    Submission::new("").named(name).id().to_owned()
}

/// An event, a request of which one will be made, or the place where more events come from.
pub(super) enum Source {
    Event(Box<Event>),
    Request(String, Box<Asked>),
    StandardInput,
}

/// What is sent, in order. Without items, the program's own events. `dir` is the application's folder, for advice.
pub(super) fn collect(items: &[Item], dir: &Path) -> Result<Vec<Source>, Failure> {
    if items.is_empty() {
        return Ok(embedded()?.into_iter().map(|event| Source::Event(Box::new(event))).collect());
    }
    let mut sources = Vec::new();
    for item in items {
        match item {
            Item::Events(path) => sources.extend(at(path, dir)?),
            Item::Request(draft) => {
                let asked = Asked::new(draft)?;
                sources.push(Source::Request(asked.name(), Box::new(asked)));
            }
        }
    }
    number_requests(&mut sources);
    let mut names: Vec<_> = sources.iter().map(|source| source.name().unwrap_or("-")).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(["-", _]) => Err(Failure::Usage("- is given twice: standard input can be read once".to_owned())),
        Some(pair) => Err(Failure::Usage(format!("two events are named {}: rename one, or give the folder", pair[0]))),
        None => Ok(sources),
    }
}

/// The events at a path.
fn at(path: &Path, dir: &Path) -> Result<Vec<Source>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(vec![Source::StandardInput]);
    }
    if path.is_dir() {
        return Ok(folder(path, dir)?.into_iter().map(|event| Source::Event(Box::new(event))).collect());
    }
    if let Some(failure) = handler::positional(path, dir) {
        return Err(failure);
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(vec![Source::Event(Box::new(file(path, name)?))])
}

/// Requests of one name get numbers from the second on.
fn number_requests(sources: &mut [Source]) {
    let is_event = |source: &&Source| matches!(source, Source::Event(_));
    let mut taken: BTreeSet<String> =
        sources.iter().filter(is_event).filter_map(|source| source.name().map(str::to_owned)).collect();
    for source in sources {
        if let Source::Request(name, _) = source {
            let plain = name.clone();
            let mut numbers = 2..;
            while !taken.insert(name.clone()) {
                *name = format!("{plain}-{}", numbers.next().unwrap_or(u64::MAX));
            }
        }
    }
}

impl Source {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Event(event) => Some(&event.name),
            Self::Request(name, _) => Some(name),
            Self::StandardInput => None,
        }
    }
}

fn embedded() -> Result<Vec<Event>, Failure> {
    let mut files: Vec<_> = EVENTS.files().filter(|file| is_json(file.path())).collect();
    files.sort_by_key(|file| file.path());
    files.into_iter().map(|file| Event::new(&name(file.path()), file.contents())).collect()
}

fn folder(root: &Path, dir: &Path) -> Result<Vec<Event>, Failure> {
    let mut files = Vec::new();
    walk(root, &mut files)?;
    if files.is_empty() {
        return Err(handler::positional(root, dir)
            .unwrap_or_else(|| Failure::Usage(format!("no *.json in {}: give a folder with events", root.display()))));
    }
    files.sort();
    files.iter().map(|path| file(path, name(path.strip_prefix(root).unwrap_or(path)))).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let unreadable = |error| Failure::Usage(format!("cannot read {}: {error}", folder.display()));
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        // Not `path.is_dir()`, which follows links: a link to a folder above would never end.
        if path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            if !holds_packages(&path) {
                walk(&path, files)?;
            }
        } else if is_json(&path) {
            files.push(path);
        }
    }
    Ok(())
}

/// Folders with JSON of other people: virtual environments, `node_modules`, `.git`.
fn holds_packages(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with('.') || name == "node_modules" || folder.join("pyvenv.cfg").is_file()
}

fn file(path: &Path, name: String) -> Result<Event, Failure> {
    let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    if let Some(reason) = not_an_event::too_large_to_read(size) {
        return Err(Failure::Usage(format!("{} {reason}", path.display())));
    }
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::Usage(format!("cannot read the event {}: {error}", path.display())))?;
    Event::from_file(path, name, bytes)
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

fn name(path: &Path) -> String {
    path.with_extension("").to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_has_a_request_line() {
        let line = |text: &'static str| Event::new("", text).unwrap().request_line();
        let v2 = r#"{"rawPath":"/a","rawQueryString":"q=1","requestContext":{"http":{"method":"GET"}}}"#;
        assert_eq!(line(v2).as_deref(), Some("GET /a?q=1"));
        assert_eq!(line(r#"{"httpMethod":"POST","path":"/b"}"#).as_deref(), Some("POST /b"));
        assert_eq!(line(r#"{"method":"PUT","raw_path":"/c?d"}"#).as_deref(), Some("PUT /c?d"));
        assert_eq!(line(r#"{"Records":[]}"#), None);
    }
}
