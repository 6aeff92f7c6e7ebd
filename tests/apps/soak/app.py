"""What a process meets in its life: every way in which a request can end, one path each."""

import sys
import time

import wsgi_lambda

TEXT = [("Content-Type", "text/plain")]
BINARY = [("Content-Type", "application/octet-stream")]


@wsgi_lambda.after_response
def after():
    pass


def app(environ, start_response):
    path = environ["PATH_INFO"].removeprefix("/soak/")
    return WAYS.get(path, plain)(environ, start_response)


def plain(environ, start_response):
    start_response("200 OK", [*TEXT, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [environ["wsgi.input"].read() or b"ok"]


def echo(environ, start_response):
    start_response("200 OK", BINARY)
    return [environ["wsgi.input"].read()]


def large(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"\x7f" * 2_000_000]


def too_large(environ, start_response):
    start_response("200 OK", BINARY)
    return [b"\xff" * 6_000_000]


def empty(environ, start_response):
    start_response("204 No Content", [])
    return []


def raises(environ, start_response):
    kept = environ  # the frame, and all that is in it, stays with the traceback
    raise ValueError(f"raised with {len(kept)} variables")


def exits(environ, start_response):
    sys.exit(3)


def recurses(environ, start_response):
    return recurses(environ, start_response)


def no_iterable(environ, start_response):
    start_response("200 OK", TEXT)
    return 1


def bad_header(environ, start_response):
    start_response("200 OK", [("X-Broken", "a\r\nb")])
    return [b""]


def chunks(environ, start_response):
    start_response("200 OK", TEXT)
    return (b"chunk" for _ in range(20))


def writes(environ, start_response):
    write = start_response("200 OK", TEXT)
    for _ in range(5):
        write(b"written")
    return [b"returned"]


def fails_before(environ, start_response):
    start_response("200 OK", TEXT)
    raise ValueError("before the first chunk")
    yield b""


def fails_between(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"begin"
    raise ValueError("in mid-stream")


class FailsToClose(list):
    def close(self):
        raise ValueError("in close")


def fails_to_close(environ, start_response):
    start_response("200 OK", TEXT)
    return FailsToClose([b"ok"])


def short(environ, start_response):
    start_response("200 OK", [*TEXT, ("Content-Length", "10")])
    return [b"abc"]


def endless(environ, start_response):
    start_response("200 OK", BINARY)
    while True:
        yield bytes(65536)


def sleeps(environ, start_response):
    time.sleep(60)


def stream_sleeps(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"begin"
    time.sleep(60)


def cycles(environ, start_response):
    """Garbage that only the collector finds."""
    ring = [environ, start_response]
    ring.append(ring)
    start_response("200 OK", TEXT)
    return [b"ok"]


def prints(environ, start_response):
    print("one line", "of several words")
    print("an error", file=environ["wsgi.errors"])
    start_response("200 OK", TEXT)
    return [b"ok"]


WAYS = {
    way.__name__: way
    for way in list(globals().values())
    if callable(way) and getattr(way, "__module__", "") == __name__
}
