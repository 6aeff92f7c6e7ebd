"""The deadline: how the application is interrupted, and what is seen of its threads."""

import _signal
import os

import _wsgi_lambda_state as state


class DeadlineReached(TimeoutError):
    """Raised in the application a moment before the platform ends the invocation."""

    def __init__(self, message="the function's timeout is near: the request is given up"):
        super().__init__(message)


def prepare_deadline(interrupt_signal, stacks_signal):
    """Prepares the two signals of the deadline. The first interrupts the application: a handler of Python's own also
    ends what blocks in a system call (PEP 475), which an exception set from another thread would not. Before it raises
    it writes every thread's stack to a file in memory, whose descriptor is given, and a NUL behind them.

    The second writes the stacks without waiting for the interpreter, for when C code holds it and the first gets no
    answer. While Python code runs that is not safe.
    """
    import faulthandler

    descriptor = os.memfd_create("stacks")

    def interrupt(number, frame):
        if state.serving:
            faulthandler.dump_traceback(descriptor, all_threads=True)
            os.write(descriptor, b"\0")
            raise DeadlineReached

    _signal.signal(interrupt_signal, interrupt)
    faulthandler.register(stacks_signal, file=descriptor, all_threads=True)
    return descriptor
