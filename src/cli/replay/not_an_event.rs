//! What is wrong with a document that is not an event, or wraps one, and what to do.

use serde_json::Value;
use serde_json::value::RawValue;

/// The largest event of a synchronous invocation in bytes (docs, "Lambda quotas").
const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;
/// A larger file is not read: it is something else.
const MAX_READ_BYTES: u64 = 64 * 1024 * 1024;
/// How deep an event may be in a log entry.
const MAX_DEPTH: usize = 5;

/// Method and path, if a document looks like an HTTP request.
pub(super) fn request_line(event: &Value) -> Option<String> {
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

/// Why a file of this size cannot be an event.
pub(super) fn too_large_to_read(size: u64) -> Option<String> {
    (size > MAX_READ_BYTES).then(|| too_large(size / 1_000_000))
}

fn too_large(megabytes: impl std::fmt::Display) -> String {
    format!("is no event: it has {megabytes} MB, and Lambda takes events of at most 6 MB ({MAX_EVENT_BYTES} bytes)")
}

/// Why these bytes cannot be an event, and what to do: to follow the name of a file.
pub(super) fn reason(bytes: &[u8]) -> Option<String> {
    let Err(error) = serde_json::from_slice::<&RawValue>(bytes) else {
        return (bytes.len() > MAX_EVENT_BYTES).then(|| without_spaces(bytes)).flatten();
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Some("is empty: an event is a JSON object".to_owned());
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Some("is not JSON but UTF-16 text: save it as UTF-8".to_owned());
    }
    let documents: Result<Vec<&RawValue>, _> = serde_json::Deserializer::from_slice(bytes).into_iter().collect();
    if let Ok(documents) = documents {
        let count = documents.len();
        return Some(format!("holds {count} JSON documents: send them with wsgi-lambda replay - < FILE"));
    }
    let start = memchr::memchr(b'{', bytes).filter(|&start| start > 0);
    if let Some(start) = start.filter(|&start| serde_json::from_slice::<&RawValue>(&bytes[start..]).is_ok()) {
        return Some(format!("is not JSON: it has text before the event, which begins at byte {}", start + 1));
    }
    Some(format!("is not JSON: {error}"))
}

/// A file with many spaces can be larger than the event that a client sends.
fn without_spaces(bytes: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(bytes).ok()?;
    let size = event.to_string().len();
    (size > MAX_EVENT_BYTES).then(|| too_large(format_args!("{}.{}", size / 1_000_000, size / 100_000 % 10)))
}

/// Advice on a document that is no HTTP request but has one inside, as a log entry or a list has.
pub(super) fn wrapped(bytes: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(bytes).ok()?;
    if request_line(&document).is_some() {
        return None;
    }
    let path = from_start(&inside(&document, MAX_DEPTH)?);
    Some(format!("an HTTP event is inside: send it alone, with jq -c '{path}' FILE | wsgi-lambda replay -"))
}

/// The way to the first HTTP event inside, for `jq`, as what follows the way to `value`.
fn inside(value: &Value, depth: usize) -> Option<String> {
    if request_line(value).is_some() {
        return Some(String::new());
    }
    let depth = depth.checked_sub(1)?;
    match value {
        Value::Object(members) => members.iter().find_map(|(name, value)| {
            let plain = name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
            let step = if plain { format!(".{name}") } else { format!("[{}]", Value::from(name.as_str())) };
            Some(step + &inside(value, depth)?)
        }),
        Value::Array(items) => Some(format!("[]{}", items.iter().find_map(|value| inside(value, depth))?)),
        Value::String(text) if text.contains('{') => {
            let document: Value = serde_json::from_str(text).ok()?;
            let rest = inside(&document, depth)?;
            // The other entries of a log need not be JSON: `?` skips them.
            Some(if rest.is_empty() {
                " | fromjson?".to_owned()
            } else {
                format!(" | fromjson? | {}", from_start(&rest))
            })
        }
        _ => None,
    }
}

fn from_start(path: &str) -> String {
    if path.starts_with('.') { path.to_owned() } else { format!(".{path}") }
}

/// What the runtime takes for a member of a payload 2.0 event that is not there.
pub(super) fn read_leniently(bytes: &[u8]) -> Option<&'static str> {
    let event: Value = serde_json::from_slice(bytes).ok()?;
    let http = event.pointer("/requestContext/http")?.as_object()?;
    match (event.get("rawPath"), http.get("method")) {
        (None, _) => {
            Some("the event has no `rawPath`, which every Function URL and HTTP API sends: `/` is taken for it")
        }
        (_, None) => Some("the event has no `requestContext.http.method`: GET is taken for it"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_shape_has_a_request_line() {
        let line = |text: &str| request_line(&serde_json::from_str(text).unwrap());
        let v2 = r#"{"rawPath":"/a","rawQueryString":"q=1","requestContext":{"http":{"method":"GET"}}}"#;
        assert_eq!(line(v2).as_deref(), Some("GET /a?q=1"));
        assert_eq!(line(r#"{"httpMethod":"POST","path":"/b"}"#).as_deref(), Some("POST /b"));
        assert_eq!(line(r#"{"method":"PUT","raw_path":"/c?d"}"#).as_deref(), Some("PUT /c?d"));
        assert_eq!(line(r#"{"Records":[]}"#), None);
    }

    #[test]
    fn reasons_name_what_it_is() {
        let reason = |bytes: &[u8]| reason(bytes).unwrap();
        assert!(reason(b" \n").starts_with("is empty"));
        assert!(reason(b"\xff\xfe{\0}\0").contains("UTF-16"));
        assert!(reason(b"{}\n{}\n").contains("2 JSON documents"));
        assert!(reason(b"START x {\"a\": 1}").contains("begins at byte 9"));
        assert!(reason(b"{").contains("EOF"));
        let large = json!({ "body": "x".repeat(MAX_EVENT_BYTES) }).to_string();
        assert!(reason(large.as_bytes()).contains("6.2 MB"));
        let spaces = format!("{{{}}}", " ".repeat(MAX_EVENT_BYTES));
        assert_eq!(super::reason(spaces.as_bytes()), None);
    }

    #[test]
    fn an_event_inside_is_found() {
        let event = json!({ "httpMethod": "GET", "path": "/" });
        let way = |document: Value| {
            wrapped(document.to_string().as_bytes()).map(|text| text.split('\'').nth(1).unwrap().to_owned())
        };
        assert_eq!(way(json!({ "event": event })).as_deref(), Some(".event"));
        assert_eq!(way(json!([event])).as_deref(), Some(".[]"));
        assert_eq!(
            way(json!({ "level": "INFO", "message": event.to_string() })).as_deref(),
            Some(".message | fromjson?")
        );
        let entries = json!({ "events": [{ "message": "START" }, { "message": json!({ "e-v": event }).to_string() }] });
        assert_eq!(way(entries).as_deref(), Some(r#".events[].message | fromjson? | .["e-v"]"#));
        assert_eq!(way(event.clone()), None);
        assert_eq!(way(json!({ "Records": [{ "body": "x{" }] })), None);
    }
}
