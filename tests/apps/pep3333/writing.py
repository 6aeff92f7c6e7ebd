"""`write()` (W64 to W70)."""

from threading import Thread

from common import TEXT, legal, notes


@legal
def before_the_iterable(environ, start_response):
    write = start_response("200 OK", TEXT)
    notes.append(write(b"a"))
    write(b"b")
    return [b"c", b"d"]


@legal
def alone(environ, start_response):
    start_response("200 OK", TEXT)(b"written")
    return []


@legal
def then_one_chunk(environ, start_response):
    start_response("200 OK", TEXT)(b"ab")
    return [b"c"]


@legal
def empty_chunks(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"")
    write(b"a")
    write(b"")
    return [b""]


def wrong_types(environ, start_response):
    write = start_response("200 OK", TEXT)
    for data in ("text", bytearray(b"x"), memoryview(b"x"), None, 1):
        try:
            write(data)
        except TypeError:
            notes.append("TypeError")
    for arguments in [(), (b"a", b"b")]:
        try:
            write(*arguments)
        except TypeError:
            notes.append("arguments")
    return [b"ok"]


def wrong_type_uncaught(environ, start_response):
    start_response("200 OK", TEXT)("text")
    return [b"never"]


@legal
def then_raise(environ, start_response):
    start_response("200 OK", TEXT)(b"data")
    raise ValueError("after write()")


@legal
def from_threads(environ, start_response):
    """Helpers of the request's own thread, all at once."""
    write = start_response("200 OK", TEXT)
    threads = [Thread(target=lambda: [write(b"x") for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return []
