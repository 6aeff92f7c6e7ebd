"""The deadline: how the application is interrupted, and what is seen of its threads."""

import faulthandler
import os

import _wsgi_lambda_lifecycle as lifecycle
import _wsgi_lambda_state as state


class DeadlineReached(TimeoutError):
    """Raised in the application a moment before the platform ends the invocation."""

    def __init__(self, message="the function's timeout is near: the request is given up"):
        super().__init__(message)


def prepare_stacks(stacks_signal):
    """Has the signal write every thread's stack to standard error without the interpreter: in a copy of this process,
    whose standard error is something else."""
    faulthandler.register(stacks_signal, file=2, all_threads=True)


def prepare_deadline(interrupt_signal, take_file):
    """Has the signal interrupt the application: a handler of Python's own also ends what blocks in a system call
    (PEP 475), which an exception set from another thread would not."""

    def interrupt(number, frame):
        if state.serving:
            write_stacks(take_file)
            raise DeadlineReached

    lifecycle.handle(interrupt_signal, interrupt)
    lifecycle.block_in_forks(interrupt_signal)


def write_stacks(take_file):
    """Writes every thread's stack, most recent call first, and a NUL behind them, unless somebody else was first to
    take the file."""
    descriptor = take_file()
    if descriptor >= 0:
        faulthandler.dump_traceback(descriptor, all_threads=True)
        os.write(descriptor, b"\0")
