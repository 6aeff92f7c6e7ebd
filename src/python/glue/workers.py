"""Workers on Managed Instances: processes that each serve one request at a time."""

import _signal
import os
import sys
from _thread import get_ident

import _wsgi_lambda_lifecycle as lifecycle
import _wsgi_lambda_logs as logs
from _wsgi_lambda_lifecycle import release_handlers  # noqa: F401 (for `entry_points`)


def prepare_forks():
    """Prepares the parent, before the first fork."""
    import gc

    gc.collect()
    gc.freeze()
    if _signal.getsignal(_signal.SIGCHLD) is _signal.SIG_IGN:
        # The application ignores its children; the parent has to learn how workers end.
        lifecycle.handle(_signal.SIGCHLD, _signal.SIG_DFL)
    lifecycle.hold_handlers()


def fork(log_socket):
    """Forks a worker and prepares it. Returns the worker's process id, or 0 in the worker."""
    pid = lifecycle.fork_worker()
    if pid == 0:
        if "gevent" in sys.modules:
            import gevent

            gevent.reinit()
        lifecycle.leave_keyboard()  # a child has Python's handler again
        _redirect_output(log_socket)
    return pid


def other_threads():
    """Returns the names of the threads that run Python code next to this one, without the runtime's own."""
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
    """Sends standard output and standard error to the socket at `path`, if there is one: a stream for each worker, as
    in awslambdaric (`lambda_multi_concurrent_utils.py`). In a shared pipe the lines of workers would mix."""
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
