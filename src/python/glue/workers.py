"""Managed Instances: several requests at once, each in a process of its own."""

import _signal
import os
import sys
import time


def fork_workers(count, log_socket):
    """Forks `count` workers and returns in each of them. The parent stays here, replaces workers that end, and leaves
    by SystemExit: at SIGTERM, or when workers end as fast as they are made.

    The application is imported by now: its memory is shared until it is written to, so the collector, which writes to
    every object that it looks at, is told to leave it alone.
    """
    import gc

    gc.collect()
    gc.freeze()
    workers = {}
    ending = False
    in_vain = 0

    def end(number, frame):
        nonlocal ending
        ending = True
        for pid in workers:
            os.kill(pid, _signal.SIGTERM)

    _signal.signal(_signal.SIGTERM, end)
    while not ending or workers:
        while len(workers) < count and not ending:
            _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGTERM])  # else a new worker could run `end`
            pid = os.fork()
            if pid == 0:
                _signal.signal(_signal.SIGTERM, _signal.SIG_DFL)
                _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGTERM])
                _redirect_output(log_socket)
                return
            workers[pid] = time.monotonic()
            _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGTERM])
        pid, status = os.wait()
        age = time.monotonic() - workers.pop(pid, 0)
        if ending:
            continue
        _log_worker(pid, status)
        in_vain = in_vain + 1 if age < 1 else 0
        if in_vain > 3 * count:
            raise SystemExit(1)
    raise SystemExit(0)


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
