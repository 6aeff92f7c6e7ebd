"""Content-Length (W75, W81 to W85)."""

from urllib.parse import unquote

from common import TEXT, legal, notes


def _start(start_response, length):
    return start_response("200 OK", [*TEXT, ("Content-Length", length)])


@legal
def exact(environ, start_response):
    _start(start_response, "6")
    return [b"abc", b"def"]


def too_much(environ, start_response):
    _start(start_response, "3")
    return [b"ab", b"cd", b"ef"]


def too_much_at_once(environ, start_response):
    _start(start_response, "3")
    return [b"abcdef"]


def too_little(environ, start_response):
    _start(start_response, "10")
    return [b"abc"]


def nothing_at_all(environ, start_response):
    _start(start_response, "10")
    return []


def zero_and_data(environ, start_response):
    _start(start_response, "0")
    return [b"abc"]


@legal
def zero(environ, start_response):
    _start(start_response, "0")
    return []


def write_too_much(environ, start_response):
    write = _start(start_response, "3")
    write(b"ab")
    try:
        write(b"cd")
    except Exception as error:
        notes.append(type(error).__name__)
    return []


def write_too_much_uncaught(environ, start_response):
    _start(start_response, "3")(b"abcdef")
    return []


def twice(environ, start_response):
    start_response("200 OK", [*TEXT, ("Content-Length", "3"), ("content-length", "3")])
    return [b"abc"]


def two_different(environ, start_response):
    start_response("200 OK", [*TEXT, ("Content-Length", "3"), ("Content-Length", "2")])
    return [b"abc"]


def status(environ, start_response):
    """A status from the query, with a body and its length, whether it may have them or not."""
    headers = [("Content-Length", "3"), ("Transfer-Encoding", "chunked"), ("X-Kept", "yes")]
    start_response(unquote(environ["QUERY_STRING"]), headers)
    yield b"abc"
    notes.append("went on")
    yield b"def"
