"""What outlives a request, and what must not (W38, W58, W62, W80)."""

import gc
import signal
import sys
import time
import weakref

from common import TEXT, legal, notes, say

_kept = {}
_references = {}

gc.disable()  # a cycle that the runtime makes must not be cleared away by chance


class Marker:
    """Something that a weak reference can watch."""


class _Body:
    def __iter__(self):
        return iter([b"watched"])


class Watched(Exception):
    pass


@legal
def watch(environ, start_response):
    """Watches the environ through what is in it, the streams, and the iterable."""
    environ["test.marker"] = marker = Marker()
    start_response("200 OK", TEXT)
    body = _Body()
    _references.update(environ=weakref.ref(marker), input=weakref.ref(environ["wsgi.input"]), body=weakref.ref(body))
    if context := environ.get("wsgi_lambda.context"):
        _references["context"] = weakref.ref(context)
    return body


def watch_exc_info(environ, start_response):
    """Replaces a response, and then fails to: neither may keep the exception or its frames."""
    start_response("200 OK", TEXT)
    marker = Marker()
    _references["frame"] = weakref.ref(marker)
    try:
        raise Watched
    except Watched as error:
        _references["exception"] = weakref.ref(error)
        start_response("500 Oops", TEXT, sys.exc_info())
    yield b"data"
    try:
        raise Watched
    except Watched as error:
        _references["late exception"] = weakref.ref(error)
        try:
            start_response("500 Oops", TEXT, sys.exc_info())
        except Watched:
            pass


def watch_failure(environ, start_response):
    """An exception that nobody catches."""
    marker = Marker()
    error = Watched()
    _references.update(frame=weakref.ref(marker), exception=weakref.ref(error))
    try:
        raise error
    finally:
        del error  # else this frame and the exception would be a cycle of the application's own


def alive(environ, start_response):
    """What is still there of what was watched."""
    told = {name: reference() is not None for name, reference in _references.items()}
    _references.clear()
    return say(start_response, told)


def keep(environ, start_response):
    _kept["start_response"] = start_response
    _kept["write"] = start_response("200 OK", TEXT)
    return [b"first"]


def keep_unstarted(environ, start_response):
    _kept["start_response"] = start_response
    raise ValueError("before anything")


def use_kept(environ, start_response):
    """Uses what the last request left, before and after its own start."""
    _try_kept()
    start_response("202 Accepted", TEXT)
    _try_kept()
    yield b"sec"
    _try_kept()
    yield b"ond"


def _try_kept():
    try:
        raise Watched
    except Watched:
        exc_info = sys.exc_info()
    calls = [
        lambda: _kept["start_response"]("500 Stale", [("X-Stale", "yes")]),
        lambda: _kept["start_response"]("500 Stale", [("X-Stale", "yes")], exc_info),
    ]
    if "write" in _kept:
        calls.append(lambda: _kept["write"](b"stale"))
    for call in calls:
        try:
            call()
            notes.append("accepted")
        except Exception as error:
            notes.append(type(error).__name__)


def handles_signals(environ, start_response):
    """Signal handlers can be set, which Python allows in its main thread alone, and they run."""
    previous = signal.signal(signal.SIGUSR1, lambda number, frame: notes.append(signal.Signals(number).name))
    try:
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, previous)
    return say(start_response, notes)


def interrupted_while_iterating(environ, start_response):
    """A timer, such as those that bound the time of a request."""

    def ring(number, frame):
        raise TimeoutError("the timer rang")

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    start_response("200 OK", TEXT)
    try:
        yield b"data"
        while True:
            time.sleep(1)
    except TimeoutError:
        yield b", then the timer"
    finally:
        signal.signal(signal.SIGALRM, previous)
