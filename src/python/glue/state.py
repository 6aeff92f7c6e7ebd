"""What the runtime gives to the other modules, and what one invocation leaves for them to read."""

import _signal
import posix
import sys
from _frozen_importlib import ModuleSpec

request_id = ""
tenant_id = None

# What the runtime gives: `load(name)` makes a module of ours that is held back until it is wanted; `find_pattern(pattern,
# flags)` gives the arguments of `_sre.compile`, and is None without patterns.
load = None
find_pattern = None

# Whether a request is with the application, which the runtime writes too: an interrupt that comes later is dropped.
serving = False

# Whether this process is a child of the one that was started; the runtime knows.
is_forked = None

# The descriptor into which the C handler of a signal writes, and which file that is.
_wakeup = None


def set_wakeup(descriptor):
    """Has signals write to this pipe."""
    global _wakeup
    _wakeup = descriptor, _identity(descriptor)
    _signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)


def renew_wakeup():
    """Sets the pipe again, which event loops of the application take for theirs. Not if it is not ours any more:
    applications close descriptors, and get their numbers for files of their own."""
    if _wakeup is None:
        return
    descriptor, identity = _wakeup
    if _identity(descriptor) == identity:
        _signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
    else:
        forget_wakeup()


def forget_wakeup():
    """Has signals write to it no more."""
    global _wakeup
    if _wakeup is None:
        return
    other = _signal.set_wakeup_fd(-1)
    if other not in (-1, _wakeup[0]):
        _signal.set_wakeup_fd(other)
    _wakeup = None


def _identity(descriptor):
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
