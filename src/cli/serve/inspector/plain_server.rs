//! What gunicorn makes of a client's request: with what the application sees on Lambda is compared.
//!
//! Source: gunicorn's `http/wsgi.py` (`default_environ`, `create`) with one synchronous worker. Of the variables that
//! hold objects none is here: `wsgi.input` and the like are alike on every server.

use http::uri::Authority;
use http::{Version, header};
use percent_encoding::percent_decode_str;

use crate::environ::header_key;
use crate::gateway::ClientRequest;

/// Names, and values as bytes that Python reads as Latin-1.
pub(super) type Variables = Vec<(String, Vec<u8>)>;

/// The variables of a request. Each name once.
pub(super) fn environ(request: &ClientRequest) -> Variables {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let host = request.headers.get(header::HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let name = host.as_ref().map_or("localhost", Authority::host);
    let port = host.as_ref().and_then(Authority::port_u16).unwrap_or(80);
    let mut environ: Variables = [
        ("REQUEST_METHOD", request.method.as_str().as_bytes().to_vec()),
        ("SCRIPT_NAME", Vec::new()),
        ("PATH_INFO", percent_decode_str(path).collect()),
        ("QUERY_STRING", query.as_bytes().to_vec()),
        ("RAW_URI", request.target.as_bytes().to_vec()),
        ("SERVER_PROTOCOL", protocol(request.version).into()),
        // Gunicorn names the address on which it listens, which is what `Host` leads to.
        ("SERVER_NAME", name.into()),
        ("SERVER_PORT", port.to_string().into_bytes()),
        ("SERVER_SOFTWARE", b"gunicorn".to_vec()),
        ("REMOTE_ADDR", request.peer.ip().to_string().into_bytes()),
        ("REMOTE_PORT", request.peer.port().to_string().into_bytes()),
        ("wsgi.url_scheme", b"http".to_vec()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (name, value) in &request.headers {
        // `header_map = "drop"`, its default.
        if name.as_str().contains('_') {
            continue;
        }
        let key = match name.as_str() {
            "content-type" => "CONTENT_TYPE".to_owned(),
            "content-length" => "CONTENT_LENGTH".to_owned(),
            other => header_key(other),
        };
        match environ.iter_mut().find(|(known, _)| *known == key) {
            Some((_, joined)) => *joined = [joined, &b","[..], value.as_bytes()].concat(),
            None => environ.push((key, value.as_bytes().to_vec())),
        }
    }
    environ
}

/// HTTP/2 reaches gunicorn as HTTP/1.1, from the proxy that speaks it.
fn protocol(version: Version) -> &'static str {
    if version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" }
}
