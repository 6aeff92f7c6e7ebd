"""HEAD, headers that are left alone, and the server playing dumb (W86 to W90)."""

from common import TEXT, legal, notes, say


@legal
def with_length(environ, start_response):
    start_response("200 OK", [*TEXT, ("Content-Length", "3"), ("ETag", '"1"')])
    return [b"abc"]


@legal
def without_length(environ, start_response):
    start_response("200 OK", [*TEXT, ("ETag", '"1"')])
    return [b"abc"]


@legal
def knows_head(environ, start_response):
    """Announces what GET would give and gives nothing for HEAD, as frameworks do."""
    start_response("200 OK", [*TEXT, ("Content-Length", "3")])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else b"abc"]


@legal
def many_chunks(environ, start_response):
    start_response("200 OK", TEXT)
    for chunk in (b"", b"a", b"b", b"c"):
        notes.append(chunk.decode())
        yield chunk


@legal
def written(environ, start_response):
    start_response("200 OK", TEXT)(b"ab")
    return [b"c"]


def no_content_type(environ, start_response):
    start_response("200 OK", [])
    return [b"<p>abc"]


@legal
def order(environ, start_response):
    start_response(
        "200 OK",
        [
            ("x-Zebra", "1"),
            ("Set-Cookie", "a=1; Path=/"),
            ("Content-Type", "text/plain"),
            ("X-APPLE", "2"),
            ("Set-Cookie", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"),
            ("Server", "mine"),
            ("Date", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ],
    )
    return [b"abc"]


def seen(environ, start_response):
    """Counts its requests, and tells what conditions reached it."""
    notes.append("seen")
    told = {key: environ[key] for key in ("HTTP_RANGE", "HTTP_IF_NONE_MATCH", "HTTP_EXPECT") if key in environ}
    return say(start_response, {"requests": len(notes), **told})
