"""State that the other modules share, the functions that Rust sets, and small helpers."""

import _signal
import posix
import sys
from _frozen_importlib import ModuleSpec

# Of the current invocation, for the log.
request_id = ""
tenant_id = None

# Whether the application is serving a request. Rust writes it, too: an interrupt that arrives later is dropped.
serving = False

# The event that is not an HTTP request and that a function of the application deals with, or None.
event = None

# Functions of Rust (`glue.rs`), set when this module is made:
# `deferred(name)` returns a deferred module of ours and makes it at the first call.
deferred = None
# `find_pattern(pattern, flags)` returns the arguments of `_sre.compile` or None (`expressions.rs`). It is None itself
# if the runtime was built without compiled patterns.
find_pattern = None
# `is_forked()` returns whether this process is a child of the one that the platform started, and not a worker.
is_forked = None
# `guard_fork()` announces a fork by Python code whose child must not have the runtime's SIGTERM handler.
guard_fork = None
# `file_identity(descriptor)` returns what tells a descriptor's file from others, or None if the descriptor is closed.
# `posix.fstat` would cost each request more than all other questions about descriptors: it returns a dozen numbers.
file_identity = None

# The descriptor to which Python's C handler writes when a signal arrives while the process waits, and the file's
# identity. It is not set while the application runs: applications close descriptors, and get the same numbers for their
# own files.
_wakeup = None

# The descriptor that an event loop of the application has set instead, and its file's identity.
_displaced = None


def prepare_wakeup(descriptor):
    """Makes signals write to this pipe from the next `watch_signals` on."""
    global _wakeup
    _wakeup = descriptor, file_identity(descriptor)


def watch_signals():
    """Before the process waits: makes signals end the wait."""
    global _displaced
    if _wakeup is not None and file_identity(_wakeup[0]) == _wakeup[1]:
        other = _signal.set_wakeup_fd(_wakeup[0], warn_on_full_buffer=False)
        if other != _wakeup[0]:
            _displaced = (other, file_identity(other)) if other >= 0 else None


def leave_signals():
    """Before the application runs: its handlers run when signals arrive, and its event loop gets its descriptor
    again."""
    if _wakeup is None:
        return
    other = _signal.set_wakeup_fd(-1)
    if other == _wakeup[0] and _displaced is not None and file_identity(_displaced[0]) == _displaced[1]:
        other = _displaced[0]
    if other not in (-1, _wakeup[0]):
        _signal.set_wakeup_fd(other, warn_on_full_buffer=False)


def forget_wakeup():
    """In a child: closes the pipe, which is its parent's."""
    global _wakeup
    leave_signals()
    if _wakeup is not None and file_identity(_wakeup[0]) == _wakeup[1]:
        posix.close(_wakeup[0])
    _wakeup = None


def make_module(name, doc):
    """Returns a module that applications may import. It has a spec, for `importlib.util.find_spec`."""
    module = type(sys)(name, doc)
    module.__spec__ = ModuleSpec(name, None, origin="wsgi-lambda")
    return module


def show(instance):
    """Returns the `repr` of an object with its public attributes."""
    values = ", ".join(f"{name}={value!r}" for name, value in vars(instance).items() if not name.startswith("_"))
    return f"{type(instance).__name__}({values})"
