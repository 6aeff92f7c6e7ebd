"""The iterable (W3, W71 to W80)."""

import contextvars
import functools
import threading

from common import TEXT, Result, legal, notes, say


def returning(make):
    """An application that starts a response and gives what `make` makes."""

    @functools.wraps(make)
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return make()

    return app


@legal
@returning
def a_list():
    return [b"a", b"b", b"c"]


@legal
@returning
def a_list_of_one():
    return [b"abc"]


@legal
@returning
def a_tuple():
    return b"a", b"b", b"c"


@legal
@returning
def a_tuple_of_one():
    return (b"abc",)


@legal
@returning
def a_generator():
    yield from (b"a", b"b", b"c")


@legal
@returning
def an_iterator():
    return iter([b"a", b"b", b"c"])


@legal
@returning
def a_map():
    return map(bytes, [b"a", b"b", b"c"])


@legal
@returning
def a_dict():
    return {b"a": 1, b"b": 2, b"c": 3}


class _Sequence:
    """The old protocol, which the PEP's own FileWrapper uses."""

    def __getitem__(self, index):
        return [b"a", b"b", b"c"][index]


@legal
@returning
def a_sequence():
    return _Sequence()


@legal
@returning
def an_iterable():
    return Result(b"a", b"b", b"c")


@legal
@returning
def empty():
    return []


@legal
@returning
def only_empty_chunks():
    return [b"", b""]


@legal
@returning
def empty_chunks_between():
    return [b"", b"a", b"", b"", b"b", b""]


@returning
def none():
    return None


@returning
def a_number():
    return 7


@returning
def text():
    return "abc"


@returning
def bare_bytes():
    return b"abc"


@returning
def a_bytearray():
    return bytearray(b"abc")


@returning
def text_chunk():
    return ["abc"]


@returning
def text_chunk_among_others():
    return [b"a", "b"]


@returning
def bytearray_chunk():
    return [bytearray(b"abc")]


@returning
def memoryview_chunk():
    return (memoryview(b"abc"),)


@returning
def none_chunk():
    return iter([None])


@returning
def number_chunk():
    return [1, 2]


@legal
def every_byte(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [bytes(range(128)), bytes(range(128, 256))]


@legal
def every_byte_as_text(environ, start_response):
    """A type that promises text does not make it so."""
    start_response("200 OK", TEXT)
    return [bytes(range(256))]


@legal
@returning
def ends_of_line():
    return [b"a\r\nb\nc\rd\0\x1a", b"\xef\xbb\xbf", "\u2028".encode()]


@legal
@returning
def a_character_cut_in_two():
    return [b"\xc3", b"\xa9"]


class Picky:
    """Notes every attribute that is asked for beyond the protocol of iteration."""

    def __iter__(self):
        return iter([b"abc"])

    def __getattr__(self, name):
        notes.append(name)
        raise AttributeError(name)


@returning
def nosy():
    return Picky()


# close()


@legal
@returning
def closes():
    return Result(b"a", b"b")


@legal
@returning
def closes_after_raise():
    return Result(b"a", raising=ValueError("in iteration"))


@legal
@returning
def closes_after_exit():
    return Result(b"a", raising=SystemExit(3))


@returning
def closes_after_wrong_chunk():
    return Result(b"a", "b", b"c")


def closes_without_start(environ, start_response):
    return Result(b"a", b"b")


@legal
def closes_when_cut(environ, start_response):
    """More data than announced."""
    start_response("200 OK", [*TEXT, ("Content-Length", "1")])
    return Result(b"a", b"b", b"c", b"d")


@legal
def closes_without_body(environ, start_response):
    start_response("204 No Content", [])
    return Result(b"a", b"b", b"c")


@returning
def closes_too_large():
    """Beyond what Lambda takes for an answer."""
    return Result(b"x" * 7_000_000)


class _Unreadable(Result):
    def __iter__(self):
        raise ValueError("in iter()")


@returning
def closes_after_iter():
    return _Unreadable()


class _Misled:
    def __iter__(self):
        return iter(len(None))


@returning
def type_error_in_iter():
    """The application's own TypeError, which says nothing about what it returned."""
    return _Misled()


class _Closable:
    def close(self):
        notes.append("closed")


@returning
def closes_what_cannot_be_iterated():
    return _Closable()


@legal
@returning
def raises_in_close():
    return Result(b"a", b"b", raising_in_close=ValueError("in close()"))


@legal
@returning
def exits_in_close():
    return Result(b"a", b"b", raising_in_close=SystemExit(3))


@legal
@returning
def raises_twice():
    return Result(b"a", raising=ValueError("in iteration"), raising_in_close=KeyError("in close()"))


def generator_finally(environ, start_response):
    """A generator's `close()` runs what it has in `finally`."""
    start_response("200 OK", TEXT)
    try:
        yield b"a"
        yield b"b"
    finally:
        notes.append("finally")


@legal
def endless(environ, start_response):
    """A server may stop; this one would never end by itself."""
    start_response("200 OK", [*TEXT, ("Content-Length", "4")])
    while True:
        yield b"abc"


# The thread and its context

_local = threading.local()
_variable = contextvars.ContextVar("variable", default="unset")


class _Context:
    """Notes the thread of each step, and what the call has left in it."""

    def __iter__(self):
        self._note("iteration")
        yield b"abc"
        self._note("iteration")

    def close(self):
        self._note("close")

    @staticmethod
    def _note(step):
        notes.append([step, threading.get_ident() == _local.ident, _variable.get()])


@legal
def context(environ, start_response):
    _local.ident = threading.get_ident()
    _variable.set("set in the call")
    start_response("200 OK", TEXT)
    return _Context()


def context_of_the_last_request(environ, start_response):
    return say(start_response, [getattr(_local, "ident", None) == threading.get_ident(), _variable.get()])


def main_thread(environ, start_response):
    return say(start_response, threading.current_thread() is threading.main_thread())
