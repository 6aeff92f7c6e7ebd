"""Managed Instances: several requests at once, each in a process of its own."""

import _signal
import os
import sys
from _thread import get_ident

import _wsgi_lambda_lifecycle as lifecycle
import _wsgi_lambda_logs as logs
from _wsgi_lambda_lifecycle import release_handlers  # noqa: F401 (for `index`)


def prepare_forks():
    """Before the first fork."""
    import gc

    gc.collect()
    gc.freeze()
    if _signal.getsignal(_signal.SIGCHLD) is _signal.SIG_IGN:
        # The application ignores its children: how they end would be kept from the parent.
        lifecycle.handle(_signal.SIGCHLD, _signal.SIG_DFL)
    lifecycle.hold_handlers()


def fork(log_socket):
    """Forks, and prepares the child."""
    pid = lifecycle.fork_worker()
    if pid == 0:
        if "gevent" in sys.modules:
            import gevent

            gevent.reinit()
        lifecycle.leave_keyboard()  # which children have again
        _redirect_output(log_socket)
    return pid


def other_threads():
    """Gives the names of the threads that run Python code beside this one, without the runtime's own."""
    import threading

    names = []
    for identifier, frame in sys._current_frames().items():
        while frame.f_back is not None:
            frame = frame.f_back
        if identifier != get_ident() and not frame.f_code.co_filename.startswith("wsgi_lambda/"):
            thread = threading._active.get(identifier)
            names.append(getattr(thread, "name", None) or f"in {frame.f_code.co_filename}")
    return names


def _redirect_output(path):
    """Output of workers that share a pipe would be mixed: the platform gives each a stream (awslambdaric,
    `lambda_multi_concurrent_utils.py`)."""
    if not path:
        return
    import socket

    try:
        for descriptor in (1, 2):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
                stream.connect(path)
                os.dup2(stream.fileno(), descriptor)
    except OSError as error:  # mixed lines are better than no worker
        logs.warn(f"the worker shares its parent's output: {path}: {error}")
