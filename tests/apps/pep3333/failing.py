"""Exceptions out of the application (W91 to W94)."""

import asyncio

from common import TEXT, legal


class Silent(Exception):
    """Cannot even be shown."""

    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


class Base(BaseException):
    """What `except Exception` does not catch."""


_kinds = {
    kind.__name__: kind
    for kind in (
        ValueError,
        SystemExit,
        KeyboardInterrupt,
        GeneratorExit,
        MemoryError,
        StopIteration,
        asyncio.CancelledError,
        Silent,
        Base,
    )
}


def _exception(environ):
    return _kinds[environ["QUERY_STRING"]]("a secret reason")


def in_call(environ, start_response):
    environ["wsgi.errors"].write("said before\n")
    raise _exception(environ)


def after_start(environ, start_response):
    start_response("200 OK", TEXT)
    raise _exception(environ)


class _Raising:
    def __init__(self, *chunks, exception):
        self.chunks = iter(chunks)
        self.exception = exception

    def __iter__(self):
        return self

    def __next__(self):
        for chunk in self.chunks:
            return chunk
        raise self.exception


def in_iteration(environ, start_response):
    start_response("200 OK", TEXT)
    return _Raising(b"some data", exception=_exception(environ))


def before_the_first_chunk(environ, start_response):
    start_response("200 OK", TEXT)
    return _Raising(exception=_exception(environ))


@legal
def deep(environ, start_response):
    """A recursion without end."""
    return deep(environ, start_response)


@legal
def chained(environ, start_response):
    try:
        {}["missing"]
    except KeyError as error:
        raise ValueError("the effect") from error


def lone_surrogate(environ, start_response):
    """A message that cannot be encoded, such as a file name on a disk of another time."""
    raise ValueError("lone \ud800 surrogate")


def with_length(environ, start_response):
    start_response("200 OK", [*TEXT, ("Content-Length", "10")])
    yield b"abc"
    raise ValueError("before the announced end")
