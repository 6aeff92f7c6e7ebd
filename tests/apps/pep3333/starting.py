"""`start_response` (W44 to W63)."""

import ast
import sys

from common import TEXT, legal, notes, say

ERROR = [("Content-Type", "text/plain"), ("X-Error", "yes")]
JSON = [("Content-Type", "application/json")]


class Boom(Exception):
    """Only ever raised here."""


def _exc_info():
    try:
        raise Boom("the reason")
    except Boom:
        return sys.exc_info()


def _arguments(environ):
    """Arguments for `start_response`, written in Python in the body of the request."""
    return ast.literal_eval(environ["wsgi.input"].read().decode())


def attempt(environ, start_response):
    """Makes the call that the body holds; an error is caught where it was raised, and told."""
    try:
        start_response(*_arguments(environ))
    except Exception as error:
        return say(start_response, [type(error).__name__, str(error)], sys.exc_info())
    return [b"started"]


def attempt_uncaught(environ, start_response):
    start_response(*_arguments(environ))
    return [b"started"]


@legal
def two_arguments(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"ok"]


@legal
def three_arguments(environ, start_response):
    start_response("200 OK", TEXT, None)
    return [b"ok"]


def keywords(environ, start_response):
    start_response(status="200 OK", response_headers=TEXT, exc_info=None)
    return [b"ok"]


def wrong_counts(environ, start_response):
    for arguments in [(), ("200 OK",), ("200 OK", TEXT, None, None)]:
        try:
            start_response(*arguments)
        except TypeError:
            notes.append("TypeError")
    return say(start_response, notes)


@legal
def gives_write(environ, start_response):
    return [b"callable" if callable(start_response("200 OK", TEXT)) else b"not callable"]


@legal
def latin1(environ, start_response):
    start_response("200 OK", [*TEXT, ("X-One", "caf\xe9"), ("X-Two", "caf\xc3\xa9")])
    return [b"ok"]


def changed_later(environ, start_response):
    """Changes its list after the call, and tells whether the server did."""
    headers = [("Content-Type", "text/plain"), ("Connection", "close"), ("X-A", " padded ")]
    given = list(headers)
    start_response("200 OK", headers)
    notes.append(headers == given)
    headers.append(("X-Late", "yes"))
    headers[0] = ("Content-Type", "text/html")
    return [b"ok"]


HOP_BY_HOP = [
    (name, "x")
    for name in (
        "Connection",
        "Keep-Alive",
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Trailers",
        "Transfer-Encoding",
        "UPGRADE",
    )
]


def hop_by_hop(environ, start_response):
    start_response("200 OK", [*TEXT, *HOP_BY_HOP, ("Proxy-Authenticate", "Basic")])
    return [b"ok"]


@legal
def raise_after_start(environ, start_response):
    start_response("200 OK", TEXT)
    raise Boom("the reason")


@legal
def raise_after_empty_chunk(environ, start_response):
    start_response("200 OK", TEXT)
    yield b""
    raise Boom("the reason")


@legal
def replace_after_start(environ, start_response):
    start_response("200 OK", [*TEXT, ("X-First", "yes")])
    start_response("503 Later", ERROR, _exc_info())
    return [b"replaced"]


@legal
def replace_after_empty_chunk(environ, start_response):
    start_response("200 OK", [*TEXT, ("X-First", "yes")])
    yield b""
    start_response("503 Later", ERROR, _exc_info())
    yield b"replaced"


@legal
def replace_twice(environ, start_response):
    start_response("200 OK", TEXT)
    start_response("502 Once", ERROR, _exc_info())
    start_response("503 Twice", ERROR, _exc_info())
    return [b"replaced"]


@legal
def first_call_with_exc_info(environ, start_response):
    start_response("503 Later", ERROR, _exc_info())
    return [b"an error page"]


def _try_to_replace(start_response):
    """Notes how a replacement that comes too late fails."""
    exc_info = _exc_info()
    try:
        start_response("503 Later", ERROR, exc_info)
    except Boom as error:
        names = []
        traceback = error.__traceback__
        while traceback:
            names.append(traceback.tb_frame.f_code.co_name)
            traceback = traceback.tb_next
        notes.append({"same": error is exc_info[1], "raised in": names[-1]})
    else:
        notes.append("accepted")


@legal
def replace_too_late(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"data"
    _try_to_replace(start_response)
    yield b", more"


@legal
def replace_after_write(environ, start_response):
    start_response("200 OK", TEXT)(b"data")
    _try_to_replace(start_response)
    return []


@legal
def replace_after_empty_write(environ, start_response):
    start_response("200 OK", TEXT)(b"")
    _try_to_replace(start_response)
    return [b"data"]


class _ReplacesInClose:
    def __init__(self, start_response):
        self.start_response = start_response

    def __iter__(self):
        return iter([b""])

    def close(self):
        _try_to_replace(self.start_response)


@legal
def replace_after_the_end(environ, start_response):
    """The iterable is exhausted without a byte: the headers are out when `close()` is called."""
    start_response("200 OK", TEXT)
    return _ReplacesInClose(start_response)


@legal
def uncaught_too_late(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"data"
    start_response("503 Later", ERROR, _exc_info())
    yield b"never"


def second_call(environ, start_response):
    start_response("200 OK", TEXT)
    start_response("201 Created", TEXT)
    return [b"never"]


def second_call_caught(environ, start_response):
    start_response("200 OK", TEXT)
    try:
        start_response("201 Created", TEXT)
    except AssertionError as error:
        return [str(error).encode()]
    return [b"accepted"]


def second_call_after_data(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"data"
    start_response("201 Created", TEXT)


def second_call_after_refusal(environ, start_response):
    try:
        start_response("200 OK", [("X-Bad", "a\r\nb")])
    except ValueError:
        notes.append("refused")
    start_response("201 Created", TEXT)
    return [b"never"]


def false_exc_info(environ, start_response):
    """What is false counts as not given."""
    for false in (None, (), 0, ""):
        try:
            start_response("200 OK", TEXT, false)
            notes.append("accepted")
        except AssertionError:
            notes.append("second call")
    return [b"ok"]


def empty_exc_info(environ, start_response):
    """What `sys.exc_info()` gives outside of a handler."""
    start_response("200 OK", TEXT)
    start_response("202 Accepted", TEXT, (None, None, None))
    yield b"data"
    try:
        start_response("500 Late", TEXT, (None, None, None))
    except Exception as error:
        notes.append(type(error).__name__)


def odd_exc_info(environ, start_response):
    for odd in ("text", [1, 2, 3], (1, 2)):
        try:
            start_response("200 OK", TEXT, odd)
        except TypeError:
            notes.append("TypeError")
    start_response("200 OK", TEXT)
    return [b"ok"]


@legal
def lazy(environ, start_response):
    """A generator: nothing runs before the first `next()`."""
    start_response("200 OK", TEXT)
    yield b"lazy"


def never(environ, start_response):
    return [b"data"]


def never_and_empty(environ, start_response):
    return []


def late(environ, start_response):
    """Empty chunks may come first; `wsgiref.validate` is stricter than the PEP here."""
    yield b""
    yield b""
    start_response("200 OK", TEXT)
    yield b"late"


def too_late(environ, start_response):
    yield b"data"
    start_response("200 OK", TEXT)
