//! What this command line itself has written into an application's folder. It is known by its contents: its names are
//! the user's choice.

use std::fs;
use std::path::{Path, PathBuf};

use memchr::memmem;
use serde_json::Value;

/// The title of the flame chart that `replay --profile-init` draws, and the end of its subtitle.
const CHART: [&str; 2] = ["Cold start of ", "time from left to right"];

/// Whether a folder has the responses that `replay --expect … --update` stores, and nothing else.
pub(super) fn is_responses(folder: &Path) -> bool {
    let entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    !entries.is_empty() && entries.iter().all(|file| is_json(file)) && entries.iter().all(|file| is_response(file))
}

fn is_json(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "json") && file.is_file()
}

/// A response in the form that a front end takes, a streamed one in replay's own form, or an error of the runtime.
fn is_response(file: &Path) -> bool {
    let text = fs::read(file).unwrap_or_default();
    let Ok(Value::Object(object)) = serde_json::from_slice(&text) else { return false };
    let has = |key: &str| object.contains_key(key);
    has("statusCode") && (has("headers") || has("multiValueHeaders")) && has("body")
        || object.len() == 1 && object.get("streamed").is_some_and(|streamed| streamed.get("prelude").is_some())
        || has("errorType") && has("errorMessage")
}

/// Whether a file is the flame chart of `replay --profile-init`.
pub(super) fn is_chart(file: &Path) -> bool {
    let is_svg = file.extension().is_some_and(|ending| ending == "svg");
    let text = if is_svg { fs::read(file).unwrap_or_default() } else { Vec::new() };
    CHART.iter().all(|mark| memmem::find(&text, mark.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_responses_are_known_by_what_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert!(!is_responses(folder.path()), "an empty folder is anybody's");
        write("rest.json", r#"{"statusCode": 200, "multiValueHeaders": {}, "body": "", "isBase64Encoded": false}"#);
        write("url.json", r#"{"statusCode": 200, "headers": {}, "body": ""}"#);
        write("stream.json", r#"{"streamed": {"prelude": {}, "body": "", "complete": true}}"#);
        write("error.json", r#"{"errorMessage": "x", "errorType": "y", "stackTrace": []}"#);
        assert!(is_responses(folder.path()));
        write("event.json", r#"{"requestContext": {}, "rawPath": "/"}"#);
        assert!(!is_responses(folder.path()), "an event is the user's");
        fs::remove_file(folder.path().join("event.json")).unwrap();
        write("setting.json", r#"{"name": "value"}"#);
        assert!(!is_responses(folder.path()), "so is a document with one key");
    }

    #[test]
    fn a_chart_is_known_by_its_title() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("why.svg");
        fs::write(&file, "<svg><text>Cold start of app:app</text><text>1 s, time from left to right</text>").unwrap();
        assert!(is_chart(&file));
        fs::write(&file, "<svg/>").unwrap();
        assert!(!is_chart(&file));
    }
}
