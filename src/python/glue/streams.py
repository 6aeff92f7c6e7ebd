"""The standard streams. Applications close, replace and remove them."""

import sys

import _wsgi_lambda_state as state


def repair():
    """Opens standard output and standard error again where the application has closed them, removed them, or put an
    object in their place that cannot write."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        try:
            stream = getattr(sys, name)
            usable = stream.write is not None and not getattr(stream, "closed", False)
        except Exception:
            usable = False
        if not usable:
            setattr(sys, name, _open(descriptor))


def _open(descriptor):
    # Never closes the descriptor, as Python's own standard streams.
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def flush():
    """Writes out what was printed."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except Exception:  # closed, replaced or removed: there is nothing to flush
            pass


def flush_before_wait():
    """Writes out what the application printed, before the sandbox can be frozen. From here on signals end the wait."""
    flush()
    state.watch_signals()
