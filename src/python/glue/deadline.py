"""The deadline: how the application is interrupted, and how the stacks of its threads are written."""

import faulthandler
import os

import _wsgi_lambda_lifecycle as lifecycle
import _wsgi_lambda_state as state


class DeadlineReached(TimeoutError):
    """Raised in the application shortly before the platform ends the invocation."""

    def __init__(self, message="the function's timeout is near: the request is given up"):
        super().__init__(message)


def prepare_stacks(stacks_signal):
    """Makes the signal write the stacks of all threads to standard error, in C. It is sent only to a copy of this
    process, whose standard error is a file (`write_stacks_in_a_copy` in `ffi.rs`)."""
    faulthandler.register(stacks_signal, file=2, all_threads=True)


def prepare_deadline(interrupt_signal, take_file):
    """Makes the signal interrupt the application. A Python signal handler also ends a blocking system call (PEP 475);
    an exception that another thread sets would not."""

    def interrupt(number, frame):
        if state.serving:
            write_stacks(take_file)
            raise DeadlineReached

    lifecycle.handle(interrupt_signal, interrupt)
    lifecycle.block_in_forks(interrupt_signal)


def write_stacks(take_file):
    """Writes the stacks of all threads, most recent call first, and a NUL after them. Does nothing if another thread
    has taken the file."""
    descriptor = take_file()
    if descriptor >= 0:
        faulthandler.dump_traceback(descriptor, all_threads=True)
        os.write(descriptor, b"\0")
