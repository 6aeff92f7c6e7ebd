"""`wsgi.input` (W22, W29 to W38)."""

from urllib.parse import unquote

from common import TEXT, legal, say


def evaluate(environ, start_response):
    """Evaluates the query, an expression such as `[stream.read(2), stream.readline()]`."""
    value = eval(unquote(environ["QUERY_STRING"]), {"stream": environ["wsgi.input"]})
    return say(start_response, _plain(value))


def _plain(given):
    """Bytes as text, and only bytes."""
    if isinstance(given, list):
        return [_plain(item) for item in given]
    return given.decode("latin-1") if type(given) is bytes else repr(given)


def _echo(copy):
    def app(environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = copy(environ["wsgi.input"], length)
        start_response("200 OK", TEXT)
        return body

    app.__name__ = copy.__name__
    app.__module__ = __name__
    return app


@legal
@_echo
def echo_by_length(stream, length):
    return [stream.read(length)]


@legal
@_echo
def echo_byte_by_byte(stream, length):
    """Reads on until the end of the stream tells itself, whatever the length."""
    return list(iter(lambda: stream.read(1), b""))


@legal
@_echo
def echo_by_readline(stream, length):
    return list(iter(lambda: stream.readline(), b""))


@legal
@_echo
def echo_by_readlines(stream, length):
    return stream.readlines()


@legal
@_echo
def echo_by_iteration(stream, length):
    return list(stream)


@_echo
def echo_by_read(stream, length):
    """`wsgiref.validate` forbids `read()` without a size; PEP 3333 has allowed it since its last change."""
    return [stream.read()]


@legal
def echo_while_iterating(environ, start_response):
    """The stream stays readable while the answer is iterated."""
    start_response("200 OK", TEXT)
    while line := environ["wsgi.input"].readline():
        yield line


@legal
def unread(environ, start_response):
    """Leaves the body where it is."""
    start_response("200 OK", TEXT)
    return [b"unread"]
