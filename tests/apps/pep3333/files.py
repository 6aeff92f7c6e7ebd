"""`wsgi.file_wrapper` (W96)."""

import io
import os
import tempfile

from common import TEXT, legal, notes, say


class NotingFile(io.BytesIO):
    """Notes the sizes it is asked for, and its `close()`."""

    def read(self, size=-1):
        notes.append("read")
        return super().read(size)

    def close(self):
        if not self.closed:  # also called when Python lets go of it
            notes.append("closed")
        super().close()


class Source:
    """As little as a file can be: `read(size)` alone."""

    def __init__(self, *blocks):
        self.blocks = iter(blocks)

    def read(self, size):
        return next(self.blocks, b"")


class ClosableSource(Source):
    closed = 0

    def close(self):
        self.closed += 1
        notes.append(f"closed {self.closed}")


def _serve(environ, start_response, filelike, *block_size):
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](filelike, *block_size)


@legal
def in_memory(environ, start_response):
    return _serve(environ, start_response, io.BytesIO(b"0123456789"))


@legal
def with_block_size(environ, start_response):
    return _serve(environ, start_response, io.BytesIO(b"0123456789"), 4)


@legal
def from_position(environ, start_response):
    filelike = tempfile.TemporaryFile()
    filelike.write(b"0123456789")
    filelike.seek(3)
    return _serve(environ, start_response, filelike)


@legal
def pipe(environ, start_response):
    """No position, no size."""
    reader, writer = os.pipe()
    with open(writer, "wb") as out:
        out.write(b"0123456789")
    return _serve(environ, start_response, open(reader, "rb"))


@legal
def read_only(environ, start_response):
    return _serve(environ, start_response, Source(b"01234", b"56789"))


@legal
def closes(environ, start_response):
    return _serve(environ, start_response, ClosableSource(b"01234", b"56789"))


@legal
def larger_than_a_block(environ, start_response):
    return _serve(environ, start_response, io.BytesIO(b"0123456789" * 20_000))


@legal
def until_length(environ, start_response):
    start_response("200 OK", [*TEXT, ("Content-Length", "4")])
    return environ["wsgi.file_wrapper"](ClosableSource(b"01", b"23", b"45", b"67"))


@legal
def read_fails(environ, start_response):
    class Failing(ClosableSource):
        def read(self, size):
            raise OSError("the disk is gone")

    return _serve(environ, start_response, Failing())


def text(environ, start_response):
    return _serve(environ, start_response, ClosableSource("text"))


@legal
def not_returned(environ, start_response):
    """Made, and not used: nothing may be sent, nothing read."""
    wrapper = environ["wsgi.file_wrapper"](NotingFile(b"0123456789"))
    start_response("200 OK", TEXT)
    wrapper.close()
    return [b"something else"]


@legal
def through_middleware(environ, start_response):
    """Middleware takes the wrapper as any iterable."""

    class Upper:
        def __init__(self, wrapped):
            self.wrapped = wrapped

        def __iter__(self):
            return (chunk.upper() for chunk in self.wrapped)

        def close(self):
            self.wrapped.close()

    return Upper(_serve(environ, start_response, ClosableSource(b"abc", b"def")))


@legal
def consumed_by_middleware(environ, start_response):
    wrapped = _serve(environ, start_response, ClosableSource(b"abc", b"def"))
    try:
        return list(wrapped)
    finally:
        wrapped.close()


@legal
def attributes(environ, start_response):
    """`close` is there when the file has it."""
    wrap = environ["wsgi.file_wrapper"]
    return say(
        start_response,
        {"with": hasattr(wrap(ClosableSource()), "close"), "without": hasattr(wrap(Source()), "close")},
    )


def bad_block_sizes(environ, start_response):
    for size in (0, -1):
        try:
            environ["wsgi.file_wrapper"](Source(), size)
        except ValueError:
            notes.append("ValueError")
    return say(start_response, notes)
