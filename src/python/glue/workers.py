"""Managed Instances: several requests at once, each in a process of its own."""

import _signal
import os
import sys
import time

import _wsgi_lambda_lifecycle as lifecycle


def fork_workers(count, log_socket):
    """Forks `count` workers and returns in each of them. The parent stays here, replaces workers that end, and leaves
    by SystemExit: at SIGTERM, or when workers end as fast as they are made.

    The application is imported by now: its memory is shared until it is written to, so the collector, which writes to
    every object that it looks at, is told to leave it alone.
    """
    import gc

    gc.collect()
    gc.freeze()
    # A handler can run just before the wait that it should end, and on any thread: the wait is for the byte that Python's
    # C handler writes.
    readable, writable = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(writable, False)
    ending = False

    def end(number, frame):
        nonlocal ending
        ending = True

    on_child = _signal.getsignal(_signal.SIGCHLD)
    _signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    _signal.signal(_signal.SIGCHLD, lambda number, frame: None)
    _signal.signal(_signal.SIGTERM, end)
    if lifecycle.is_terminated():
        ending = True
    workers = {}
    in_vain = 0
    while workers or not ending:
        while len(workers) < count and not ending:
            mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGTERM])  # else a new worker could run `end`
            pid = os.fork()
            if pid == 0:
                _signal.signal(_signal.SIGTERM, _signal.SIG_DFL)
                _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL if on_child is None else on_child)
                _signal.set_wakeup_fd(-1)
                os.close(readable)
                os.close(writable)
                _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
                _redirect_output(log_socket)
                return
            workers[pid] = time.monotonic()
            _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        if ending:
            for pid in workers:
                os.kill(pid, _signal.SIGTERM)
        if workers:
            os.read(readable, 512)
        for pid, status in _ended_children():
            started = workers.pop(pid, None)
            if ending or started is None:  # a child of the application's own
                continue
            _log_worker(pid, status)
            in_vain = in_vain + 1 if time.monotonic() - started < 1 else 0
            if in_vain > 3 * count:
                raise SystemExit(1)
    raise SystemExit(0)


def _ended_children():
    """Gives process id and status of those that have ended by now: one SIGCHLD can stand for several."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, status


def _log_worker(pid, status):
    code = os.waitstatus_to_exitcode(status)
    how = f"by signal {-code}" if code < 0 else f"with exit status {code}"
    sys.stdout.write(f"[WARNING]\tworker {pid} ended {how}: a new one takes its place\n")


def _redirect_output(path):
    """Output of workers that share a pipe would be mixed: the platform gives each a stream (awslambdaric,
    `lambda_multi_concurrent_utils.py`)."""
    if not path:
        return
    import socket

    for descriptor in (1, 2):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
            stream.connect(path)
            os.dup2(stream.fileno(), descriptor)
