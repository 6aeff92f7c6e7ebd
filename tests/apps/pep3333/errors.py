"""`wsgi.errors` and what else an application writes (W23, W40 to W43)."""

import sys

from common import TEXT, legal, notes, say


def _answer(start_response):
    start_response("200 OK", TEXT)
    return [b"written"]


@legal
def write(environ, start_response):
    environ["wsgi.errors"].write("one line\n")
    return _answer(start_response)


@legal
def writelines(environ, start_response):
    environ["wsgi.errors"].writelines(["first\n", "second\n"])
    environ["wsgi.errors"].flush()
    return _answer(start_response)


@legal
def without_newline(environ, start_response):
    environ["wsgi.errors"].write("no end of line")
    return _answer(start_response)


@legal
def any_unicode(environ, start_response):
    environ["wsgi.errors"].write("euro \u20ac, snake \U0001f40d, lone \ud800 surrogate\n")
    return _answer(start_response)


def prints(environ, start_response):
    """Print, to both streams, is what most applications do."""
    print("printed out", end="")
    print("printed err", end="", file=sys.stderr)
    return _answer(start_response)


def through_a_buffer(environ, start_response):
    """Applications replace the streams, with ones that hold back what they are given."""
    sys.stdout = open(1, "w", closefd=False)
    sys.stderr = open(2, "w", closefd=False)
    print("held back out")
    print("held back err", file=sys.stderr)
    return _answer(start_response)


@legal
def while_iterating(environ, start_response):
    yield from _answer(start_response)
    environ["wsgi.errors"].write("after the last chunk")


class _LateWriter:
    def __init__(self, errors):
        self.errors = errors

    def __iter__(self):
        return iter([b"written"])

    def close(self):
        self.errors.write("from close()")


@legal
def in_close(environ, start_response):
    start_response("200 OK", TEXT)
    return _LateWriter(environ["wsgi.errors"])


def follows_sys_stderr(environ, start_response):
    return say(start_response, environ["wsgi.errors"] is sys.stderr)


def close(environ, start_response):
    """Forbidden by the PEP, and still met."""
    environ["wsgi.errors"].close()
    return _answer(start_response)


def bytes_are_refused(environ, start_response):
    try:
        environ["wsgi.errors"].write(b"bytes")
    except TypeError:
        notes.append("TypeError")
    return _answer(start_response)
