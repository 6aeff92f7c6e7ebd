"""The standard streams. Applications close, replace and remove them."""

import sys

import _wsgi_lambda_state as state

_NUMBERS = {"stdout": 1, "stderr": 2}
# By name: the stream that was tried last. Only a new one is tried: each write can be a record in somebody's log.
_tried = {}


def repair():
    """Opens standard output and standard error again where the application has closed them, removed them, or put an
    object in their place that cannot write."""
    for name in _NUMBERS:
        try:
            stream = getattr(sys, name)
            usable = stream.write is not None and not getattr(stream, "closed", False)
            if usable and stream is not _tried.get(name):
                _tried[name] = stream  # before the write, since a logger's record comes back here
                stream.write("")
        except Exception:
            usable = False
        if not usable:
            _open_again(name)


def _open_again(name):
    # Never closes the descriptor, as Python's own standard streams.
    stream = open(_NUMBERS[name], "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    setattr(sys, name, stream)


def flush():
    """Writes out what was printed. A stream that fails to do so is opened again."""
    for name in _NUMBERS:
        try:
            flush = getattr(sys, name).flush
        except Exception:  # removed, or has none: there is nothing to flush
            continue
        try:
            flush()
        except Exception:
            _open_again(name)


def flush_before_wait():
    """Writes out what the application printed, before the sandbox can be frozen. From here on signals end the wait."""
    flush()
    state.watch_signals()
