//! An event that is not an HTTP request, as a request to the application, and what keeps clients away from its path.

use std::borrow::Cow;

use crate::grammar::is_segment;
use crate::json::Document;
use crate::request::{Body, Origin, Request, Scheme};

use super::source::source;

/// A POST of the event's JSON to `path`, which is decoded and begins with a slash.
pub fn post<'e>(event: &'e Document<'e>, path: &str) -> Request<'e> {
    Request {
        origin: Origin::Event(source(event)),
        method: Cow::Borrowed("POST"),
        protocol: Cow::Borrowed("HTTP/1.1"),
        scheme: Scheme::Https,
        script_name: Vec::new(),
        path_info: path.as_bytes().to_vec(),
        query: Cow::Borrowed(b""),
        raw_target: path.as_bytes().to_vec(),
        headers: vec![(Cow::Borrowed("content-type"), Cow::Borrowed(b"application/json"))],
        has_content_length: false,
        has_trusted_host: false,
        domain_name: None,
        remote: None,
        user: None,
        client_cert: None,
        body: Body::Plain(Cow::Borrowed(event.root().text().as_bytes())),
    }
}

/// Whether a client's request is for the path of events, in any spelling that a framework may take for it: with empty
/// segments, `.`, `..`, or a slash at its end.
pub fn is_for_events(request: &Request<'_>, path: &str) -> bool {
    let mut segments = Vec::new();
    for segment in request.path_info.split(|&byte| byte == b'/') {
        if segment == b".." {
            segments.pop();
        } else if is_segment(segment) {
            segments.push(segment);
        }
    }
    segments.into_iter().eq(path.split('/').skip(1).map(str::as_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_do_not_reach_the_path_in_any_spelling() {
        let document = Document::parse(b"{}").unwrap();
        let is_for_events = |path: &str, own: &str| is_for_events(&post(&document, path), own);
        for path in ["/events", "/events/", "//events", "/./events", "/x/../events/.", "/../events"] {
            assert!(is_for_events(path, "/events"), "{path}");
        }
        for path in ["/", "/event", "/events/1", "/Events", "/x/events"] {
            assert!(!is_for_events(path, "/events"), "{path}");
        }
        assert!(is_for_events("/jobs//run", "/jobs/run"));
    }
}
