"""What the runtime gives to the other modules, and what one invocation leaves for them to read."""

import _signal
import posix
import sys
from _frozen_importlib import ModuleSpec

request_id = ""
tenant_id = None

# What the runtime sets: `load(name)` makes a deferred module of ours; `find_pattern(pattern,
# flags)` gives the arguments of `_sre.compile`, and is None without patterns.
load = None
find_pattern = None

# Whether a request is with the application, which the runtime writes too: an interrupt that comes later is dropped.
serving = False

# What the runtime gives as well: whether this process is a child of the one that was started; and a word before a fork in
# Python, that the child is not to have the runtime's handler of SIGTERM.
is_forked = None
guard_fork = None

# The descriptor into which the C handler of a signal writes while the process waits, and which file that is. While the
# application runs it is not set: applications close descriptors, and get their numbers for files of their own.
_wakeup = None

# What an event loop of the application has set in its place, and which file that is.
_displaced = None


def prepare_wakeup(descriptor):
    """Has signals write to this pipe from the next `watch_signals` on."""
    global _wakeup
    _wakeup = descriptor, identity(descriptor)


def watch_signals():
    """The process is going to wait."""
    global _displaced
    if _wakeup is not None and identity(_wakeup[0]) == _wakeup[1]:
        other = _signal.set_wakeup_fd(_wakeup[0], warn_on_full_buffer=False)
        if other != _wakeup[0]:
            _displaced = (other, identity(other)) if other >= 0 else None


def leave_signals():
    """The application's turn: its handlers run as they come, and its event loop has its own descriptor again."""
    if _wakeup is None:
        return
    other = _signal.set_wakeup_fd(-1)
    if other == _wakeup[0] and _displaced is not None and identity(_displaced[0]) == _displaced[1]:
        other = _displaced[0]
    if other not in (-1, _wakeup[0]):
        _signal.set_wakeup_fd(other, warn_on_full_buffer=False)


def forget_wakeup():
    """The pipe is another process's."""
    global _wakeup
    leave_signals()
    if _wakeup is not None and identity(_wakeup[0]) == _wakeup[1]:
        posix.close(_wakeup[0])
    _wakeup = None


def identity(descriptor):
    try:
        stat = posix.fstat(descriptor)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def make_module(name, doc):
    """Makes a module that applications may import. It has a spec, for `importlib.util.find_spec`."""
    module = type(sys)(name, doc)
    module.__spec__ = ModuleSpec(name, None, origin="wsgi-lambda")
    return module
