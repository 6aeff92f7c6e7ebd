"""The standard streams, which applications close, replace and take away."""

import sys

import _wsgi_lambda_state as state


def mend():
    """Opens again what the application has closed, taken away, or replaced by what is no stream."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        try:
            stream = getattr(sys, name)
            usable = stream.write is not None and not getattr(stream, "closed", False)
        except Exception:
            usable = False
        if not usable:
            setattr(sys, name, reopen(descriptor))


def reopen(descriptor):
    """Python never closes the descriptors of its standard streams themselves."""
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def push():
    """Pushes out what was printed."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except Exception:  # closed, replaced or taken away: nothing there to flush
            pass


def flush():
    """Pushes out what the application printed, before the sandbox can be frozen."""
    push()
    state.watch_signals()
