//! Where events come from: files, folders, standard input, or the program itself.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use include_dir::{Dir, include_dir};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::cli::failure::Failure;
use crate::emulator::Submission;

/// The repository's events. Only the top level is replayed by default; `not-http` is there to see errors.
static EVENTS: Dir = include_dir!("$CARGO_MANIFEST_DIR/events");

/// An event and its name.
pub(super) struct Event {
    /// The path below the given folder, without `.json`; also the name of the file with the expected response.
    pub(super) name: String,
    pub(super) bytes: Bytes,
    request_id: String,
}

impl Event {
    fn new(name: &str, bytes: impl Into<Bytes>) -> Result<Self, Failure> {
        Self::from_file(Path::new(name), name.to_owned(), bytes)
    }

    fn from_file(path: &Path, name: String, bytes: impl Into<Bytes>) -> Result<Self, Failure> {
        let bytes = bytes.into();
        // Lambda rejects an event that is not JSON, so none reaches a runtime.
        if let Err(error) = serde_json::from_slice::<&RawValue>(&bytes) {
            return Err(Failure::Usage(format!("{} is not JSON: {error}", path.display())));
        }
        // The id comes from the name, so that stored responses that contain it stay the same.
        let request_id = Submission::new("").named(&name).id().to_owned();
        Ok(Self { name, bytes, request_id })
    }

    /// The request id.
    pub(super) fn id(&self) -> &str {
        &self.request_id
    }

    /// Method and path, if this looks like an HTTP request.
    pub(super) fn request_line(&self) -> Option<String> {
        let event: Value = serde_json::from_slice(&self.bytes).ok()?;
        let first = |pointers: &[&str]| {
            let found = pointers.iter().find_map(|pointer| event.pointer(pointer)?.as_str());
            found.map(str::to_owned)
        };
        let method = first(&["/requestContext/http/method", "/httpMethod", "/method"])?;
        let path = first(&["/rawPath", "/path", "/raw_path"])?;
        let query = event.get("rawQueryString").and_then(Value::as_str).unwrap_or_default();
        let mark = if query.is_empty() { "" } else { "?" };
        Some(format!("{method} {path}{mark}{query}"))
    }
}

/// The events at these paths, in order. Without paths, the program's own.
pub(super) fn collect(paths: &[PathBuf]) -> Result<Vec<Event>, Failure> {
    let mut events = Vec::new();
    if paths.is_empty() {
        events = embedded()?;
    }
    for path in paths {
        if path.as_os_str() == "-" {
            events.extend(standard_input()?);
        } else if path.is_dir() {
            events.extend(folder(path)?);
        } else {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            events.push(file(path, name)?);
        }
    }
    let mut names: Vec<_> = events.iter().map(|event| &event.name).collect();
    names.sort();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Failure::Usage(format!("two events are named {}: rename one, or give the folder", pair[0]))),
        None => Ok(events),
    }
}

fn embedded() -> Result<Vec<Event>, Failure> {
    let mut files: Vec<_> = EVENTS.files().filter(|file| is_json(file.path())).collect();
    files.sort_by_key(|file| file.path());
    files.into_iter().map(|file| Event::new(&name(file.path()), file.contents())).collect()
}

fn folder(root: &Path) -> Result<Vec<Event>, Failure> {
    let mut files = Vec::new();
    walk(root, &mut files)?;
    if files.is_empty() {
        return Err(Failure::Usage(format!("no *.json in {}: give a folder with events", root.display())));
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
            walk(&path, files)?;
        } else if is_json(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn file(path: &Path, name: String) -> Result<Event, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::Usage(format!("cannot read the event {}: {error}", path.display())))?;
    Event::from_file(path, name, bytes)
}

fn standard_input() -> Result<Vec<Event>, Failure> {
    let mut text = Vec::new();
    std::io::stdin()
        .read_to_end(&mut text)
        .map_err(|error| Failure::Usage(format!("cannot read standard input: {error}")))?;
    values(&text)
}

/// JSON values in sequence: one event over several lines, or one on each line.
fn values(text: &[u8]) -> Result<Vec<Event>, Failure> {
    let values: Result<Vec<&RawValue>, _> = serde_json::Deserializer::from_slice(text).into_iter().collect();
    let values = values.map_err(|error| Failure::Usage(format!("standard input is not JSON: {error}")))?;
    if values.is_empty() {
        return Err(Failure::Usage("standard input is empty: pipe an event into it".to_owned()));
    }
    let alone = values.len() == 1;
    let name = |number: usize| if alone { "stdin".to_owned() } else { format!("stdin-{number}") };
    let event = |(index, value): (usize, &&RawValue)| Event::new(&name(index + 1), value.get().as_bytes().to_vec());
    values.iter().enumerate().map(event).collect()
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

    fn names(events: &[Event]) -> Vec<&str> {
        events.iter().map(|event| event.name.as_str()).collect()
    }

    #[test]
    fn standard_input_holds_one_event_or_several() {
        assert_eq!(names(&values(b"{\n \"a\": 1\n}\n").unwrap()), ["stdin"]);
        let events = values(b"{\"a\":1}\n{\"a\": 2}\n").unwrap();
        assert_eq!(names(&events), ["stdin-1", "stdin-2"]);
        assert_eq!(events[1].bytes, "{\"a\": 2}");
        assert!(values(b" \n").is_err());
        assert!(values(b"{").is_err());
    }

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
