//! Why a variable is not what a plain server would have set: a few words for the page. `docs/environ.md` has the whole.

/// `mark` is `changed`, `added` or `missing`.
pub(super) fn why(name: &str, mark: &str) -> Option<&'static str> {
    let why = match (name, mark) {
        ("SCRIPT_NAME", _) => "the stage, or the base path of a custom domain",
        ("PATH_INFO", _) => "the front end passes the path on in its own form",
        ("QUERY_STRING", _) => "the front end delivers a map of decoded values, which is encoded again",
        ("REQUEST_URI", "added") => "gunicorn has it as RAW_URI alone",
        ("REQUEST_URI" | "RAW_URI", _) => "path and query as far as the event keeps them",
        ("CONTENT_LENGTH", "added") => "of the decoded body, also when there is none",
        ("CONTENT_LENGTH", _) => "counted again after decoding",
        ("wsgi.url_scheme" | "HTTPS", _) => "clients reach this front end over HTTPS",
        ("SERVER_NAME" | "HTTP_HOST", _) => "the front end's own host name",
        ("SERVER_PORT", _) => "of the URL that the client used",
        ("SERVER_PROTOCOL", _) => "as the event says it",
        ("SERVER_SOFTWARE", _) => "each server names itself",
        ("GATEWAY_INTERFACE", _) => "the version of CGI; gunicorn leaves it out",
        ("REMOTE_ADDR", _) => "the client's address as the front end saw it",
        ("REMOTE_HOST", _) => "the same as REMOTE_ADDR; gunicorn leaves it out",
        ("REMOTE_PORT", _) => "the event does not tell the client's port",
        ("REMOTE_USER" | "AUTH_TYPE", _) => "from the front end's authorizer",
        ("HTTP_COOKIE", _) => "several Cookie headers are joined by `; `",
        ("HTTP_X_FORWARDED_FOR" | "HTTP_X_FORWARDED_PORT" | "HTTP_X_FORWARDED_PROTO", "added") => {
            "added by the front end"
        }
        ("HTTP_X_FORWARDED_FOR", _) => "the front end appends the client's address",
        ("HTTP_X_FORWARDED_PORT" | "HTTP_X_FORWARDED_PROTO", _) => "set by the front end",
        ("HTTP_PROXY", _) => "dropped: it would be taken for a setting (httpoxy)",
        ("HTTP_CONNECTION" | "HTTP_KEEP_ALIVE" | "HTTP_TE" | "HTTP_TRAILER" | "HTTP_UPGRADE", "missing") => {
            "belongs to the connection: the front end keeps it"
        }
        ("HTTP_TRANSFER_ENCODING", "missing") => "the front end reads the whole body first",
        ("HTTP_EXPECT", "missing") => "answered by the front end",
        (name, "added") if name.starts_with("HTTP_") => "added by the front end",
        (name, "added") if name.starts_with("SSL_") => "the front end tells it of the TLS connection",
        (name, "missing") if name.starts_with("HTTP_") => "the front end does not pass it on",
        (name, "changed") if name.starts_with("HTTP_") => "the front end changes or joins it",
        _ => return None,
    };
    Some(why)
}
