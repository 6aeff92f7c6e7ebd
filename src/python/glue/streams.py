"""The standard streams, which applications close, replace and take away."""

import _signal
import sys

import _wsgi_lambda_state as state


def mend():
    """Opens again what the application has closed or taken away."""
    if sys.stdout is None or getattr(sys.stdout, "closed", False):
        sys.stdout = reopen(1)
    if sys.stderr is None or getattr(sys.stderr, "closed", False):
        sys.stderr = reopen(2)


def reopen(descriptor):
    """Python never closes the descriptors of its standard streams themselves."""
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def flush():
    """Pushes out what the application printed, before the sandbox can be frozen."""
    if state.wakeup is not None and "signal" in sys.modules:
        # Event loops of the application take it for theirs. Setting it costs two system calls.
        _signal.set_wakeup_fd(state.wakeup, warn_on_full_buffer=False)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # closed, replaced or None: nothing there to flush
            pass
